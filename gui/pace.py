"""How fast a run goes on, evaluations and samples included, and when it will be done."""

from collections import deque
from itertools import islice
from math import isnan, nan
from statistics import median
from typing import Final

_WINDOW_S: Final = 30.0
_EVALUATIONS_KEPT: Final = 3
_FIRST_STEPS: Final = 20
_LONGEST_IN_MEDIANS: Final = 4.0
_FIRST_EVALUATION_S: Final = 0.15  # what the one before the first step takes more than others: folders are made, views filled


class Pace:
    """Measures the time from one step to the next: of plain steps over the last half minute, of evaluations by the last few."""

    def __init__(self) -> None:
        self._steps: deque[tuple[float, float]] = deque()
        self._evaluations: deque[float] = deque(maxlen=_EVALUATIONS_KEPT)
        self._last: tuple[float, int] | None = None
        self._was_evaluated = False

    def note_start(self, at_s: float, step: int) -> None:
        """A run begins after `step` steps, or goes on: the time until now does not count."""
        if self._last is not None and step < self._last[1]:
            self._steps.clear()
        self._last, self._was_evaluated = (at_s, step), False

    def note_evaluation(self) -> None:
        """The time until the next step holds an evaluation, with its look, its sample and its save."""
        self._was_evaluated = True

    def note_step(self, at_s: float, step: int) -> None:
        """A step was finished."""
        if self._last is None or step <= self._last[1]:
            self.note_start(at_s, step)
            return
        took_s = (at_s - self._last[0]) / (step - self._last[1])
        if self._was_evaluated:
            self._evaluations.append(took_s if self._steps else max(took_s - _FIRST_EVALUATION_S, 0.0))
        else:
            self._steps.append((at_s, took_s))
        while len(self._steps) > 2 and at_s - self._steps[0][0] > _WINDOW_S:
            self._steps.popleft()
        self._last, self._was_evaluated = (at_s, step), False

    def reset(self) -> None:
        """Another run: nothing is known of it."""
        self._steps.clear()
        self._evaluations.clear()
        self._last, self._was_evaluated = None, False

    @property
    def step_s(self) -> float:
        """Seconds from one step to the next where nothing lies between them; nan before there are two.

        The first half of what is known is left out, up to twenty steps: while a run begins the window is drawn anew and
        processes start. No step counts for more than four usual ones, such as one during which the computer slept.
        """
        times = [took_s for _, took_s in islice(self._steps, min(_FIRST_STEPS, len(self._steps) // 2), None)]
        if not times:
            return nan
        longest_s = _LONGEST_IN_MEDIANS * median(times)
        return sum(min(took_s, longest_s) for took_s in times) / len(times)

    @property
    def evaluation_s(self) -> float:
        """Seconds that an evaluation takes with what follows it, by the last few; 0 before there was one."""
        if not self._evaluations or isnan(self.step_s):
            return 0.0
        return max(median(self._evaluations) - self.step_s, 0.0)

    def seconds_left(self, step: int, max_steps: int, eval_interval: int) -> float:
        """Seconds until the run is over after `step` finished steps; nan where the pace is not known yet."""
        if step >= max_steps and self._was_evaluated:
            return 0.0
        begin = step if self._was_evaluated or not step else step - 1  # the evaluation after this very step is still to come
        evaluations = evaluations_between(min(begin, max_steps - 1), max_steps, eval_interval)
        return max(max_steps - step, 0) * self.step_s + evaluations * self.evaluation_s


def evaluations_between(step: int, max_steps: int, eval_interval: int) -> int:
    """How many evaluations follow after `step` steps: one at each multiple of the interval, and one at the end."""
    return max_steps // eval_interval - step // eval_interval + (1 if max_steps % eval_interval else 0)
