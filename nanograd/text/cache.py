"""Texts as ids on the disk, kept under what they say and how they are told: opened again they are there at once.

An entry is a file of ids, which is mapped into memory, and beside it a description, written last, with a checksum of the ids.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from nanograd.atomic_file import write_atomically
from nanograd.errors import NanogradError
from nanograd.text.choice import tokenizer_from_dict
from nanograd.text.tokenizer import Tokenizer

DEFAULT_LIMIT_BYTES: Final = 8_000_000_000
_FORMAT: Final = "nanograd ids 1"
_BLOCK: Final = 1 << 22
_LONGEST_DESCRIPTION: Final = 1 << 26
_DTYPES: Final = ("uint8", "uint16", "uint32")
_STALE_S: Final = 3600.0
_DAMAGE: Final = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    OverflowError,
    MemoryError,
    NanogradError,
)
Ids = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EncodedText:
    """A text as `ids` (N,) of the smallest unsigned dtype that fits; `counts` (V,) tells how often each token occurs.

    `digest` is the SHA-256 and `byte_count` the length of the text as UTF-8.
    """

    digest: str
    character_count: int
    byte_count: int
    tokenizer: Tokenizer
    ids: Ids
    counts: NDArray[np.int64]
    is_cached: bool = False


class Sink(Protocol):
    """Takes the ids of a text piece by piece."""

    def write(self, ids: Ids) -> None:
        """The next ids."""

    def finish(self, text: EncodedText) -> EncodedText:
        """`text`, which lacks its ids, with them."""

    def close(self) -> None:
        """Leave nothing behind that is not finished."""


class MemorySink:
    """Keeps the ids in memory."""

    def __init__(self) -> None:
        self._pieces: list[Ids] = []

    def write(self, ids: Ids) -> None:
        """The next ids."""
        self._pieces.append(ids)

    def finish(self, text: EncodedText) -> EncodedText:
        """`text` with its ids."""
        return replace(text, ids=np.concatenate(self._pieces))

    def close(self) -> None:
        """There is nothing to leave behind."""


class IdsCache:
    """Encoded texts in `folder`, the ones used longest ago removed where they take more than `limit_bytes` together."""

    def __init__(self, folder: Path, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    def find(self, digest: str, tokenizer: Tokenizer) -> EncodedText | None:
        """The text with this digest as this tokenizer encodes it; None where it is not here, or damaged."""
        return self._load(_key(digest, tokenizer))

    def add(self, text: EncodedText) -> None:
        """Keep a text; raises OSError where that fails."""
        if self.find(text.digest, text.tokenizer) is None:
            with self.sink() as sink:
                for begin in range(0, len(text.ids), _BLOCK):
                    sink.write(text.ids[begin : begin + _BLOCK])
                sink.finish(text)

    def sink(self) -> "FileSink":
        """Takes a new text; raises OSError where there is no writing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileSink(self)

    def note(self, stamp: str, text: EncodedText, details: Mapping[str, Any]) -> None:
        """Remember which text the files with this stamp hold, and what else is to be known of them; does its best."""
        note = json.dumps({"key": _key(text.digest, text.tokenizer), **details}).encode()
        with suppress(OSError):
            write_atomically(self.folder / f"{stamp}.note", lambda stream: stream.write(note))

    def find_noted(self, stamp: str) -> tuple[EncodedText, dict[str, Any]] | None:
        """What `note` remembered; None where there is nothing, or it is damaged."""
        try:
            details = json.loads(_read_small(self.folder / f"{stamp}.note"))
            text = self._load(details.pop("key"))
        except _DAMAGE:
            return None
        return None if text is None else (text, details)

    def size_bytes(self) -> int:
        """How much room it takes on the disk."""
        return sum(size for _, size in self._files())

    def clear(self) -> None:
        """Remove everything; a text that is open stays whole. Does its best."""
        for path, _ in self._files():
            with suppress(OSError):
                path.unlink()

    def trim(self, keep: str = "") -> None:
        """Remove what was used longest ago until the rest is within the limit, never the entry `keep`. Does its best."""
        sizes: dict[str, int] = {}
        for path, size in self._files():
            sizes[path.stem] = sizes.get(path.stem, 0) + size
            with suppress(OSError):
                if path.suffix == ".part" and time.time() - path.stat().st_mtime > _STALE_S:
                    path.unlink()  # what a crash left behind
        total = sum(sizes.values())
        for key in sorted(sizes, key=self._used_at):
            if total <= self.limit_bytes:
                return
            if key != keep:
                total -= sizes[key]
                for path in self.folder.glob(f"{key}.*"):
                    with suppress(OSError):
                        path.unlink()

    def _used_at(self, key: str) -> int:
        try:
            return self._description_path(key).stat().st_mtime_ns
        except OSError:
            return 0

    def _files(self) -> list[tuple[Path, int]]:
        found = []
        with suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                with suppress(OSError):
                    if path.suffix in (".ids", ".json", ".note", ".part"):
                        found.append((path, path.stat().st_size))
        return found

    def ids_path(self, key: str) -> Path:
        """Where the ids of an entry lie."""
        return self.folder / f"{key}.ids"

    def _description_path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def store(self, part: Path, text: EncodedText, dtype: str, count: int, checksum: str) -> EncodedText:
        """Make an entry of a file of ids that is written; raises OSError where that fails."""
        key = _key(text.digest, text.tokenizer)
        os.replace(part, self.ids_path(key))
        description = {
            "format": _FORMAT,
            "digest": text.digest,
            "character_count": text.character_count,
            "byte_count": text.byte_count,
            "tokenizer": text.tokenizer.as_dict(),
            "counts": text.counts.tolist(),
            "dtype": dtype,
            "count": count,
            "checksum": checksum,
        }
        data = json.dumps(description).encode()
        write_atomically(self._description_path(key), lambda stream: stream.write(data))
        self.trim(keep=key)
        return replace(text, ids=_mapped(self.ids_path(key), dtype, count), is_cached=True)

    def _load(self, key: str) -> EncodedText | None:
        """An entry, once it has been found to be whole."""
        try:
            description = json.loads(_read_small(self._description_path(key)))
            text, dtype, checksum = _parse(description)
            path = self.ids_path(_key(text.digest, text.tokenizer))
            if description["format"] != _FORMAT or path != self.ids_path(key):
                return None
            count = int(text.counts.sum())
            if count != description["count"] or not _is_whole(path, dtype, count, checksum, text.tokenizer.vocabulary_size):
                return None
            os.utime(self._description_path(key))
            return replace(text, ids=_mapped(path, dtype, count), is_cached=True)
        except _DAMAGE:
            return None


