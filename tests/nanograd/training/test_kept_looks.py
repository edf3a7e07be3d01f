from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from nanograd.training import kept_looks
from nanograd.training.events import ProbeTaken, StepFinished
from nanograd.training.kept_looks import KeptLooks
from nanograd.training.run import Run
from nanograd.training.saved_run import open_run
from nanograd.training.trainer import Trainer


@pytest.fixture
def looks(small_settings, small_corpus):
    """What a run of six steps looked like, and its vocabulary."""
    trainer = Trainer(replace(small_settings, probe_interval=1), small_corpus)
    return [event for event in trainer.run() if isinstance(event, ProbeTaken)], trainer.tokenizer.vocabulary


def assert_same(left, right):
    assert type(left) is type(right)
    if is_dataclass(left):
        for field in fields(left):
            assert_same(getattr(left, field.name), getattr(right, field.name))
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    else:
        assert left == right


def unique(looks):
    return list({look.step: look for look in looks}.values())


def test_looks_come_back_as_they_were(tmp_path, looks):
    taken, vocabulary = looks
    kept = KeptLooks(tmp_path)
    kept.add(taken[:3])
    kept.add([])
    kept.add(taken[3:])
    found = kept.load(100, vocabulary)
    assert len(found) == len(unique(taken)) == 7
    for left, right in zip(found, unique(taken), strict=True):
        assert_same(left, right)
    assert [look.step for look in kept.load(4, vocabulary)] == [0, 1, 2, 3, 4]


def test_what_came_after_a_step_is_forgotten(tmp_path, looks):
    taken, vocabulary = looks
    kept = KeptLooks(tmp_path)
    kept.add([look for look in taken if look.step <= 3])
    kept.add([look for look in taken if look.step > 3])
    kept.forget_after(2)
    assert [look.step for look in kept.load(100, vocabulary)] == [0, 1, 2]
    assert len(list(tmp_path.rglob("*.safetensors"))) == 1


def test_beyond_the_budget_every_second_look_goes_and_the_newest_stays(tmp_path, looks, monkeypatch):
    taken, vocabulary = looks
    kept = KeptLooks(tmp_path)
    monkeypatch.setattr(kept_looks, "BUDGET_BYTES", 1)
    for look in unique(taken):
        kept.add([look])
    found = kept.load(100, vocabulary)
    assert found[-1].step == 6
    assert len(found) < 4
    assert len(list(tmp_path.rglob("*.safetensors"))) == 1


def test_damaged_files_and_foreign_ones_are_left_out(tmp_path, looks):
    taken, vocabulary = looks
    kept = KeptLooks(tmp_path)
    kept.add(unique(taken)[:3])
    kept.add(unique(taken)[3:])
    first = min(tmp_path.rglob("*.safetensors"))
    first.write_bytes(first.read_bytes()[:-1])
    (first.parent / "steps-x-y.safetensors").write_bytes(b"")
    assert [look.step for look in kept.load(100, vocabulary)] == [3, 4, 5, 6]


def test_a_run_keeps_its_looks_and_goes_on_with_them(tmp_path, small_settings, small_corpus):
    settings = replace(small_settings, probe_interval=1)
    run = Run.start(settings, small_corpus, tmp_path)
    events = run.events()
    next(event for event in events if isinstance(event, StepFinished) and event.step == 5)
    events.close()
    run.close()
    opened = open_run(run.directory.path)
    vocabulary = opened.saved.tokenizer.vocabulary
    again = Run.resume(opened.saved, small_corpus, tmp_path, opened.directory)
    list(again.events())
    assert [look.step for look in again.directory.looks.load(100, vocabulary)] == [0, 1, 2, 3, 4, 5, 6]
