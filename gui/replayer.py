"""Finds the texts of a step's batch: the steps before it are gone through again, from the nearest point that is kept."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

from gui.events import EngineEvent, ProblemFound, ReplayStarted
from nanograd.errors import CheckpointError
from nanograd.training.checkpoint import load_run
from nanograd.training.events import BatchSeen, ReplayAdvanced
from nanograd.training.replay import replay
from nanograd.training.trainer import Trainer

_TOLD_EVERY_S = 0.1


class Replayer:
    """At most one replay at a time, a step of it at each call of `advance`, in a trainer of its own."""

    def __init__(self, emit: Callable[[EngineEvent], None]) -> None:
        self._emit = emit
        self._events: Iterator[ReplayAdvanced | BatchSeen] | None = None
        self._told_at_s = 0.0

    @property
    def is_replaying(self) -> bool:
        """Whether a replay is under way."""
        return self._events is not None

    def start(self, step: int, trainer: Trainer, checkpoints: Sequence[Path]) -> None:
        """Begin to look for the batch of `step` of the run in `trainer`, from the nearest of its checkpoints before it.

        Where there is none, from the seed.
        """
        self.stop()
        if not 1 <= step <= trainer.step:
            self._emit(ProblemFound(message=f"Step {step:,} has not been taken; the run stands at {trainer.step:,}."))
            return
        copy = _nearest(step, trainer, checkpoints)
        self._emit(ReplayStarted(step=step, replayed_from=copy.step, replayed_steps=step - 1 - copy.step))
        self._events = replay(copy, step, trainer.metrics.arrays())

    def advance(self) -> None:
        """Go through one step again, or look at the batch."""
        if self._events is None:
            return
        event = next(self._events, None)
        if event is None:
            self._events = None
        elif isinstance(event, BatchSeen) or monotonic() - self._told_at_s >= _TOLD_EVERY_S:
            self._told_at_s = monotonic()
            self._emit(event)

    def stop(self) -> None:
        """Leave the replay under way."""
        self._events = None


def _nearest(step: int, trainer: Trainer, checkpoints: Sequence[Path]) -> Trainer:
    """A trainer of the same run that stands before `step`, as near to it as the readable checkpoints allow."""
    best: Trainer | None = None
    for path in checkpoints:
        with suppress(CheckpointError):
            saved = load_run(path)
            is_nearer = saved.step < step and (best is None or saved.step > best.step)
            if is_nearer and not saved.settings.fixed_differences(trainer.settings):
                best = saved.build_trainer(trainer.corpus)
    return best or Trainer(trainer.settings, trainer.corpus, trainer.probe)
