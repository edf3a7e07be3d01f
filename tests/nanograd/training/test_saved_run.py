import json
from dataclasses import replace

import numpy as np
import pytest

from nanograd.errors import CheckpointError, RunLockedError, SettingsError, VocabularyError
from nanograd.training.checkpoint import load_run
from nanograd.training.events import CheckpointSaved, ProbeChanged, SettingsChanged, StepFinished
from nanograd.training.run import Run
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import open_at, open_run, open_to_write, open_to_write_or_copy


@pytest.fixture
def finished(small_settings, small_corpus, tmp_path):
    """A run of six steps that has let go of its folder."""
    run = Run.start(small_settings, small_corpus, tmp_path)
    list(run.events())
    run.close()
    return run


def weights(run):
    return {name: parameter.array.copy() for name, parameter in run.trainer.model.named_parameters()}


def assert_same_weights(left, right):
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


def test_a_folder_and_its_newest_checkpoint_open_the_same_run(finished):
    for path in (finished.directory.path, finished.directory.checkpoint_path):
        opened = open_run(path)
        assert (opened.saved.step, opened.directory.path, opened.parent, opened.notice) == (6, finished.directory.path, None, "")


def test_a_folder_from_before_there_were_several_checkpoints_opens(finished):
    folder = finished.directory.path
    for path in folder.iterdir():
        if path.name not in ("settings.json", "corpus.json", "metrics.jsonl", "samples.jsonl", "checkpoint.safetensors"):
            path.unlink() if path.is_file() else [child.unlink() for child in path.iterdir()]
    assert open_to_write(folder).saved.step == 6


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "missing"])
def test_where_the_newest_is_damaged_the_one_before_goes_on_to_the_same_weights(finished, small_corpus, tmp_path, damage):
    newest = finished.directory.checkpoint_path
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    match damage:
        case "cut":
            newest.write_bytes(newest.read_bytes()[:-1])
        case "flipped":
            newest.write_bytes(data)
        case "empty":
            newest.write_bytes(b"")
        case _:
            newest.unlink()
    opened = open_to_write(finished.directory.path)
    assert opened.saved.step == 4
    assert bool(opened.notice) == (damage != "missing")
    again = Run.resume(opened.saved, small_corpus, tmp_path, opened.directory)
    assert [event.step for event in again.events() if isinstance(event, StepFinished)] == [5, 6]
    assert_same_weights(weights(again), weights(finished))
    assert load_run(newest).step == 6


def test_where_all_are_damaged_or_there_are_none_that_is_told(finished, tmp_path):
    for path in finished.directory.checkpoints.paths():
        path.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="not a checkpoint that can be opened"):
        open_to_write(finished.directory.path)
    assert not finished.directory.is_locked()
    with pytest.raises(CheckpointError, match="Choose the folder of a run"):
        open_run(tmp_path)


def test_a_run_that_is_being_written_is_refused_or_goes_on_as_a_copy(finished, small_corpus, tmp_path):
    first = open_to_write(finished.directory.path)
    with pytest.raises(RunLockedError, match="another window or process"):
        open_to_write(finished.directory.path)
    second = open_to_write_or_copy(finished.directory.path)
    assert second.directory is None
    assert "goes on in a copy" in second.notice
    copy = Run.resume(second.saved, small_corpus, tmp_path, second.directory, second.parent)
    list(copy.events(single_step=True))
    assert copy.directory.path != finished.directory.path
    assert copy.directory.parent() == (finished.directory.path.name, 6)
    first.release()
    open_to_write(finished.directory.path).release()


def test_a_second_run_on_one_folder_cannot_begin(finished, small_corpus, tmp_path):
    runs = [
        Run.resume(open_run(finished.directory.path).saved, small_corpus, tmp_path, RunDirectory(finished.directory.path))
        for _ in range(2)
    ]
    next(runs[0].events())
    with pytest.raises(RunLockedError):
        next(runs[1].events())
    runs[0].close()
    next(runs[1].events())


def test_an_older_checkpoint_goes_on_in_a_new_run_that_knows_its_parent(finished, small_corpus, tmp_path):
    older = finished.directory.checkpoints.paths()[1]
    opened = open_to_write(older)
    assert (opened.directory, opened.saved.step) == (None, 4)
    child = Run.resume(opened.saved, small_corpus, tmp_path, parent=opened.parent)
    list(child.events())
    assert_same_weights(weights(child), weights(finished))
    assert child.directory.parent() == (finished.directory.path.name, 4)
    assert load_run(finished.directory.checkpoint_path).step == 6


def test_a_fork_has_other_settings_as_far_as_the_weights_allow(finished, small_settings, small_corpus, tmp_path):
    opened = open_run(finished.directory.checkpoints.paths()[1])
    changed = replace(small_settings, batch_size=3, dropout=0.0, beta2=0.9, max_steps=8)
    child = Run.fork(opened, changed, small_corpus, tmp_path)
    assert [event.step for event in child.events() if isinstance(event, StepFinished)] == [5, 6, 7, 8]
    assert child.trainer.optimizer.param_groups[1]["betas"] == (0.9, 0.9)
    (change,) = child.directory.changes()
    assert (change.step, ("batch_size", 4, 3) in change.changes) == (4, True)
    assert load_run(child.directory.checkpoint_path).settings == changed
    with pytest.raises(SettingsError, match="Width cannot change in a copy"):
        Run.fork(opened, replace(small_settings, n_embd=32), small_corpus, tmp_path)
    with pytest.raises(SettingsError):
        Run.fork(opened, replace(small_settings, n_head=3), small_corpus, tmp_path)


