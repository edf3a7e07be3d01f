from dataclasses import replace

import numpy as np
import pytest

from nanograd.errors import CorpusError, SettingsError, VocabularyError
from nanograd.generation import Sampling
from nanograd.module import Parameter
from nanograd.optimizer import AdamW, Muon
from nanograd.random import Generator
from nanograd.tensor import wrap
from nanograd.text.corpus import Corpus
from nanograd.training.events import (
    EvaluationAdvanced,
    EvaluationFinished,
    ProbeTaken,
    RunFailed,
    RunFinished,
    RunStarted,
    SampleAdvanced,
    SampleWritten,
    StepFinished,
)
from nanograd.training.settings import declared_settings
from nanograd.training.trainer import MuonWithAdamW, Trainer, first_prompt


def weights_of(trainer):
    return {name: parameter.array.copy() for name, parameter in trainer.model.named_parameters()}


def state_of(trainer):
    """Everything that decides how the run goes on, and its curve without the clock's numbers."""
    optimizer = {
        f"{index}.{name}": np.copy(value) for index, entry in trainer.optimizer.state.items() for name, value in entry.items()
    }
    arrays = trainer.metrics.arrays()
    curve = {name: getattr(arrays, name) for name in ("steps", "train_loss", "lr", "gradient_norm", "validation_loss")}
    return {**weights_of(trainer), **optimizer, **curve, "step": np.array(trainer.step)}


def assert_same_state(left, right):
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


def finished(settings, corpus):
    trainer = Trainer(settings, corpus)
    for _ in trainer.run():
        pass
    return trainer


def test_a_run_is_a_list_of_events_in_order(small_settings, small_corpus):
    evaluation = [EvaluationAdvanced, EvaluationFinished, ProbeTaken, SampleAdvanced, SampleWritten]
    expected = [
        RunStarted, *evaluation, StepFinished, StepFinished, *evaluation, StepFinished, ProbeTaken, StepFinished, *evaluation,
        StepFinished, StepFinished, ProbeTaken, *evaluation, RunFinished,
    ]  # fmt: skip
    events = list(Trainer(small_settings, small_corpus).run())
    assert [type(event) for event in events] == expected
    assert [event.step for event in events if isinstance(event, StepFinished)] == [1, 2, 3, 4, 5, 6]
    assert [event.step for event in events if isinstance(event, EvaluationFinished)] == [0, 2, 4, 6]
    assert events[0].parameter_count == sum(p.numel() for p in Trainer(small_settings, small_corpus).model.parameters())


def test_a_model_learns_its_text(small_settings, small_corpus):
    settings = replace(small_settings, max_steps=120, eval_interval=120, dropout=0.0, sample_tokens=0)
    evaluations = [event for event in Trainer(settings, small_corpus).run() if isinstance(event, EvaluationFinished)]
    assert evaluations[0].loss == pytest.approx(np.log(small_corpus.tokenizer.vocabulary_size), abs=0.3)
    assert evaluations[-1].loss < 1.0


def test_the_same_seed_makes_the_same_run_and_another_seed_another(small_settings, small_corpus):
    first = state_of(finished(small_settings, small_corpus))
    assert_same_state(first, state_of(finished(small_settings, small_corpus)))
    other = state_of(finished(replace(small_settings, seed=8), small_corpus))
    assert (first["wte.weight"] != other["wte.weight"]).any()


def test_looking_never_changes_a_run(small_settings, small_corpus):
    looked = Trainer(replace(small_settings, eval_interval=1, probe_interval=1), small_corpus)
    for event in looked.run():
        if isinstance(event, StepFinished | EvaluationAdvanced | SampleAdvanced):
            looked.model.generate([1, 2], 3, seed=1)
            looked.model.generate([1, 2], 3)
            list(looked.model.stream([1], 2, Sampling(), Generator(0)))
            looked.set_probe("cat")
            looked.take_probe()
    plain = Trainer(replace(small_settings, eval_interval=1000, probe_interval=1000, sample_tokens=0), small_corpus)
    list(plain.run())
    left, right = state_of(looked), state_of(plain)
    del left["validation_loss"], right["validation_loss"]
    assert_same_state(left, right)


