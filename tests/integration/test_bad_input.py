import errno
import os
from pathlib import Path

import numpy as np
import pytest

from nanograd.model_state import load_tensors, save_tensors

NOT_FINITE = {"lr": 1000.0, "weight_decay": 10.0, "warmup_steps": 0, "grad_clip": 0.0, "max_steps": 60}


@pytest.fixture
def break_disk(monkeypatch):
    """From the call on, nothing comes to lie on the disk, for this reason; repair it with None."""
    sound = os.fsync

    def break_it(number):
        def refuse(descriptor):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", sound if number is None else refuse)

    return break_it


# ---- texts ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "There is no file"), (b"", "is empty"), (bytes(range(256)) * 20, "binary data"), ("folder", "holds no texts")],
    ids=["missing", "empty", "binary", "folder"],
)
def test_a_file_that_is_no_text_is_refused_and_another_can_be_opened(person, tmp_path, text_file, content, expected):
    path = tmp_path / "bad.txt"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    person.window.open_corpus(path)
    assert expected in person.wait_for_error()
    assert "bad.txt" in person.message()
    assert person.find("message_bar").isVisible()
    assert person.window.run_state == "idle"
    person.open(text_file)
    assert not person.find("message_bar").isVisible()


def test_a_file_that_may_not_be_read_is_refused(person, text_file, monkeypatch):
    opened = Path.open  # permissions would not stop the superuser

    def refuse(path, *arguments, **more):
        if path == text_file:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **more)

    monkeypatch.setattr(Path, "open", refuse)
    person.window.open_corpus(text_file)
    assert "may not be read" in person.wait_for_error()


def test_a_text_that_cannot_be_opened_does_not_disturb_the_run(person, text_file, tmp_path):
    person.train_past(text_file, 2)
    person.window.open_corpus(tmp_path / "missing.txt")
    person.wait_for_error()
    reached = len(person.window.history.steps)
    person.wait(lambda: len(person.window.history.steps) > reached)
    assert person.states == ["training"]


def test_a_text_in_another_encoding_opens_once_the_user_has_said_which_it_is(person, tmp_path):
    path = tmp_path / "old.txt"
    path.write_bytes(("Grüße, “naïve” café\n" * 60).encode("cp1252"))
    person.window.open_corpus(path)
    assert "old.txt is not Unicode" in person.wait_for_error()
    with person.wait_for(person.window.corpus_opened):
        person.do("guess_windows-1252_button")
    assert not person.find("encoding_question").isVisible()
    person.set_up()
    person.do("train_action")
    person.wait_for_state("finished")
    assert len(person.generate(prompt="café")) == 8


def test_a_text_shorter_than_the_context_is_refused_when_a_run_is_to_begin(person, tmp_path, text_file):
    path = tmp_path / "short.txt"
    path.write_text("too short", encoding="utf-8")
    person.open(path)
    person.set_up(block_size=16)
    person.do("train_action")
    assert "too short for a context of 16" in person.wait_for_error()
    assert person.window.run_state == "idle"
    person.train(text_file)


def test_training_without_a_text_asks_for_one(person):
    person.do("train_action")
    assert "no text to learn from" in person.wait_for_error()


# ---- prompts and probes ---------------------------------------------------------------------------------------------------


def test_a_prompt_with_characters_the_model_never_saw_is_refused_and_the_run_goes_on(person, text_file):
    person.train_past(text_file, 2)
    person.begin_generating(prompt="the Ω")
    assert "'Ω'" in person.wait_for_error()
    assert "'Ω'" in person.find("prompt_problem_label").text()
    reached = len(person.window.history.steps)
    person.wait(lambda: len(person.window.history.steps) > reached)
    assert len(person.generate(prompt="the ")) == 8
    assert person.find("prompt_problem_label").text() == ""


