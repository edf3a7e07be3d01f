"""A run's folder: settings, metrics and samples as JSON, and its checkpoints, readable without this program."""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from time import time
from typing import Any, Self

import numpy as np

from nanograd.atomic_file import remove_partial_files, write_atomically
from nanograd.training.digest import DigestChain
from nanograd.training.events import EvaluationFinished, ProbeChanged, SampleWritten, SettingsChanged, StepFinished, TrainingEvent
from nanograd.training.json_lines import append_row, drop_torn_line, read_rows, rewrite_rows
from nanograd.training.kept_checkpoints import FORMER_FOLDER, KeptCheckpoints
from nanograd.training.kept_looks import LOOKS_FOLDER, KeptLooks
from nanograd.training.metrics import MetricsArrays
from nanograd.training.run_lock import RunLock, is_locked
from nanograd.training.settings import RunSettings
from nanograd.training.versions import version_differences

_STEP = ("train_loss", "lr", "gradient_norm", "tokens_per_second")
_EVALUATION = ("validation_loss",)
_LOCK_NAME = "lock"
_BEGINNING_PREFIX = ".new-"
_ABANDONED_AFTER_S = 24 * 3600.0


class RunDirectory:
    """One run's files in `path`. Every write raises OSError where it fails; nothing is left half-written but a last line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = KeptCheckpoints(path)
        self.looks = KeptLooks(path)
        self._lock: RunLock | None = None

    @classmethod
    def create(cls, runs: Path, corpus_name: str, fill: Callable[["RunDirectory"], object] = lambda directory: None) -> Self:
        """A new folder below `runs`, named for the time and the text, which appears once `fill` has written its files."""
        _remove_abandoned(runs)
        beginning = runs / f"{_BEGINNING_PREFIX}{secrets.token_hex(8)}"
        beginning.mkdir(parents=True)
        try:
            fill(RunDirectory(beginning))
            return cls(_rename_to_free_name(beginning, runs, corpus_name))
        except BaseException:
            shutil.rmtree(beginning, ignore_errors=True)
            raise

    @classmethod
    def around(cls, checkpoint: Path) -> Self | None:
        """The run's folder that a checkpoint lies in; None where it lies elsewhere."""
        folder = checkpoint.parent.parent if checkpoint.parent.name == FORMER_FOLDER else checkpoint.parent
        return cls(folder) if cls(folder).is_run() else None

    @classmethod
    def all(cls, runs: Path) -> list[Self]:
        """The runs below `runs`, the one that was saved last first."""
        found = []
        with suppress(OSError):  # another program may take a run away while we look
            folders = [path for path in runs.iterdir() if not path.name.startswith(".")]
            found = [(run.saved_at_ns(), run.path.name, run) for run in map(cls, folders) if run.checkpoints.paths()]
        return [run for *_, run in sorted(found, key=lambda each: each[:2], reverse=True)]

    @classmethod
    def remains(cls, runs: Path) -> list[Self]:
        """What is left below `runs` of runs whose checkpoints are all gone, by name."""
        with suppress(OSError):
            folders = sorted(path for path in runs.iterdir() if not path.name.startswith("."))
            return [run for run in map(cls, folders) if run.is_run() and not run.checkpoints.paths()]
        return []

    @classmethod
    def latest(cls, runs: Path) -> Self | None:
        """The run below `runs` that was saved last; None where there is none."""
        return next(iter(cls.all(runs)), None)

    @property
    def checkpoint_path(self) -> Path:
        """Where the run's newest checkpoint lies."""
        return self.checkpoints.newest_path

    def is_run(self) -> bool:
        """Whether a run lies here at all."""
        return (self.path / "settings.json").is_file() or bool(self.checkpoints.paths())

    def saved_at_ns(self) -> int:
        """When the run was saved last, in nanoseconds; 0 where that cannot be told."""
        try:
            return max((path.stat().st_mtime_ns for path in self.checkpoints.paths()[:1]), default=0)
        except OSError:
            return 0

    # ---- the lock -----------------------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Let nobody else write this run until `release`; raises RunLockedError where somebody does already."""
        if self._lock is None:
            self._lock = RunLock(self.path / _LOCK_NAME)

    def release(self) -> None:
        """Let others write this run."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def is_locked(self) -> bool:
        """Whether somebody, perhaps this very object, is writing the run."""
        return is_locked(self.path / _LOCK_NAME)

    # ---- what a run leaves --------------------------------------------------------------------------------------------

    def mend(self, step: int) -> None:
        """Before the run goes on after `step` steps: remove what a killed process left half-written, or from beyond it."""
        for folder in (self.path, self.path / FORMER_FOLDER, self.path / LOOKS_FOLDER):
            remove_partial_files(folder)
        for name in ("samples.jsonl", "probes.jsonl", "versions.jsonl"):
            drop_torn_line(self.path / name)
        self.checkpoints.forget_after(step)
        self.looks.forget_after(step)

    def write_settings(self, settings: RunSettings) -> None:
        """Write settings.json."""
        self._rewrite("settings.json", json.dumps(settings.as_dict(), indent=2) + "\n")

    def write_corpus(self, record: Mapping[str, Any]) -> None:
        """Write corpus.json: which text the run learns from."""
        self._rewrite("corpus.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")

    def write_parent(self, name: str, step: int) -> None:
        """Write parent.json: the run and the step that this one went on from."""
        self._rewrite("parent.json", json.dumps({"run": name, "step": step}, indent=2, ensure_ascii=False) + "\n")

    def write_notes(self, text: str) -> None:
        """Write notes.txt, which is for people; it changes only as they ask."""
        self._rewrite("notes.txt", text)

    def note_versions(self, step: int, versions: Mapping[str, Any]) -> None:
        """Add a line to versions.jsonl where something differs from when the run went on last."""
        known = self.versions()
        if not known or version_differences(known[-1], versions) or version_differences(versions, known[-1]):
            append_row(self.path / "versions.jsonl", {"step": step, **versions})

    def note_probe(self, step: int, text: str) -> None:
        """Add a line to probes.jsonl where another text is watched than before."""
        rows = read_rows(self.path / "probes.jsonl")
        if not rows or rows[-1].get("text") != text:
            append_row(self.path / "probes.jsonl", {"step": step, "text": text})

    def rewrite_metrics(self, metrics: MetricsArrays, digests: DigestChain | None = None) -> None:
        """Write metrics.jsonl anew, so that it ends where the run goes on."""
        rewrite_rows(self.path / "metrics.jsonl", _rows(metrics, digests or DigestChain()))

    def rewrite_changes(self, changes: Iterable[SettingsChanged]) -> None:
        """Write changes.jsonl anew; a run whose settings never changed has none."""
        rows = [_change_row(change) for change in changes]
        if rows or (self.path / "changes.jsonl").exists():
            rewrite_rows(self.path / "changes.jsonl", rows)

    def record(self, event: TrainingEvent) -> None:
        """Append what an event tells to metrics.jsonl, samples.jsonl or changes.jsonl."""
        match event:
            case StepFinished():
                self._append(
                    "metrics.jsonl", _step_row(event.step, event.loss, event.lr, event.gradient_norm, event.tokens_per_second)
                )
            case EvaluationFinished():
                self._append("metrics.jsonl", _evaluation_row(event.step, event.loss, event.digest, event.chain))
            case SampleWritten():
                self._append("samples.jsonl", {"step": event.step, "prompt": event.prompt, "text": event.text})
            case SettingsChanged():
                self._append("changes.jsonl", _change_row(event))
            case _:
                pass

    # ---- reading it ---------------------------------------------------------------------------------------------------

    def samples(self, last_step: int) -> tuple[SampleWritten, ...]:
        """The texts written up to `last_step`, oldest first, the newest where a step has several; damaged lines are left out."""
        found: dict[int, SampleWritten] = {}
        for row in read_rows(self.path / "samples.jsonl"):
            with suppress(ValueError, KeyError, TypeError):
                found[row["step"]] = SampleWritten(step=int(row["step"]), prompt=str(row["prompt"]), text=str(row["text"]))
        return tuple(found[step] for step in sorted(found) if step <= last_step)

    def changes(self) -> tuple[SettingsChanged, ...]:
        """How the settings changed, in order; damaged lines are left out."""
        found = []
        for row in read_rows(self.path / "changes.jsonl"):
            with suppress(ValueError, KeyError, TypeError, AttributeError):
                changes = tuple((str(name), before, after) for name, (before, after) in row["settings"].items())
                found.append(SettingsChanged(step=int(row["step"]), changes=changes))
        return tuple(found)

    def probes(self) -> tuple[ProbeChanged, ...]:
        """How the text that is watched changed, in order; damaged lines are left out."""
        rows = [row for row in read_rows(self.path / "probes.jsonl") if type(row.get("step")) is int and "text" in row]
        return tuple(
            ProbeChanged(step=row["step"], before=str(former["text"]), after=str(row["text"])) for former, row in pairwise(rows)
        )

    def recorded_links(self) -> dict[int, tuple[str, str]]:
        """The digest of the weights and its chain, as metrics.jsonl tells them, by step."""
        found = {}
        for row in read_rows(self.path / "metrics.jsonl"):
            if type(row.get("step")) is int and "weights_sha256" in row:
                found[row["step"]] = (str(row["weights_sha256"]), str(row.get("chain_sha256")))
        return found

    def versions(self) -> list[dict[str, Any]]:
        """The versions that the run went on with, each with the step from which on."""
        return [row for row in read_rows(self.path / "versions.jsonl") if isinstance(row.get("step"), int)]

    def parent(self) -> tuple[str, int] | None:
        """The name of the run that this one went on from, and the step; None for one of its own."""
        try:
            row = json.loads((self.path / "parent.json").read_bytes())
            return str(row["run"]), int(row["step"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def notes(self) -> str:
        """What people wrote about the run; empty where there is nothing to read."""
        try:
            return (self.path / "notes.txt").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def settings(self) -> dict[str, Any]:
        """The settings as settings.json has them, unchecked, those of a newer version too; empty where it is missing or damaged."""
        try:
            values = json.loads((self.path / "settings.json").read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}

    def metrics(self) -> MetricsArrays:
        """The numbers as metrics.jsonl has them, the newest where a step has several; damaged lines are left out."""
        steps: dict[int, tuple[float, ...]] = {}
        evaluations: dict[int, tuple[float, ...]] = {}
        for row in read_rows(self.path / "metrics.jsonl"):
            if type(row.get("step")) is int and 0 <= row["step"] < 2**53:
                with suppress(ValueError, KeyError, TypeError, OverflowError):
                    names, found = (_EVALUATION, evaluations) if _EVALUATION[0] in row else (_STEP, steps)
                    found[row["step"]] = tuple(float(row[name]) for name in names)
        table, low_table = (
            np.array([(step, *found[step]) for step in sorted(found)], np.float64).reshape(-1, 1 + len(names)).T
            for names, found in ((_STEP, steps), (_EVALUATION, evaluations))
        )
        return MetricsArrays(
            steps=table[0].astype(np.int64),
            **dict(zip(_STEP, table[1:], strict=True)),
            validation_steps=low_table[0].astype(np.int64),
            validation_loss=low_table[1],
        )

    def byte_count(self) -> int:
        """What the whole folder takes on the disk."""
        with suppress(OSError):
            return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())
        return 0

    def _rewrite(self, name: str, text: str) -> None:
        write_atomically(self.path / name, lambda stream: stream.write(text.encode()))

    def _append(self, name: str, row: dict[str, Any]) -> None:
        append_row(self.path / name, row)


def _rename_to_free_name(beginning: Path, runs: Path, corpus_name: str) -> Path:
    stem = "".join(c if c.isalnum() else "-" for c in Path(corpus_name).stem).strip("-")[:40]
    name = f"{datetime.now():%Y-%m-%d-%H%M%S}-{stem}".rstrip("-")
    for number in range(1, 1000):
        path = runs / (name if number == 1 else f"{name}-{number}")
        if not path.exists():
            os.rename(beginning, path)
            return path
    raise FileExistsError(f"There are already 999 runs named {name}.")


def _remove_abandoned(runs: Path) -> None:
    """Remove folders that a killed process never finished."""
    with suppress(OSError):
        for path in runs.glob(f"{_BEGINNING_PREFIX}*"):
            if time() - path.stat().st_mtime > _ABANDONED_AFTER_S:
                shutil.rmtree(path, ignore_errors=True)


def _step_row(step: int, loss: float, lr: float, gradient_norm: float, tokens_per_second: float) -> dict[str, Any]:
    return {
        "step": step,
        "train_loss": loss,
        "lr": lr,
        "gradient_norm": gradient_norm,
        "tokens_per_second": round(tokens_per_second, 1),
    }


def _evaluation_row(step: int, loss: float, digest: str, chain: str) -> dict[str, Any]:
    digests = {"weights_sha256": digest, "chain_sha256": chain} if digest else {}
    return {"step": step, "validation_loss": loss, **digests}


def _change_row(event: SettingsChanged) -> dict[str, Any]:
    return {"step": event.step, "settings": {name: [before, after] for name, before, after in event.changes}}


def _rows(metrics: MetricsArrays, digests: DigestChain) -> Iterable[dict[str, Any]]:
    steps = zip(
        metrics.steps.tolist(),
        metrics.train_loss.tolist(),
        metrics.lr.tolist(),
        metrics.gradient_norm.tolist(),
        metrics.tokens_per_second.tolist(),
        strict=True,
    )
    rows = [_step_row(*values) for values in steps]
    for step, loss in zip(metrics.validation_steps.tolist(), metrics.validation_loss.tolist(), strict=True):
        link = digests.at(int(step))
        rows.append(_evaluation_row(int(step), loss, link.digest if link else "", link.chain if link else ""))
    return sorted(rows, key=lambda row: row["step"])
