"""Text as pieces of UTF-8 that are often found together: byte-pair encoding over bytes, as GPT-2 has it (Sennrich et al. 2016)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from nanograd.errors import VocabularyError
from nanograd.text.byte import BytesTokenizer
from nanograd.text.merging import Merges
from nanograd.text.splitting import PartCutter, split

_PIECE = 1 << 18  # small enough that encoding one takes a moment, even where no word comes twice


def _signs() -> tuple[str, ...]:
    """A printable sign for each byte: GPT-2's files write tokens in these."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [value for value in range(256) if value not in printable]
    sign_of = {value: chr(value) for value in printable} | {value: chr(256 + rank) for rank, value in enumerate(others)}
    return tuple(sign_of[value] for value in range(256))


SIGNS = _signs()
_BYTE_OF = {sign: value for value, sign in enumerate(SIGNS)}
ALPHABET = tuple(sorted(range(256), key=lambda value: SIGNS[value]))
"""The bytes in the order that the first 256 ids of a trained vocabulary have."""


class BytePairTokenizer(BytesTokenizer):
    """Bytes of a word merge pair by pair, by the rank of the pair, until no pair is known.

    `tokens` are those of each id and `merges` the pairs in the order of their rank, both written in `SIGNS`. VocabularyError
    where tokens repeat, a sign is none of those, or a merge names or makes a token that is not there.
    """

    kind: ClassVar[str] = "byte-pair"

    def __init__(self, tokens: Sequence[str], merges: Sequence[tuple[str, str]]) -> None:
        self.tokens = tuple(tokens)
        self.merges = tuple((left, right) for left, right in merges)
        id_of = _check_tokens(self.tokens)
        super().__init__(tuple(map(_bytes_of, self.tokens)))
        self._ids_of_bytes = np.array([id_of.get(sign, -1) for sign in SIGNS])
        self._merges = Merges(*_check_merges(self.merges, id_of), len(self.tokens))

    def encode(self, text: str) -> NDArray[np.int64]:
        """The ids (N,) of `text`; VocabularyError for a byte that is not in the vocabulary."""
        return np.concatenate([np.empty(0, np.int64), *self.encode_pieces([text])])

    def encode_pieces(self, pieces: Iterable[str]) -> Iterator[NDArray[np.int64]]:
        """The ids of a text that comes in pieces, cut anywhere."""
        cutter = PartCutter()
        for piece in pieces:
            for begin in range(0, len(piece), _PIECE):
                yield self._encode_piece(cutter.add(piece[begin : begin + _PIECE]))
        yield self._encode_piece(cutter.finish())

    def _encode_piece(self, text: str) -> NDArray[np.int64]:
        """Each word is merged once, however often it occurs."""
        if not text:
            return np.empty(0, np.int64)
        number_of: dict[bytes, int] = {}
        order = np.array([number_of.setdefault(word, len(number_of)) for word in split(text)])
        ids, lengths = self._encode_words(number_of)
        starts = np.cumsum(lengths) - lengths
        counts = lengths[order]
        shifts = starts[order] - (np.cumsum(counts) - counts)
        gathered: NDArray[np.int64] = ids[np.repeat(shifts, counts) + np.arange(int(counts.sum()))]
        return gathered

    def _encode_words(self, words: Iterable[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The ids of all words behind one another, and how many each has."""
        words = list(words)
        symbols = self._ids_of_bytes[np.frombuffer(b"".join(words), np.uint8)]
        if symbols.min() < 0:
            missing = b"".join(words)[int(np.argmax(symbols < 0))]
            raise VocabularyError(
                f"The byte {missing:02X} is not among the {self.vocabulary_size:,} tokens that the model knows. "
                "Leave it out, or train on a text that has it."
            )
        return self._merges.apply(symbols, np.array([len(word) for word in words]))

    def as_dict(self) -> dict[str, Any]:
        """What `from_dict` takes, ready for JSON."""
        return {"kind": self.kind, "tokens": list(self.tokens), "merges": [f"{left} {right}" for left, right in self.merges]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The tokenizer that `as_dict` describes; raises VocabularyError for anything else."""
        if not isinstance(values, Mapping) or values.get("kind") != cls.kind:
            raise VocabularyError("This is not the description of a byte-pair tokenizer; its kind should be 'byte-pair'.")
        tokens, merges = values.get("tokens"), values.get("merges")
        if not isinstance(tokens, list) or not isinstance(merges, list):
            raise VocabularyError("A byte-pair tokenizer is a list of tokens and a list of merges; one of them is missing.")
        return cls(tokens, parse_merges(merges))


def parse_merges(lines: Iterable[object]) -> list[tuple[str, str]]:
    """Merges from lines of two tokens each; raises VocabularyError for a line that is none."""
    merges = []
    for number, line in enumerate(lines, 1):
        parts = line.split(" ") if isinstance(line, str) else []
        if len(parts) != 2 or not all(parts):
            raise VocabularyError(f"Merge {number:,} should be two tokens with a space between them, not {line!r:.60}.")
        merges.append((parts[0], parts[1]))
    return merges


def _bytes_of(token: str) -> bytes:
    return bytes(_BYTE_OF[sign] for sign in token)


def _check_tokens(tokens: tuple[str, ...]) -> dict[str, int]:
    """The id of each token."""
    if not tokens:
        raise VocabularyError("A vocabulary needs at least one token; this one is empty.")
    for token in tokens:
        if not isinstance(token, str) or not token or not all(sign in _BYTE_OF for sign in token):
            raise VocabularyError(f"A token is written in the 256 signs that GPT-2 has for bytes, not {token!r:.60}.")
    id_of = {token: number for number, token in enumerate(tokens)}
    if len(id_of) < len(tokens):
        raise VocabularyError("A vocabulary names each token once; this one repeats some.")
    return id_of


def _check_merges(merges: tuple[tuple[str, str], ...], id_of: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs (M, 2) and what they make (M,), as ids."""
    rows = []
    for left, right in merges:
        row = (id_of.get(left, -1), id_of.get(right, -1), id_of.get(left + right, -1))
        if min(row) < 0:
            raise VocabularyError(
                f"The merge of {left!r:.60} and {right!r:.60} names or makes a token that is not in the vocabulary."
            )
        rows.append(row)
    table = np.array(rows, np.int64).reshape(-1, 3)
    if len(np.unique(table[:, :2], axis=0)) < len(table):
        raise VocabularyError("Each merge is named once; these repeat some.")
    return table[:, :2], table[:, 2]
