import json
from dataclasses import replace

import pytest

from nanograd.errors import CheckpointError
from nanograd.model_state import load_tensors, save_tensors
from nanograd.training.events import EvaluationFinished, VerificationAdvanced
from nanograd.training.run import Run
from nanograd.training.saved_run import open_run
from nanograd.training.verification import verify


@pytest.fixture
def finished(small_settings, small_corpus, tmp_path):
    """A run of six steps, with checkpoints of steps 0, 4 and 6."""
    run = Run.start(small_settings, small_corpus, tmp_path)
    list(run.events())
    run.close()
    return run


def outcome(run, from_step=None):
    *advances, last = verify(run.directory, run.trainer.corpus, from_step)
    assert all(isinstance(event, VerificationAdvanced) for event in advances)
    return last


def damage(path, name):
    """Change one number of a checkpoint so that its checksums hold all the same."""
    tensors, metadata = load_tensors(path)
    tensors = {key: array.copy() for key, array in tensors.items()}
    found = next(key for key in tensors if name in key)
    tensors[found].reshape(-1)[0] += 1
    save_tensors(path, tensors, {key: value for key, value in metadata.items() if "sha256" not in key})


def test_a_run_replays_to_the_same_weights_from_any_checkpoint(finished):
    told = outcome(finished)
    assert (told.first_step, told.last_step, told.compared, told.is_same) == (0, 6, 4, True)
    assert "the weights match at all 4 recorded evaluations" in told.message
    assert [outcome(finished, step).first_step for step in (0, 3, 4, 5, 6)] == [0, 0, 4, 4, 6]


def test_replaying_changes_nothing_of_the_run(finished):
    files = {path: path.read_bytes() for path in finished.directory.path.rglob("*") if path.is_file()}
    outcome(finished)
    assert {path: path.read_bytes() for path in finished.directory.path.rglob("*") if path.is_file()} == files


def test_changes_on_the_way_are_replayed(finished, small_corpus, tmp_path):
    opened = open_run(finished.directory.path)
    again = Run.resume(opened.saved, small_corpus, tmp_path, opened.directory)
    again.change_settings(replace(again.trainer.settings, lr=2e-3, max_steps=9))
    events = again.events()
    next(event for event in events if isinstance(event, EvaluationFinished) and event.step == 8)
    again.change_settings(replace(again.trainer.settings, weight_decay=0.5, eval_interval=5, max_steps=12))
    list(again.events())
    assert outcome(again).is_same
    assert outcome(again).last_step == 12


def test_a_fork_replays_by_its_own_settings(finished, small_settings, small_corpus, tmp_path):
    opened = open_run(finished.directory.checkpoints.paths()[1])
    fork = Run.fork(opened, replace(small_settings, batch_size=3, max_steps=8), small_corpus, tmp_path)
    list(fork.events())
    told = outcome(fork)
    assert (told.first_step, told.last_step, told.is_same) == (6, 8, True)


def test_the_first_step_that_differs_is_told_with_the_likely_cause(finished):
    versions = finished.directory.path / "versions.jsonl"
    row = json.loads(versions.read_text())
    versions.write_text(json.dumps(row | {"numpy": "1.26.4", "parts": 64}) + "\n")
    damage(finished.directory.checkpoints.all()[1].path, "optimizer")  # of step 4: it shows in what comes after
    told = outcome(finished, 4)
    assert (told.first_step, told.differs_at, told.compared, told.is_same) == (4, 6, 2, False)
    assert "numpy was 1.26.4" in told.message
    assert "the number of parts was 64" in told.message


def test_without_a_difference_in_versions_other_causes_are_named(finished):
    damage(finished.directory.checkpoints.all()[1].path, "model.wte")
    told = outcome(finished, 4)
    assert (told.first_step, told.differs_at, told.compared) == (4, 4, 1)
    assert "numpy, BLAS and the part count are those that the run recorded" in told.message


def test_a_curve_whose_digests_were_altered_is_told(finished):
    path = finished.directory.path / "metrics.jsonl"
    path.write_text(path.read_text().replace('"weights_sha256": "', '"weights_sha256": "f', 1))
    told = outcome(finished)
    assert (told.altered_at, told.is_same) == (0, False)
    assert "contradict each other" in told.message


def test_where_no_checkpoint_can_be_read_that_is_told(finished):
    finished.directory.checkpoints.all()[0].path.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="no whole checkpoint at or before step 2"):
        outcome(finished, 2)
