import json

import pytest

from nanograd.errors import CorpusError
from nanograd.text import documents, encodings
from nanograd.text.documents import TextReader
from nanograd.text.encodings import EncodingError
from nanograd.text.files import find_files
from nanograd.text.source import WHOLE_FILE, TextSource


def write(folder, **contents):
    for name, data in contents.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


def reader(*paths, **options):
    source = TextSource(paths=paths, **options)
    return TextReader(source, find_files(paths))


def text(*paths, **options):
    return "".join(reader(*paths, **options).pieces())


@pytest.fixture(params=[1 << 20, 5])
def block(request, monkeypatch):
    monkeypatch.setattr(encodings, "_PIECE", request.param)
    monkeypatch.setattr(documents, "_PIECE", request.param)


@pytest.mark.usefixtures("block")
def test_files_are_joined_by_the_separator_in_the_order_of_their_paths(tmp_path):
    write(tmp_path, b_txt="second", a_md="first", c_py="", d_txt="third")
    assert text(tmp_path) == "first\n\nsecond\n\nthird"
    assert text(tmp_path / "d.txt", tmp_path / "a.md", separator="<|endoftext|>") == "first<|endoftext|>third"
    assert text(tmp_path, separator="") == "firstsecondthird"


@pytest.mark.usefixtures("block")
def test_windows_line_ends_become_plain_unless_they_are_kept(tmp_path):
    write(tmp_path, a_txt="one\r\ntwo\rthree\r\r\n\r")
    assert text(tmp_path / "a.txt") == "one\ntwo\rthree\r\n\r"
    assert text(tmp_path / "a.txt", keeps_line_ends=True) == "one\r\ntwo\rthree\r\r\n\r"


@pytest.mark.usefixtures("block")
def test_rows_of_json_lines_are_documents(tmp_path):
    rows = [{"id": "1", "text": "The cat\r\nsat."}, {"id": "2", "text": "Ein Ü."}, {"id": "3", "text": None}, "bare"]
    write(tmp_path, a_jsonl="\n".join(map(json.dumps, rows)) + "\nno json\n\n")
    made = reader(tmp_path / "a.jsonl")
    assert "".join(made.pieces()) == "The cat\nsat.\n\nEin Ü.\n\nbare"
    assert made.fields == ("id", "text")
    assert made.remarks == ["2 of 5 rows of a.jsonl have no text in 'text', and were left out."]
    assert text(tmp_path / "a.jsonl", field="id", separator=" ") == "1 2 3 bare"


@pytest.mark.usefixtures("block")
def test_rows_of_a_table_are_documents(tmp_path):
    write(tmp_path, a_csv='id,story\r\n1,"One, two\nthree ""four"""\r\n2,Ü\u2028x\r\n', b_tsv="x\ty\nlong\tshortest\n")
    assert text(tmp_path / "a.csv") == 'One, two\nthree "four"\n\nÜ\u2028x'
    assert text(tmp_path / "b.tsv") == "shortest"
    assert text(tmp_path / "b.tsv", field=WHOLE_FILE) == "x\ty\nlong\tshortest\n"


def test_a_field_that_a_table_has_not_is_told_with_those_it_has(tmp_path):
    write(tmp_path, a_csv="id,story\n1,x\n", b_jsonl="[1]\n2\n")
    with pytest.raises(CorpusError, match=r"no text in the field 'title'\. It has id, story;"):
        text(tmp_path / "a.csv", field="title")
    with pytest.raises(CorpusError, match="no field with text"):
        text(tmp_path / "b.jsonl")


def test_what_is_no_text_is_left_out_of_a_folder_and_refused_by_name(tmp_path):
    write(tmp_path, a_txt="good", b_txt=b"\0\1\2\3", c_jsonl="1\n")
    made = reader(tmp_path)
    assert "".join(made.pieces()) == "good"
    assert made.remarks == ["Left out because they are no texts: 2 files (b.txt, c.jsonl)."]
    with pytest.raises(CorpusError, match="not a text"):
        text(tmp_path / "a.txt", tmp_path / "b.txt")


def test_an_encoding_is_asked_for_in_a_folder_too(tmp_path):
    write(tmp_path, a_txt="gut", b_txt="Größe".encode("cp1252"))
    with pytest.raises(EncodingError, match=r"b\.txt"):
        text(tmp_path)
    assert text(tmp_path, encoding="windows-1252") == "gut\n\nGröße"


def test_it_can_be_read_again_and_tells_how_far_it_is(tmp_path):
    write(tmp_path, a_txt="one", b_txt="two")
    made = reader(tmp_path)
    assert list(made.pieces()) == list(made.pieces())
    assert made.done_bytes == 6
