from dataclasses import fields, replace

import pytest

from nanograd.errors import SettingsError
from nanograd.training.settings import PRESETS, RunSettings, declared_settings

DECLARED = declared_settings()
NUMBERS = {name: setting for name, setting in DECLARED.items() if not isinstance(getattr(RunSettings(), name), bool | str)}


def just_outside(name):
    setting, is_whole = NUMBERS[name], isinstance(getattr(RunSettings(), name), int)
    step = 1 if is_whole else 1e-9 + setting.maximum * 1e-9
    return setting.minimum - step, setting.maximum + step


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid(name):
    assert PRESETS[name].problems() == {}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Tiny", (2, 2, 32, 32, 16)),
        ("Small", (3, 3, 96, 64, 16)),
        ("nanoGPT CPU", (4, 4, 128, 64, 12)),
        ("Medium", (6, 6, 384, 256, 4)),
    ],
)
def test_presets_have_the_shapes_they_are_known_by(name, shape):
    settings = PRESETS[name]
    assert (settings.n_layer, settings.n_head, settings.n_embd, settings.block_size, settings.batch_size) == shape


def test_nanogpt_cpu_is_as_in_nanogpt():
    expected = {
        "max_steps": 2000, "lr": 1e-3, "min_lr": 1e-4, "warmup_steps": 100, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.1,
        "grad_clip": 1.0, "dropout": 0.0, "bias": False,
    }  # fmt: skip
    assert {name: getattr(PRESETS["nanoGPT CPU"], name) for name in expected} == expected
    assert PRESETS["nanoGPT CPU"] == RunSettings()


@pytest.mark.parametrize("name", DECLARED)
def test_every_field_has_a_label_help_and_group(name):
    setting = DECLARED[name]
    assert setting.label
    assert setting.help.endswith(".")
    assert setting.group in ("Model", "Training")


def test_every_field_is_declared():
    assert list(DECLARED) == [declared.name for declared in fields(RunSettings)]


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_include_their_ends_and_nothing_beyond(name):
    for value in (NUMBERS[name].minimum, NUMBERS[name].maximum):
        assert name not in bounds_problems(name, type(getattr(RunSettings(), name))(value))
    for value in just_outside(name):
        message = bounds_problems(name, value)[name]
        assert message.startswith(NUMBERS[name].label)
        assert "choose from" in message


def bounds_problems(name, value):
    """The problems of one field, without those between fields."""
    problems = replace(RunSettings(), **{name: value}).problems()
    return {} if any("divide" in text or "above the learning rate" in text for text in problems.values()) else problems


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n_layer", 2.5, "Layers is a whole number, not 2.5."),
        ("n_layer", True, "Layers is a whole number, not True."),
        ("n_layer", "4", "Layers is a whole number, not '4'."),
        ("lr", float("nan"), "Learning rate is a number, not nan."),
        ("lr", float("inf"), "Learning rate is a number, not inf."),
        ("lr", None, "Learning rate is a number, not None."),
        ("bias", 1, "Biases is yes or no, not 1."),
        ("activation", "tanh", "Activation is one of gelu_tanh, gelu, relu, relu2, swiglu, not 'tanh'."),
        ("dropout", 1.5, "Dropout 1.5 is out of bounds; choose from 0 to 0.95."),
        ("seed", 2**31, "Seed 2,147,483,648 is out of bounds; choose from 0 to 2,147,483,647."),
    ],
)
def test_a_field_says_what_is_wrong_with_it(name, value, message):
    assert replace(RunSettings(), **{name: value}).problems() == {name: message}


def test_a_number_too_large_for_a_float_is_out_of_bounds():
    assert "out of bounds" in replace(RunSettings(), lr=10**400).problems()["lr"]


@pytest.mark.parametrize(
    ("n_head", "n_embd", "advice"),
    [
        (5, 64, "choose 4 or 8."),
        (3, 64, "choose 2 or 4."),
        (7, 13, "choose 1 or 13."),
        (64, 96, "choose 48."),
        (3, 2, "choose 2."),
    ],
)
def test_heads_that_do_not_divide_the_width_are_told_the_nearest_that_do(n_head, n_embd, advice):
    problems = replace(RunSettings(), n_head=n_head, n_embd=n_embd).problems()
    assert problems == {"n_head": f"n_head {n_head} does not divide n_embd {n_embd}; {advice}"}


def test_rotary_heads_of_odd_width_are_told():
    assert "even width" in replace(RunSettings(), n_head=4, n_embd=12, position="rotary").problems()["n_head"]
    assert not replace(RunSettings(), n_head=3, n_embd=12, position="rotary").problems()


def test_a_final_rate_above_the_rate_is_told():
    problems = replace(RunSettings(), lr=1e-4, min_lr=1e-3).problems()
    assert problems == {"min_lr": "The final learning rate 0.001 is above the learning rate 0.0001; choose at most 0.0001."}


def test_check_raises_all_problems_at_once():
    with pytest.raises(SettingsError) as error:
        RunSettings(n_layer=0, lr=-1.0).check()
    assert set(error.value.problems) == {"n_layer", "lr"}


def test_settings_come_back_from_their_dict():
    settings = PRESETS["Tiny"]
    assert RunSettings.from_dict(settings.as_dict()) == settings
    assert RunSettings.from_dict({}) == RunSettings()


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"wings": 2}, "wings", "newer version"),
        ({"lr": -1.0}, "lr", "out of bounds"),
        ({"n_layer": "2"}, "n_layer", "whole number"),
    ],
)
def test_a_dict_that_does_not_fit_is_refused(values, field, words):
    with pytest.raises(SettingsError) as error:
        RunSettings.from_dict(values)
    assert words in error.value.problems[field]


def test_lower_rates_keep_their_proportion_and_their_bounds():
    settings = RunSettings(lr=1e-2, min_lr=1e-3, muon_lr=0.02, optimizer="muon")
    lower = settings.with_rates_times(0.1)
    assert (lower.lr, lower.min_lr, lower.muon_lr) == pytest.approx((1e-3, 1e-4, 2e-3))
    assert RunSettings(muon_lr=0.02).with_rates_times(0.1).muon_lr == 0.02
    assert settings.with_rates_times(1e-12).check().lr == 1e-8
    assert RunSettings(min_lr=0.0).with_rates_times(0.5).min_lr == 0.0
