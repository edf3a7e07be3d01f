"""The numbers of a run over its steps, kept in arrays that grow."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from nanograd.training.events import EvaluationFinished, StepFinished


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
            self._steps.extend(
                np.stack([arrays.steps, arrays.train_loss, arrays.lr, arrays.gradient_norm, arrays.tokens_per_second])
            )
            self._evaluations.extend(np.stack([arrays.validation_steps, arrays.validation_loss]))

    @property
    def last_validation_step(self) -> int:
        """The step of the latest evaluation, or -1 where there is none."""
        steps = self._evaluations.columns()[0]
        return int(steps[-1]) if len(steps) else -1

    def add(self, event: StepFinished | EvaluationFinished) -> None:
        """Take in the numbers of an event; a second evaluation at one step is the same one, and is left out."""
        if isinstance(event, StepFinished):
            self._steps.append((event.step, event.loss, event.lr, event.gradient_norm, event.tokens_per_second))
        elif event.step != self.last_validation_step:
            self._evaluations.append((event.step, event.loss))

    def truncate(self, step: int) -> None:
        """Forget everything after `step`: the run goes on from there."""
        self._steps.keep(int(np.searchsorted(self._steps.columns()[0], step, side="right")))
        self._evaluations.keep(int(np.searchsorted(self._evaluations.columns()[0], step, side="right")))

    def arrays(self) -> MetricsArrays:
        """The numbers so far. The arrays are views that later additions do not change."""
        steps, train_loss, lr, gradient_norm, tokens_per_second = self._steps.columns()
        validation_steps, validation_loss = self._evaluations.columns()
        return MetricsArrays(
            steps=steps.astype(np.int64),
            train_loss=train_loss,
            lr=lr,
            gradient_norm=gradient_norm,
            tokens_per_second=tokens_per_second,
            validation_steps=validation_steps.astype(np.int64),
            validation_loss=validation_loss,
        )


class _Table:
    """Columns of float64 that grow by doubling."""

    def __init__(self, width: int) -> None:
        self._values = np.empty((width, 256))
        self._length = 0

    def append(self, row: tuple[float, ...]) -> None:
        self._reserve(1)
        self._values[:, self._length] = row
        self._length += 1

    def extend(self, columns: NDArray[np.float64]) -> None:
        self._reserve(columns.shape[1])
        self._values[:, self._length : self._length + columns.shape[1]] = columns
        self._length += columns.shape[1]

    def keep(self, length: int) -> None:
        self._values = self._values.copy()  # views handed out earlier stay as they were
        self._length = length

    def columns(self) -> NDArray[np.float64]:
        return self._values[:, : self._length]

    def _reserve(self, more: int) -> None:
        needed = self._length + more
        if needed > self._values.shape[1]:
            grown = np.empty((self._values.shape[0], max(needed, 2 * self._values.shape[1])))
            grown[:, : self._length] = self.columns()
            self._values = grown


METRIC_NAMES = tuple(declared.name for declared in fields(MetricsArrays))
