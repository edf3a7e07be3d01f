import hashlib
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanograd.errors import CorpusError
from nanograd.text import corpus as corpus_module
from nanograd.text.cache import IdsCache
from nanograd.text.choice import TokenizerChoice
from nanograd.text.corpus import (
    Corpus,
    check_corpus_fits,
    describe_change,
    encode_again,
    evaluation_windows,
    load_corpus,
    open_corpus,
    sample_batch,
    token_counts,
)
from nanograd.text.source import TextSource

TEXT = "Größe, Ärger und ein Euro: €. " * 40


def corpus_of(text=TEXT):
    return Corpus.from_text(text, name="text")


def text_of(corpus):
    return corpus.tokenizer.decode(corpus.ids)


CHOICES = [TokenizerChoice(), TokenizerChoice(kind="byte"), TokenizerChoice(kind="byte-pair", vocabulary_size=300)]
every_choice = pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.kind)


def write(folder, data, name="some.txt"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def cache(tmp_path):
    return IdsCache(tmp_path / "cache")


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


@every_choice
def test_any_tokenizer_serves(choice):
    corpus = Corpus.from_text(TEXT, name="text", choice=choice)
    assert corpus.tokenizer.kind == choice.kind
    assert text_of(corpus) == TEXT
    assert corpus.character_count == len(TEXT)
    assert sum(count for _, count in token_counts(corpus)) == len(corpus.ids)


@every_choice
def test_pieces_make_the_same_corpus(monkeypatch, choice):
    whole = Corpus.from_text(TEXT, name="text", choice=choice)
    monkeypatch.setattr(corpus_module, "_PIECE", 7)
    pieces = Corpus.from_text(TEXT, name="text", choice=choice)
    assert pieces.is_encoded_by(whole.tokenizer)
    np.testing.assert_array_equal(pieces.ids, whole.ids)


@every_choice
def test_a_text_in_the_cache_is_mapped_and_found_again(tmp_path, cache, choice):
    path = write(tmp_path, TEXT.encode())
    first, again = (load_corpus(path, choice, cache) for _ in range(2))
    assert first.text.is_cached
    assert not again.ids.flags.writeable
    np.testing.assert_array_equal(first.ids, again.ids)
    np.testing.assert_array_equal(first.text.counts, np.bincount(first.ids, minlength=len(first.text.counts)))
    assert text_of(again) == TEXT
    assert len(list(cache.folder.glob("*.ids"))) == 1


@every_choice
def test_large_texts_are_known_by_their_files_and_not_read_again(tmp_path, cache, monkeypatch, choice):
    monkeypatch.setattr(corpus_module, "_NOTED_BYTES", 1)
    source = TextSource(paths=(write(tmp_path, b"text\nThe cat.\nThe dog.\n", "a.csv"), write(tmp_path, b"z" * 99, "z.md")))
    first = load_corpus(source, choice, cache)
    assert first.fields == ("text",)
    monkeypatch.setattr(corpus_module, "TextReader", None)
    again = load_corpus(source, choice, cache)
    assert (again.digest, again.fields, again.notice, again.name) == (first.digest, ("text",), "", "a.csv and 1 more")
    np.testing.assert_array_equal(first.ids, again.ids)


def test_opening_goes_step_by_step_and_tells_how_far_it_is(tmp_path, cache):
    path = write(tmp_path, b"the cat and the dog \n" * 200_000)
    steps = list(open_corpus(path, CHOICES[2], cache))
    assert list(dict.fromkeys(step.stage for step in steps)) == ["reading", "encoding"]  # there is next to nothing to learn
    assert all(0 < step.done <= step.total for step in steps)
    assert steps[-1].done == steps[-1].total == path.stat().st_size


def test_no_step_of_a_text_of_very_many_words_goes_through_it_again_and_again(tmp_path, cache, generator, monkeypatch):
    letters = generator.choice(np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8), (60_000, 9))
    letters[:, 0] = ord(" ")
    monkeypatch.setattr("nanograd.text.building._SYMBOLS_AT_ONCE", 1 << 16)
    learning = [step for step in open_corpus(write(tmp_path, letters.tobytes()), CHOICES[2], cache) if step.stage == "learning"]
    assert [step.done for step in learning] == [256, *range(257, 301)]


def test_opening_that_is_given_up_leaves_nothing_behind(tmp_path, cache):
    opening = open_corpus(write(tmp_path, b"x" * 5_000_000), None, cache)
    while next(opening).stage != "encoding":
        pass
    assert list(cache.folder.iterdir())
    opening.close()
    assert not list(cache.folder.iterdir())


def test_a_disk_without_room_leaves_the_text_in_memory(tmp_path, cache, monkeypatch):
    monkeypatch.setattr("nanograd.text.cache.os.fsync", partial(_fail, OSError(28, "No space left on device")))
    corpus = load_corpus(write(tmp_path, TEXT.encode()), None, cache)
    assert not corpus.text.is_cached
    assert text_of(corpus) == TEXT
    assert corpus.text.counts.sum() == len(corpus.ids)
    assert not list(cache.folder.iterdir())


def _fail(error, *_):
    raise error


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path):
    path = write(tmp_path, b"before " * 300_000)
    opening = open_corpus(path)
    while next(opening).done < path.stat().st_size:
        pass
    path.write_bytes(b"after  " * 300_000)
    with pytest.raises(CorpusError, match="changed while it was read"):
        list(opening)


def test_a_text_is_encoded_again_by_a_tokenizer_it_had(tmp_path):
    path = write(tmp_path, TEXT.encode())
    corpus = load_corpus(path, CHOICES[2])
    again = encode_again(corpus.source, corpus.tokenizer, corpus.digest)
    np.testing.assert_array_equal(again.ids, corpus.ids)
    path.write_bytes(b"another text")
    assert encode_again(corpus.source, corpus.tokenizer, corpus.digest) is None


def test_what_became_of_a_text_is_told(tmp_path):
    path = write(tmp_path, TEXT.encode())
    corpus = load_corpus(path)
    path.touch()
    assert describe_change(corpus.source, corpus.stamp, corpus.digest) == ""
    path.write_bytes(b"another text")
    assert "some.txt has changed" in describe_change(corpus.source, corpus.stamp, corpus.digest)
    path.unlink()
    assert "cannot be found" in describe_change(corpus.source, corpus.stamp, corpus.digest)


@settings(max_examples=300)
@given(
    st.one_of(st.binary(max_size=400), st.text().map(str.encode), st.text().map(lambda text: text.encode("utf-16"))),
    st.sampled_from(CHOICES),
    st.sampled_from(["a.txt", "a.csv", "a.jsonl", "a.tsv"]),
    st.sampled_from(["", "windows-1252", "shift_jis", "utf-16-le", "nonsense"]),
)
def test_any_bytes_at_all_load_or_are_refused_politely(tmp_path_factory, data, choice, name, encoding):
    path = write(tmp_path_factory.mktemp("any"), data, name)
    try:
        corpus = load_corpus(TextSource(paths=(path,), encoding=encoding), choice, IdsCache(path.parent / "cache"))
    except CorpusError:
        return
    assert len(corpus.ids) == corpus.text.counts.sum() > 0
    assert hashlib.sha256(text_of(corpus).encode("utf-8", "surrogatepass")).hexdigest() == corpus.digest
