"""From a text file to ids, and from ids to batches."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tokenize import TokenError
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nanograd.atomic_file import write_atomically
from nanograd.errors import CorpusError
from nanograd.text.tokenizer import CharacterTokenizer

MAXIMUM_BYTES = 1 << 30
_PIECE = 1 << 20
_BYTE_ORDER_MARKS = (  # UTF-32's begins with UTF-16's, so it is tried first
    (b"\xff\xfe\x00\x00", "utf-32-le", "UTF-32"),
    (b"\x00\x00\xfe\xff", "utf-32-be", "UTF-32"),
    (b"\xff\xfe", "utf-16-le", "UTF-16"),
    (b"\xfe\xff", "utf-16-be", "UTF-16"),
    (b"\xef\xbb\xbf", "utf-8", "UTF-8"),
)
_CONTROLS = [chr(code) for code in range(256) if (code < 32 or 127 <= code < 160) and chr(code) not in "\b\t\n\v\f\r\x1b\x85"]
_CONTROL_SHARE_OF_BINARY = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corpus:
    """A text ready to train on. Its lines end in a bare newline, however the file ends them.

    `ids` (character_count,) has the smallest unsigned dtype that fits. `digest` is the SHA-256 and `byte_count` the
    length of the text as UTF-8. `notice` is a remark for the reader, such as an encoding that had to be assumed.
    """

    name: str
    path: Path | None
    digest: str
    character_count: int
    byte_count: int
    tokenizer: CharacterTokenizer
    ids: NDArray[np.unsignedinteger[Any]]
    notice: str = ""

    @classmethod
    def from_text(cls, text: str, *, name: str, path: Path | None = None, notice: str = "") -> Self:
        """A corpus of `text`; raises CorpusError where it is empty."""
        text = text.replace("\r\n", "\n")
        if not text:
            raise CorpusError(f"{name} is empty. Choose a text with at least a few thousand characters.")
        tokenizer = CharacterTokenizer.from_text(text)
        ids = np.empty(len(text), dtype=np.min_scalar_type(tokenizer.vocabulary_size - 1))
        for start in range(0, len(text), _PIECE):
            ids[start : start + _PIECE] = tokenizer.encode(text[start : start + _PIECE])
        digest, byte_count = _digest(text)
        return cls(
            name=name, path=path, digest=digest, character_count=len(text), byte_count=byte_count,
            tokenizer=tokenizer, ids=ids, notice=notice,
        )  # fmt: skip

    def split(self, validation_fraction: float) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.unsignedinteger[Any]]]:
        """The ids to train on, and those of the last `validation_fraction` of the text, as views."""
        train_count = int(len(self.ids) * (1 - Fraction(str(float(validation_fraction)))))  # exact: 10 * (1 - 0.9) is 1, not 0
        return self.ids[:train_count], self.ids[train_count:]


def load_corpus(path: Path) -> Corpus:
    """Read a text file; raises CorpusError where there is none, or it cannot be read, is empty, too large or no text.

    The encoding is UTF-8, or UTF-16 or UTF-32 where the file begins with their mark, and otherwise taken to be
    Windows-1252, as the corpus's `notice` then says.
    """
    data = _read(path)
    text, notice = _decode(data, path.name)
    if "\0" in text or sum(map(text.count, _CONTROLS)) > _CONTROL_SHARE_OF_BINARY * len(text):
        raise CorpusError(
            f"{path.name} is not a text: it holds binary data. Choose a plain text file; if it is one, save it again as UTF-8."
        )
    return Corpus.from_text(text, name=path.name, path=path, notice=notice)


def check_corpus_fits(corpus: Corpus, block_size: int, validation_fraction: float) -> None:
    """Raise CorpusError where the part for training or the one for validation holds no window of `block_size` tokens."""
    for part, ids in zip(("training", "validation"), corpus.split(validation_fraction), strict=True):
        if len(ids) < block_size + 1:
            raise CorpusError(
                f"The text is too short for a context of {block_size:,}: its {part} part has {len(ids):,} tokens and needs "
                f"{block_size + 1:,}. Choose a longer text, a shorter context, or another share kept for validation."
            )


def sample_batch(
    ids: NDArray[Any], block_size: int, batch_size: int, generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Windows of `ids` (N,) from random places: inputs and, one token on, targets, both (batch_size, block_size).

    N must be above `block_size`.
    """
    starts = generator.integers(0, len(ids) - block_size, size=batch_size)
    return _windows(ids, starts, block_size)