@pytest.mark.parametrize("windows", [1, 7, 10_000])
def test_the_evaluation_is_the_mean_over_fixed_windows(small_settings, small_corpus, windows):
    settings = replace(small_settings, eval_windows=windows)
    trainer = Trainer(settings, small_corpus)
    losses = [event.loss for event in trainer._evaluate() if isinstance(event, EvaluationFinished)]
    assert losses == [
        event.loss for event in Trainer(settings, small_corpus)._evaluate() if isinstance(event, EvaluationFinished)
    ]
    ids = small_corpus.split(settings.validation_fraction)[1].astype(np.int64)
    count = (len(ids) - 1) // 8
    chosen = range(count) if windows >= count else [index * count // windows for index in range(windows)]
    trainer.model.eval()
    each = [trainer.model(ids[None, 8 * i : 8 * i + 8], ids[None, 8 * i + 1 : 8 * i + 9])[1].item() for i in chosen]
    assert losses[0] == pytest.approx(np.mean(each), rel=1e-5)


def test_a_large_evaluation_tells_how_far_it_is(small_settings, small_corpus):
    trainer = Trainer(
        replace(small_settings, block_size=64, validation_fraction=0.9, eval_windows=40, batch_size=1), small_corpus
    )
    advanced = [event for event in trainer._evaluate() if isinstance(event, EvaluationAdvanced)]
    assert [(event.done, event.total) for event in advanced] == [(26, 26)]
    trainer = Trainer(replace(small_settings, block_size=2, validation_fraction=0.9), Corpus.from_text("ab" * 3000, name="ab"))
    trainer.change_settings(replace(trainer.settings, eval_windows=2500))
    assert [event.done for event in trainer._evaluate() if isinstance(event, EvaluationAdvanced)] == [1024, 2048, 2500]


@pytest.mark.parametrize("stop_at", [StepFinished, EvaluationAdvanced, SampleAdvanced, ProbeTaken])
def test_a_run_dropped_at_any_event_goes_on_as_if_it_had_not(small_settings, small_corpus, stop_at):
    trainer = Trainer(small_settings, small_corpus)
    for _ in range(3):
        run = trainer.run()
        next(event for event in run if isinstance(event, stop_at))
        run.close()
    list(trainer.run())
    assert_same_state(state_of(trainer), state_of(finished(small_settings, small_corpus)))


def test_single_steps_are_the_same_run(small_settings, small_corpus):
    trainer = Trainer(small_settings, small_corpus)
    for step in range(1, 7):
        events = list(trainer.run(single_step=True))
        assert isinstance(events[0], RunStarted)
        assert [event.step for event in events if isinstance(event, StepFinished)] == [step]
        assert isinstance(events[-1], ProbeTaken)
    list(trainer.run())
    assert_same_state(state_of(trainer), state_of(finished(small_settings, small_corpus)))


def test_a_single_step_goes_beyond_the_end(small_settings, small_corpus):
    trainer = finished(small_settings, small_corpus)
    steps = [event for event in trainer.run(single_step=True) if isinstance(event, StepFinished)]
    assert [(event.step, event.lr) for event in steps] == [(7, small_settings.min_lr)]


def test_a_run_that_is_over_only_says_so(small_settings, small_corpus):
    trainer = finished(small_settings, small_corpus)
    before = weights_of(trainer)
    assert [type(event) for event in trainer.run()] == [RunStarted, RunFinished]
    assert_same_state(before, weights_of(trainer))


def test_more_steps_go_on_from_where_it_stood(small_settings, small_corpus):
    trainer = finished(small_settings, small_corpus)
    trainer.change_settings(replace(small_settings, max_steps=8))
    events = list(trainer.run())
    assert [event.step for event in events if isinstance(event, StepFinished)] == [7, 8]
    assert isinstance(events[-1], RunFinished)


FIXED = [name for name, setting in declared_settings().items() if not setting.changeable]
OTHER = {
    "n_layer": 1, "n_head": 4, "n_embd": 32, "block_size": 4, "dropout": 0.1, "activation": "relu", "bias": True,
    "batch_size": 2, "seed": 1, "beta1": 0.5, "beta2": 0.5, "validation_fraction": 0.2,
    "parts": 3, "norm": "rmsnorm", "position": "rotary", "qk_norm": True, "tied_head": False, "zero_init": True,
    "embedding_std": 0.1, "optimizer": "muon",
}  # fmt: skip


@pytest.mark.parametrize("name", FIXED)
def test_what_is_fixed_in_a_run_cannot_be_changed(small_settings, small_corpus, name):
    trainer = Trainer(small_settings, small_corpus)
    with pytest.raises(SettingsError, match="fixed for this run"):
        trainer.change_settings(replace(small_settings, **{name: OTHER[name]}))
    assert trainer.settings == small_settings


def test_what_may_change_takes_effect_at_the_next_step(small_settings, small_corpus):
    trainer = Trainer(replace(small_settings, warmup_steps=0), small_corpus)
    list(trainer.run(single_step=True))
    trainer.change_settings(replace(trainer.settings, lr=0.5, min_lr=0.5, weight_decay=0.0))
    step = next(event for event in trainer.run(single_step=True) if isinstance(event, StepFinished))
    assert step.lr == 0.5
    assert [group["weight_decay"] for group in trainer.optimizer.param_groups] == [0, 0]


def test_settings_out_of_bounds_are_refused(small_settings, small_corpus):
    with pytest.raises(SettingsError, match="does not divide"):
        Trainer(replace(small_settings, n_head=3), small_corpus)
    with pytest.raises(SettingsError, match="out of bounds"):
        Trainer(small_settings, small_corpus).change_settings(replace(small_settings, lr=-1.0))


def spoil(trainer, value):
    trainer.model.wpe.weight.array[0, 0] = value


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_fails_the_run_and_changes_nothing(small_settings, small_corpus, value):
    trainer = Trainer(small_settings, small_corpus)
    list(trainer.run(single_step=True))
    spoil(trainer, value)
    before = state_of(trainer)
    events = list(trainer.run())
    assert isinstance(events[-1], RunFailed)
    assert events[-1].step == 2
    assert "The loss became nan at step 2" in events[-1].message
    assert "Lower the learning rate" in events[-1].message
    assert_same_state(before, state_of(trainer))


def test_a_rate_far_too_high_never_leaves_weights_that_are_not_finite(small_settings, small_corpus):
    settings = replace(small_settings, lr=1e3, min_lr=1e3, warmup_steps=0, max_steps=200, grad_clip=0.0, eval_interval=50)
    trainer = Trainer(settings, small_corpus)
    events = list(trainer.run())
    assert isinstance(events[-1], RunFailed | RunFinished)
    assert all(np.isfinite(array).all() for array in weights_of(trainer).values())


def test_gradients_are_clipped_unless_it_is_off(small_settings, small_corpus):
    def after(grad_clip):
        trainer = Trainer(replace(small_settings, grad_clip=grad_clip), small_corpus)
        event = next(event for event in trainer.run() if isinstance(event, StepFinished))
        return event.gradient_norm, trainer.optimizer.state_dict()["state"][0]["exp_avg"]

    (norm, off), (same_norm, clipped) = after(0.0), after(0.01)
    assert norm == same_norm > 0.01
    np.testing.assert_allclose(clipped, off * (0.01 / norm), rtol=1e-4)


def test_only_matrices_decay(small_settings, small_corpus):
    trainer = Trainer(replace(small_settings, bias=True), small_corpus)
    decayed, kept = (group["params"] for group in trainer.optimizer.param_groups)
    assert [group["weight_decay"] for group in trainer.optimizer.param_groups] == [0.1, 0.0]
    assert {parameter.ndim for parameter in decayed} == {2}
    assert {parameter.ndim for parameter in kept} == {1}
    assert len(decayed) + len(kept) == len(list(trainer.model.parameters()))


def test_the_rate_rises_then_falls(small_settings, small_corpus):
    rates = [event.lr for event in Trainer(small_settings, small_corpus).run() if isinstance(event, StepFinished)]
    assert rates[:3] == pytest.approx([1e-2 / 3, 2e-2 / 3, 1e-2])
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] > small_settings.min_lr


