"""The looks at a model over its run, kept within a budget of memory: what the slider through time shows."""

from bisect import bisect_left, bisect_right
from dataclasses import fields, is_dataclass
from typing import Any, Final

import numpy as np

from nanograd.training.events import ProbeTaken

BUDGET_BYTES: Final = 96_000_000
MOST: Final = 600


class Moments:
    """ProbeTaken by their steps, in order. Where there are too many, every second of those between evaluations goes first."""

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget_bytes = budget_bytes
        self._moments: list[ProbeTaken] = []
        self._sizes: list[int] = []
        self._evaluated: set[int] = set()

    def __len__(self) -> int:
        return len(self._moments)

    def __getitem__(self, index: int) -> ProbeTaken:
        return self._moments[index]

    @property
    def steps(self) -> list[int]:
        """The steps of the moments, in order."""
        return [moment.step for moment in self._moments]

    @property
    def evaluated(self) -> list[int]:
        """Which moments, counted from 0, are those of an evaluation."""
        return [index for index, moment in enumerate(self._moments) if moment.step in self._evaluated]

    def add(self, moment: ProbeTaken, is_evaluated: bool) -> None:
        """Keep a look; one at a step that was looked at before takes the place of the former."""
        self.truncate(moment.step - 1)
        self._moments.append(moment)
        self._sizes.append(_size_of(moment))
        if is_evaluated:
            self._evaluated.add(moment.step)
        while len(self._moments) > 1 and (sum(self._sizes) > self._budget_bytes or len(self._moments) > MOST):
            self._thin()

    def nearest(self, step: int) -> int:
        """The moment at `step` or, where there is none, the last before it, otherwise the first."""
        return max(bisect_right(self.steps, step) - 1, 0)

    def truncate(self, step: int) -> None:
        """Forget what came after `step`."""
        keep = bisect_left(self.steps, step + 1)
        del self._moments[keep:], self._sizes[keep:]
        self._evaluated = {at for at in self._evaluated if at <= step}

    def clear(self) -> None:
        """Forget everything."""
        self.truncate(-1)

    def _thin(self) -> None:
        """Let go of every second moment that may go; the first and the last stay, and of two the last."""
        if len(self._moments) == 2:
            del self._moments[0], self._sizes[0]
            return
        inner = range(1, len(self._moments) - 1)
        between = [index for index in inner if self._moments[index].step not in self._evaluated]
        gone = set((between if len(between) > len(self._moments) // 4 else list(inner))[::2])
        self._moments = [moment for index, moment in enumerate(self._moments) if index not in gone]
        self._sizes = [size for index, size in enumerate(self._sizes) if index not in gone]


def _size_of(value: Any) -> int:
    """The bytes of all arrays in a frozen value."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if is_dataclass(value):
        return sum(_size_of(getattr(value, field.name)) for field in fields(value))
    return 0
