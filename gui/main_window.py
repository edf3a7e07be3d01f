"""The window: it builds the views, posts what people ask for, and routes what happens to whom it concerns."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from PySide6.QtCore import QSettings, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from gui.actions import WindowActions
from gui.application import default_data_directory
from gui.commands import (
    ChangeSettings,
    EstimateCost,
    ExportMetrics,
    Generate,
    OpenCheckpoint,
    PauseTraining,
    PreviewNext,
    SaveCheckpoint,
    SetProbe,
    ShowBatch,
    Shutdown,
    StartTraining,
    StopGenerating,
    StopTraining,
    TakeStep,
)
from gui.events import (
    CacheMeasured,
    CheckpointOpened,
    CheckpointWritten,
    CorpusAdvanced,
    CorpusOpened,
    CostEstimated,
    EncodingAsked,
    EngineEvent,
    GenerationFinished,
    GenerationStarted,
    MetricsExported,
    MomentsKept,
    NextPreviewed,
    OpeningEnded,
    ProblemFound,
    ReplayStarted,
    RunState,
    RunStateChanged,
    ShutdownRefused,
    TextChanged,
    TextGenerated,
    WrittenBeside,
)
from gui.file_dialogs import CHECKPOINT_SUFFIX, ask_for_checkpoint, ask_where_to_save
from gui.format import count_text
from gui.looks import Looks
from gui.run_desk import RunDesk
from gui.run_display import RunDisplay
from gui.setup_display import SetupDisplay
from gui.text_display import TextDisplay
from gui.views.generation_settings import GenerationRequest
from gui.window_layout import WindowLayout
from gui.worker import Worker
from nanograd.training.events import (
    BatchSeen,
    CheckpointSaved,
    EvaluationAdvanced,
    EvaluationFinished,
    LossSpiked,
    ProbeChanged,
    ProbeTaken,
    ReplayAdvanced,
    RunFailed,
    RunStarted,
    SampleWritten,
    SettingsChanged,
    StepFinished,
)
from nanograd.training.settings import RunSettings

_EVENTS_INTERVAL_MS = 30


class MainWindow(QMainWindow):
    """Wires the views to the engine. Its methods return at once; its signals tell what came of them."""

    corpus_opened = Signal()
    checkpoint_opened = Signal()
    checkpoint_saved = Signal(object)
    run_state_changed = Signal(str)
    generation_finished = Signal()
    error_shown = Signal(str)

    def __init__(
        self, data_directory: Path | None = None, cache_directory: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.data_directory = data_directory or default_data_directory()
        self.run_state: RunState = "idle"
        self._discards_unsaved = False
        self._preferences = QSettings(str(self.data_directory / "window.ini"), QSettings.Format.IniFormat)
        self._actions = WindowActions(self)
        self._views = WindowLayout(self._actions, self)
        self._looks = Looks(self._preferences, self._actions, self._views, self)
        self._run = RunDisplay(self._views)
        self._setup = SetupDisplay(self._views, self)
        self.history = self._run.history
        self._worker = Worker(self.data_directory, cache_directory, self)
        self._desk = RunDesk(self._views, self._actions, self._worker.post, self)
        self._texts = TextDisplay(self._views, self._worker.post, self._preferences, self)
        self._events_clock = QTimer(self, singleShot=True, interval=_EVENTS_INTERVAL_MS)
        for child in self.findChildren(QWidget):
            child.setAcceptDrops(False)  # a file is the window's, wherever in it it falls
        self.setAcceptDrops(True)
        self.setWindowTitle("nanograd")
        self._connect()
        self._views.restore(self._preferences)
        self._looks.show()
        self._show_state("idle", step=0)
        self._setup.show_settings()
        self._worker.start()

    # ---- what a script can ask ----------------------------------------------------------------------------------------

    def open_corpus(self, *paths: Path) -> None:
        """Load files and folders as one text; `corpus_opened` or `error_shown` follows."""
        self._texts.open(*map(Path, paths))

    def open_checkpoint(self, path: Path) -> None:
        """Load a run; `checkpoint_opened` or `error_shown` follows."""
        self._worker.post(OpenCheckpoint(path=Path(path)))

    def save_checkpoint(self, path: Path) -> None:
        """Write the run to `path`; `checkpoint_saved` or `error_shown` follows."""
        self._worker.post(SaveCheckpoint(path=Path(path)))

    # ---- wiring -------------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        actions, views = self._actions, self._views
        actions.open_corpus.triggered.connect(self._texts.ask_for_files)
        actions.open_checkpoint.triggered.connect(self._on_open_checkpoint_requested)
        actions.save_checkpoint.triggered.connect(self._on_save_requested)
        actions.train.triggered.connect(self._on_train_requested)
        actions.pause.triggered.connect(self._on_pause_requested)
        actions.step.triggered.connect(self._on_step_requested)
        actions.stop.triggered.connect(self._on_stop_requested)
        self._texts.problem_found.connect(self.error_shown)
        views.settings_form.settings_changed.connect(self._on_settings_changed)
        views.settings_form.apply_requested.connect(self._on_apply_requested)
        views.attention.probe_changed.connect(self._on_probe_changed)
        views.generate.generate_requested.connect(self._on_generate_requested)
        views.generate.preview_requested.connect(self._on_preview_requested)
        views.generate.stop_requested.connect(self._on_stop_generating_requested)
        views.generate.problem_found.connect(self.error_shown)
        views.progress.step_chosen.connect(self._on_step_chosen)
        views.progress.csv_requested.connect(self._on_csv_requested)
        for view in (views.progress, views.attention):
            view.problem_found.connect(self._show_error)
        self._setup.estimate_requested.connect(self._on_estimate_requested)
        self._setup.problem_found.connect(self.error_shown)
        self._events_clock.timeout.connect(self._on_events_due)
        self._worker.events_ready.connect(self._on_events_ready)

    # ---- what people ask for ------------------------------------------------------------------------------------------

    @Slot()
    def _on_open_checkpoint_requested(self) -> None:
        path = ask_for_checkpoint(self, self.data_directory / "runs")
        if path:
            self.open_checkpoint(path)

    @Slot()
    def _on_save_requested(self) -> None:
        path = ask_where_to_save(self, self._texts.corpus.name if self._texts.corpus else "run", self._run.step)
        if path:
            self.save_checkpoint(path)

    @Slot()
    def _on_train_requested(self) -> None:
        if self._settings_are_good():
            self._worker.post(StartTraining(settings=self._views.settings_form.settings()))

    @Slot()
    def _on_step_requested(self) -> None:
        if self._settings_are_good():
            self._worker.post(TakeStep(settings=self._views.settings_form.settings()))

    @Slot()
    def _on_pause_requested(self) -> None:
        self._actions.pause.setEnabled(False)
        self._worker.post(PauseTraining())

    @Slot()
    def _on_stop_requested(self) -> None:
        self._actions.stop.setEnabled(False)
        self._worker.post(StopTraining())

    @Slot()
    def _on_apply_requested(self) -> None:
        if self._settings_are_good():
            self._worker.post(ChangeSettings(settings=self._views.settings_form.settings()))

    @Slot(str)
    def _on_csv_requested(self, path: str) -> None:
        self._worker.post(ExportMetrics(path=Path(path), metrics=self.history.metrics))

    @Slot(int)
    def _on_step_chosen(self, step: int) -> None:
        self._worker.post(ShowBatch(step=step))

    @Slot(str)
    def _on_probe_changed(self, text: str) -> None:
        self._views.attention.show_probe_problem("")
        self._worker.post(SetProbe(text=text))

    @Slot(object)
    def _on_generate_requested(self, request: GenerationRequest) -> None:
        self._worker.post(Generate(**asdict(request)))

    @Slot(object)
    def _on_preview_requested(self, request: GenerationRequest) -> None:
        self._worker.post(PreviewNext(request=Generate(**asdict(request))))

    @Slot()
    def _on_stop_generating_requested(self) -> None:
        self._worker.post(StopGenerating())

    @Slot()
    def _on_settings_changed(self) -> None:
        self._texts.show_fit()

    @Slot(object)
    def _on_estimate_requested(self, settings: RunSettings) -> None:
        self._worker.post(EstimateCost(settings=settings))

    def _settings_are_good(self) -> bool:
        problems = self._views.settings_form.problems()
        if problems:
            self._show_error(" ".join(problems.values()))
        return not problems

    # ---- what happens -------------------------------------------------------------------------------------------------

    @Slot()
    def _on_events_ready(self) -> None:
        if not self._events_clock.isActive():
            self._events_clock.start()

    @Slot()
    def _on_events_due(self) -> None:
        self._route(self._worker.take_events())

    def _route(self, events: Sequence[EngineEvent]) -> None:
        """Hand on what has gathered: texts and steps in one piece until something else happens, and all else by itself."""
        for is_gathered, group in groupby(events, lambda event: isinstance(event, TextGenerated | StepFinished)):
            happened = list(group)
            if is_gathered:
                texts = [event for event in happened if isinstance(event, TextGenerated)]
                self._show_gathered(texts, [event for event in happened if isinstance(event, StepFinished)])
            else:
                for event in happened:
                    self._route_one(event)

    def _show_gathered(self, texts: Sequence[TextGenerated], steps: Sequence[StepFinished]) -> None:
        if texts:
            self._views.generate.append(texts)
        if steps:
            self._run.show_steps(steps)

    def _route_one(self, event: EngineEvent) -> None:
        views = self._views
        match event:
            case RunStateChanged():
                self._show_state(event.state, event.step)
            case RunStarted():
                views.message_bar.withdraw_offer()
                views.message_bar.withdraw_error()
                self._run.show_started(event)
                self._desk.show(event)
                self._show_state(self.run_state, event.step)
            case EvaluationAdvanced():
                views.status_line.show_evaluation(event.done, event.total)
            case EvaluationFinished():
                self._run.show_evaluation(event)
            case ProbeTaken():
                self._run.show_probe(event)
            case SampleWritten():
                self._run.show_sample(event)
            case ReplayStarted() | ReplayAdvanced() | BatchSeen():
                self._run.show_replay(event)
            case RunFailed() | LossSpiked():
                self.history.add(event)
                self._show_error(event.message)
            case SettingsChanged() | ProbeChanged():
                self._run.show_change(event)
            case CheckpointSaved():
                views.status_line.show_saved()
                self._desk.show(event)
            case CorpusOpened():
                self._show_corpus(event)
            case CorpusAdvanced() | OpeningEnded() | EncodingAsked() | CacheMeasured() | TextChanged():
                self._texts.show(event)
            case CheckpointOpened():
                self._show_checkpoint(event)
            case CheckpointWritten():
                views.message_bar.show_notice(f"Saved step {count_text(event.step)} to {event.path}.")
                self.checkpoint_saved.emit(event.path)
            case MetricsExported():
                views.message_bar.show_notice(f"Saved the numbers to {event.path}.")
            case CostEstimated():
                self._setup.show_cost(event, self.run_state == "training")
            case GenerationStarted():
                views.generate.show_started(event)
            case NextPreviewed():
                views.generate.show_preview(event)
            case GenerationFinished():
                views.generate.show_finished(event)
                self.generation_finished.emit()
            case WrittenBeside():
                views.generate.show_beside(event)
            case MomentsKept():
                views.generate.show_moments(event.steps)
            case ProblemFound():
                self._show_problem(event)
            case _:
                self._desk.show(event)

    def _show_corpus(self, event: CorpusOpened) -> None:
        self._texts.show(event)
        self._setup.vocabulary_size = self._texts.vocabulary_size
        views = self._views
        views.show_first(self._run.has_run)
        self.setWindowTitle(f"{event.name} – nanograd")
        self._setup.show_settings()
        self._texts.show_fit()
        self.corpus_opened.emit()

    def _show_checkpoint(self, event: CheckpointOpened) -> None:
        self._setup.vocabulary_size = self._texts.vocabulary_size = len(event.vocabulary)
        self._views.message_bar.withdraw_offer()
        if event.corpus_missing:
            self._texts.show_missing(event.corpus_name)
        self._run.show_checkpoint(event)
        if event.notice:
            self._views.message_bar.show_notice(event.notice)
        self._views.show_laboratory()
        self.checkpoint_opened.emit()

    def _show_problem(self, event: ProblemFound) -> None:
        views = self._views
        if event.setting_problems:
            views.settings_form.show_problems(dict(event.setting_problems))
        match event.source:
            case "prompt":
                views.generate.show_prompt_problem(event.message)
                self.error_shown.emit(event.message)
            case "probe":
                views.attention.show_probe_problem(event.message)
                self.error_shown.emit(event.message)
            case "tokenizer" if self._texts.corpus is not None:
                views.corpus_card.show_vocabulary_problem(event.message)
                self.error_shown.emit(event.message)
            case _:
                self._show_error(event.message, event.details)

    @Slot(str)
    def _show_error(self, message: str, details: str = "") -> None:
        self._views.message_bar.show_error(message, details)
        self.error_shown.emit(message)

    def _show_state(self, state: RunState, step: int) -> None:
        has_changed = state != self.run_state
        self.run_state = state
        self._run.show_state(state, step)
        self._actions.show_state(state, self._run.has_run)
        self._desk.show_state(state, has_changed)
        if state == "training":
            self._discards_unsaved = False
        if has_changed:
            if state == "idle":
                self._setup.show_settings()  # what a new run will take
            self.run_state_changed.emit(state)

    # ---- files that are dropped ---------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files from anywhere."""
        if event.mimeData().hasUrls():
            self._views.welcome.show_drop(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """The file went away again."""
        self._views.welcome.show_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open a file that is dropped: a checkpoint by its ending, anything else as a text."""
        self._views.welcome.show_drop(False)
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if not paths:
            self._show_error("Only files on this computer can be opened; save it here first, then drop it again.")
            return
        event.acceptProposedAction()
        if paths[0].suffix == CHECKPOINT_SUFFIX:
            self.open_checkpoint(paths[0])
        else:
            self.open_corpus(*paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the run and end the thread. Where that fails the window stays, and closing it again lets the rest go."""
        self._views.save(self._preferences)
        self.hide()
        self._worker.post(Shutdown(discards_unsaved=self._discards_unsaved))
        while not self._worker.wait(_EVENTS_INTERVAL_MS):
            events = self._worker.take_events()
            self._route(events)
            if any(isinstance(happened, ShutdownRefused) for happened in events):
                self._discards_unsaved = True
                self.show()
                event.ignore()
                return
        self._route(self._worker.take_events())
        event.accept()