def test_a_probe_shows_the_attention_over_its_last_tokens(small_settings, small_corpus):
    trainer = Trainer(small_settings, small_corpus, probe="the cat sat")
    event = trainer.take_probe()
    assert event.tokens == tuple(" cat sat")
    assert event.weights.shape == (2, 2, 8, 8)
    assert event.weights.dtype == np.float32
    np.testing.assert_allclose(event.weights.sum(-1), 1, rtol=1e-5)


def test_a_probe_of_unknown_characters_is_refused_and_the_old_one_kept(small_settings, small_corpus):
    trainer = Trainer(small_settings, small_corpus)
    before = trainer.probe
    with pytest.raises(VocabularyError, match="Z"):
        trainer.set_probe("the Zoo")
    assert trainer.probe == before
    assert "".join(trainer.take_probe().tokens) == before[-small_settings.block_size :]


def test_an_empty_probe_shows_nothing(small_settings, small_corpus):
    trainer = Trainer(small_settings, small_corpus, probe="")
    assert trainer.take_probe() is None
    assert not any(isinstance(event, ProbeTaken) for event in trainer.run())


def test_a_sample_is_as_long_as_asked_and_of_the_vocabulary(small_settings, small_corpus):
    samples = [event for event in Trainer(small_settings, small_corpus).run() if isinstance(event, SampleWritten)]
    assert [event.step for event in samples] == [0, 2, 4, 6]
    for event in samples:
        assert event.prompt == "\n"
        assert len(event.text) == 20
        small_corpus.tokenizer.encode(event.text)


