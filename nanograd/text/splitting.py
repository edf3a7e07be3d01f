"""Text in the parts that byte-pair merges stay within, as GPT-2 has it (Radford et al. 2019).

A part is a contraction ('s, 'll), a run of letters, of numbers or of signs, each with the space before it, or white space.
"""

import unicodedata
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nanograd.text.tokenizer import code_points

_OTHER, _SPACE, _LETTER, _NUMBER = range(4)
_CLASS_OF_CATEGORY = {"L": _LETTER, "N": _NUMBER}
_WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_LAST_WITH_LETTERS = 0x3FFFF  # planes beyond have none
_NEAR_END, _LONGEST_PART = 1 << 10, 1 << 24
_BLANK, _APOSTROPHE = ord(" "), ord("'")


def split(text: str) -> list[bytes]:
    """The parts of `text`, each as UTF-8."""
    points = code_points(text)
    starts = _starts(points)
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > len(points):
        widths = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
        starts = (np.cumsum(widths) - widths)[starts]
    bounds = [*starts.tolist(), len(data)]
    return [data[begin:end] for begin, end in pairwise(bounds)]


class PartCutter:
    """Takes a text in pieces cut anywhere, and gives it back in pieces that cut no part, but for those of absurd length."""

    def __init__(self) -> None:
        self._rest = ""

    def add(self, text: str) -> str:
        """What is whole so far; what follows may still belong to the rest."""
        text = self._rest + text
        cut = safe_cut(text, max(0, len(text) - _NEAR_END)) or safe_cut(text, 0)
        if not cut and len(text) > _LONGEST_PART:
            cut = len(text)
        self._rest = text[cut:]
        return text[:cut]

    def finish(self) -> str:
        """The rest, at the end."""
        text, self._rest = self._rest, ""
        return text


def safe_cut(text: str, least: int) -> int:
    """The last place from `least` on where `text` may be cut without cutting a part; 0 where there is none."""
    classes = _classes()[code_points(text[least:])]
    before, after = classes[:-1], classes[1:]
    places = np.flatnonzero((before != after) & (before != _SPACE))
    for place in places[::-1]:
        if text[least + place] != "'":
            return least + int(place) + 1
    return 0


def _starts(points: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Where the parts of a text (N,) begin."""
    if not len(points):
        return np.empty(0, np.int64)
    classes = _classes()[points]
    is_start = np.ones(len(points), np.bool_)
    np.not_equal(classes[1:], classes[:-1], out=is_start[1:])
    after_space = np.flatnonzero(is_start[1:] & (classes[:-1] == _SPACE)) + 1
    is_start[after_space - 1] = True  # the last white space before a word stands alone,
    is_start[after_space[points[after_space - 1] == _BLANK]] = False  # unless it is a blank, which goes with the word
    places = np.flatnonzero((points == _APOSTROPHE) & is_start)
    lengths = _contraction_lengths(points, places)
    places, lengths = places[lengths > 0], lengths[lengths > 0]
    is_start[places + 1] = False
    ends = places + lengths
    is_start[ends[ends < len(points)]] = True
    return np.flatnonzero(is_start)


def _contraction_lengths(points: NDArray[np.uint32], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """How long the contraction is that begins at each apostrophe, 0 where there is none."""
    padded = np.concatenate([points, np.zeros(2, points.dtype)])
    first, second = padded[places + 1].astype(np.int64), padded[places + 2].astype(np.int64)
    is_short = np.isin(first, [ord(letter) for letter in "stmd"])
    is_long = np.isin(first << 8 | second, [ord(a) << 8 | ord(b) for a, b in ("re", "ve", "ll")]) & (second < 256)
    return np.where(is_short, 2, np.where(is_long, 3, 0))


@cache
def _classes() -> NDArray[np.uint8]:
    """The class of each code point (0x110000,)."""
    classes = np.zeros(0x110000, np.uint8)
    categories = map(unicodedata.category, map(chr, range(_LAST_WITH_LETTERS + 1)))
    classes[: _LAST_WITH_LETTERS + 1] = [_CLASS_OF_CATEGORY.get(category[0], _OTHER) for category in categories]
    classes[code_points(_WHITE_SPACE)] = _SPACE
    return classes