class FileSink:
    """Writes ids into a file that becomes an entry of the cache when it is finished, and otherwise vanishes."""

    def __init__(self, cache: IdsCache) -> None:
        self._cache = cache
        self._path = cache.folder / f"{secrets.token_hex(8)}.part"
        self._stream = self._path.open("xb")
        self._checksum = hashlib.sha256()
        self._dtype, self._count = "", 0

    def write(self, ids: Ids) -> None:
        """The next ids."""
        data = np.ascontiguousarray(ids).data
        self._dtype, self._count = ids.dtype.name, self._count + len(ids)
        self._checksum.update(data)
        self._stream.write(data)

    def finish(self, text: EncodedText) -> EncodedText:
        """`text` with its ids, mapped from the file; raises OSError where it cannot be kept."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        return self._cache.store(self._path, text, self._dtype, self._count, self._checksum.hexdigest())

    def close(self) -> None:
        """Leave nothing behind that is not finished."""
        with suppress(OSError):
            self._stream.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def stamp_of(*parts: object) -> str:
    """A name for files as they are: their paths, sizes and times, and how they are read."""
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _key(digest: str, tokenizer: Tokenizer) -> str:
    return stamp_of(digest, tokenizer.as_dict())


def _read_small(path: Path) -> bytes:
    if path.stat().st_size > _LONGEST_DESCRIPTION:
        raise ValueError("too long")
    return path.read_bytes()


def _parse(values: Mapping[str, Any]) -> tuple[EncodedText, str, str]:
    tokenizer = tokenizer_from_dict(values["tokenizer"])
    numbers = [values["character_count"], values["byte_count"], *_whole(values["counts"])]
    texts = [values["digest"], values["dtype"], values["checksum"]]
    if not all(type(number) is int and number >= 0 for number in numbers) or not all(isinstance(text, str) for text in texts):
        raise ValueError("a value of the wrong kind")
    counts = np.array(values["counts"], np.int64)
    if counts.shape != (tokenizer.vocabulary_size,) or values["dtype"] not in _DTYPES:
        raise ValueError("counts or a dtype that do not fit")
    text = EncodedText(
        digest=values["digest"], character_count=values["character_count"], byte_count=values["byte_count"],
        tokenizer=tokenizer, ids=np.empty(0, np.uint8), counts=counts,
    )  # fmt: skip
    return text, values["dtype"], values["checksum"]


def _whole(values: Any) -> Sequence[Any]:
    if not isinstance(values, list):
        raise ValueError("no list")
    return values


def _is_whole(path: Path, dtype: str, count: int, checksum: str, vocabulary_size: int) -> bool:
    """Whether the file holds so many ids below `vocabulary_size`, with this checksum; reads it, but maps nothing."""
    if path.stat().st_size != count * np.dtype(dtype).itemsize:
        return False
    actual, highest = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            actual.update(block)
            highest = max(highest, int(np.frombuffer(block, dtype).max()))
    return actual.hexdigest() == checksum and highest < vocabulary_size


def _mapped(path: Path, dtype: str, count: int) -> Ids:
    return np.asarray(np.memmap(path, dtype, mode="r", shape=(count,)))
