import json

import pytest

from nanograd.errors import VocabularyError
from nanograd.text.byte import ByteTokenizer
from nanograd.text.byte_pair_training import train_byte_pair
from nanograd.text.character import CharacterTokenizer
from nanograd.text.choice import TokenizerChoice, tokenizer_from_dict
from nanograd.text.tokenizer import visible

TEXT = "Der Käse: 3,50 €. 日本語のテキスト, 👩‍🚀 and done. " * 3
TOKENIZERS = [CharacterTokenizer.from_text(TEXT), ByteTokenizer(), train_byte_pair(TEXT, 300)]
every_tokenizer = pytest.mark.parametrize("tokenizer", TOKENIZERS, ids=lambda tokenizer: tokenizer.kind)


@pytest.mark.parametrize(
    ("token", "shown"),
    [("a", "a"), (" ", "·"), ("\n", "↵"), ("\t", "⇥"), ("\x00", "\\x00"), ("\xa0", "\\xa0"), ("\ud800", "\\ud800"),
     ("\u200b", "\\u200b"), ("\u0301", "◌\u0301"), ("é", "é"), ("a b", "a·b"), ("", ""),
     ("\udce2\udc82", "‹E2 82›"), (" \udcf0\udc9f", "·‹F0 9F›")],
)  # fmt: skip
def test_tokens_have_a_printable_form(token, shown):
    assert visible(token) == shown


@every_tokenizer
def test_a_description_makes_the_same_tokenizer(tokenizer):
    again = tokenizer_from_dict(json.loads(json.dumps(tokenizer.as_dict())))
    assert type(again) is type(tokenizer)
    assert again.vocabulary == tokenizer.vocabulary
    assert again.encode(TEXT).tolist() == tokenizer.encode(TEXT).tolist()


@every_tokenizer
def test_tokens_decoded_one_after_the_other_make_the_text(tokenizer):
    decode = tokenizer.new_decoder()
    assert "".join(map(decode, tokenizer.encode(TEXT).tolist())) == TEXT


@every_tokenizer
def test_each_token_has_a_text_of_its_own_to_show(tokenizer):
    assert len(set(tokenizer.vocabulary)) == tokenizer.vocabulary_size
    assert len(set(map(visible, tokenizer.vocabulary))) == tokenizer.vocabulary_size
    assert all(visible(token).isprintable() for token in tokenizer.vocabulary)


@every_tokenizer
def test_an_empty_text_has_no_ids(tokenizer):
    assert tokenizer.encode("").shape == (0,)
    assert tokenizer.decode([]) == ""


@every_tokenizer
@pytest.mark.parametrize("ids", [[-1], [2**40], [0.5], [[0, 1]], ["a"]])
def test_ids_outside_are_refused(tokenizer, ids):
    with pytest.raises(VocabularyError):
        tokenizer.decode(ids)


def test_a_character_comes_with_the_last_of_its_bytes():
    decode = ByteTokenizer().new_decoder()
    assert [decode(byte) for byte in "é€".encode()] == ["", "é", "", "", "€"]


def test_bytes_that_make_no_character_are_replaced():
    assert ByteTokenizer().decode([0x61, 0xE2, 0x82, 0x62]) == "a\ufffdb"


@pytest.mark.parametrize("values", [None, [], {}, {"kind": "word"}, {"kind": ["byte"]}, {"kind": None}])
def test_what_describes_no_tokenizer_is_refused(values):
    with pytest.raises(VocabularyError, match="describes no tokenizer"):
        tokenizer_from_dict(values)


@pytest.mark.parametrize("wrong", [{"kind": "word"}, {"vocabulary_size": 256}, {"vocabulary_size": 10**6}])
def test_choices_that_there_are_not_are_refused(wrong):
    with pytest.raises(VocabularyError):
        TokenizerChoice(**wrong)