def test_a_prompt_is_known_to_every_vocabulary():
    assert first_prompt(Corpus.from_text("ba", name="x").tokenizer) == "a"


def test_a_text_shorter_than_the_context_is_refused(small_settings):
    with pytest.raises(CorpusError, match=r"too short for a context of 8.*validation part has 5 tokens and needs 9"):
        Trainer(small_settings, Corpus.from_text("abcde" * 10, name="short.txt"))


def test_muon_with_adamw_does_what_both_do_apart():
    generator = np.random.default_rng(0)
    start = [generator.standard_normal(shape).astype(np.float32) for shape in ((6, 4), (5,), (3, 6))]
    gradients = [[generator.standard_normal(array.shape).astype(np.float32) for array in start] for _ in range(4)]

    def steps(make):
        parameters = [Parameter(array.copy()) for array in start]
        optimizers = make(*parameters)
        for step in gradients:
            for parameter, gradient in zip(parameters, step, strict=True):
                parameter.grad = wrap(gradient.copy())
            for optimizer in optimizers:
                optimizer.step()
        return [parameter.array for parameter in parameters]

    together = steps(
        lambda a, b, c: [
            MuonWithAdamW([{"params": [a], "muon": True, "lr": 0.02}, {"params": [b, c]}], lr=0.01, weight_decay=0.1, eps=1e-7)
        ]
    )
    apart = steps(lambda a, b, c: [Muon([a], lr=0.02, weight_decay=0.1), AdamW([b, c], lr=0.01, weight_decay=0.1, eps=1e-7)])
    for ours, theirs in zip(together, apart, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_muon_with_adamw_gives_muon_matrices_only():
    with pytest.raises(ValueError, match="matrices only"):
        MuonWithAdamW([{"params": [Parameter(np.ones(3))], "muon": True}])
