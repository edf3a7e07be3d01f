import re
from importlib.resources import files

import pytest

from resources import BUNDLED_CORPORA, corpus_text
from resources.corpora.generate import texts


@pytest.fixture(scope="module")
def made():
    return texts()


def test_every_bundled_text_can_be_made(made):
    assert [corpus.key for corpus in BUNDLED_CORPORA] == list(made)


@pytest.mark.parametrize("key", ["tales", "sums", "echo"])
def test_committed_text_is_made_again_byte_for_byte(made, key):
    assert files("resources.corpora").joinpath(f"{key}.txt").read_bytes() == made[key].encode("ascii")
    assert corpus_text(key) == made[key]


def test_unknown_text_is_refused():
    with pytest.raises(KeyError, match="choose one of tales, sums, echo"):
        corpus_text("../generate")


def test_sums_are_right():
    lines = corpus_text("sums").splitlines()
    for line in lines:
        left, right, total = map(int, re.fullmatch(r"(\d{1,3})\+(\d{1,3})=(\d{1,4})", line).groups())
        assert left + right == total
    assert {len(line.split("+")[0]) for line in lines} == {1, 2, 3}


def test_echo_says_each_word_twice():
    for line in corpus_text("echo").splitlines():
        word = re.fullmatch(r"([a-l]{4,8})\|\1", line)[1]
        assert len(set(word)) == len(word)


def test_tales_are_plain_and_all_different():
    text = corpus_text("tales")
    assert re.fullmatch(r"[A-Za-z .,!?\"\n]+", text)
    assert 600_000 < len(text) < 1_000_000
    stories = text.removesuffix("\n").split("\n\n")
    assert len(set(stories)) == len(stories)


def test_tales_are_well_formed():
    for story in corpus_text("tales").removesuffix("\n").split("\n\n"):
        assert story[0].isupper()
        assert story[-1] in '.!?"'
        assert story.count('"') % 2 == 0
        assert not re.search(r"  |\n|\b[Aa] [aeiou]|\b[Aa]n [^aeiou]|[.!?] [a-z]|\b(\w+) \1\b", story)
