"""What the window does with runs as wholes: offers the former one, lists, copies, verifies, deletes and restores them."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from PySide6.QtCore import QObject, Slot

from gui.actions import WindowActions
from gui.commands import (
    CloseRun,
    Command,
    DeleteRun,
    EmptyTrash,
    ForkRun,
    GoBack,
    ListRuns,
    OpenCheckpoint,
    ReadCurves,
    RestoreRun,
    StopVerifying,
    VerifyRun,
    WriteNotes,
)
from gui.events import (
    CurvesRead,
    EngineEvent,
    FormerRunFound,
    GoingBackOffered,
    RunDeleted,
    RunsListed,
    RunState,
    VerificationStopped,
)
from gui.format import bytes_text, count_text, number_text
from gui.other_runs import OtherRuns
from gui.window_layout import WindowLayout
from nanograd.training.events import CheckpointFailed, CheckpointSaved, RunStarted, VerificationAdvanced, VerificationFinished

_TEXT_INTERVAL_S: Final = 0.25


class RunDesk(QObject):
    """Between the panel of the runs, the message bar and the engine."""

    def __init__(self, views: WindowLayout, actions: WindowActions, post: Callable[[Command], None], parent: QObject) -> None:
        super().__init__(parent)
        self._views = views
        self._post = post
        self._former_run: Path | None = None
        self._loaded: Path | None = None
        self._deleted: Path | None = None
        self._way_back: GoingBackOffered | None = None
        self._save_problem = ""
        self._told_at_s = 0.0
        self._others = OtherRuns(views, post)
        views.message_bar.continue_requested.connect(self._on_continue_requested)
        views.message_bar.remedy_requested.connect(self._on_remedy_requested)
        views.runs.open_requested.connect(lambda path: post(OpenCheckpoint(path=path)))
        views.runs.fork_requested.connect(lambda path, step: post(ForkRun(path=path, step=step)))
        views.runs.verify_requested.connect(self._on_verify_requested)
        views.runs.compare_requested.connect(self._on_compare_requested)
        views.runs.notes_written.connect(lambda path, text: post(WriteNotes(path=path, text=text)))
        views.runs.stop_requested.connect(lambda: post(StopVerifying()))
        views.runs.delete_requested.connect(lambda path: post(DeleteRun(path=path)))
        views.runs.undo_requested.connect(self._on_undo_requested)
        views.runs.empty_trash_requested.connect(self._on_empty_trash_requested)
        actions.close_run.triggered.connect(lambda: post(CloseRun()))
        actions.runs.triggered.connect(self._on_runs_requested)
        actions.verify.triggered.connect(self._on_verify_loaded_requested)

    def show(self, event: EngineEvent) -> None:
        """Show what happened to a run as a whole; other events change nothing."""
        views = self._views
        match event:
            case FormerRunFound():
                self._former_run = event.path
                where = f"step {count_text(event.step)} of {count_text(event.max_steps)}"
                views.message_bar.offer(f"Your last run, on {event.corpus_name}, stands at {where}.")
            case RunsListed():
                self._loaded = event.loaded
                views.runs.show_runs(event)
                views.generate.show_runs(event)
                self._others.show()
            case CurvesRead():
                views.runs.show_curves(event)
                self._others.take(event)
            case CheckpointFailed():
                self._save_problem = event.message
            case CheckpointSaved():
                self._show_saved(event)
            case RunDeleted():
                self._deleted = event.path
                views.runs.show_undo(True)
                views.message_bar.show_notice(
                    f"{event.path.name} lies in the trash, {bytes_text(event.byte_count)}; Undo puts it back."
                )
            case GoingBackOffered():
                self._way_back = event
                views.message_bar.offer_remedy(
                    f"Go on from step {count_text(event.step)} with rate {number_text(event.settings.lr)}"
                )
            case VerificationAdvanced():
                self._show_replayed(event)
            case VerificationFinished():
                views.runs.show_verification(event.message, is_under_way=False)
                (views.message_bar.show_notice if event.is_same else views.message_bar.show_error)(event.message)
            case VerificationStopped():
                text = f"Stopped at step {count_text(event.step)}; until there nothing differed."
                views.runs.show_verification(text, is_under_way=False)
            case RunStarted():
                self._way_back = None
                self._post(ListRuns())  # its folder is there only now
            case _:
                pass

    def show_state(self, state: RunState, has_changed: bool) -> None:
        """The run is in `state` now."""
        self._views.runs.show_training(state == "training")
        if has_changed:
            self._post(ListRuns())

    def _show_saved(self, event: CheckpointSaved) -> None:
        bar = self._views.message_bar
        if self._save_problem and bar.text() == self._save_problem:
            bar.show_notice(f"The run is saved again, with all that was missing, in {event.path.parent}.")
        self._save_problem = ""
        if self._views.runs.isVisible():
            self._post(ListRuns())

    def _show_replayed(self, event: VerificationAdvanced) -> None:
        now_s = monotonic()
        if now_s - self._told_at_s >= _TEXT_INTERVAL_S:
            self._told_at_s = now_s
            text = f"Replayed to step {count_text(event.step)} of {count_text(event.last_step)}"
            self._views.runs.show_verification(text, is_under_way=True)

    @Slot()
    def _on_continue_requested(self) -> None:
        if self._former_run is not None:
            self._post(OpenCheckpoint(path=self._former_run))

    @Slot()
    def _on_remedy_requested(self) -> None:
        if self._way_back is not None:
            self._post(GoBack(step=self._way_back.step, settings=self._way_back.settings))

    @Slot(object, object)
    def _on_verify_requested(self, path: Path, from_step: int | None) -> None:
        self._post(VerifyRun(path=path, from_step=from_step))

    @Slot()
    def _on_verify_loaded_requested(self) -> None:
        self._on_runs_requested()
        if self._loaded is not None:
            self._on_verify_requested(self._loaded, None)

    @Slot()
    def _on_runs_requested(self) -> None:
        self._views.show_runs()
        self._post(ListRuns())

    @Slot(object)
    def _on_compare_requested(self, paths: tuple[Path, ...]) -> None:
        self._views.show_runs()
        self._post(ReadCurves(paths=paths))

    @Slot()
    def _on_undo_requested(self) -> None:
        if self._deleted is not None:
            self._post(RestoreRun(path=self._deleted))
        self._deleted = None
        self._views.runs.show_undo(False)

    @Slot()
    def _on_empty_trash_requested(self) -> None:
        self._deleted = None
        self._views.runs.show_undo(False)
        self._post(EmptyTrash())
