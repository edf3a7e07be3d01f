"""The owner of the model and the run, free of Qt: commands go into its mailbox, events come out."""

import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic

from gui.commands import (
    CloseRun,
    Command,
    EstimateCost,
    ExportMetrics,
    Generate,
    OpenBundledCorpus,
    OpenCheckpoint,
    OpenCorpus,
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
from gui.cost_meter import CostMeter
from gui.events import (
    CheckpointOpened,
    CheckpointWritten,
    CorpusOpened,
    EngineEvent,
    FormerRunFound,
    MetricsExported,
    ProblemFound,
    RunState,
    RunStateChanged,
    ShutdownRefused,
)
from gui.loaded_run import LoadedRun
from gui.past import Past
from gui.replayer import Replayer
from gui.writer import Writer, with_seed
from nanograd.atomic_file import write_atomically
from nanograd.errors import CheckpointError, CorpusError, NanogradError, SettingsError, VocabularyError
from nanograd.text.corpus import Corpus, load_corpus, token_counts
from nanograd.training.checkpoint import load_run, summarize
from nanograd.training.events import CheckpointFailed, EvaluationFinished, RunFailed, RunFinished, TrainingEvent
from nanograd.training.run import Run, find_corpus
from nanograd.training.run_directory import RunDirectory
from nanograd.training.settings import RunSettings
from nanograd.training.trainer import default_probe
from resources import BUNDLED_CORPORA, corpus_text

PREVIEW_CHARACTERS = 400
_log = logging.getLogger(__name__)


class Engine:
    """Runs in a thread of its own: `run` handles a command where there is one, otherwise trains, writes or measures a bit.

    `post` may be called from any thread; `emit` is called from the engine's.
    """

    def __init__(self, data_directory: Path, emit: Callable[[EngineEvent], None]) -> None:
        self._data_directory = data_directory
        self._emit = emit
        self._mailbox: SimpleQueue[Command] = SimpleQueue()
        self._state: RunState = "idle"
        self._corpus: Corpus | None = None
        self._loaded: LoadedRun | None = None
        self._training: Iterator[TrainingEvent] | None = None
        self._writer = Writer(emit)
        self._past = Past(emit)
        self._replayer = Replayer(emit)
        self._cost_meter = CostMeter(emit)
        self._probe = ""
        self._last_step_s = 0.0
        self._unsaved: LoadedRun | None = None
        self._is_over = False

    def post(self, command: Command) -> None:
        """Ask for something; the answer comes as events."""
        self._mailbox.put(command)

    def run(self) -> None:
        """Work until Shutdown."""
        self._tell_former_run()
        while not self._is_over:
            command = self._next_command()
            try:
                if command is None:
                    self._work()
                else:
                    self._handle(command)
            except Exception as error:
                if command is None:  # a request that fails does not disturb the run; a step or a token that fails does
                    self._rest()
                self._report(error)
                self._set_state(self._state)  # so that no button waits for an answer

    def _next_command(self) -> Command | None:
        """The next command; waits for it only where there is nothing else to do."""
        try:
            is_busy = self._writer.is_writing or self._past.is_writing or self._replayer.is_replaying
            if self._state == "training" or is_busy:
                return self._mailbox.get_nowait()
            return self._mailbox.get(timeout=self._cost_meter.delay_s)
        except Empty:
            return None

    def _handle(self, command: Command) -> None:
        match command:
            case OpenCorpus():
                self._take_corpus(load_corpus(command.path))
            case OpenBundledCorpus():
                self._take_corpus(_bundled_corpus(command.name))
            case StartTraining():
                self._start(command.settings, single_step=False)
            case TakeStep():
                self._start(command.settings, single_step=True)
            case PauseTraining():
                self._pause()
            case StopTraining():
                self._stop()
            case CloseRun():
                self._close_run()
            case SaveCheckpoint():
                self._save_to(command.path)
            case OpenCheckpoint():
                self._open_checkpoint(command.path)
            case ExportMetrics():
                self._export(command)
            case ShowBatch():
                self._show_batch(command.step)
            case SetProbe():
                self._set_probe(command.text)
            case Generate():
                self._generate(command)
            case PreviewNext():
                if self._loaded is not None:
                    self._writer.preview(command.request, self._loaded.model, self._loaded.tokenizer)
            case StopGenerating():
                self._writer.stop()
                self._past.stop()
            case EstimateCost():
                self._cost_meter.request(command.settings, self._corpus)
            case Shutdown():
                self._shut_down(command)

    def _work(self) -> None:
        """Tokens for at most as long as the last step took, a step of a replay, then one event of the training, in turns."""
        is_training = self._state == "training"
        if self._writer.is_writing:
            self._writer.write_for(self._last_step_s if is_training else 0.0)
        self._past.write_for(self._last_step_s if is_training else 0.0)
        self._replayer.advance()
        if is_training and self._training is not None:
            self._advance(self._training)
        elif not self._writer.is_writing:
            self._cost_meter.measure()

    # ---- texts --------------------------------------------------------------------------------------------------------

    def _take_corpus(self, corpus: Corpus) -> None:
        """Make a text the one to train on. A run on another text is saved and closed; one that lacked this text gets it."""
        former = self._loaded
        if former is not None and former.corpus_digest != corpus.digest:
            self._close_run()
            kept = f", and kept in {former.place}" if former.place else ""
            notice = f"The run on {former.corpus_name} is closed at step {former.step:,}{kept}."
            corpus = replace(corpus, notice=f"{notice} {corpus.notice}".strip())
        self._corpus = corpus
        if self._loaded is None:
            self._probe = default_probe(corpus)
        self._emit(
            CorpusOpened(
                name=corpus.name,
                path=corpus.path,
                byte_count=corpus.byte_count,
                character_count=corpus.character_count,
                vocabulary=corpus.tokenizer.vocabulary,
                token_counts=token_counts(corpus),
                preview=corpus.tokenizer.decode(corpus.ids[:PREVIEW_CHARACTERS]),
                probe=self._probe,
                notice=corpus.notice,
            )
        )

    # ---- training -----------------------------------------------------------------------------------------------------

    def _start(self, settings: RunSettings, single_step: bool) -> None:
        if self._state == "training":
            return
        if self._loaded is None or not self._goes_on(settings, single_step):
            self._begin_run(settings)
        run = self._runnable()
        run.trainer.change_settings(settings)
        self._training = run.events(single_step)
        self._unsaved = None
        self._set_state("training")

    def _goes_on(self, settings: RunSettings, single_step: bool) -> bool:
        """Whether Train lets the loaded run go on, or starts a new one."""
        loaded = self._loaded
        if loaded is None or self._state != "finished":
            return loaded is not None
        if settings.fixed_differences(loaded.settings):
            return False
        was_raised = settings.max_steps > loaded.settings.max_steps
        has_more = settings.max_steps > loaded.step and (loaded.is_from_checkpoint or was_raised)
        return has_more or single_step

    def _begin_run(self, settings: RunSettings) -> None:
        if self._corpus is None:
            raise CorpusError("There is no text to learn from yet; open one, or drop a file on the window.")
        run = Run.start(settings, self._corpus, self._data_directory, self._probe)
        self._close_run()
        self._loaded = LoadedRun(run=run)

    def _runnable(self) -> Run:
        """The loaded run with its text; raises CorpusError where the text is gone."""
        loaded = self._loaded
        if loaded is None:
            raise CorpusError("There is no run yet; press Train to start one.")
        if loaded.run is None:
            if self._corpus is None or self._corpus.digest != loaded.corpus_digest:
                raise CorpusError(f"The text of this run, {loaded.corpus_name}, is not where it was; open it to go on training.")
            loaded.attach(self._corpus, self._data_directory)
        assert loaded.run is not None
        return loaded.run

    def _advance(self, training: Iterator[TrainingEvent]) -> None:
        """Let the run do its next bit and pass its event on."""
        began = monotonic()
        event = next(training, None)
        self._last_step_s = monotonic() - began
        if event is None:  # one step was asked for, and is done
            self._training = None
            self._set_state("paused")
            return
        if isinstance(event, RunFailed):
            self._recover(event)
            return
        self._emit(event)
        match event:
            case EvaluationFinished():
                self._past.keep(self._loaded.run if self._loaded else None)
            case RunFinished():
                self._training = None
                self._set_state("finished")
            case CheckpointFailed():
                self._emit(ProblemFound(message=event.message))
            case _:
                pass

    def _pause(self) -> None:
        if self._state == "training":
            self._training = None
            self._set_state("paused")

    def _stop(self) -> None:
        if self._state in ("training", "paused"):
            self._training = None
            try:
                self._save_run()
            finally:
                self._set_state("finished")

    def _rest(self) -> None:
        """Stop whatever is under way."""
        self._pause()
        for busy in (self._writer, self._past, self._replayer):
            busy.stop()

    def _recover(self, event: RunFailed) -> None:
        """After a loss that is not finite: load the weights that were saved last, or begin anew from the seed."""
        self._training = None
        self._writer.stop()
        assert self._loaded is not None
        self._loaded = self._loaded.last_good(self._data_directory)
        loaded = f"The weights of step {self._loaded.step:,} are loaded."
        self._emit(replace(event, message=f"{event.message} {loaded}"))
        self._set_state("failed")
        self._look()

    def _set_state(self, state: RunState) -> None:
        self._state = state
        self._emit(RunStateChanged(state=state, step=self._loaded.step if self._loaded else 0))

    # ---- checkpoints --------------------------------------------------------------------------------------------------

    def _save_run(self) -> None:
        """Save what the run has not saved yet into its own folder; raises CheckpointError where that fails."""
        run = self._loaded.run if self._loaded else None
        if run is None or run.saved_step == run.trainer.step:
            return
        event = run.save()
        self._emit(event)
        if isinstance(event, CheckpointFailed):
            raise CheckpointError(event.message)

    def _save_to(self, path: Path) -> None:
        if self._loaded is None:
            raise CheckpointError("There is nothing to save yet; train a model first.")
        self._loaded.save_to(path)
        self._emit(CheckpointWritten(path=path, step=self._loaded.step))

    def _export(self, command: ExportMetrics) -> None:
        table = command.metrics.as_csv().encode()
        try:
            write_atomically(command.path, lambda stream: stream.write(table))
        except OSError as error:
            reason = error.strerror or error
            self._emit(ProblemFound(message=f"The table could not be written to {command.path}: {reason}. Choose another place."))
            return
        self._emit(MetricsExported(path=command.path))

    def _tell_former_run(self) -> None:
        """Tell of the run that was saved last, so that the window can offer to go on with it."""
        latest = RunDirectory.latest(self._data_directory / "runs")
        summary = summarize(latest.checkpoint_path) if latest else None
        if latest is not None and summary is not None:
            self._emit(
                FormerRunFound(
                    path=latest.checkpoint_path,
                    corpus_name=summary.corpus_name,
                    step=summary.step,
                    max_steps=summary.max_steps,
                )
            )

    def _save_before_closing(self) -> None:
        """Save the run; where that fails, raise CheckpointError the first time, and let it go unsaved the second."""
        try:
            self._save_run()
        except CheckpointError as error:
            is_asked_again = self._unsaved is self._loaded
            self._unsaved = self._loaded
            if not is_asked_again:
                raise CheckpointError(f"{error} The run stays open; ask once more to let it go unsaved.") from error

    def _close_run(self) -> None:
        self._save_before_closing()
        self._unsaved = None
        self._training = None
        self._writer.stop()
        self._replayer.stop()
        self._past.forget()
        self._loaded = None
        self._set_state("idle")

    def _open_checkpoint(self, path: Path) -> None:
        self._save_before_closing()  # before reading: it may be this run's own file
        saved = load_run(path)
        corpus = find_corpus(saved, self._data_directory)
        runs = self._data_directory / "runs"
        directory = RunDirectory(path.parent) if path.resolve().parent.parent == runs.resolve() else None
        loaded = LoadedRun.open(saved, path, corpus, self._data_directory, directory)
        self._close_run()
        self._loaded = loaded
        self._probe = saved.probe
        if corpus is not None:
            self._take_corpus(corpus)
        else:
            self._corpus = None
        self._emit(
            CheckpointOpened(
                path=path,
                step=saved.step,
                settings=saved.settings,
                parameter_count=loaded.model.config.parameter_count(),
                vocabulary=saved.tokenizer.vocabulary,
                metrics=saved.metrics,
                samples=directory.samples(saved.step) if directory else (),
                probe=saved.probe,
                corpus_name=saved.corpus.name,
                corpus_missing=corpus is None,
            )
        )
        self._past.keep(loaded.run)
        self._set_state("finished" if saved.step >= saved.settings.max_steps else "paused")
        self._look()

    # ---- looking and writing ------------------------------------------------------------------------------------------

    def _set_probe(self, text: str) -> None:
        tokenizer = self._loaded.tokenizer if self._loaded else self._corpus.tokenizer if self._corpus else None
        if tokenizer is not None:
            try:
                tokenizer.encode(text)
            except VocabularyError as error:
                self._emit(ProblemFound(message=str(error), source="probe"))
                return
        self._probe = text
        if self._loaded is not None:
            self._loaded.set_probe(text)
            self._look()

    def _look(self) -> None:
        event = self._loaded.take_probe() if self._loaded else None
        if event is not None:
            self._emit(event)

    def _show_batch(self, step: int) -> None:
        run = self._runnable()
        self._replayer.start(step, run.trainer, self._loaded.checkpoints if self._loaded else ())

    def _generate(self, command: Generate) -> None:
        if self._loaded is None:
            self._emit(ProblemFound(message="There is no model to write with yet; press Train first.", source="prompt"))
            return
        command = with_seed(command)
        self._writer.start(command, self._loaded.model, self._loaded.tokenizer)
        self._past.start(command, self._loaded.run)

    # ---- the end, and what goes wrong ---------------------------------------------------------------------------------

    def _shut_down(self, command: Shutdown) -> None:
        self._writer.stop()
        try:
            self._save_run()
        except Exception as error:  # whatever it is: the window waits for an answer
            if not command.discards_unsaved:
                self._pause()
                self._report(error, remedy="Close the window again to let go of what is unsaved.")
                self._emit(ShutdownRefused())
                return
        self._is_over = True

    def _report(self, error: Exception, remedy: str = "") -> None:
        """Tell what went wrong; a fault of the program's own is logged, and its traceback can be copied."""
        problems = tuple(error.problems.items()) if isinstance(error, SettingsError) else ()
        message, details = str(error), ""
        if isinstance(error, MemoryError):
            message = "There is not enough memory for that. Choose a smaller batch, context or model, or close other programs."
        elif not isinstance(error, NanogradError):
            _log.error("The engine met an unexpected error.", exc_info=error)
            message = f"Something went wrong inside: {error!r}. The last checkpoint is safe."
            details = "".join(traceback.format_exception(error))
        self._emit(ProblemFound(message=f"{message} {remedy}".strip(), details=details, setting_problems=problems))


def _bundled_corpus(key: str) -> Corpus:
    titles = {text.key: text.title for text in BUNDLED_CORPORA}
    return Corpus.from_text(corpus_text(key), name=titles[key])
