import errno
import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest

from nanograd import atomic_file
from nanograd.errors import CheckpointError, SettingsError
from nanograd.text.cache import IdsCache
from nanograd.text.choice import TokenizerChoice
from nanograd.text.corpus import Corpus, load_corpus
from nanograd.training import run as run_module
from nanograd.training.checkpoint import load_run
from nanograd.training.events import (
    CheckpointFailed,
    CheckpointSaved,
    EvaluationFinished,
    RunFailed,
    RunFinished,
    RunStarted,
    StepFinished,
)
from nanograd.training.run import Run, find_corpus
from nanograd.training.run_directory import RunDirectory


@pytest.fixture
def start(small_settings, small_corpus, tmp_path):
    """Starts a small run in a fresh data folder."""

    def start(corpus=small_corpus, **changes):
        return Run.start(replace(small_settings, **changes), corpus, tmp_path)

    return start


@pytest.fixture
def full_disk(monkeypatch):
    """A switch: while it is on, every write to a run's folder fails as on a full disk."""

    class Disk:
        is_full = True

    real_open, real_append = atomic_file.Path.open, RunDirectory._append

    def fail(path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    def open_(path, mode="r", *rest, **named):
        if Disk.is_full and mode.startswith("x"):
            fail(path)
        return real_open(path, mode, *rest, **named)

    def append(directory, name, row):
        if Disk.is_full:
            fail(directory.path / name)
        real_append(directory, name, row)

    monkeypatch.setattr(atomic_file.Path, "open", open_)
    monkeypatch.setattr(RunDirectory, "_append", append)
    return Disk


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def steps_of(events):
    return [event.step for event in events if isinstance(event, StepFinished)]


def test_a_run_leaves_settings_curve_samples_text_and_checkpoint(start, tmp_path, small_corpus):
    run = start()
    events = list(run.events())
    folder = events[0].run_directory
    assert folder.parent == tmp_path / "runs"
    assert json.loads((folder / "settings.json").read_text()) == run.trainer.settings.as_dict()
    assert json.loads((folder / "corpus.json").read_text())["digest"] == small_corpus.digest
    metrics = rows(folder / "metrics.jsonl")
    assert [row["step"] for row in metrics if "train_loss" in row] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in metrics if "validation_loss" in row] == [0, 2, 4, 6]
    assert [row["step"] for row in rows(folder / "samples.jsonl")] == [0, 2, 4, 6]
    assert load_run(folder / "checkpoint.safetensors").step == 6
    assert IdsCache(tmp_path / "corpora").find(small_corpus.digest, small_corpus.tokenizer) is not None
    assert RunDirectory.latest(tmp_path / "runs").path == folder


def test_a_run_is_saved_at_each_evaluation_and_at_its_end(start):
    events = list(start(max_steps=5).events())
    assert [event.step for event in events if isinstance(event, CheckpointSaved)] == [0, 2, 4, 5, 5]
    assert isinstance(events[-2], CheckpointSaved)
    assert isinstance(events[-1], RunFinished)


def test_a_run_is_saved_every_minute(start, monkeypatch):
    monkeypatch.setattr(run_module, "AUTOSAVE_INTERVAL_S", 0.0)
    saved = [event.step for event in start(eval_interval=100).events() if isinstance(event, CheckpointSaved)]
    assert saved == [0, 1, 2, 3, 4, 5, 6, 6, 6]


def test_a_run_that_this_computer_cannot_hold_is_refused_before_it_takes_memory(start):
    with pytest.raises(SettingsError, match="GB of memory, and this computer has"):
        start(n_layer=48, n_head=64, n_embd=4096, block_size=4096, batch_size=4096)


def test_nothing_is_written_before_a_run_begins(start, tmp_path):
    start()
    assert list(tmp_path.iterdir()) == []


def test_a_resumed_run_goes_on_in_its_folder_and_its_curve_is_whole(start, tmp_path, small_corpus):
    run = start()
    events = run.events()
    next(event for event in events if isinstance(event, CheckpointSaved) and event.step == 4)
    next(event for event in events if isinstance(event, StepFinished))  # step 5 is in metrics.jsonl, but not saved
    events.close()
    saved = load_run(run.directory.checkpoint_path)
    again = Run.resume(saved, small_corpus, tmp_path, run.directory)
    assert again.saved_step == 4
    resumed = list(again.events())
    assert steps_of(resumed) == [5, 6]
    metrics = rows(run.directory.path / "metrics.jsonl")
    assert [row["step"] for row in metrics if "train_loss" in row] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in metrics if "validation_loss" in row] == [0, 2, 4, 6]
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_a_checkpoint_from_elsewhere_goes_on_in_a_new_folder(start, tmp_path, small_corpus):
    run = start()
    list(run.events())
    other = tmp_path / "other"
    again = Run.resume(load_run(run.directory.checkpoint_path), small_corpus, other)
    again.trainer.change_settings(replace(run.trainer.settings, max_steps=7))
    assert steps_of(again.events()) == [7]
    assert again.directory.path.parent == other / "runs"
    assert json.loads((again.directory.path / "settings.json").read_text())["max_steps"] == 7
    assert len(rows(again.directory.path / "metrics.jsonl")) == 7 + 5


