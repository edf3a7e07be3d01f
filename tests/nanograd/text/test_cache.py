import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanograd.text import cache as cache_module
from nanograd.text.cache import IdsCache, stamp_of
from nanograd.text.choice import TokenizerChoice
from nanograd.text.corpus import Corpus

TEXT = "Größe, Ärger und ein Euro: €. " * 40


def corpus_of(text=TEXT, **choice):
    return Corpus.from_text(text, name="text", choice=TokenizerChoice(**choice))


@pytest.fixture
def cache(tmp_path):
    return IdsCache(tmp_path / "cache")


def find(cache, corpus):
    return cache.find(corpus.digest, corpus.tokenizer)


@pytest.mark.parametrize("kind", ["character", "byte", "byte-pair"])
def test_a_kept_text_is_found_and_mapped(cache, kind):
    corpus = corpus_of(kind=kind)
    cache.add(corpus.text)
    found = find(cache, corpus)
    np.testing.assert_array_equal(found.ids, corpus.ids)
    assert found.ids.dtype == corpus.ids.dtype
    assert not found.ids.flags.writeable
    assert (found.digest, found.byte_count, found.character_count) == (corpus.digest, corpus.byte_count, corpus.character_count)
    np.testing.assert_array_equal(found.counts, corpus.text.counts)


def test_the_same_text_lies_there_once_for_each_tokenizer(cache):
    one, other = corpus_of(), corpus_of(kind="byte")
    cache.add(one.text)
    assert find(cache, other) is None
    cache.add(other.text)
    cache.add(one.text)
    assert len(list(cache.folder.glob("*.ids"))) == 2
    assert cache.size_bytes() == sum(path.stat().st_size for path in cache.folder.iterdir())


@pytest.mark.parametrize("suffix", ["ids", "json"])
def test_a_lost_part_is_a_lost_entry(cache, suffix):
    corpus = corpus_of()
    cache.add(corpus.text)
    next(cache.folder.glob(f"*.{suffix}")).unlink()
    assert find(cache, corpus) is None
    cache.add(corpus.text)
    assert find(cache, corpus) is not None


@pytest.mark.parametrize(
    "changes",
    [{"dtype": "object"}, {"dtype": "float32"}, {"count": 2**60}, {"count": 0}, {"counts": []}, {"counts": None}, {"checksum": ""},
     {"tokenizer": {}}, {"tokenizer": None}, {"digest": 3}, {"character_count": -1}, {"character_count": True}, {"format": "other"},
     {"counts": [2**62] * 16}, {"counts": [2**80] * 16}, {"digest": "../outside"}],
)  # fmt: skip
def test_descriptions_that_do_not_fit_are_ignored(cache, changes):
    corpus = corpus_of()
    cache.add(corpus.text)
    path = next(cache.folder.glob("*.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    assert find(cache, corpus) is None


@settings(max_examples=300)
@given(st.data())
def test_damage_is_noticed(tmp_path_factory, data):
    cache = IdsCache(tmp_path_factory.mktemp("cache"))
    corpus = corpus_of("a dog and a cat and a bird. " * 9, kind=data.draw(st.sampled_from(["character", "byte-pair"])))
    cache.add(corpus.text)
    path = data.draw(st.sampled_from(sorted(cache.folder.iterdir())))
    good = bytearray(path.read_bytes())
    bad = bytearray(good)
    for place in data.draw(st.lists(st.integers(0, len(good) - 1), max_size=3)):
        bad[place] ^= 1 << data.draw(st.integers(0, 7))
    bad = bad[: data.draw(st.one_of(st.just(len(bad)), st.integers(0, len(bad))))]
    path.write_bytes(bad)
    found = find(cache, corpus)
    if found is not None:
        np.testing.assert_array_equal(found.ids, corpus.ids)
        assert found.tokenizer.vocabulary == corpus.tokenizer.vocabulary
    elif bad == good:
        pytest.fail("a whole entry was not found")


def test_what_was_used_longest_ago_goes_first_and_the_newest_stays(cache):
    corpora = [corpus_of(letter * 1000) for letter in "abc"]
    for age, corpus in enumerate(corpora[:2]):
        cache.add(corpus.text)
        for path in cache.folder.iterdir():
            os.utime(path, ns=(age + 1, age + 1)) if path.stat().st_mtime > 1 else None
    assert find(cache, corpora[0]) is not None  # used just now
    cache.limit_bytes = 2 * cache.size_bytes() // 2 + 500
    cache.add(corpora[2].text)
    assert [find(cache, corpus) is not None for corpus in corpora] == [True, False, True]
    cache.limit_bytes = 1
    cache.add(corpora[1].text)
    assert [find(cache, corpus) is not None for corpus in corpora] == [False, True, False]


def test_clearing_leaves_an_open_text_whole(cache):
    corpus = corpus_of()
    cache.add(corpus.text)
    found = find(cache, corpus)
    cache.clear()
    assert cache.size_bytes() == 0
    np.testing.assert_array_equal(found.ids, corpus.ids)


def test_only_its_own_files_are_removed(cache):
    cache.add(corpus_of().text)
    (cache.folder / "letter.txt").write_text("mine")
    cache.limit_bytes = 0
    cache.trim()
    cache.clear()
    assert [path.name for path in cache.folder.iterdir()] == ["letter.txt"]


def test_what_a_crash_left_behind_is_removed_after_a_while(cache):
    cache.add(corpus_of().text)
    old, new = cache.folder / "old.part", cache.folder / "new.part"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    cache.trim()
    assert (old.exists(), new.exists()) == (False, True)


def test_notes_are_kept_and_damaged_ones_ignored(cache):
    corpus = corpus_of()
    cache.add(corpus.text)
    stamp = stamp_of("files")
    cache.note(stamp, corpus.text, {"fields": ["a"]})
    text, details = cache.find_noted(stamp)
    assert (text.digest, details) == (corpus.digest, {"fields": ["a"]})
    for bad in (b"", b"[]", b"{}", b'{"key": 3}', b'{"key": "../x"}', b"[" * 100_000):
        (cache.folder / f"{stamp}.note").write_bytes(bad)
        assert cache.find_noted(stamp) is None


def test_a_huge_description_is_not_read(cache, monkeypatch):
    corpus = corpus_of()
    cache.add(corpus.text)
    monkeypatch.setattr(cache_module, "_LONGEST_DESCRIPTION", 10)
    assert find(cache, corpus) is None
