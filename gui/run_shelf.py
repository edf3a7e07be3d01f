"""The runs on the disk, as the engine tells of them: which there are, what they take, and which lie in the trash."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from gui.commands import DeleteRun, EmptyTrash, ExportMetrics, ListRuns, RestoreRun, WriteNotes
from gui.events import CurvesRead, EngineEvent, FormerRunFound, KeptRun, MetricsExported, ProblemFound, RunDeleted, RunsListed
from nanograd.atomic_file import write_atomically
from nanograd.errors import CheckpointError
from nanograd.training.checkpoint import RunSummary, summarize, summarize_newest
from nanograd.training.run_directory import RunDirectory
from nanograd.training.run_trash import RunTrash

Result = TypeVar("Result")


class RunShelf:
    """Everything below the data folder, which may change under it at any time."""

    def __init__(self, data_directory: Path, emit: Callable[[EngineEvent], None]) -> None:
        self._runs = data_directory / "runs"
        self._texts = data_directory / "corpora"
        self._trash = RunTrash(data_directory)
        self._emit = emit

    def tell_former_run(self) -> None:
        """Tell of the run that was saved last and that nobody is writing, so that the window can offer to go on with it."""
        latest = next((run for run in RunDirectory.all(self._runs) if not run.is_locked()), None)
        summary = summarize_newest(latest.checkpoints.paths()) if latest else None
        if latest is not None and summary is not None and not summary.is_newer:
            self._emit(
                FormerRunFound(
                    path=latest.path,
                    corpus_name=summary.corpus_name,
                    step=summary.step,
                    max_steps=summary.max_steps,
                )
            )

    def tend(self, command: ListRuns | DeleteRun | RestoreRun | EmptyTrash | WriteNotes, loaded: Path | None) -> None:
        """Do what is asked with the runs on the disk, and tell which there are then; `loaded` is the folder of the one loaded.

        Raises RunLockedError for a run that is open, and CheckpointError where something cannot be moved or removed.
        """
        match command:
            case DeleteRun():
                self._delete(command.path)
            case RestoreRun():
                _moving(command.path, lambda: self._trash.put_back(command.path))
            case EmptyTrash():
                _moving(Path("The trash"), self._trash.empty)
            case WriteNotes():
                self._write_notes(command.path, command.text)
            case ListRuns():
                pass
        runs = [*RunDirectory.all(self._runs), *RunDirectory.remains(self._runs)]
        self._emit(
            RunsListed(
                runs=tuple(_describe(run) for run in runs),
                loaded=loaded,
                texts_byte_count=_bytes_below(self._texts),
                trash_byte_count=self._trash.byte_count(),
            )
        )

    def _delete(self, path: Path) -> None:
        run = RunDirectory(path)
        byte_count = run.byte_count()
        self._emit(RunDeleted(path=_moving(path, lambda: self._trash.put(run)), byte_count=byte_count))

    def _write_notes(self, path: Path, text: str) -> None:
        try:
            RunDirectory(path).write_notes(text)
        except OSError as error:
            reason = error.strerror or error
            raise CheckpointError(
                f"The notes of {path.name} could not be written: {reason}. Allow changing its folder."
            ) from error

    def read_curves(self, paths: Iterable[Path]) -> None:
        """Tell the numbers of the runs in these folders."""
        self._emit(CurvesRead(curves={path: RunDirectory(path).metrics() for path in paths}))

    def export(self, command: ExportMetrics) -> None:
        """Write the numbers of a run as a table."""
        table = command.metrics.as_csv().encode()
        try:
            write_atomically(command.path, lambda stream: stream.write(table))
        except OSError as error:
            reason = error.strerror or error
            self._emit(ProblemFound(message=f"The table could not be written to {command.path}: {reason}. Choose another place."))
            return
        self._emit(MetricsExported(path=command.path))


def _describe(run: RunDirectory) -> KeptRun:
    summaries = list(map(summarize, run.checkpoints.paths()))
    summary = next(filter(None, summaries), None)
    settings = run.settings()
    return KeptRun(
        path=run.path,
        corpus_name=summary.corpus_name if summary else "damaged",
        step=summary.step if summary else 0,
        max_steps=summary.max_steps if summary else 0,
        best_loss=summary.best_loss if summary else None,
        byte_count=run.byte_count(),
        checkpoints=tuple((kept.step, kept.byte_count) for kept in run.checkpoints.all()),
        parent=run.parent(),
        is_open=run.is_locked(),
        settings=settings,
        notes=run.notes(),
        problem=_problem_of(run, summaries, has_settings=bool(settings)),
    )


def _problem_of(run: RunDirectory, summaries: list[RunSummary | None], *, has_settings: bool) -> str:
    """What of the run is missing, damaged or newer than this program; empty where all is there."""
    problems = []
    if not summaries:
        problems.append("Its checkpoints are missing: it can be compared, but not opened.")
    elif not any(summaries):
        problems.append("None of its checkpoints can be read: they are damaged.")
    elif summaries[0] is None:
        problems.append("Its newest checkpoint is damaged; the one before it opens.")
    if any(summary.is_newer for summary in summaries if summary is not None):
        problems.append("It comes from a newer version of nanograd: open it there, or update this one.")
    if not has_settings:
        problems.append("Its settings.json is missing or damaged.")
    if not (run.path / "metrics.jsonl").is_file():
        problems.append("Its metrics.jsonl is missing: it has no curves.")
    return " ".join(problems)


def _bytes_below(folder: Path) -> int:
    with suppress(OSError):
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return 0


def _moving(path: Path, move: Callable[[], Result]) -> Result:
    try:
        return move()
    except OSError as error:
        reason = error.strerror or error
        remedy = "Close what uses it, or allow changing the data folder."
        raise CheckpointError(f"{path.name} could not be moved or removed: {reason}. {remedy}") from error
