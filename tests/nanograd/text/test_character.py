import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanograd.errors import VocabularyError
from nanograd.text.character import CharacterTokenizer

any_text = st.text(st.characters(), min_size=1)  # lone surrogates included


@given(any_text)
def test_decode_undoes_encode(text):
    tokenizer = CharacterTokenizer.from_text(text)
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int64
    assert ids.shape == (len(text),)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode(ids.tolist()) == text


@given(any_text)
def test_vocabulary_is_the_sorted_characters_of_the_text(text):
    tokenizer = CharacterTokenizer.from_text(text)
    assert tokenizer.vocabulary == tuple(sorted(set(text)))
    assert tokenizer.vocabulary_size == len(set(text))


@given(any_text)
def test_description_survives_json(text):
    tokenizer = CharacterTokenizer.from_text(text)
    again = CharacterTokenizer.from_dict(json.loads(json.dumps(tokenizer.as_dict())))
    assert again.vocabulary == tokenizer.vocabulary


def test_halves_of_a_surrogate_pair_stay_two_characters_in_json():
    tokenizer = CharacterTokenizer(["\ud83d", "\ude00"])
    assert CharacterTokenizer.from_dict(json.loads(json.dumps(tokenizer.as_dict()))).vocabulary_size == 2


def test_plain_vocabulary_is_described_as_one_text():
    assert CharacterTokenizer.from_text("cab").as_dict() == {"kind": "character", "vocabulary": "abc"}


def test_unknown_characters_are_named_in_the_order_they_occur():
    tokenizer = CharacterTokenizer.from_text("abc")
    with pytest.raises(VocabularyError, match=r"characters 'é', '\\n', '\\ud800' are not among the 3 .* that has them\."):
        tokenizer.encode("aé\nb\ud800é")
    with pytest.raises(VocabularyError, match=r"character ' ' is not among the 3 .* that has it\."):
        tokenizer.encode("a b")


def test_characters_between_those_of_the_vocabulary_are_unknown_too():
    with pytest.raises(VocabularyError, match="'b'"):
        CharacterTokenizer(["a", "c"]).encode("abc")


def test_many_unknown_characters_are_counted():
    with pytest.raises(VocabularyError, match=r"'h' and 18 more"):
        CharacterTokenizer(["!"]).encode("abcdefghijklmnopqrstuvwxyz")


def test_empty_text_has_no_ids():
    tokenizer = CharacterTokenizer(["a"])
    assert tokenizer.encode("").shape == (0,)
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize("ids", [[0, 3], [-1], [2**40], [0.5], [[0, 1]], np.array([True]), ["a"]])
def test_ids_outside_are_refused(ids):
    with pytest.raises(VocabularyError):
        CharacterTokenizer(["a", "b", "c"]).decode(ids)


@pytest.mark.parametrize("vocabulary", [[], ["b", "a"], ["a", "a"], ["ab"], [""], [3]])
def test_vocabulary_must_be_sorted_distinct_characters(vocabulary):
    with pytest.raises(VocabularyError):
        CharacterTokenizer(vocabulary)


@pytest.mark.parametrize(
    "values",
    [None, [], {}, {"kind": "bytes"}, {"kind": "character"}, {"kind": "character", "vocabulary": 3},
     {"kind": "character", "vocabulary": ""}, {"kind": "character", "vocabulary": "ba"},
     {"kind": "character", "vocabulary": {"a": 1}}, {"kind": "character", "vocabulary": [["a"]]}],
)  # fmt: skip
def test_foreign_descriptions_are_refused(values):
    with pytest.raises(VocabularyError):
        CharacterTokenizer.from_dict(values)