def evaluation_windows(ids: NDArray[Any], block_size: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Windows of `ids` (N,) that do not overlap: inputs and, one token on, targets, both (windows, block_size).

    All there are, or `count` of them spread evenly where there are more; the same ones each time.
    """
    available = (len(ids) - 1) // block_size
    chosen = np.arange(available) if available <= count else np.arange(count) * available // count
    return _windows(ids, chosen * block_size, block_size)


def token_counts(corpus: Corpus) -> tuple[tuple[str, int], ...]:
    """Each token and how often it occurs, most frequent first; among equals in the vocabulary's order."""
    counts = np.zeros(corpus.tokenizer.vocabulary_size, dtype=np.int64)
    for start in range(0, len(corpus.ids), _PIECE):  # bincount widens what it counts to eight bytes
        counts += np.bincount(corpus.ids[start : start + _PIECE], minlength=len(counts))
    return tuple((corpus.tokenizer.vocabulary[index], int(counts[index])) for index in np.argsort(-counts, kind="stable"))


def ids_path(folder: Path, digest: str) -> Path:
    """Where `save_ids` keeps the ids of the text with this digest."""
    return folder / f"{digest}.npy"


def save_ids(corpus: Corpus, folder: Path) -> None:
    """Keep the corpus's ids in `folder` under its digest; raises OSError where they cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(ids_path(folder, corpus.digest), lambda stream: np.save(stream, corpus.ids, allow_pickle=False))


def load_cached_corpus(folder: Path, digest: str, tokenizer: CharacterTokenizer, name: str, path: Path | None) -> Corpus | None:
    """The corpus whose ids `save_ids` kept, checked against its digest; None where it is not there or damaged."""
    if not re.fullmatch("[0-9a-f]{64}", digest):  # it may come from a foreign file, and becomes a path here
        return None
    try:
        # Mapped first: the system then refuses a header that claims more than the file holds.
        ids = np.array(np.lib.format.open_memmap(ids_path(folder, digest), mode="r"))
        text = tokenizer.decode(ids)
    except (
        OSError,
        ValueError,
        TypeError,
        EOFError,
        OverflowError,
        MemoryError,
        SyntaxError,
        TokenError,
    ):  # numpy raises them all
        return None
    actual_digest, byte_count = _digest(text)
    if actual_digest != digest or ids.dtype.kind != "u":
        return None
    return Corpus(
        name=name, path=path, digest=digest, character_count=len(text), byte_count=byte_count, tokenizer=tokenizer, ids=ids,
    )  # fmt: skip


def _windows(ids: NDArray[Any], starts: NDArray[np.int64], block_size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    windows = ids[starts[:, None] + np.arange(block_size + 1)]
    return windows[:, :-1].astype(np.int64), windows[:, 1:].astype(np.int64)


def _digest(text: str) -> tuple[str, int]:
    """The SHA-256 of `text` as UTF-8, and how many bytes that is."""
    digest, byte_count = hashlib.sha256(), 0
    for piece in _encoded_pieces(text):
        digest.update(piece)
        byte_count += len(piece)
    return digest.hexdigest(), byte_count


def _encoded_pieces(text: str) -> Iterator[bytes]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE].encode("utf-8", "surrogatepass")


def _read(path: Path) -> bytes:
    try:
        _check_file(path)
        data = path.read_bytes()
    except CorpusError:
        raise
    except FileNotFoundError:
        raise CorpusError(f"There is no file {path}. It may have been moved or renamed; choose it again.") from None
    except PermissionError:
        raise CorpusError(f"{path.name} may not be read by you. Change its permissions, or choose another text.") from None
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path.name} could not be read: {error}. Choose another text, or a copy of it elsewhere.") from None
    if not data:
        raise CorpusError(f"{path.name} is empty. Choose a text with at least a few thousand characters.")
    return data


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise CorpusError(f"{path.name or path} is a folder. Choose a text file inside it.")
    size = path.stat().st_size
    if not path.is_file():  # reading a pipe or a device may never end
        raise CorpusError(f"{path.name} is a device or a pipe. Choose a text file.")
    if size > MAXIMUM_BYTES:
        raise CorpusError(f"{path.name} has {size / 1e9:.1f} GB, more than this program takes. Choose a part of at most 1 GB.")


def _decode(data: bytes, name: str) -> tuple[str, str]:
    """The text of `data` and, where its encoding had to be guessed, a notice that says so."""
    for mark, codec, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_marked(data[len(mark) :], codec, encoding, name), ""
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        whole = data[: error.start]
        if error.reason == "unexpected end of data" and not whole.isascii():
            return whole.decode("utf-8"), f"The last character of {name} is cut off and was left out."
    return _decode_windows_1252(data), f"{name} is not UTF-8; it was read as Windows-1252."


def _decode_marked(data: bytes, codec: str, encoding: str, name: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{name} begins with the mark of {encoding}, but byte {error.start:,} after it does not belong there. "
            "Save the text again as UTF-8, or choose another."
        ) from None


def _decode_windows_1252(data: bytes) -> str:
    """Windows-1252, with the five bytes it leaves open as Latin-1 has them, so that nothing is lost."""
    characters = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)]
    code_points = np.array([ord(character) for character in characters], dtype="<u4")
    text: str = code_points[np.frombuffer(data, dtype=np.uint8)].tobytes().decode("utf-32-le")
    return text
