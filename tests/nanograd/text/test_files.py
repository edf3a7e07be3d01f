import os
import sys
from pathlib import Path

import pytest

from nanograd.errors import CorpusError
from nanograd.text import files as files_module
from nanograd.text.files import find_files
from nanograd.text.source import TextSource


@pytest.fixture
def tree(tmp_path):
    for name in ("b.txt", "a/z.md", "a/B.py", "a/picture.png", ".hidden/x.txt", "a/.secret.txt", "c.csv"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
    return tmp_path / "tree"


def names(files, folder):
    return [file.path.relative_to(folder).as_posix() for file in files]


def test_a_folder_gives_its_texts_in_a_stable_order(tree):
    assert names(find_files([tree]), tree) == ["a/B.py", "a/z.md", "b.txt", "c.csv"]
    assert names(find_files([tree / "c.csv", tree / "b.txt", tree / "a", tree / "b.txt"]), tree) == [
        "a/B.py",
        "a/z.md",
        "b.txt",
        "c.csv",
    ]


def test_a_file_that_is_named_is_taken_whatever_its_ending(tree):
    assert names(find_files([tree / "a" / "picture.png"]), tree) == ["a/picture.png"]


def test_a_folder_without_texts_is_refused(tmp_path):
    (tmp_path / "picture.png").write_text("x")
    with pytest.raises(CorpusError, match="holds no texts"):
        find_files([tmp_path])


def test_missing_files_are_named(tmp_path):
    with pytest.raises(CorpusError, match=r"There is no file .*nothing\.txt"):
        find_files([tmp_path / "nothing.txt"])
    with pytest.raises(CorpusError):
        find_files([Path("a\0b")])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes among its files")
def test_pipe_is_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match="device or a pipe"):
        find_files([tmp_path / "pipe"])


def test_what_is_empty_or_too_large_is_refused_before_it_is_read(tree, tmp_path, monkeypatch):
    (tmp_path / "empty.txt").touch()
    with pytest.raises(CorpusError, match=r"empty\.txt is empty"):
        find_files([tmp_path / "empty.txt"])
    monkeypatch.setattr(files_module, "MAXIMUM_BYTES", 10)
    with pytest.raises(CorpusError, match=r"tree has .* more than this program takes"):
        find_files([tree])


def test_a_source_survives_its_description(tmp_path):
    source = TextSource(paths=(tmp_path / "a", tmp_path / "b"), separator="", field="f", encoding="cp437", keeps_line_ends=True)
    assert TextSource.from_dict(source.as_dict()) == source
    assert source.name == "a and 1 more"


@pytest.mark.parametrize("wrong", [{"paths": []}, {"paths": "a"}, {"paths": [1]}, {"field": None}, {"keeps_line_ends": 1}])
def test_a_foreign_description_is_no_source(tmp_path, wrong):
    assert TextSource.from_dict(TextSource(paths=(tmp_path,)).as_dict() | wrong) is None
    assert TextSource.from_dict({}) is None
