"""Tells people and scripts how something goes on the command line: a line that changes, lines that stay, or JSON."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from time import monotonic
from typing import Any, Final, TextIO

from nanograd.training.events import (
    CheckpointFailed,
    EvaluationAdvanced,
    EvaluationFinished,
    LossSpiked,
    ProbeTaken,
    RunFailed,
    RunFinished,
    RunStarted,
    SampleAdvanced,
    StepFinished,
    TrainingEvent,
)
from nanograd.training.run import Run

_REDRAW_INTERVAL_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a run that stopped can go on: what is special about it, and what to type."""

    name: str
    command: str


class Progress:
    """One line that tells how far something is and how long it will take, on a terminal; elsewhere nothing."""

    def __init__(self, target: TextIO, is_quiet: bool = False) -> None:
        self._target = target
        self._is_shown = target.isatty() and not is_quiet
        self._began: tuple[float, int] | None = None
        self._shown_at_s = 0.0
        self._width = 0

    def show(self, done: int, total: int, text: str) -> None:
        """Change the line, unless it has only just been changed."""
        now_s = monotonic()
        self._began = self._began or (now_s, done)
        if self._is_shown and now_s - self._shown_at_s >= _REDRAW_INTERVAL_S:
            self._shown_at_s = now_s
            line = f"{text}  {self.time_left(done, total)}"
            print(f"\r{line:{self._width}}", end="", file=self._target, flush=True)
            self._width = len(line)

    def time_left(self, done: int, total: int) -> str:
        """How long the rest will take at the mean pace so far, evaluations included."""
        if self._began is None or done <= self._began[1]:
            return ""
        pace_s = (monotonic() - self._began[0]) / (done - self._began[1])
        return f"{_duration(pace_s * max(total - done, 0))} left"

    def clear(self) -> None:
        """Take the line away, so that another can stay in its place."""
        if self._width:
            print(f"\r{'':{self._width}}\r", end="", file=self._target, flush=True)
            self._width = 0


class Teller:
    """Tells people how a run goes: a line that changes with the steps, and one that stays for each evaluation."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._progress = Progress(sys.stderr)
        self._loss = ""

    def show(self, event: TrainingEvent) -> None:
        """Tell what has happened."""
        last_step = self._run.trainer.settings.max_steps
        match event:
            case RunStarted():
                kept = f", kept in {event.run_directory}" if event.run_directory else ""
                self._say(f"{event.parameter_count:,} parameters, {self._run.trainer.corpus.name}{kept}")
                self._progress.show(event.step, last_step, self._place(event.step))
            case StepFinished():
                self._loss = f"loss {event.loss:.3f}"
                told = f"{self._place(event.step)}  {self._loss}  {event.tokens_per_second:,.0f} tokens/s"
                self._progress.show(event.step, last_step, told)
            case EvaluationAdvanced():
                self._progress.show(
                    event.step, last_step, f"{self._place(event.step)}  evaluating {event.done:,} of {event.total:,}"
                )
            case EvaluationFinished():
                left = self._progress.time_left(event.step, last_step)
                figures = [self._place(event.step), self._loss, f"validation {event.loss:.3f}", left]
                self._say("  ".join(filter(None, figures)))
            case CheckpointFailed() | LossSpiked() | RunFailed():
                self._progress.clear()
                print(f"nanograd: {event.message}", file=sys.stderr, flush=True)
            case RunFinished():
                self._say(f"Finished at step {event.step:,}.")
            case _:
                pass

    def show_ways(self, ways: Sequence[Way]) -> None:
        """Tell how a run that stopped can go on."""
        for way in ways:
            self._say(f"To go on {way.name}:\n  {way.command}")

    def _place(self, step: int) -> str:
        return f"step {step:,} of {self._run.trainer.settings.max_steps:,}"

    def _say(self, line: str) -> None:
        self._progress.clear()
        print(line, flush=True)


class JsonTeller:
    """Tells scripts how a run goes: a line of JSON for each event; looks at the inside are left out."""

    def show(self, event: TrainingEvent) -> None:
        """Print what has happened."""
        if isinstance(event, ProbeTaken | EvaluationAdvanced | SampleAdvanced):
            return
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(event).__name__).lstrip("_")
        print_row({"event": name, **asdict(event)})

    def show_ways(self, ways: Sequence[Way]) -> None:
        """Print how a run that stopped can go on."""
        for way in ways:
            print_row({"event": "way_offered", **asdict(way)})


def print_row(row: Mapping[str, Any]) -> None:
    """Print a line of JSON; a number that is not finite is null there."""
    print(json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False), flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
