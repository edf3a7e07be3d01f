import errno
import os
import sys

import pytest

from nanograd.atomic_file import write_atomically


def test_content_replaces_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_atomically(path, lambda stream: stream.write(b"new"))
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file"]


def test_disk_that_fills_up_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(stream):
        stream.write(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, write)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_fault_at_the_end_leaves_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_atomically(path, lambda stream: stream.write(b"new"))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_interruption_leaves_nothing_behind(tmp_path):
    def write(stream):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", write)
    assert os.listdir(tmp_path) == []


def test_missing_folder_is_the_callers_to_hear_of(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "nowhere" / "file", lambda stream: None)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_link_is_written_through(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "file")
    write_atomically(link, lambda stream: stream.write(b"new"))
    assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"
