"""Byte-pair merges over many words at once.

Words lie behind one another in one row of symbols. In each round every word merges its pair of lowest rank, wherever that
stands in it. The ranks are kept beside the symbols, so that only those beside a merge are looked up again.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_NONE: Final = np.iinfo(np.int64).max


class Merges:
    """Which pairs merge, in which order, and into what: pairs (M, 2) in the order of their rank, results (M,)."""

    def __init__(self, pairs: Ints, results: Ints, vocabulary_size: int) -> None:
        self._size = vocabulary_size
        keys = pairs[:, 0] * vocabulary_size + pairs[:, 1]
        self._ranks = np.argsort(keys)
        self._keys = keys[self._ranks]
        self._results = results
        self._is_careful = _can_be_overtaken(pairs, results, vocabulary_size)

    def apply(self, symbols: Ints, lengths: Ints) -> tuple[Ints, Ints]:
        """Merge words whose symbols (N,) lie behind one another, `lengths` (W,) each: the same for what becomes of them."""
        done, done_lengths = np.empty_like(symbols), np.zeros_like(lengths)
        room = lengths
        places = _starts(room)
        numbers = np.arange(len(lengths))  # of the words that still merge
        ranks = self._look_up(symbols, np.arange(len(symbols)))
        ranks[_starts(room) + room - 1] = _NONE
        while len(symbols):
            lowest = np.minimum.reduceat(ranks, _starts(lengths))
            is_done = lowest == _NONE
            if is_done.any():
                is_theirs = np.repeat(is_done, lengths)
                done[(np.repeat(places[numbers], lengths) + _within(lengths))[is_theirs]] = symbols[is_theirs]
                done_lengths[numbers[is_done]] = lengths[is_done]
                symbols, ranks = symbols[~is_theirs], ranks[~is_theirs]
                numbers, lengths, lowest = numbers[~is_done], lengths[~is_done], lowest[~is_done]
            if len(symbols):
                symbols, ranks, lengths = self._merge_once(symbols, ranks, lengths, lowest)
        return done[_within(room) < np.repeat(done_lengths, room)], done_lengths

    def _merge_once(self, symbols: Ints, ranks: Ints, lengths: Ints, lowest: Ints) -> tuple[Ints, Ints, Ints]:
        """Every word merges its pair of the rank `lowest` (W,)."""
        word_of = np.repeat(np.arange(len(lengths)), lengths)
        hits = without_overlaps(np.flatnonzero(ranks == lowest[word_of]))
        is_first = np.ones(len(hits), np.bool_)
        is_first[1:] = word_of[hits[1:]] != word_of[hits[:-1]]
        hits = hits[is_first | ~self._is_careful[ranks[hits]]]
        symbols[hits] = self._results[ranks[hits]]
        lengths = lengths - np.bincount(word_of[hits], minlength=len(lengths))
        is_kept = np.ones(len(symbols), np.bool_)
        is_kept[hits + 1] = False
        symbols, ranks = symbols[is_kept], ranks[is_kept]
        merged = hits - np.arange(len(hits))
        beside = np.union1d(merged, np.maximum(merged - 1, 0))
        ranks[beside] = self._look_up(symbols, beside)
        ranks[_starts(lengths) + lengths - 1] = _NONE
        return symbols, ranks, lengths

    def _look_up(self, symbols: Ints, places: Ints) -> Ints:
        """The rank of the pair that begins at each place, as if the next symbol were of the same word."""
        keys = symbols[places] * self._size + np.take(symbols, places + 1, mode="clip")
        if not len(self._keys):
            return np.full(len(places), _NONE)
        found = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[found] == keys, self._ranks[found], _NONE)


def without_overlaps(places: Ints) -> Ints:
    """Of places next to each other every second, from the left: a pair of twins can merge only so."""
    if not len(places):
        return places
    begins = np.ones(len(places), np.bool_)
    begins[1:] = np.diff(places) != 1
    if begins.all():
        return places
    run = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    return np.asarray(places[(np.arange(len(places)) - run) % 2 == 0])


def _starts(lengths: Ints) -> Ints:
    return np.cumsum(lengths) - lengths


def _within(lengths: Ints) -> Ints:
    """The place of each symbol in its word."""
    return np.arange(int(lengths.sum())) - np.repeat(_starts(lengths), lengths)


def _can_be_overtaken(pairs: Ints, results: Ints, vocabulary_size: int) -> NDArray[np.bool_]:
    """Which merges make a token that an earlier merge takes further: those go one at a time, from the left.

    It needs a token that two merges make, so it is rare.
    """
    ranks = np.arange(len(pairs))
    first_use = np.full(vocabulary_size, _NONE)
    for side in pairs.T:
        np.minimum.at(first_use, side, ranks)
    return np.asarray(first_use[results] < ranks)