def test_a_probe_with_characters_the_model_never_saw_is_refused_and_the_old_one_stays(person, text_file):
    person.train(text_file)
    person.find("probe_edit").setText("the fog")
    attention = person.find("attention_map")
    person.wait(lambda: attention.tokens == tuple("the fog"))
    person.find("probe_edit").setText("Ω")
    assert "'Ω'" in person.wait_for_error()
    assert "'Ω'" in person.find("probe_problem_label").text()
    assert attention.tokens == tuple("the fog")


# ---- settings -------------------------------------------------------------------------------------------------------------


def test_heads_that_do_not_divide_the_width_are_refused_beside_the_field(person, text_file):
    person.open(text_file)
    person.set_up(n_embd=64, n_head=5)
    shown = person.find("problem_n_head").text()
    assert "choose 4 or 8" in shown
    assert person.errors[-1] == shown
    assert person.find("parameter_count_label").text() == "–"
    person.do("train_action")
    assert person.message() == shown
    assert person.window.run_state == "idle"
    person.set("setting_n_head", 4)
    assert person.find("problem_n_head").text() == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_layer", 0),
        ("block_size", 1),
        ("dropout", 1.5),
        ("lr", 0.0),
        ("lr", -1.0),
        ("max_steps", 0),
        ("batch_size", -3),
        ("seed", -1),
    ],
)
def test_a_setting_out_of_bounds_shows_its_error_and_is_not_bent(person, text_file, name, value):
    person.open(text_file)
    person.set_up(**{name: value})
    assert person.find(f"setting_{name}").value() == value
    assert "out of bounds" in person.find(f"problem_{name}").text()
    assert "out of bounds" in person.errors[-1]
    person.do("train_action")
    assert person.window.run_state == "idle"
    assert person.message() == person.errors[-1]


def test_temperature_zero_takes_the_likeliest_and_below_is_refused(person, text_file):
    person.train(text_file)
    assert person.generate(temperature=0.0, seed=1, tokens=30) == person.generate(temperature=0.0, seed=2, tokens=30)
    before = person.find("generated_text").toPlainText()
    person.set("temperature_setting", -0.5)
    assert "below 0" in person.errors[-1]
    assert "below 0" in person.find("generation_problem_label").text()
    person.do("generate_button")
    assert person.find("generated_text").toPlainText() == before
    assert len(person.generate(temperature=0.5)) == 8


# ---- checkpoints ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut", "changed", "foreign"])
def test_a_checkpoint_that_is_damaged_or_foreign_is_refused_and_the_run_stays(person, text_file, tmp_path, kind):
    person.train_to(text_file, 2)
    good, bad = tmp_path / "good.safetensors", tmp_path / "bad.safetensors"
    person.save(good)
    data = good.read_bytes()
    match kind:
        case "empty":
            bad.write_bytes(b"")
        case "text":
            bad.write_bytes(text_file.read_bytes())
        case "cut":
            bad.write_bytes(data[:-100])
        case "changed":
            bad.write_bytes(data[:-100] + bytes([data[-100] ^ 1]) + data[-99:])
        case "foreign":
            save_tensors(bad, {"weight": np.zeros(3, dtype=np.float32)}, {})
    reached = len(person.window.history.steps)
    person.window.open_checkpoint(bad)
    assert "bad.safetensors" in person.wait_for_error()
    assert person.window.run_state == "paused"
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) > reached)


def test_saving_without_a_run_says_so(person, tmp_path):
    person.window.save_checkpoint(tmp_path / "nothing.safetensors")
    assert "nothing to save" in person.wait_for_error()
    assert not (tmp_path / "nothing.safetensors").exists()


@pytest.mark.parametrize(("number", "remedy"), [(errno.ENOSPC, "Make room"), (errno.EROFS, "can be written to")])
def test_a_disk_that_is_full_or_read_only_loses_neither_the_run_nor_the_file_before(
    person, text_file, tmp_path, break_disk, number, remedy
):
    person.train_to(text_file, 2)
    path = tmp_path / "run.safetensors"
    person.save(path)
    before = path.read_bytes()
    break_disk(number)
    person.window.save_checkpoint(path)
    message = person.wait_for_error()
    assert remedy in message
    assert person.message() == message
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.glob("*.part")] == []
    reached = len(person.window.history.steps)
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) > reached)
    break_disk(None)
    person.save(path)
    assert int(load_tensors(path)[1]["step"]) > reached


