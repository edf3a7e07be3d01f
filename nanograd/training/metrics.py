"""The numbers of a run over its steps, kept in arrays that grow."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanograd.training.events import EvaluationFinished, StepFinished

_MOST_EXPECTED = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MetricsArrays:
    """A run's numbers: five arrays along `steps` (from 1) and two along `validation_steps` (from 0).

    Losses are in nats per token.
    """

    steps: NDArray[np.int64]
    train_loss: NDArray[np.float64]
    lr: NDArray[np.float64]
    gradient_norm: NDArray[np.float64]
    tokens_per_second: NDArray[np.float64]
    validation_steps: NDArray[np.int64]
    validation_loss: NDArray[np.float64]

    def as_csv(self) -> str:
        """All numbers as a table with a head line; a row for each step, and for step 0 where it was evaluated."""
        validation = dict(zip(self.validation_steps.tolist(), self.validation_loss.tolist(), strict=True))
        rows = ["step,train_loss,lr,gradient_norm,tokens_per_second,validation_loss"]
        columns = (self.steps, self.train_loss, self.lr, self.gradient_norm, self.tokens_per_second)
        trained = {row[0]: row[1:] for row in zip(*(column.tolist() for column in columns), strict=True)}
        for step in sorted({*trained, *validation}):
            numbers = [repr(number) for number in trained.get(step, ())] or [""] * 4
            rows.append(",".join([str(step), *numbers, repr(validation[step]) if step in validation else ""]))
        return "\n".join(rows) + "\n"


class Metrics:
    """Collects the numbers of StepFinished and EvaluationFinished."""

    def __init__(self, arrays: MetricsArrays | None = None) -> None:
        self._steps = _Table(5)
        self._evaluations = _Table(2)
        if arrays is not None:
            self._steps.extend(arrays.steps, arrays.train_loss, arrays.lr, arrays.gradient_norm, arrays.tokens_per_second)
            self._evaluations.extend(arrays.validation_steps, arrays.validation_loss)

    @property
    def last_step(self) -> int:
        """The latest step, or -1 where there is none."""
        return self._steps.last

    @property
    def last_validation_step(self) -> int:
        """The step of the latest evaluation, or -1 where there is none."""
        return self._evaluations.last

    def expect(self, last_step: int) -> None:
        """Make room for the steps up to this one, of which memory is taken only as they come; without it, room grows piece by piece."""
        self._steps.reserve(min(last_step, _MOST_EXPECTED))

    def add(self, event: StepFinished | EvaluationFinished) -> None:
        """Take in the numbers of an event; a second evaluation at one step is the same one, and is left out."""
        if isinstance(event, StepFinished):
            self._steps.append((event.step, event.loss, event.lr, event.gradient_norm, event.tokens_per_second))
        elif event.step != self.last_validation_step:
            self._evaluations.append((event.step, event.loss))

    def truncate(self, step: int) -> None:
        """Forget everything after `step`: the run goes on from there."""
        self._steps.truncate(step)
        self._evaluations.truncate(step)

    def arrays(self) -> MetricsArrays:
        """The numbers so far. The arrays are views that later additions do not change."""
        steps, train_loss, lr, gradient_norm, tokens_per_second = self._steps.columns()
        validation_steps, validation_loss = self._evaluations.columns()
        return MetricsArrays(
            steps=steps,
            train_loss=train_loss,
            lr=lr,
            gradient_norm=gradient_norm,
            tokens_per_second=tokens_per_second,
            validation_steps=validation_steps,
            validation_loss=validation_loss,
        )


class _Table:
    """Columns that grow by half where no room was made: the first of steps, in order, the others of float64."""

    def __init__(self, width: int) -> None:
        self._columns: list[NDArray[Any]] = [np.empty(256, np.float64 if place else np.int64) for place in range(width)]
        self._length = 0

    @property
    def last(self) -> int:
        """The last step; -1 where there is none."""
        return int(self._columns[0][self._length - 1]) if self._length else -1

    def append(self, row: tuple[float, ...]) -> None:
        if self._length == len(self._columns[0]):
            self.reserve(3 * self._length // 2)
        for column, value in zip(self._columns, row, strict=True):
            column[self._length] = value
        self._length += 1

    def extend(self, *columns: NDArray[Any]) -> None:
        self.reserve(self._length + len(columns[0]))
        for column, values in zip(self._columns, columns, strict=True):
            column[self._length : self._length + len(values)] = values
        self._length += len(columns[0])

    def truncate(self, step: int) -> None:
        length = int(np.searchsorted(self.columns()[0], step, side="right"))
        if length < self._length:
            self._columns = [column.copy() for column in self._columns]  # views handed out earlier stay as they were
            self._length = length

    def columns(self) -> list[NDArray[Any]]:
        return [column[: self._length] for column in self._columns]

    def reserve(self, size: int) -> None:
        if size > len(self._columns[0]):
            for place, column in enumerate(self._columns):  # one after the other, so that only one is there twice
                self._columns[place] = np.empty(size, column.dtype)
                self._columns[place][: self._length] = column[: self._length]


METRIC_NAMES = tuple(declared.name for declared in fields(MetricsArrays))
