"""Text as the bytes of its UTF-8: 256 tokens write anything."""

import codecs
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanograd.errors import VocabularyError
from nanograd.text.tokenizer import Tokenizer, checked_ids


class BytesTokenizer(Tokenizer):
    """What tokenizers share whose tokens are pieces of UTF-8: `token_bytes` has those of each id.

    Bytes that make no character are decoded as the replacement character.
    """

    def __init__(self, token_bytes: tuple[bytes, ...]) -> None:
        self.token_bytes = token_bytes
        self.vocabulary = tuple(token.decode("utf-8", "surrogateescape") for token in token_bytes)

    def decode(self, ids: ArrayLike) -> str:
        """The text of ids (N,); raises VocabularyError where one is out of range."""
        array = checked_ids(ids, self.vocabulary_size)
        return b"".join(map(self.token_bytes.__getitem__, array.tolist())).decode("utf-8", "replace")

    def new_decoder(self) -> Callable[[int], str]:
        """Decodes one id after the other: a character that several tokens make comes with the last of them."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return lambda token_id: decoder.decode(self.token_bytes[token_id])


class ByteTokenizer(BytesTokenizer):
    """Each byte of the text's UTF-8 is a token; its value is its id."""

    kind: ClassVar[str] = "byte"

    def __init__(self) -> None:
        super().__init__(tuple(bytes([value]) for value in range(256)))

    def encode(self, text: str) -> NDArray[np.int64]:
        """The ids (N,) of the N bytes of `text`."""
        return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8).astype(np.int64)

    def as_dict(self) -> dict[str, Any]:
        """What `from_dict` takes, ready for JSON."""
        return {"kind": self.kind}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The tokenizer that `as_dict` describes; raises VocabularyError for anything else."""
        if not isinstance(values, Mapping) or values.get("kind") != cls.kind:
            raise VocabularyError("This is not the description of a byte tokenizer; its kind should be 'byte'.")
        return cls()