def test_a_run_trains_on_where_its_folder_cannot_be_written_and_is_not_closed_unsaved_at_once(
    person, text_file, tmp_path, break_disk
):
    break_disk(errno.ENOSPC)
    person.train(text_file)
    assert any(os.strerror(errno.ENOSPC) in error for error in person.errors)
    assert len(person.window.history.steps) == 12
    other = tmp_path / "other.txt"
    other.write_text("something else\n" * 40, encoding="utf-8")
    person.window.open_corpus(other)
    assert "stays open" in person.wait_for_error()
    assert person.window.run_state == "finished"
    assert len(person.generate()) == 8
    person.set("setting_max_steps", 15)
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) == 15 and person.window.run_state == "finished")
    person.window.open_corpus(other)
    assert "stays open" in person.wait_for_error()
    person.open(other)
    assert person.window.run_state == "idle"


def test_a_run_whose_disk_comes_back_says_that_it_is_saved_again(person, text_file, break_disk):
    person.train_past(text_file, 2)
    break_disk(errno.ENOSPC)
    assert os.strerror(errno.ENOSPC) in person.wait_for_error()
    break_disk(None)
    person.wait(lambda: "saved again" in person.message())
    folder = next(path for path in (person.window.data_directory / "runs").iterdir() if not path.name.startswith("."))
    assert str(folder) in person.message()


def test_a_folder_that_is_not_there_is_named_when_saving(person, text_file, tmp_path):
    person.train(text_file)
    person.window.save_checkpoint(tmp_path / "nowhere" / "run.safetensors")
    assert "Create the folder first" in person.wait_for_error()


# ---- a loss that is not finite --------------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_fails_the_run_loads_the_last_good_weights_and_lets_it_go_on(person, text_file, tmp_path):
    person.open(text_file)
    person.set_up(**NOT_FINITE)
    person.do("train_action")
    person.wait_for_state("failed")
    message = person.message()
    assert "Lower the learning rate" in message
    good = int(message.partition("The weights of step ")[2].partition(" ")[0])
    assert person.find("step_number_label").text() == str(good)
    assert person.find("run_state_label").text() == "Failed"
    person.save(tmp_path / "good.safetensors")
    tensors = load_tensors(tmp_path / "good.safetensors")[0]
    assert all(np.isfinite(array).all() for name, array in tensors.items() if name.startswith("model."))
    assert len(person.generate()) == 8
    person.set("setting_lr", 1e-3)
    person.set("setting_weight_decay", 0.0)
    person.do("train_action")
    person.wait_for_state("finished")
    np.testing.assert_array_equal(person.window.history.steps, np.arange(1, 61))
    np.testing.assert_array_equal(person.window.history.validation_steps, np.arange(0, 61, 4))


def test_a_run_from_a_checkpoint_elsewhere_falls_back_to_it_when_it_fails(person, text_file, tmp_path):
    person.train_to(text_file, 5, max_steps=2000, eval_interval=1000)
    path = tmp_path / "elsewhere.safetensors"
    person.save(path)
    person.open_checkpoint(path)
    opened_at = len(person.window.history.steps)
    person.set("setting_lr", 1000.0)
    person.set("setting_weight_decay", 10.0)
    person.set("setting_grad_clip", 0.0)
    person.do("train_action")
    person.wait_for_state("failed")
    assert person.find("step_number_label").text() == str(opened_at)
    assert person.find("message_bar").isVisible()
    person.set("setting_lr", 1e-3)
    person.do("step_action")
    person.wait_for_state("paused")
    assert not person.find("message_bar").isVisible()
