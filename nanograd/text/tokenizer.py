"""What every tokenizer can do, whatever its tokens are, and how a token is shown."""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanograd.errors import VocabularyError

_VISIBLE = {" ": "·", "\n": "↵", "\t": "⇥"}


class Tokenizer(ABC):
    """From text to ids and back. `kind` names the class in files.

    `vocabulary` has a text for each id, to be shown: where a token is no whole character, its bytes stand in it as Python's
    "surrogateescape" has them. So no two tokens have the same.
    """

    kind: ClassVar[str]
    vocabulary: tuple[str, ...]

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are."""
        return len(self.vocabulary)

    @abstractmethod
    def encode(self, text: str) -> NDArray[np.int64]:
        """The ids (N,) of `text`; raises VocabularyError for what the vocabulary has no token for."""

    def encode_pieces(self, pieces: Iterable[str]) -> Iterator[NDArray[np.int64]]:
        """The ids of a text that comes in pieces, cut anywhere."""
        return map(self.encode, pieces)

    @abstractmethod
    def decode(self, ids: ArrayLike) -> str:
        """The text of ids (N,); raises VocabularyError where one is out of range."""

    def new_decoder(self) -> Callable[[int], str]:
        """Decodes one id after the other: a character that several tokens make comes with the last of them."""
        return self.vocabulary.__getitem__

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """What `from_dict` takes, ready for JSON."""

    @classmethod
    @abstractmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The tokenizer that `as_dict` describes; raises VocabularyError for anything else."""


def checked_ids(ids: ArrayLike, vocabulary_size: int) -> NDArray[Any]:
    """Ids as an array (N,); raises VocabularyError where they are none, or one is out of range."""
    array = np.asarray(ids)
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise VocabularyError(f"Ids are a row of whole numbers; these are {array.dtype} of shape {array.shape}.")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= vocabulary_size:
        wrong = low if low < 0 else high
        raise VocabularyError(f"The id {wrong} is not in the vocabulary; ids go from 0 to {vocabulary_size - 1}.")
    return array


def code_points(text: str) -> NDArray[np.uint32]:
    """The characters of `text` as numbers (N,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def visible(token: str) -> str:
    """A printable form of a token for axes and lists: ' ' is '·', a new line '↵', a control character its code.

    The bytes of a character that is not whole stand in angles, as ‹E2 82›.
    """
    shown = "".join(map(_visible_character, token)).replace("›‹", " ")
    return f"◌{shown}" if token and unicodedata.combining(token[0]) else shown


def _visible_character(character: str) -> str:
    if character in _VISIBLE:
        return _VISIBLE[character]
    if "\udc80" <= character <= "\udcff":
        return f"‹{ord(character) - 0xDC00:02X}›"
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
