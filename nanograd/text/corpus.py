"""From texts to ids, and from ids to batches."""

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from nanograd.errors import CorpusError, VocabularyError
from nanograd.text.building import PieceSource, TextProgress, build
from nanograd.text.cache import EncodedText, IdsCache, stamp_of
from nanograd.text.choice import TokenizerChoice
from nanograd.text.documents import TextReader
from nanograd.text.files import TextFile, find_files
from nanograd.text.source import TextSource
from nanograd.text.tokenizer import Tokenizer

_PIECE = 1 << 20
_NOTED_BYTES = 1 << 26  # texts as large as this are known again by their files' sizes and times, without reading them
_T = TypeVar("_T")
Opening = Generator[TextProgress, None, "Corpus"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corpus:
    """A text ready to train on: where it came from, and what it became.

    `stamp` stands for the sizes and times of its files, `fields` are those of its tables, and `notice` is a remark for the
    reader, such as what had to be left out.
    """

    name: str
    text: EncodedText
    source: TextSource | None = None
    stamp: str = ""
    fields: tuple[str, ...] = ()
    notice: str = ""

    @classmethod
    def from_text(cls, text: str, *, name: str, choice: TokenizerChoice | None = None) -> Self:
        """A corpus of `text`, with Windows line ends made plain; raises CorpusError where it is empty."""
        return cls(name=name, text=_end_of(_build_text(text, name, choice or TokenizerChoice())))

    @property
    def path(self) -> Path | None:
        """The first of its files or folders; None for a text without."""
        return self.source.paths[0] if self.source else None

    @property
    def digest(self) -> str:
        """The SHA-256 of the text as UTF-8."""
        return self.text.digest

    @property
    def character_count(self) -> int:
        """How many characters the text has."""
        return self.text.character_count

    @property
    def byte_count(self) -> int:
        """How many bytes the text has as UTF-8."""
        return self.text.byte_count

    @property
    def tokenizer(self) -> Tokenizer:
        """What made the ids."""
        return self.text.tokenizer

    @property
    def ids(self) -> NDArray[np.unsignedinteger[Any]]:
        """The text's tokens (N,), of the smallest unsigned dtype that fits."""
        return self.text.ids

    def split(self, validation_fraction: float) -> tuple[NDArray[np.unsignedinteger[Any]], NDArray[np.unsignedinteger[Any]]]:
        """The ids to train on, and those of the last `validation_fraction` of the text, as views."""
        train_count = int(len(self.ids) * (1 - Fraction(str(float(validation_fraction)))))  # exact: 10 * (1 - 0.9) is 1, not 0
        return self.ids[:train_count], self.ids[train_count:]

    def is_encoded_by(self, tokenizer: Tokenizer) -> bool:
        """Whether the ids mean the same to `tokenizer`."""
        return self.tokenizer is tokenizer or self.tokenizer.as_dict() == tokenizer.as_dict()


def load_corpus(source: Path | TextSource, choice: TokenizerChoice | None = None, cache: IdsCache | None = None) -> Corpus:
    """Read a text to its end: see `open_corpus`."""
    return _end_of(open_corpus(source, choice, cache))


def open_text(text: str, name: str, choice: TokenizerChoice) -> Opening:
    """Make a corpus of `text` as `Corpus.from_text` does, step by step, each of a moment."""
    return Corpus(name=name, text=(yield from _build_text(text, name, choice)))


def open_corpus(
    source: Path | TextSource,
    choice: TokenizerChoice | None = None,
    cache: IdsCache | None = None,
    known: tuple[str, Tokenizer] | None = None,
) -> Opening:
    """Read files step by step, each of a moment, and return the corpus; memory stays small where there is a `cache`.

    `known` is the digest of a text and the tokenizer to use should this be that text; without a `choice` it must be. Raises EncodingError where a file is not
    Unicode and the source names no encoding, CorpusError where one is missing, unreadable, empty or no text, and
    VocabularyError where the choice names files with no vocabulary in them, or with one that lacks a byte of the text.
    """
    source = TextSource(paths=(source,)) if isinstance(source, Path) else source
    choice = choice or (TokenizerChoice() if known is None else None)
    loaded = choice.load() if choice else None
    files = find_files(source.paths)
    total = sum(file.size for file in files)
    stamp = _stamp(source, files)
    note = _note_of(stamp, choice, loaded) if cache and choice and total >= _NOTED_BYTES else ""
    noted = cache.find_noted(note) if cache and note else None
    if noted is not None:
        text, details = noted
        fields, notice = tuple(map(str, details.get("fields", ()))), str(details.get("notice", ""))
        return Corpus(name=source.name, text=text, source=source, stamp=stamp, fields=fields, notice=notice)
    reader = TextReader(source, files)
    pieces = PieceSource(name=source.name, pieces=reader.pieces, done=lambda: reader.done_bytes, total=total)
    text = yield from build(pieces, loaded or choice, cache, known)
    notice = " ".join(dict.fromkeys(reader.remarks))
    if cache and note and text.is_cached:
        cache.note(note, text, {"fields": reader.fields, "notice": notice})
    return Corpus(name=source.name, text=text, source=source, stamp=stamp, fields=reader.fields, notice=notice)


def encode_again(source: TextSource, tokenizer: Tokenizer, digest: str, cache: IdsCache | None = None) -> Corpus | None:
    """The text with this digest as `tokenizer` encodes it, read from its files; None where they are gone, or say something else."""
    try:
        return _end_of(open_corpus(source, None, cache, known=(digest, tokenizer)))
    except (CorpusError, VocabularyError):
        return None


def describe_change(source: TextSource, stamp: str, digest: str) -> str:
    """Whether the files of the text with this `digest` are gone or say something else now; empty where all is as it was."""
    try:
        files = find_files(source.paths)
        if _stamp(source, files) == stamp:
            return ""
        actual = hashlib.sha256()
        for piece in TextReader(source, files).pieces():
            actual.update(piece.encode("utf-8", "surrogatepass"))
    except CorpusError:
        return f"{source.name} cannot be found or read any more. The run goes on with the text as it was, from the cache."
    changed = f"{source.name} has changed since the run began. The run goes on with the text as it was, from the cache."
    return "" if actual.hexdigest() == digest else changed


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
    counts, vocabulary = corpus.text.counts, corpus.tokenizer.vocabulary
    return tuple((vocabulary[index], int(counts[index])) for index in np.argsort(-counts, kind="stable"))


def _build_text(text: str, name: str, choice: TokenizerChoice) -> Generator[TextProgress, None, EncodedText]:
    text = text.replace("\r\n", "\n")
    done = 0

    def pieces() -> Iterator[str]:
        nonlocal done
        for begin in range(0, len(text), _PIECE):
            done = min(begin + _PIECE, len(text))
            yield text[begin:done]

    return build(PieceSource(name=name, pieces=pieces, done=lambda: done, total=len(text)), choice.load() or choice)


def _windows(ids: NDArray[Any], starts: NDArray[np.int64], block_size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    windows = ids[starts[:, None] + np.arange(block_size + 1)]
    return windows[:, :-1].astype(np.int64), windows[:, 1:].astype(np.int64)


def _stamp(source: TextSource, files: tuple[TextFile, ...]) -> str:
    return stamp_of(source.as_dict(), [(str(file.path), file.size, file.changed_ns) for file in files])


def _note_of(stamp: str, choice: TokenizerChoice, loaded: Tokenizer | None) -> str:
    """What a text with this stamp is known by again, told in these tokens."""
    return stamp_of(stamp, choice.kind, loaded.as_dict() if loaded else choice.vocabulary_size)


def _end_of(steps: Generator[TextProgress, None, _T]) -> _T:
    """What a generator returns in the end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _T = end.value
            return result
