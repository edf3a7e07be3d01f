import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanograd.errors import VocabularyError
from nanograd.text import byte_pair
from nanograd.text.byte_pair import SIGNS, BytePairTokenizer
from nanograd.text.byte_pair_training import LARGEST_VOCABULARY, Training, train_byte_pair
from nanograd.text.gpt2_files import load_gpt2_files, save_gpt2_files
from nanograd.text.splitting import safe_cut, split

SCRIPTS = (
    "It's said they'll've gone; I'd 'seen' 'em — we're in 1999, 100,000 of \u00bd.\r\n\r\n\tdef f(x):\n        return x  \n"
    "Größe, çà et là, naïve Straße. Ελληνικά κείμενα· Русский текст, ещё раз. עברית ומספרים 42. العربية ١٢٣ نص. "
    "हिन्दी में पाठ २०२५ ที่นี่ภาษาไทย 한국어 텍스트 日本語のテキスト、カタカナ。 中文文本:二〇二五年 ⅷ ① ² "
    "👩\u200d🚀🇪🇺 e\u0301 a\u00a0b\u2003c\u3000d \u2028 \x85 𝔘𝔫𝔦 𐍈𐌰 "
)
WORDS = "the cat sat on the mat, the dog dug; " * 5
any_text = st.text(st.characters(exclude_categories=["Cs"]))
# Text in which merges happen, in every script, with the spaces and apostrophes that part it.
busy_text = st.lists(
    st.one_of(
        st.sampled_from(SCRIPTS), st.sampled_from(SCRIPTS.split()), st.sampled_from(["  ", "'s", "'", "\n \n", " "]), any_text
    )
).map("".join)


@pytest.fixture(scope="module")
def trained():
    return train_byte_pair(SCRIPTS * 3 + WORDS, 600)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("Hello world", ["Hello", " world"]),
        ("it's they'll we've I'm", ["it", "'s", " they", "'ll", " we", "'ve", " I", "'m"]),
        ("IT'S a 'tis 's", ["IT", "'", "S", " a", " '", "tis", " '", "s"]),
        ("'s \n're!'s", ["'s", " ", "\n", "'re", "!'", "s"]),
        ("a  b   c", ["a", " ", " b", "  ", " c"]),
        ("a\n\nb \n", ["a", "\n", "\n", "b", " \n"]),
        ("x1 23½ --- é", ["x", "1", " 23½", " ---", " é"]),
        ("日本 語。", ["日本", " 語", "。"]),
    ],
)
def test_text_is_split_as_gpt_2_splits_it(text, parts):
    assert [part.decode() for part in split(text)] == parts


@given(busy_text, st.integers(0, 60))
def test_a_safe_cut_cuts_no_part(text, least):
    cut = safe_cut(text, least)
    assert cut == 0 or cut > least
    assert split(text[:cut]) + split(text[cut:]) == split(text)


@given(busy_text)
def test_decode_undoes_encode(trained, text):
    ids = trained.encode(text)
    assert ids.dtype == np.int64
    assert trained.decode(ids) == text


@given(busy_text)
def test_pieces_give_the_ids_of_the_whole(trained, text):
    whole = trained.encode(text).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_pair, "_PIECE", 8)
        assert trained.encode(text).tolist() == whole


def test_training_merges_the_most_frequent_pair_first():
    tokenizer = train_byte_pair("aaab aaab ab", 260)
    assert tokenizer.merges[0] in {("a", "b"), ("a", "a")}
    assert tokenizer.vocabulary_size == 256 + len(tokenizer.merges)
    assert tokenizer.decode(tokenizer.encode("aaab")) == "aaab"


def test_training_ends_where_no_pair_occurs_twice():
    assert train_byte_pair("abc", 300).merges == ()
    assert train_byte_pair("", 300).vocabulary_size == 256


@given(st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=9))
def test_counts_of_pairs_stay_true_while_training(words):
    training = Training({word.encode(): rank + 1 for rank, word in enumerate(dict.fromkeys(words))}, 280)
    while training.merge_next():
        symbols, weights = training._symbols, training._weights
        counts = {}
        for left, right, weight in zip(symbols[:-1].tolist(), symbols[1:].tolist(), weights[:-1].tolist(), strict=True):
            if min(left, right) >= 0:
                key = left * LARGEST_VOCABULARY + right
                counts[key] = counts.get(key, 0) + weight
        assert {pair: count for pair, count in training._counts.items() if count} == counts


def test_pairs_that_are_counted_piece_by_piece_give_the_same_merges(monkeypatch):
    counts = {word.encode(): rank + 1 for rank, word in enumerate(WORDS.split())}
    whole = Training(counts, 400)
    assert not whole.count_next()  # there is little to count
    monkeypatch.setattr("nanograd.text.byte_pair_training._COUNTED_AT_ONCE", 7)
    pieces = Training(counts, 400)
    while pieces.count_next():
        pass
    assert pieces._counts == whole._counts
    while whole.merge_next():
        assert pieces.merge_next()
    assert not pieces.merge_next()
    assert pieces.tokenizer().merges == whole.tokenizer().merges


def test_files_bring_back_the_same_tokenizer(tmp_path, trained):
    save_gpt2_files(trained, tmp_path / "new")
    again = load_gpt2_files(tmp_path / "new")
    assert (again.tokens, again.merges) == (trained.tokens, trained.merges)


