import pytest

from nanograd.training.json_lines import append_row, drop_torn_line, read_rows, rewrite_rows


def test_rows_come_back_and_damaged_lines_are_left_out(tmp_path):
    path = tmp_path / "rows.jsonl"
    rewrite_rows(path, [{"a": 1}, {"b": "é"}])
    with path.open("ab") as stream:
        stream.write(b'[1]\n\xff\xfe\n{"c": \n' + b"[" * 100_000 + b'\n{"d": 2}\n')
    assert read_rows(path) == [{"a": 1}, {"b": "é"}, {"d": 2}]
    assert read_rows(tmp_path / "missing") == []


@pytest.mark.parametrize("cut", range(1, 18))
def test_a_file_cut_short_anywhere_keeps_its_whole_lines_and_takes_more(tmp_path, cut):
    path = tmp_path / "rows.jsonl"
    rewrite_rows(path, [{"a": 1}, {"b": 2}])  # two lines of nine bytes
    path.write_bytes(path.read_bytes()[:-cut])
    drop_torn_line(path)
    append_row(path, {"c": 3})
    assert read_rows(path) == ([{"a": 1}, {"c": 3}] if cut <= 9 else [{"c": 3}])
