"""The arrays behind the plots: what the run has told so far."""

from collections import deque
from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nanograd.training.events import (
    EvaluationFinished,
    ProbeChanged,
    ProbeTaken,
    RunFailed,
    SampleWritten,
    SettingsChanged,
    StepFinished,
    TrainingEvent,
)
from nanograd.training.metrics import Metrics, MetricsArrays

SAMPLES_KEPT: Final = 50
SCORES_KEPT: Final = 1000
OVERFITTING_EVALUATIONS: Final = 3
OVERFITTING_MARGIN: Final = 0.005


class RunHistory:
    """A run's numbers, its latest samples, and what stopped it.

    The arrays along `steps` are `train_loss` and `validation_loss` (nats per token; the latter along `validation_steps`),
    `lr`, `gradient_norm` and `tokens_per_second`. Reading them costs next to nothing, however long the run.
    """

    def __init__(self) -> None:
        self._metrics = Metrics()
        self._arrays: MetricsArrays | None = None
        self._average = _MovingAverage(0.0)
        self._samples: deque[SampleWritten] = deque(maxlen=SAMPLES_KEPT)
        self._failure: RunFailed | None = None
        self._scores: dict[int, NDArray[np.float32]] = {}
        self._changes: list[SettingsChanged | ProbeChanged] = []

    @property
    def metrics(self) -> MetricsArrays:
        """All the arrays together, as they stand."""
        if self._arrays is None:
            self._arrays = self._metrics.arrays()
        return self._arrays

    @property
    def steps(self) -> NDArray[np.int64]:
        """The finished steps (N,), from 1."""
        return self.metrics.steps

    @property
    def train_loss(self) -> NDArray[np.float64]:
        """The loss of each step's batch (N,), in nats per token."""
        return self.metrics.train_loss

    @property
    def lr(self) -> NDArray[np.float64]:
        """The learning rate at each step (N,)."""
        return self.metrics.lr

    @property
    def gradient_norm(self) -> NDArray[np.float64]:
        """The norm of each step's gradient before clipping (N,)."""
        return self.metrics.gradient_norm

    @property
    def tokens_per_second(self) -> NDArray[np.float64]:
        """The speed at each step (N,)."""
        return self.metrics.tokens_per_second

    @property
    def validation_steps(self) -> NDArray[np.int64]:
        """The steps (M,) after which the loss was evaluated, from 0."""
        return self.metrics.validation_steps

    @property
    def validation_loss(self) -> NDArray[np.float64]:
        """The loss of each evaluation (M,), in nats per token."""
        return self.metrics.validation_loss

    @property
    def best_evaluation(self) -> tuple[int, float] | None:
        """The step and the loss of the lowest evaluation; None where there is none."""
        losses = self.validation_loss
        if not np.isfinite(losses).any():
            return None
        best = int(np.nanargmin(losses))
        return int(self.validation_steps[best]), float(losses[best])

    @property
    def overfitting_since(self) -> int | None:
        """The step of the best evaluation where overfitting set in after it; None where it has not.

        It has where at least three evaluations came after it, all of them clearly worse, while the training loss went on
        falling.
        """
        best = self.best_evaluation
        if best is None:
            return None
        step, loss = best
        later = self.validation_loss[self.validation_steps > step]
        if len(later) < OVERFITTING_EVALUATIONS or not (later > loss * (1 + OVERFITTING_MARGIN)).all():
            return None
        span = max(int(np.diff(self.validation_steps[-2:])[0]), 1)
        before, now = self._mean_loss(step - span, step), self._mean_loss(int(self.steps[-1]) - span, int(self.steps[-1]))
        return step if now < before else None

    def _mean_loss(self, after: int, until: int) -> float:
        """The mean training loss of the steps after one step, until another one; nan where there are none."""
        begin, end = np.searchsorted(self.steps, [after, until], side="right")
        return float(self.train_loss[begin:end].mean()) if end > begin else np.nan

    @property
    def samples(self) -> tuple[SampleWritten, ...]:
        """The last texts the model wrote, oldest first."""
        return tuple(self._samples)

    @property
    def changes(self) -> tuple[SettingsChanged | ProbeChanged, ...]:
        """What was changed on the way, in order."""
        return tuple(self._changes)

    @property
    def failure(self) -> RunFailed | None:
        """What stopped the run, until a step after it succeeds."""
        return self._failure

    def add(self, event: TrainingEvent) -> None:
        """Take in what `event` tells; events without numbers or texts change nothing.

        A step that was there before means that the run went back: what came after it is forgotten.
        """
        match event:
            case StepFinished():
                self._add_step(event)
            case EvaluationFinished():
                self._metrics.add(event)
                self._arrays = None
            case SampleWritten():
                self._samples.append(event)
            case ProbeTaken():
                self._add_scores(event)
            case RunFailed():
                self._failure = event
            case SettingsChanged() | ProbeChanged():
                self._changes.append(event)
                self._changes.sort(key=lambda change: change.step)
            case _:
                pass

    def expect(self, last_step: int) -> None:
        """Make room for the steps up to this one."""
        self._metrics.expect(last_step)

    def reset(self, arrays: MetricsArrays | None = None) -> None:
        """Begin again, empty or with the numbers of a run that was loaded."""
        self._metrics = Metrics(arrays)
        self._average = _MovingAverage(self._average.weight)
        self._samples.clear()
        self._scores.clear()
        self._changes.clear()
        self._failure = None
        self._arrays = None

    def truncate(self, step: int) -> None:
        """Forget everything after `step`: the run goes on from there."""
        self._metrics.truncate(step)
        self._average = _MovingAverage(self._average.weight)
        self._scores = {at: scores for at, scores in self._scores.items() if at <= step}
        self._changes = [change for change in self._changes if change.step <= step]
        self._samples = deque((sample for sample in self._samples if sample.step <= step), maxlen=SAMPLES_KEPT)
        self._arrays = None

    def smoothed(self, weight: float) -> NDArray[np.float64]:
        """The training loss as an exponential moving average without the bias of its start; `weight` 0 is the loss itself.

        Losses that are not finite are left out: the average holds there, and is NaN before the first finite one.
        """
        if weight != self._average.weight:
            self._average = _MovingAverage(weight)
        return self._average.over(self.train_loss)

    @property
    def score_steps(self) -> NDArray[np.int64]:
        """The steps (S,) after which the heads were scored, thinned where there are many."""
        return np.array(sorted(self._scores), np.int64)

    def head_scores(self, layer: int, head: int) -> NDArray[np.float32]:
        """One head's previous-token, first-token and induction score (S, 3) along `score_steps`."""
        found = [self._scores[step][layer, head] for step in sorted(self._scores)]
        return np.array(found, np.float32).reshape(-1, 3)

    def _add_scores(self, event: ProbeTaken) -> None:
        if event.scores is None:
            return
        if any(scores.shape != event.scores.shape for scores in self._scores.values()):
            self._scores.clear()
        self._scores[event.step] = event.scores
        if len(self._scores) > SCORES_KEPT:
            self._scores = {step: self._scores[step] for step in [*sorted(self._scores)[:-1:2], max(self._scores)]}

    def _add_step(self, event: StepFinished) -> None:
        if event.step <= self._metrics.last_step:
            self.truncate(event.step - 1)
        self._metrics.add(event)
        self._arrays = None
        if isfinite(event.loss):
            self._failure = None


class _MovingAverage:
    """An exponential moving average that goes on where it stopped, so that a long run costs only what is new."""

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self._sum = 0.0
        self._mass = 0.0
        self._averages = np.empty(256)
        self._length = 0

    def over(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The averages along `values` (N,), of which all but the newest were seen before."""
        self._reserve(values)
        weight, total, mass = self.weight, self._sum, self._mass
        for index, value in enumerate(values[self._length :].tolist(), self._length):
            if isfinite(value):
                total = weight * total + (1 - weight) * value
                mass = weight * mass + (1 - weight)
            self._averages[index] = total / mass if mass else np.nan
        self._sum, self._mass, self._length = total, mass, values.size
        return self._averages[: values.size]

    def _reserve(self, values: NDArray[np.float64]) -> None:
        """Room as the values themselves have it, which are a part of a longer row."""
        if values.size > self._averages.size:
            grown = np.empty(values.size if values.base is None else len(values.base))
            grown[: self._length] = self._averages[: self._length]
            self._averages = grown
