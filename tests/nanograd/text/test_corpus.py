import hashlib
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nanograd.errors import CorpusError
from nanograd.text import corpus as corpus_module
from nanograd.text.corpus import (
    Corpus,
    check_corpus_fits,
    evaluation_windows,
    load_cached_corpus,
    load_corpus,
    sample_batch,
    save_ids,
    token_counts,
)

TEXT = "Größe, Ärger und ein Euro: €. " * 40


def corpus_of(text=TEXT):
    return Corpus.from_text(text, name="text")


def text_of(corpus):
    return corpus.tokenizer.decode(corpus.ids)


def write(folder, data):
    path = folder / "some.txt"
    path.write_bytes(data)
    return path


def test_corpus_describes_its_text():
    corpus = corpus_of()
    encoded = TEXT.encode()
    assert (corpus.name, corpus.path, corpus.notice) == ("text", None, "")
    assert (corpus.character_count, corpus.byte_count) == (len(TEXT), len(encoded))
    assert corpus.digest == hashlib.sha256(encoded).hexdigest()
    assert text_of(corpus) == TEXT


@pytest.mark.parametrize(("count", "dtype"), [(1, np.uint8), (256, np.uint8), (257, np.uint16)])
def test_ids_have_the_smallest_dtype(count, dtype):
    assert corpus_of("".join(map(chr, range(0x4E00, 0x4E00 + count)))).ids.dtype == dtype


def test_text_longer_than_a_piece_stays_whole(monkeypatch):
    monkeypatch.setattr(corpus_module, "_PIECE", 7)
    corpus = corpus_of()
    assert text_of(corpus) == TEXT
    assert corpus.digest == hashlib.sha256(TEXT.encode()).hexdigest()
    assert dict(token_counts(corpus))["e"] == TEXT.count("e")


def test_lone_surrogates_are_characters_like_others():
    assert text_of(corpus_of("a\ud800b")) == "a\ud800b"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_without_a_word(tmp_path, encoding):
    path = write(tmp_path, TEXT.encode(encoding))
    corpus = load_corpus(path)
    assert (text_of(corpus), corpus.notice, corpus.name, corpus.path) == (TEXT, "", "some.txt", path)


@pytest.mark.parametrize(("codec", "mark"), [("utf-16-be", b"\xfe\xff"), ("utf-32-be", b"\x00\x00\xfe\xff")])
def test_marks_tell_the_byte_order(tmp_path, codec, mark):
    assert text_of(load_corpus(write(tmp_path, mark + TEXT.encode(codec)))) == TEXT


def test_other_bytes_are_read_as_windows_1252_and_said_to_be(tmp_path):
    corpus = load_corpus(write(tmp_path, TEXT.encode("cp1252")))
    assert text_of(corpus) == TEXT
    assert corpus.notice == "some.txt is not UTF-8; it was read as Windows-1252."


def test_bytes_that_windows_1252_leaves_open_are_kept(tmp_path):
    assert text_of(load_corpus(write(tmp_path, b"a" * 200 + b"\x81\xe9b"))) == "a" * 200 + "\x81éb"


def test_utf_8_cut_within_a_character_loses_only_that(tmp_path):
    corpus = load_corpus(write(tmp_path, TEXT.encode() + "€".encode()[:2]))
    assert text_of(corpus) == TEXT
    assert "cut off" in corpus.notice


def test_lines_end_in_a_bare_newline(tmp_path):
    assert text_of(load_corpus(write(tmp_path, b"one\r\ntwo\nthree\r\n"))) == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "is empty"), (b"\xef\xbb\xbf", "is empty"), (b"\xff\xfe", "is empty"), (b"text\0text", "not a text"),
     (bytes(range(1, 256)) * 9, "not a text"), (TEXT.encode("utf-16-le"), "not a text"),
     (b"\xff\xfe\x00\xd8a", "mark of UTF-16"), (b"\xef\xbb\xbfab\xff", "mark of UTF-8, but byte 2 ")],
)  # fmt: skip
def test_what_is_no_text_is_refused(tmp_path, data, message):
    with pytest.raises(CorpusError, match=message):
        load_corpus(write(tmp_path, data))


def test_missing_file_and_folder_are_told_apart(tmp_path):
    with pytest.raises(CorpusError, match=r"There is no file .*nothing\.txt"):
        load_corpus(tmp_path / "nothing.txt")
    with pytest.raises(CorpusError, match="is a folder"):
        load_corpus(tmp_path)
    with pytest.raises(CorpusError):
        load_corpus(Path("a\0b"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes among its files")
def test_pipe_is_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match="device or a pipe"):
        load_corpus(tmp_path / "pipe")


def test_file_without_permission_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path, b"secret")

    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", refuse)  # the tests may run as root, whom no permission stops
    with pytest.raises(CorpusError, match="may not be read"):
        load_corpus(path)


