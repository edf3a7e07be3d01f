import os
from time import time

import pytest

from nanograd.errors import RunLockedError
from nanograd.training.run_directory import RunDirectory
from nanograd.training.run_trash import KEPT_S, RunTrash


@pytest.fixture
def make_run(tmp_path):
    """Makes a folder as a run's, with a file of ten bytes."""

    def make(name):
        path = tmp_path / "runs" / name
        path.mkdir(parents=True)
        (path / "settings.json").write_bytes(b"0123456789")
        return RunDirectory(path)

    return make


def test_a_run_moves_to_the_trash_and_back(make_run, tmp_path):
    run, trash = make_run("first"), RunTrash(tmp_path)
    place = trash.put(run)
    assert not run.path.exists()
    assert trash.byte_count() == 10
    assert trash.put_back(place).path == run.path
    assert (run.path / "settings.json").read_bytes() == b"0123456789"
    assert trash.byte_count() == 0


def test_runs_of_one_name_do_not_replace_each_other(make_run, tmp_path):
    trash = RunTrash(tmp_path)
    places = [trash.put(make_run("same")) for _ in range(3)]
    assert len({*places}) == 3
    assert trash.byte_count() == 30
    assert [trash.put_back(place).path.name for place in places] == ["same", "same-2", "same-3"]


def test_a_run_that_is_written_stays(make_run, tmp_path):
    run = make_run("open")
    run.lock()
    with pytest.raises(RunLockedError, match="close it, then delete it"):
        RunTrash(tmp_path).put(run)
    assert run.path.exists()
    run.release()


def test_what_was_deleted_long_ago_goes_for_good_and_what_was_not_stays(make_run, tmp_path):
    trash = RunTrash(tmp_path)
    old, recent = trash.put(make_run("old")), trash.put(make_run("recent"))
    os.utime(old, (time() - KEPT_S - 60,) * 2)
    trash.put(make_run("new"))
    assert not old.exists()
    assert recent.exists()
    trash.empty()
    assert not recent.exists()
