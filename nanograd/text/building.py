"""From the pieces of a text to its ids, in two passes: one to learn what the tokens are, one to write them down.

Each step is short, so that whoever asks for it can show how far it is, and stop.
"""

import hashlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nanograd.errors import CorpusError, VocabularyError
from nanograd.text.byte import ByteTokenizer
from nanograd.text.byte_pair import BytePairTokenizer
from nanograd.text.byte_pair_training import Training, WordCounter
from nanograd.text.cache import EncodedText, IdsCache, MemorySink, Sink
from nanograd.text.character import CharacterSet
from nanograd.text.choice import TokenizerChoice
from nanograd.text.tokenizer import Tokenizer

_MERGES_AT_ONCE = 32
_SYMBOLS_AT_ONCE = 1 << 23
_LARGEST_IN_MEMORY = 1 << 31


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProgress:
    """`done` of `total`: bytes read, tokens learnt, or bytes encoded."""

    stage: Literal["reading", "learning", "encoding"]
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceSource:
    """A text that can be read again and again. `done` tells how far the present reading is, of `total`."""

    name: str
    pieces: Callable[[], Iterator[str]]
    done: Callable[[], int]
    total: int


Building = Generator[TextProgress, None, EncodedText]


def build(
    source: PieceSource,
    choice: TokenizerChoice | Tokenizer | None,
    cache: IdsCache | None = None,
    known: tuple[str, Tokenizer] | None = None,
) -> Building:
    """Encode a text, into the cache where there is one; CorpusError where it is empty.

    The tokenizer is there already, or a choice of what to learn. `known` is the digest of a text and the tokenizer to use
    should this be that text; without a `choice` it must be.
    """
    learnt = choice.kind if isinstance(choice, TokenizerChoice) else ""
    words, characters = WordCounter(), CharacterSet()
    digest, character_count, byte_count = hashlib.sha256(), 0, 0
    for piece in source.pieces():
        data = piece.encode("utf-8", "surrogatepass")
        digest.update(data)
        character_count += len(piece)
        byte_count += len(data)
        if learnt == "character":
            characters.add(piece)
        elif learnt == "byte-pair":
            words.add(piece)
        yield TextProgress(stage="reading", done=source.done(), total=source.total)
    if not character_count:
        raise CorpusError(f"{source.name} is empty. Choose a text with at least a few thousand characters.")
    if known is not None and known[0] == digest.hexdigest():
        tokenizer = known[1]
    elif choice is None:
        raise CorpusError(f"{source.name} is another text than it was. Choose the former one.")
    elif isinstance(choice, Tokenizer):
        tokenizer = choice
    elif choice.kind == "byte-pair":
        tokenizer = yield from _learn(words, choice.vocabulary_size)
    else:
        tokenizer = characters.tokenizer() if choice.kind == "character" else ByteTokenizer()
    found = cache.find(digest.hexdigest(), tokenizer) if cache else None
    if found is not None:
        return found
    text = EncodedText(
        digest=digest.hexdigest(), character_count=character_count, byte_count=byte_count, tokenizer=tokenizer,
        ids=np.empty(0, np.uint8), counts=np.zeros(tokenizer.vocabulary_size, np.int64),
    )  # fmt: skip
    if cache is not None:
        try:
            return (yield from _encode(source, text, cache.sink()))
        except OSError as error:
            if byte_count > _LARGEST_IN_MEMORY:
                reason = error.strerror or error
                raise CorpusError(f"{source.name} needs room on the disk at {cache.folder}: {reason}. Make room there.") from None
            text.counts[:] = 0
    return (yield from _encode(source, text, MemorySink()))


def _learn(words: WordCounter, vocabulary_size: int) -> Generator[TextProgress, None, Tokenizer]:
    words.finish()
    training = Training(words.counts, vocabulary_size)
    while training.count_next():
        yield TextProgress(stage="learning", done=len(training.tokens), total=vocabulary_size)
    while training.merge_next():
        merges_at_once = max(1, min(_MERGES_AT_ONCE, _SYMBOLS_AT_ONCE // training.symbol_count))
        if len(training.tokens) % merges_at_once == 0:
            yield TextProgress(stage="learning", done=len(training.tokens), total=vocabulary_size)
    return training.tokenizer()


def _encode(source: PieceSource, text: EncodedText, sink: Sink) -> Building:
    dtype = np.min_scalar_type(text.tokenizer.vocabulary_size - 1)
    digest = hashlib.sha256()
    changed = f"{source.name} was changed while it was read. Open it again."

    def read() -> Iterator[str]:
        for piece in source.pieces():
            digest.update(piece.encode("utf-8", "surrogatepass"))
            yield piece

    try:
        for ids in text.tokenizer.encode_pieces(read()):
            text.counts[:] += np.bincount(ids, minlength=len(text.counts))
            sink.write(ids.astype(dtype))
            yield TextProgress(stage="encoding", done=source.done(), total=source.total)
        if digest.hexdigest() != text.digest:
            raise CorpusError(changed)
        return sink.finish(text)
    except VocabularyError:
        if isinstance(text.tokenizer, BytePairTokenizer):  # a vocabulary from elsewhere may lack a byte
            raise
        raise CorpusError(changed) from None  # the first reading found no such token
    finally:
        sink.close()
