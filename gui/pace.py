"""How fast a run goes on, evaluations and samples included, and when it will be done."""

from collections import deque
from math import nan

_WINDOW_S = 30.0


class Pace:
    """Measures the time between steps over the last half minute."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def note(self, now_s: float, step: int) -> None:
        """A step was finished."""
        if self._marks and step <= self._marks[-1][1]:
            self._marks.clear()
        self._marks.append((now_s, step))
        while len(self._marks) > 2 and now_s - self._marks[0][0] > _WINDOW_S:
            self._marks.popleft()

    def reset(self) -> None:
        """The run rests: the time until the next step does not count."""
        self._marks.clear()

    @property
    def step_s(self) -> float:
        """Seconds from one step to the next; nan before there are two."""
        if len(self._marks) < 2:
            return nan
        (first_s, first), (last_s, last) = self._marks[0], self._marks[-1]
        return (last_s - first_s) / (last - first)
