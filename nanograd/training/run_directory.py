"""A run's folder: settings, metrics and samples as JSON, and its checkpoint, readable without this program."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from os import SEEK_END
from pathlib import Path
from typing import Any, Self

from nanograd.atomic_file import write_atomically
from nanograd.training.events import EvaluationFinished, SampleWritten, StepFinished, TrainingEvent
from nanograd.training.metrics import MetricsArrays
from nanograd.training.settings import RunSettings

CHECKPOINT_NAME = "checkpoint.safetensors"
_TAIL_BYTES = 4096  # longer than any line of metrics.jsonl


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run in a few words: its text, how far it came, and how far it was to go."""

    corpus_name: str
    step: int
    max_steps: int


class RunDirectory:
    """One run's files in `path`. Every write raises OSError where it fails; nothing is left half-written but a last line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, runs: Path, corpus_name: str) -> Self:
        """A new folder below `runs`, named for the time and the text."""
        stem = "".join(c if c.isalnum() else "-" for c in Path(corpus_name).stem).strip("-")[:40]
        name = f"{datetime.now():%Y-%m-%d-%H%M%S}-{stem}".rstrip("-")
        for number in range(1, 1000):
            path = runs / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            return cls(path)
        raise FileExistsError(f"There are already 999 runs named {name}.")

    @classmethod
    def latest(cls, runs: Path) -> Self | None:
        """The run below `runs` that was saved last; None where there is none."""
        try:
            saved = max(runs.glob(f"*/{CHECKPOINT_NAME}"), key=lambda path: (path.stat().st_mtime_ns, path), default=None)
        except OSError:  # another program may take a run away while we look
            return None
        return cls(saved.parent) if saved else None

    @property
    def checkpoint_path(self) -> Path:
        """Where the run's checkpoint lies."""
        return self.path / CHECKPOINT_NAME

    def write_settings(self, settings: RunSettings) -> None:
        """Write settings.json."""
        self._rewrite("settings.json", json.dumps(settings.as_dict(), indent=2) + "\n")

    def rewrite_metrics(self, metrics: MetricsArrays) -> None:
        """Write metrics.jsonl anew, so that it ends where the run goes on."""
        self._rewrite("metrics.jsonl", "".join(_line(row) for row in _rows(metrics)))

    def record(self, event: TrainingEvent) -> None:
        """Append what an event tells to metrics.jsonl or samples.jsonl."""
        match event:
            case StepFinished():
                self._append(
                    "metrics.jsonl", _step_row(event.step, event.loss, event.lr, event.gradient_norm, event.tokens_per_second)
                )
            case EvaluationFinished():
                self._append("metrics.jsonl", {"step": event.step, "validation_loss": event.loss})
            case SampleWritten():
                self._append("samples.jsonl", {"step": event.step, "prompt": event.prompt, "text": event.text})
            case _:
                pass

    def samples(self, last_step: int) -> tuple[SampleWritten, ...]:
        """The texts written up to `last_step`, oldest first, the newest where a step has several; damaged lines are left out."""
        found: dict[int, SampleWritten] = {}
        with suppress(OSError, UnicodeError):
            for line in (self.path / "samples.jsonl").read_text(encoding="utf-8").split("\n"):
                with suppress(ValueError, KeyError, TypeError, RecursionError):
                    row = json.loads(line)
                    found[row["step"]] = SampleWritten(step=int(row["step"]), prompt=str(row["prompt"]), text=str(row["text"]))
        return tuple(found[step] for step in sorted(found) if step <= last_step)

    def write_corpus(self, record: Mapping[str, Any]) -> None:
        """Write corpus.json: which text the run learns from."""
        self._rewrite("corpus.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")

    def summary(self) -> RunSummary | None:
        """What the files say of the run; None where they are missing or damaged."""
        try:
            settings = RunSettings.from_dict(json.loads((self.path / "settings.json").read_text(encoding="utf-8")))
            name = json.loads((self.path / "corpus.json").read_text(encoding="utf-8"))["name"]
            step = int(json.loads(self._last_whole_row())["step"])
            return RunSummary(corpus_name=str(name), step=step, max_steps=settings.max_steps)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _last_whole_row(self) -> bytes:
        """The last line of metrics.jsonl that ends; where the program was killed, half a line may follow it."""
        with (self.path / "metrics.jsonl").open("rb") as stream:
            stream.seek(max(0, stream.seek(0, SEEK_END) - _TAIL_BYTES))
            whole, _, _ = stream.read().rpartition(b"\n")
        return whole.rpartition(b"\n")[2]

    def _rewrite(self, name: str, text: str) -> None:
        write_atomically(self.path / name, lambda stream: stream.write(text.encode()))

    def _append(self, name: str, row: dict[str, Any]) -> None:
        with (self.path / name).open("a", encoding="utf-8") as stream:
            stream.write(_line(row))


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _step_row(step: int, loss: float, lr: float, gradient_norm: float, tokens_per_second: float) -> dict[str, Any]:
    return {
        "step": step,
        "train_loss": loss,
        "lr": lr,
        "gradient_norm": gradient_norm,
        "tokens_per_second": round(tokens_per_second, 1),
    }


def _rows(metrics: MetricsArrays) -> Iterable[dict[str, Any]]:
    steps = zip(
        metrics.steps.tolist(),
        metrics.train_loss.tolist(),
        metrics.lr.tolist(),
        metrics.gradient_norm.tolist(),
        metrics.tokens_per_second.tolist(),
        strict=True,
    )
    rows = [_step_row(*values) for values in steps]
    evaluations = zip(metrics.validation_steps.tolist(), metrics.validation_loss.tolist(), strict=True)
    rows += [{"step": int(step), "validation_loss": loss} for step, loss in evaluations]
    return sorted(rows, key=lambda row: row["step"])
