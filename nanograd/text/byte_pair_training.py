"""Learning the merges of a byte-pair vocabulary: again and again the pair that occurs most often becomes a token.

The distinct words of the text lie behind one another in one row, each with how often it occurs, so a merge is a few
operations on the whole row; what a merge changes in the counts of pairs is counted beside its places alone.
"""

import heapq
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nanograd.errors import VocabularyError
from nanograd.text.byte_pair import ALPHABET, SIGNS, BytePairTokenizer
from nanograd.text.merging import without_overlaps
from nanograd.text.splitting import PartCutter, split

SMALLEST_VOCABULARY, LARGEST_VOCABULARY = 257, 32_768
_LEAST_COUNT = 2
_MOST_WORDS = 1 << 20
_COUNTED_AT_ONCE = 1 << 19
_BREAK = -1  # stands between words


def check_vocabulary_size(size: int) -> None:
    """Raise VocabularyError where a byte-pair vocabulary cannot have so many tokens."""
    if not SMALLEST_VOCABULARY <= size <= LARGEST_VOCABULARY:
        raise VocabularyError(
            f"A byte-pair vocabulary of {size:,} is out of bounds; choose {SMALLEST_VOCABULARY:,} to {LARGEST_VOCABULARY:,} tokens."
        )


class WordCounter:
    """How often each word occurs. Of very many the rarest are forgotten, so that memory stays bounded."""

    def __init__(self) -> None:
        self.counts: Counter[bytes] = Counter()
        self._cutter = PartCutter()

    def add(self, text: str) -> None:
        """Count the words of the next piece, which may be cut anywhere."""
        self.counts.update(split(self._cutter.add(text)))
        least = 2
        while len(self.counts) > _MOST_WORDS:
            self.counts = Counter({word: count for word, count in self.counts.items() if count >= least})
            least *= 2

    def finish(self) -> None:
        """Count the last word, at the end of the text."""
        self.counts.update(split(self._cutter.finish()))


def train_byte_pair(text: str, vocabulary_size: int) -> BytePairTokenizer:
    """A tokenizer learnt from `text`: 256 bytes and as many merges as fit, fewer where no pair occurs twice."""
    counter = WordCounter()
    counter.add(text)
    counter.finish()
    training = Training(counter.counts, vocabulary_size)
    while training.merge_next():
        pass
    return training.tokenizer()


class Training:
    """Merges learnt from how often each word occurs: pairs are counted piece by piece by `count_next`, then `merge_next` learns one a call.

    VocabularyError where `vocabulary_size` is out of bounds.
    """

    def __init__(self, counts: Mapping[bytes, int], vocabulary_size: int) -> None:
        check_vocabulary_size(vocabulary_size)
        self.tokens = [SIGNS[value] for value in ALPHABET]
        self._ids = {token: number for number, token in enumerate(self.tokens)}
        self._merges: list[tuple[str, str]] = []
        self._vocabulary_size = vocabulary_size
        self._symbols, self._weights = _rows(counts)
        self._counts: dict[int, int] = {}
        self._queue: list[tuple[int, int]] = []  # (-count, pair); a count may be out of date
        self._uncounted = len(self._symbols) - 1

    @property
    def symbol_count(self) -> int:
        """How long the row is that a merge goes through."""
        return len(self._symbols)

    def count_next(self) -> bool:
        """Count the pairs of the next piece of the row; False where all are counted."""
        begin = max(0, self._uncounted - _COUNTED_AT_ONCE)
        self._change(np.arange(begin, self._uncounted), 1)
        self._uncounted = begin
        return begin > 0

    def merge_next(self) -> bool:
        """Learn the merge of the pair that occurs most often, the first by its ids among equals; False at the end."""
        while self._uncounted:
            self.count_next()
        pair = self._most_frequent() if len(self.tokens) < self._vocabulary_size else None
        if pair is None:
            return False
        left, right = divmod(pair, LARGEST_VOCABULARY)
        token = self.tokens[left] + self.tokens[right]
        if token not in self._ids:
            self._ids[token] = len(self.tokens)
            self.tokens.append(token)
        self._merges.append((self.tokens[left], self.tokens[right]))
        self._merge(left, right, self._ids[token])
        return True

    def tokenizer(self) -> BytePairTokenizer:
        """What was learnt so far."""
        return BytePairTokenizer(self.tokens, self._merges)

    def _most_frequent(self) -> int | None:
        while self._queue:
            negative, pair = self._queue[0]
            count = self._counts.get(pair, 0)
            if -negative == count:
                return pair if count >= _LEAST_COUNT else None
            heapq.heappop(self._queue)
            if 0 < count < -negative:
                heapq.heappush(self._queue, (-count, pair))
        return None

    def _merge(self, left: int, right: int, result: int) -> None:
        symbols = self._symbols
        places = without_overlaps(np.flatnonzero((symbols[:-1] == left) & (symbols[1:] == right)))
        self._change(_beside(places, 1), -1)
        symbols[places] = result
        is_kept = np.ones(len(symbols), np.bool_)
        is_kept[places + 1] = False
        self._symbols, self._weights = symbols[is_kept], self._weights[is_kept]
        self._change(_beside(places - np.arange(len(places)), 0), 1)

    def _change(self, places: NDArray[np.int64], sign: int) -> None:
        """Count the pairs that begin at `places` in or out."""
        left, right = self._symbols[places].astype(np.int64), self._symbols[places + 1]
        is_pair = (left != _BREAK) & (right != _BREAK)
        keys, inverse = np.unique((left * LARGEST_VOCABULARY + right)[is_pair], return_inverse=True)
        changes = np.bincount(inverse, self._weights[places][is_pair], minlength=len(keys))
        for pair, change in zip(keys.tolist(), changes.astype(np.int64).tolist(), strict=True):
            count = self._counts.get(pair, 0) + sign * change
            self._counts[pair] = count
            if sign > 0:
                heapq.heappush(self._queue, (-count, pair))


def _rows(counts: Mapping[bytes, int]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The words as ids with breaks before, between and after them, and beside each symbol how often its word occurs."""
    id_of = np.empty(257, np.int32)
    id_of[list(ALPHABET)] = np.arange(256)
    id_of[256] = _BREAK
    lengths = np.array([len(word) for word in counts], np.int64)
    data = np.frombuffer(b"".join(counts), np.uint8).astype(np.int32)
    ends = np.cumsum(lengths)
    symbols = id_of[np.insert(data, np.concatenate([[0], ends]), 256)]
    weights = np.repeat(np.fromiter(counts.values(), np.int64, len(counts)), lengths + 1)
    return symbols, np.concatenate([[0], weights])


def _beside(places: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Where the pairs begin that a merge at `places` touches: one before, and `width` after; each once."""
    return np.unique(np.concatenate([places + shift for shift in range(-1, width + 1)]))