def test_huge_file_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus_module, "MAXIMUM_BYTES", 10)
    with pytest.raises(CorpusError, match="more than this program takes"):
        load_corpus(write(tmp_path, b"x" * 11))


@pytest.mark.parametrize(
    ("count", "fraction", "train_count"), [(1_115_394, 0.1, 1_003_854), (10, 0.9, 1), (100, 0.29, 71), (3, 0.5, 1)]
)
def test_split_is_exact(count, fraction, train_count):
    train, validation = corpus_of("a" * count).split(fraction)
    assert (len(train), len(validation)) == (train_count, count - train_count)


def test_each_part_must_hold_a_window():
    corpus = corpus_of("a" * 100)
    check_corpus_fits(corpus, 9, 0.1)
    with pytest.raises(CorpusError, match="validation part has 10 tokens and needs 11"):
        check_corpus_fits(corpus, 10, 0.1)
    with pytest.raises(CorpusError, match="training part has 10 tokens"):
        check_corpus_fits(corpus, 10, 0.9)


def test_batches_are_windows_with_the_next_token_as_target():
    ids = np.arange(10, dtype=np.uint8)
    x, y = sample_batch(ids, 8, 500, np.random.default_rng(0))
    assert x.shape == y.shape == (500, 8)
    assert x.dtype == y.dtype == np.int64
    assert set(x[:, 0].tolist()) == {0, 1}  # the first and the last window both occur
    np.testing.assert_array_equal(x, x[:, :1] + np.arange(8))
    np.testing.assert_array_equal(y, x + 1)


def test_batches_depend_on_the_generator_alone():
    ids = np.arange(1000, dtype=np.uint16)
    first, second = (sample_batch(ids, 8, 4, np.random.default_rng(3))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("length", "windows"), [(9, 2), (8, 1), (5, 1), (4, 0)])
def test_evaluation_covers_every_whole_window(length, windows):
    x, y = evaluation_windows(np.arange(length, dtype=np.uint8), 4, 10)
    np.testing.assert_array_equal(x, np.arange(windows * 4).reshape(windows, 4))
    np.testing.assert_array_equal(y, x + 1)


def test_evaluation_spreads_few_windows_evenly():
    x, _ = evaluation_windows(np.arange(401, dtype=np.uint16), 4, 10)
    np.testing.assert_array_equal(x[:, 0], np.arange(10) * 40)


def test_token_counts_come_most_frequent_first():
    assert token_counts(corpus_of("banana")) == (("a", 3), ("n", 2), ("b", 1))


def test_kept_ids_make_the_same_corpus(tmp_path):
    corpus = corpus_of()
    save_ids(corpus, tmp_path / "cache")
    again = load_cached_corpus(tmp_path / "cache", corpus.digest, corpus.tokenizer, "again", None)
    np.testing.assert_array_equal(again.ids, corpus.ids)
    assert again.ids.dtype == corpus.ids.dtype
    assert (again.name, again.digest, again.byte_count, again.character_count) == (
        "again", corpus.digest, corpus.byte_count, corpus.character_count,
    )  # fmt: skip


def test_damaged_or_foreign_caches_are_ignored(tmp_path):
    corpus = corpus_of()
    save_ids(corpus, tmp_path)
    path = tmp_path / f"{corpus.digest}.npy"
    good = path.read_bytes()
    hostile = good.replace(b"(1200,), }" + b" " * 20, b"(1152921504606846976,), }" + b" " * 5)
    assert len(hostile) == len(good)
    assert hostile != good
    for bad in (b"", good[:50], good[:-1], good[:-1] + b"\1", good[:-1] + b"\xff", b"PK\x03\x04" + good,
                hostile, good.replace(b"|u1", b"|O8")):  # fmt: skip
        path.write_bytes(bad)
        assert load_cached_corpus(tmp_path, corpus.digest, corpus.tokenizer, "text", None) is None
    path.unlink()
    assert load_cached_corpus(tmp_path, corpus.digest, corpus.tokenizer, "text", None) is None


def test_cache_of_another_vocabulary_is_ignored(tmp_path):
    corpus = corpus_of("abc")
    save_ids(corpus, tmp_path)
    assert load_cached_corpus(tmp_path, corpus.digest, corpus_of("xyz").tokenizer, "text", None) is None
    assert load_cached_corpus(tmp_path, corpus.digest, corpus_of("a").tokenizer, "text", None) is None


def test_digest_that_is_a_path_opens_nothing(tmp_path):
    corpus = corpus_of()
    save_ids(replace(corpus, digest="outside"), tmp_path)
    assert load_cached_corpus(tmp_path / "cache", "../outside", corpus.tokenizer, "text", None) is None