@pytest.mark.parametrize(
    ("name", "data"),
    [("vocab.json", None), ("merges.txt", None), ("vocab.json", b""), ("vocab.json", b"[]"), ("vocab.json", b"{}"),
     ("vocab.json", b'{"a": 1}'), ("vocab.json", b'{"a": 0, "b": 0}'), ("vocab.json", b'{"a": true, "b": 0}'),
     ("vocab.json", b'{"a": 0.0}'), ("vocab.json", b'{"a": "0"}'), ("vocab.json", "{\"\u4e2d\": 0}".encode()),
     ("vocab.json", b'{"": 0}'), ("vocab.json", b"[" * 100_000), ("vocab.json", b"\xff"), ("merges.txt", b"a"),
     ("merges.txt", b"a b c"), ("merges.txt", b"x y"), ("merges.txt", b"a b\na b"), ("merges.txt", b"\xff")],
)  # fmt: skip
def test_damaged_files_are_refused(tmp_path, name, data):
    save_gpt2_files(BytePairTokenizer(["a", "b", "ab"], [("a", "b")]), tmp_path)
    (tmp_path / name).unlink() if data is None else (tmp_path / name).write_bytes(data)
    with pytest.raises(VocabularyError):
        load_gpt2_files(tmp_path)


def test_huge_files_are_refused_unread(tmp_path):
    save_gpt2_files(BytePairTokenizer(["a"], []), tmp_path)
    with (tmp_path / "vocab.json").open("r+b") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(VocabularyError, match="more than 64 MiB"):
        load_gpt2_files(tmp_path)


@settings(max_examples=200)
@given(st.data())
def test_flipped_bits_and_lost_ends_are_refused_or_load(tmp_path_factory, trained, data):
    folder = tmp_path_factory.mktemp("files")
    save_gpt2_files(trained, folder)
    path = folder / data.draw(st.sampled_from(["vocab.json", "merges.txt"]))
    good = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(good) - 1), max_size=3)):
        good[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(good[: data.draw(st.one_of(st.just(len(good)), st.integers(0, len(good))))])
    try:
        loaded = load_gpt2_files(folder)
        loaded.decode(loaded.encode("the cat"))
    except VocabularyError:
        pass


@pytest.mark.parametrize(
    "values",
    [{"kind": "byte"}, {"tokens": None}, {"tokens": []}, {"tokens": ["a", "a"]}, {"tokens": [3]}, {"tokens": [""]},
     {"tokens": ["a", "b"], "merges": ["a b"]}, {"merges": None}, {"merges": [["a", "b"]]}, {"merges": ["a"]},
     {"merges": [" a"]}, {"merges": ["a c"]}, {"merges": ["a b", "a b"]}, {"tokens": ["a", "b", "\u4e2d"]}],
)  # fmt: skip
def test_foreign_descriptions_are_refused(values):
    good = {"kind": "byte-pair", "tokens": ["a", "b", "ab"], "merges": ["a b"]}
    BytePairTokenizer.from_dict(good)
    with pytest.raises(VocabularyError):
        BytePairTokenizer.from_dict(good | values)


def test_a_byte_that_is_not_in_the_vocabulary_is_named():
    with pytest.raises(VocabularyError, match="byte 63 is not among the 3 tokens"):
        BytePairTokenizer(["a", "b", "ab"], [("a", "b")]).encode("abc")


def test_each_byte_has_a_sign_of_its_own():
    assert len(set(SIGNS)) == 256
    assert SIGNS[ord("a")] == "a"
    assert SIGNS[ord(" ")] == "\u0120"


# ---- against the package tokenizers -----------------------------------------------------------------------------------


def theirs(text, size):
    """A vocabulary trained there, and the same one read by us."""
    package = pytest.importorskip("tokenizers", reason="the package tokenizers, to compare with, is not installed")
    other = package.ByteLevelBPETokenizer()
    other.train_from_iterator([text], vocab_size=size, min_frequency=2, show_progress=False)
    return other


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vocabulary")
    other = theirs(SCRIPTS * 3 + WORDS, 700)
    other.save_model(str(folder))
    return other, load_gpt2_files(folder)


def known_to_both(text):
    """Characters that this Python's Unicode has not heard of yet are letters to one and signs to the other."""
    return "".join(character for character in text if unicodedata.category(character) != "Cn")


@settings(max_examples=400)
@given(busy_text)
def test_ids_are_those_of_the_package_tokenizers(pair, text):
    other, ours = pair
    text = known_to_both(text)
    assert ours.encode(text).tolist() == other.encode(text).ids


def test_training_learns_the_merges_that_the_package_learns():
    other = theirs(SCRIPTS * 3 + WORDS, 500)
    model = json.loads(other.to_str())["model"]
    ours = train_byte_pair(SCRIPTS * 3 + WORDS, 500)
    assert [tuple(merge) for merge in model["merges"]] == list(ours.merges)
    assert sorted(model["vocab"], key=model["vocab"].__getitem__) == list(ours.tokens)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=14), st.text("abcd", min_size=1, max_size=24))
def test_merges_in_any_order_give_the_ids_of_the_package(choices, text):
    """Also where two merges make the same token, and where a later one makes a token that an earlier one takes."""
    package = pytest.importorskip("tokenizers", reason="the package tokenizers, to compare with, is not installed")
    tokens, merges = list("abcd"), []
    for left, right in choices:
        merge = tokens[left % len(tokens)], tokens[right % len(tokens)]
        if merge not in merges and len("".join(merge)) < 9:
            merges.append(merge)
            if "".join(merge) not in tokens:
                tokens.append("".join(merge))
    merges.reverse()
    vocabulary = {token: number for number, token in enumerate(tokens)}
    other = package.Tokenizer(package.models.BPE(vocabulary, merges))
    assert BytePairTokenizer(tokens, merges).encode(text).tolist() == other.encode(text).ids