def test_a_change_comes_after_a_checkpoint_and_is_kept(small_settings, small_corpus, tmp_path):
    settings = replace(small_settings, eval_interval=100)
    run = Run.start(settings, small_corpus, tmp_path)
    next(event for event in run.events() if isinstance(event, StepFinished) and event.step == 3)
    slower = replace(settings, lr=5e-3)
    saved, change = run.change_settings(slower)
    assert isinstance(saved, CheckpointSaved)
    assert load_run(saved.path).settings == settings
    assert change == SettingsChanged(step=3, changes=(("lr", settings.lr, 5e-3),))
    assert run.change_settings(slower) == []
    with pytest.raises(SettingsError, match="fixed for this run"):
        run.change_settings(replace(slower, n_layer=1))
    row = {"step": 3, "settings": {"lr": [settings.lr, 5e-3]}}
    assert json.loads((run.directory.path / "changes.jsonl").read_text()) == row
    list(run.events())
    run.close()
    # a kill before the next checkpoint: the change is made again when the run is opened
    run.directory.checkpoint_path.unlink()
    opened = open_to_write(run.directory.path)
    assert (opened.saved.step, opened.saved.settings) == (3, slower)
    again = Run.resume(opened.saved, small_corpus, tmp_path, opened.directory)
    list(again.events())
    assert_same_weights(weights(again), weights(run))


def test_a_killed_creation_leaves_no_run_and_is_swept_away_later(small_settings, small_corpus, tmp_path, monkeypatch):
    runs = tmp_path / "runs"
    (runs / ".new-abandoned").mkdir(parents=True)
    assert RunDirectory.all(runs) == []
    monkeypatch.setattr("nanograd.training.run_directory._ABANDONED_AFTER_S", -1.0)
    run = Run.start(small_settings, small_corpus, tmp_path)
    next(run.events())
    assert [path.name for path in runs.iterdir()] == [run.directory.path.name]
    assert load_run(run.directory.checkpoint_path).step == 0


def test_what_a_killed_process_left_half_written_is_removed_when_the_run_goes_on(finished, small_corpus, tmp_path):
    folder = finished.directory.path
    for name in (".0123.part", "checkpoints/.4567.part"):
        (folder / name).write_bytes(b"half")
    with (folder / "samples.jsonl").open("a") as stream:
        stream.write('{"step": 6, "pro')
    opened = open_to_write(folder)
    next(Run.resume(opened.saved, small_corpus, tmp_path, opened.directory).events())
    assert list(folder.rglob("*.part")) == []
    assert (folder / "samples.jsonl").read_text().endswith("}\n")


def test_metrics_carry_a_chain_that_a_resumed_run_goes_on_with(finished, small_settings, small_corpus, tmp_path):
    def chain(run):
        rows = map(json.loads, (run.directory.path / "metrics.jsonl").read_text().splitlines())
        return [(row["step"], row["weights_sha256"], row["chain_sha256"]) for row in rows if "chain_sha256" in row]

    run = Run.start(small_settings, small_corpus, tmp_path)
    next(event for event in run.events() if isinstance(event, StepFinished) and event.step == 5)
    run.close()
    opened = open_to_write(run.directory.path)
    assert opened.saved.step == 4
    again = Run.resume(opened.saved, small_corpus, tmp_path, opened.directory)
    list(again.events())
    assert chain(again) == chain(finished)
    assert [step for step, *_ in chain(again)] == [0, 2, 4, 6]
    (versions,) = again.directory.versions()
    assert versions["parts"] == again.trainer.part_count


def test_a_run_opens_as_it_was_at_a_step_that_is_kept(finished):
    folder = finished.directory.path
    assert [open_at(folder, step).saved.step for step in (0, 4, 6, None)] == [0, 4, 6, 6]
    with pytest.raises(CheckpointError, match="Those kept are of steps: 0, 4, 6"):
        open_at(folder, 2)


def test_a_checkpoint_whose_settings_describe_another_model_takes_no_memory_for_it(finished, small_corpus):
    saved = open_run(finished.directory.path).saved
    huge = replace(saved, settings=replace(saved.settings, n_layer=48, n_embd=4096))
    for build in (huge.build_model, lambda: huge.build_trainer(small_corpus)):
        with pytest.raises(CheckpointError, match="does not fit itself"):
            build()


def test_another_probe_comes_after_a_checkpoint_and_is_kept(small_settings, small_corpus, tmp_path):
    run = Run.start(replace(small_settings, eval_interval=100), small_corpus, tmp_path)
    first = run.trainer.probe
    next(event for event in run.events() if isinstance(event, StepFinished) and event.step == 3)
    saved, change = run.change_probe("the dog")
    assert (saved.step, change) == (3, ProbeChanged(step=3, before=first, after="the dog"))
    assert load_run(saved.path).probe == first
    assert run.directory.probes() == (change,)
    assert run.change_probe("the dog") == []
    with pytest.raises(VocabularyError):
        run.change_probe("☃")
    assert run.trainer.probe == "the dog"
