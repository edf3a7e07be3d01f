"""Text as characters: each is a token."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanograd.errors import VocabularyError
from nanograd.text.tokenizer import Tokenizer, checked_ids, code_points

_CODE_POINT_COUNT = 0x110000
_PIECE = 1 << 18


class CharacterTokenizer(Tokenizer):
    """Each distinct character is a token; ids count from 0 in the order of the characters' code points.

    `vocabulary` must be sorted, without repeats, and hold single characters; otherwise VocabularyError.
    """

    kind: ClassVar[str] = "character"

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        _check_vocabulary(self.vocabulary)
        self._code_points = code_points("".join(self.vocabulary))
        self._id_of = np.full(int(self._code_points[-1]) + 2, -1, dtype=np.int64)  # the last entry stands for all beyond
        self._id_of[self._code_points] = np.arange(len(self.vocabulary))

    @classmethod
    def from_text(cls, text: str) -> "CharacterTokenizer":
        """A tokenizer of the characters that occur in `text`; raises VocabularyError for an empty one."""
        found = CharacterSet()
        for start in range(0, len(text), _PIECE):
            found.add(text[start : start + _PIECE])
        return found.tokenizer()

    def encode(self, text: str) -> NDArray[np.int64]:
        """The ids (N,) of the N characters of `text`; VocabularyError names those that are not in the vocabulary."""
        ids = np.empty(len(text), dtype=np.int64)
        for start in range(0, len(text), _PIECE):  # piece by piece, so that what lies between stays in the cache
            piece = ids[start : start + _PIECE]
            np.take(self._id_of, code_points(text[start : start + _PIECE]), out=piece, mode="clip")
            if piece.min() < 0:
                raise VocabularyError(self._describe_unknown(text[start : start + _PIECE], piece))
        return ids

    def decode(self, ids: ArrayLike) -> str:
        """The text of ids (N,); raises VocabularyError where one is out of range."""
        array = checked_ids(ids, self.vocabulary_size)
        text: str = self._code_points[array].tobytes().decode("utf-32-le", "surrogatepass")
        return text

    def as_dict(self) -> dict[str, Any]:
        """What `from_dict` takes, ready for JSON."""
        characters = "".join(self.vocabulary)
        # Two halves of a surrogate pair side by side would come back from JSON as one character.
        has_surrogates = any("\ud800" <= character <= "\udfff" for character in self.vocabulary)
        return {"kind": "character", "vocabulary": list(characters) if has_surrogates else characters}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The tokenizer that `as_dict` describes; raises VocabularyError for anything else."""
        if not isinstance(values, Mapping) or values.get("kind") != "character":
            raise VocabularyError("This is not the description of a character tokenizer; its kind should be 'character'.")
        vocabulary = values.get("vocabulary")
        if not isinstance(vocabulary, str | list):
            raise VocabularyError(f"A vocabulary is a text of all characters, not {type(vocabulary).__name__}.")
        return cls(vocabulary)

    def _describe_unknown(self, text: str, ids: NDArray[np.int64]) -> str:
        distinct, first_places = np.unique(code_points(text)[ids < 0], return_index=True)
        names = [repr(chr(code_point)) for code_point in distinct[np.argsort(first_places)]]
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        subject = f"The character {names[0]} is" if len(names) == 1 else f"The characters {', '.join(names[:8])}{more} are"
        these = "it" if len(names) == 1 else "them"
        known = f"not among the {self.vocabulary_size} that the model knows"
        return f"{subject} {known}. Leave {these} out, or train on a text that has {these}."


class CharacterSet:
    """Which characters occur in a text that comes in pieces."""

    def __init__(self) -> None:
        self._is_present = np.zeros(_CODE_POINT_COUNT, dtype=np.bool_)

    def add(self, text: str) -> None:
        """Note the characters of the next piece."""
        self._is_present[code_points(text)] = True

    def tokenizer(self) -> CharacterTokenizer:
        """The tokenizer of the characters seen; raises VocabularyError where there were none."""
        return CharacterTokenizer([chr(code_point) for code_point in np.flatnonzero(self._is_present)])


def _check_vocabulary(vocabulary: tuple[str, ...]) -> None:
    if not vocabulary:
        raise VocabularyError("A vocabulary needs at least one character; this one is empty.")
    for token in vocabulary:
        if not isinstance(token, str) or len(token) != 1:
            raise VocabularyError(f"A character vocabulary holds single characters, not {token!r}.")
    if any(left >= right for left, right in pairwise(vocabulary)):
        raise VocabularyError("A vocabulary is sorted and names each character once; this one is not.")