def test_changed_settings_are_written_when_the_run_goes_on_and_fixed_ones_refused(start):
    run = start()
    list(run.events(single_step=True))
    run.trainer.change_settings(replace(run.trainer.settings, lr=0.5))
    next(run.events())
    assert json.loads((run.directory.path / "settings.json").read_text())["lr"] == 0.5
    with pytest.raises(SettingsError, match="fixed for this run"):
        run.trainer.change_settings(replace(run.trainer.settings, n_layer=1))


def test_a_full_disk_is_told_once_and_training_goes_on(start, full_disk):
    run = start()
    events = list(run.events())
    assert steps_of(events) == [1, 2, 3, 4, 5, 6]
    assert isinstance(events[0], RunStarted)
    failures = [event for event in events if isinstance(event, CheckpointFailed)]
    assert all("No space left on device" in event.message for event in failures)
    assert len(failures) == 1 + 5  # the beginning, then each save
    assert isinstance(events[-1], RunFinished)
    assert run.saved_step == -1
    full_disk.is_full = False
    assert isinstance(run.save(), CheckpointSaved)
    assert load_run(run.directory.checkpoint_path).step == run.saved_step == 6


def test_a_disk_that_fills_up_leaves_the_last_checkpoint_whole(start, full_disk):
    full_disk.is_full = False
    run = start()
    events = run.events()
    next(event for event in events if isinstance(event, CheckpointSaved) and event.step == 2)
    full_disk.is_full = True
    rest = list(events)
    assert steps_of(rest) == [3, 4, 5, 6]
    assert any(isinstance(event, CheckpointFailed) for event in rest)
    assert load_run(run.directory.checkpoint_path).step == run.saved_step == 2
    assert sorted(path.name for path in run.directory.path.iterdir() if path.name.endswith(".part")) == []


def test_a_disk_that_comes_back_gets_the_whole_curve(start, full_disk):
    run = start()
    for event in run.events():
        full_disk.is_full = isinstance(event, RunStarted) or (full_disk.is_full and run.trainer.step < 3)
    metrics = rows(run.directory.path / "metrics.jsonl")
    assert [row["step"] for row in metrics if "train_loss" in row] == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in metrics if "validation_loss" in row] == [0, 2, 4, 6]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes away no folder with open files in it")
def test_a_run_whose_folder_is_taken_away_gets_another_with_all_that_it_was(start):
    run = start()
    events = []
    for event in run.events():
        events.append(event)
        if isinstance(event, StepFinished) and event.step == 3:
            former = run.directory.path
            shutil.rmtree(former)
    assert steps_of(events) == [1, 2, 3, 4, 5, 6]
    assert any(isinstance(event, CheckpointFailed) for event in events)
    assert load_run(run.directory.checkpoint_path).step == 6
    assert run.directory.is_locked()
    metrics = rows(run.directory.path / "metrics.jsonl")
    assert [row["step"] for row in metrics if "train_loss" in row] == [1, 2, 3, 4, 5, 6]


def test_a_data_folder_that_cannot_be_made_is_told_and_training_goes_on(small_settings, small_corpus, tmp_path):
    (tmp_path / "file").write_text("in the way")
    events = list(Run.start(small_settings, small_corpus, tmp_path / "file").events())
    assert events[0].run_directory is None
    assert isinstance(events[1], CheckpointFailed)
    assert "make room there, or allow writing" in events[1].message
    assert steps_of(events) == [1, 2, 3, 4, 5, 6]


def test_a_copy_can_be_saved_anywhere(start, tmp_path):
    run = start()
    list(run.events(single_step=True))
    before = run.saved_step
    assert run.save(tmp_path / "copy.safetensors") == CheckpointSaved(step=1, path=tmp_path / "copy.safetensors")
    assert run.saved_step == before
    assert load_run(tmp_path / "copy.safetensors").step == 1
    assert isinstance(run.save(tmp_path / "no" / "such" / "folder"), CheckpointFailed)


