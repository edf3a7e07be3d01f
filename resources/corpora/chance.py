"""Chance that falls the same way on every version of Python, so that the texts can be made again byte for byte."""

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Chance:
    """Draws from `random.random()` alone: only its sequence is promised never to change for a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, end: int) -> int:
        """A whole number from 0 to `end` - 1, each as likely."""
        return int(self._random() * end)

    def pick(self, items: Sequence[Item]) -> Item:
        """One of `items`, each as likely."""
        return items[self.below(len(items))]

    def pick_two(self, items: Sequence[Item]) -> tuple[Item, Item]:
        """Two different items, in either order."""
        first = self.below(len(items))
        second = self.below(len(items) - 1)
        return items[first], items[second + (second >= first)]