def test_the_last_good_weights_are_what_a_failed_run_leaves(start):
    run = start()
    events = run.events()
    next(event for event in events if isinstance(event, CheckpointSaved) and event.step == 2)
    good = run.trainer.model.wpe.weight.array.copy()
    run.trainer.model.wpe.weight.array[:] = np.nan
    rest = list(events)
    assert isinstance(rest[-1], RunFailed)
    assert not any(isinstance(event, CheckpointSaved | StepFinished) for event in rest)
    np.testing.assert_array_equal(load_run(run.directory.checkpoint_path).build_model().wpe.weight.array, good)


@pytest.mark.parametrize("max_steps", [4, 6])
def test_weights_that_give_no_finite_validation_loss_are_never_saved(start, max_steps):
    run = start(max_steps=max_steps)
    events = run.events()
    next(event for event in events if isinstance(event, StepFinished) and event.step == 4)
    run.trainer.model.wpe.weight.array[:] = np.nan
    rest = list(events)
    assert isinstance(rest[-1], RunFailed)
    assert not any(isinstance(event, CheckpointSaved | EvaluationFinished) for event in rest)
    assert load_run(run.directory.checkpoint_path).step == 2
    assert "NaN" not in (run.directory.path / "metrics.jsonl").read_text()


def written_corpus(tmp_path, small_corpus):
    path = tmp_path / "cats.txt"
    path.write_text(small_corpus.tokenizer.decode(small_corpus.ids))
    return load_corpus(path)


@pytest.mark.parametrize(("has_cache", "has_file"), [(True, True), (True, False), (False, True), (False, False)])
def test_the_text_of_a_run_is_found_where_it_still_is(start, tmp_path, small_corpus, has_cache, has_file):
    corpus = written_corpus(tmp_path, small_corpus)
    run = start(corpus)
    list(run.events(single_step=True))
    if not has_cache:
        shutil.rmtree(tmp_path / "corpora")
    if not has_file:
        corpus.path.unlink()
    run.save()
    found = find_corpus(load_run(run.directory.checkpoint_path), tmp_path)
    if not has_cache and not has_file:
        assert found is None
        return
    assert (found.name, found.digest, found.path) == ("cats.txt", corpus.digest, corpus.path)
    np.testing.assert_array_equal(found.ids, corpus.ids)
    assert ("cannot be found" in found.notice) == (not has_file)


def damage_cache(folder):
    for path in (folder / "corpora").glob("*.ids"):
        path.write_bytes(b"damaged")


def test_a_run_goes_on_from_the_cache_and_says_that_its_text_has_changed(start, tmp_path, small_corpus):
    corpus = written_corpus(tmp_path, small_corpus)
    run = start(corpus)
    list(run.events(single_step=True))
    run.save()
    saved = load_run(run.directory.checkpoint_path)
    corpus.path.touch()
    assert find_corpus(saved, tmp_path).notice == ""
    corpus.path.write_text("another text altogether")
    found = find_corpus(saved, tmp_path)
    assert "cats.txt has changed" in found.notice
    assert found.digest == corpus.digest
    list(Run.resume(saved, found, tmp_path).events(single_step=True))


@pytest.mark.parametrize("choice", [TokenizerChoice(kind="byte"), TokenizerChoice(kind="byte-pair", vocabulary_size=280)])
@pytest.mark.parametrize("has_cache", [True, False])
def test_a_run_keeps_its_tokenizer(start, tmp_path, small_corpus, choice, has_cache):
    corpus = load_corpus(written_corpus(tmp_path, small_corpus).path, choice)
    run = start(corpus)
    list(run.events(single_step=True))
    run.save()
    if not has_cache:
        shutil.rmtree(tmp_path / "corpora")
    saved = load_run(run.directory.checkpoint_path)
    found = find_corpus(saved, tmp_path)
    assert found.is_encoded_by(corpus.tokenizer)
    np.testing.assert_array_equal(found.ids, corpus.ids)
    assert saved.build_trainer(found).step == 1
    with pytest.raises(CheckpointError, match="with other tokens"):
        saved.build_trainer(written_corpus(tmp_path, small_corpus))


def test_a_text_that_was_changed_is_not_the_runs(start, tmp_path, small_corpus):
    corpus = written_corpus(tmp_path, small_corpus)
    run = start(corpus)
    list(run.events(single_step=True))
    damage_cache(tmp_path)
    corpus.path.write_text("another text altogether")
    run.save()
    assert find_corpus(load_run(run.directory.checkpoint_path), tmp_path) is None


def test_a_text_without_a_file_is_found_in_the_data_folder(start, tmp_path):
    run = start(Corpus.from_text("written by hand. " * 30, name="pasted"))
    list(run.events(single_step=True))
    run.save()
    assert find_corpus(load_run(run.directory.checkpoint_path), tmp_path).name == "pasted"
