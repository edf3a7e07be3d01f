"""The owner of the model and the run, free of Qt: commands go into its mailbox, events come out."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic

from gui import commands
from gui.commands import Command
from gui.cost_meter import CostMeter
from gui.descriptions import describe_opened, describe_problem
from gui.events import (
    CheckpointWritten,
    EngineEvent,
    OpeningEnded,
    ProblemFound,
    RunState,
    RunStateChanged,
    ShutdownRefused,
)
from gui.loaded_run import LoadedRun
from gui.past import Past
from gui.replayer import Replayer
from gui.run_shelf import RunShelf
from gui.text_opener import TextOpener, describe, open_bundled
from gui.verifier import Verifier
from gui.writer import Writer, with_seed
from nanograd.errors import CheckpointError, CorpusError, VocabularyError
from nanograd.text.cache import IdsCache
from nanograd.text.corpus import Corpus, Opening, open_corpus
from nanograd.training.events import CheckpointFailed, EvaluationFinished, LossSpiked, RunFailed, RunFinished, TrainingEvent
from nanograd.training.run import Run, find_corpus
from nanograd.training.saved_run import OpenedRun, as_copy, open_at, open_to_write_or_copy
from nanograd.training.settings import RunSettings
from nanograd.training.trainer import default_probe

_OPENED_AT_ONCE_S = 0.3  # texts that open within it come before whatever is asked next, as if there were no waiting


class Engine:
    """Runs in a thread of its own: `run` handles a command where there is one, otherwise trains, writes or measures a bit.

    `post` may be called from any thread; `emit` is called from the engine's.
    """

    def __init__(self, data_directory: Path, emit: Callable[[EngineEvent], None], cache_directory: Path | None = None) -> None:
        self._data_directory = data_directory
        self._cache = IdsCache(cache_directory or data_directory / "cache")
        self._opener = TextOpener(emit, self._cache)
        self._postponed: deque[Command] = deque()
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
        self._shelf = RunShelf(data_directory, emit)
        self._verifier = Verifier(data_directory, self._cache, emit)
        self._probe = ""
        self._last_step_s = 0.0
        self._unsaved: LoadedRun | None = None
        self._is_over = False

    def post(self, command: Command) -> None:
        """Ask for something; the answer comes as events."""
        self._mailbox.put(command)

    def run(self) -> None:
        """Work until Shutdown."""
        self._shelf.tell_former_run()
        while not self._is_over:
            command = self._next_command()
            try:
                if command is None:
                    self._work()
                elif self._opener.is_opening and isinstance(command, commands.WAITING_FOR_TEXT):
                    self._postponed.append(command)
                else:
                    self._handle(command)
            except Exception as error:
                if command is None:  # a request that fails does not disturb the run; a step or a token that fails does
                    self._rest()
                self._emit(describe_problem(error))
                self._set_state(self._state)  # so that no button waits for an answer

    def _next_command(self) -> Command | None:
        """The next command; waits for it only where there is nothing else to do."""
        if self._postponed and not self._opener.is_opening:
            return self._postponed.popleft()
        try:
            hands = self._writer.is_writing, self._past.is_writing, self._replayer.is_replaying, self._verifier.is_verifying
            if self._state == "training" or self._opener.is_opening or any(hands):
                return self._mailbox.get_nowait()
            return self._mailbox.get(timeout=self._cost_meter.delay_s)
        except Empty:
            return None

    def _handle(self, command: Command) -> None:
        match command:
            case commands.OpenCorpus():
                loaded = self._loaded  # a run that lacks its text has it told in its own tokens, should this be it
                known = (loaded.corpus_digest, loaded.tokenizer) if loaded is not None and loaded.run is None else None
                self._open_text(command, open_corpus(command.source, command.choice, self._cache, known))
            case commands.OpenBundledCorpus():
                self._open_text(command, open_bundled(command))
            case commands.CancelOpening() | commands.ClearCache() | commands.LimitCache():
                self._opener.handle(command)
            case commands.StartTraining() | commands.TakeStep():
                self._start(command.settings, single_step=isinstance(command, commands.TakeStep))
            case commands.PauseTraining():
                self._pause()
            case commands.StopTraining():
                self._stop()
            case commands.ChangeSettings():
                self._change(command.settings)
            case commands.GoBack():
                self._go_back(command)
            case commands.CloseRun():
                self._close_run()
            case commands.SaveCheckpoint():
                self._save_to(command.path)
            case commands.OpenCheckpoint() | commands.ForkRun():
                self._open_checkpoint(command)
            case (
                commands.ListRuns() | commands.DeleteRun() | commands.RestoreRun() | commands.EmptyTrash() | commands.WriteNotes()
            ):
                self._shelf.tend(command, self._loaded.place if self._loaded else None)
            case commands.VerifyRun():
                self._verify(command)
            case commands.StopVerifying():
                self._verifier.stop()
            case commands.ReadCurves():
                self._shelf.read_curves(command.paths)
            case commands.ExportMetrics():
                self._shelf.export(command)
            case commands.ShowBatch():
                self._show_batch(command.step)
            case commands.SetProbe():
                self._set_probe(command.text)
            case commands.Generate():
                self._generate(command)
            case commands.PreviewNext():
                if self._loaded is not None:
                    self._writer.preview(command.request, self._loaded.model, self._loaded.tokenizer)
            case commands.StopGenerating():
                self._writer.stop()
                self._past.stop()
            case commands.EstimateCost():
                self._cost_meter.request(command.settings, self._corpus)
            case commands.Shutdown():
                self._shut_down(command)

    def _work(self) -> None:
        """A bit of the text being opened, tokens for at most as long as the last step took, a step of a replay, one of the training."""
        if self._opener.is_opening:
            self._advance_opening()
        is_training = self._state == "training"
        share_s = self._last_step_s / (1 + (self._writer.is_writing and self._past.is_writing)) if is_training else 0.0
        for writing in (self._writer, self._past):
            writing.write_for(share_s)
        self._replayer.advance()
        if is_training and self._training is not None:
            self._advance(self._training)
        elif self._verifier.is_verifying:
            self._verifier.advance()
        elif not self._writer.is_writing and not self._opener.is_opening:
            self._cost_meter.measure()

    # ---- texts --------------------------------------------------------------------------------------------------------

    def _open_text(self, command: commands.OpenCorpus | commands.OpenBundledCorpus, opening: Opening) -> None:
        """Begin to open a text; a short one is open when this returns."""
        self._opener.start(command, opening)
        began_s = monotonic()
        while self._opener.is_opening and monotonic() - began_s < _OPENED_AT_ONCE_S:
            self._advance_opening()

    def _advance_opening(self) -> None:
        """One step of opening a text. What goes wrong there does not disturb the run."""
        problem = None
        try:
            corpus = self._opener.advance()
            if corpus is not None:
                self._take_corpus(corpus, self._opener.command)
        except Exception as error:
            # VocabularyError: the files that were chosen hold no vocabulary that fits
            problem = replace(describe_problem(error), source="tokenizer" if isinstance(error, VocabularyError) else "")
        if not self._opener.is_opening:
            self._emit(OpeningEnded())
        if problem is not None:
            self._emit(problem)
            self._set_state(self._state)

    def _take_corpus(self, corpus: Corpus, command: commands.OpenCorpus | commands.OpenBundledCorpus | None = None) -> None:
        """Make a text the one to train on. A run on another text is saved and closed; one that lacked this text gets it."""
        former = self._loaded
        if former is not None and (former.corpus_digest != corpus.digest or not corpus.is_encoded_by(former.tokenizer)):
            self._close_run()
            kept = f", and kept in {former.place}" if former.place else ""
            notice = f"The run on {former.corpus_name} is closed at step {former.step:,}{kept}."
            corpus = replace(corpus, notice=f"{notice} {corpus.notice}".strip())
        self._corpus = corpus
        if self._loaded is None:
            self._probe = default_probe(corpus)
        self._emit(describe(corpus, command, self._cache.size_bytes(), self._probe))

    # ---- training -----------------------------------------------------------------------------------------------------

    def _start(self, settings: RunSettings, single_step: bool) -> None:
        if self._state == "training":
            return
        if self._loaded is None or not self._loaded.goes_on(settings, single_step, is_finished=self._state == "finished"):
            self._begin_run(settings)
        assert self._loaded is not None
        run = self._loaded.ready(self._corpus, settings, self._data_directory)
        self._verifier.stop()
        for event in run.change_settings(settings):
            self._emit(event)
        self._training = run.events(single_step)
        self._unsaved = None
        self._set_state("training")
        self._opener.tell_of_changed_files(run.trainer.corpus)

    def _change(self, settings: RunSettings) -> None:
        run = self._loaded.run if self._loaded else None
        for event in run.change_settings(settings) if run else ():
            self._emit(event)

    def _go_back(self, command: commands.GoBack) -> None:
        """Train on from before what went wrong, at a lower rate."""
        if self._loaded is None:
            return
        self._training = None
        if self._loaded.step > command.step:
            self._loaded = self._loaded.last_good(self._data_directory, command.step)
        self._state = "paused"
        self._start(command.settings, single_step=False)

    def _begin_run(self, settings: RunSettings) -> None:
        if self._corpus is None:
            raise CorpusError("There is no text to learn from yet; open one, or drop a file on the window.")
        run = Run.start(settings, self._corpus, self._data_directory, self._probe)
        self._close_run()
        self._loaded = LoadedRun(run=run)

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
            case LossSpiked():
                self._rest()
                assert self._loaded is not None
                self._emit(self._loaded.way_back(event))
            case CheckpointFailed():
                self._emit(ProblemFound(message=event.message))

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
        self._emit(self._loaded.way_back(event))

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

    def _verify(self, command: commands.VerifyRun) -> None:
        if self._state == "training":
            raise CheckpointError("A run is training; pause it, then verify.")
        self._save_run()
        self._verifier.start(command.path, command.from_step)

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
        if self._loaded is not None:
            self._loaded.close()
        self._loaded = None
        self._set_state("idle")

    def _open_checkpoint(self, command: commands.OpenCheckpoint | commands.ForkRun) -> None:
        self._save_before_closing()  # before reading: it may be this run's own file
        self._verifier.stop()
        is_fork = isinstance(command, commands.ForkRun)
        beside = self._open_beside_the_loaded
        opened = as_copy(open_at(command.path, command.step)) if isinstance(command, commands.ForkRun) else beside(command.path)
        saved = opened.saved
        corpus = find_corpus(saved, self._data_directory, self._cache)
        try:
            loaded = LoadedRun.open(opened, corpus, self._data_directory, is_fork)
            self._close_run()
        except BaseException:
            opened.release()
            raise
        self._loaded = loaded
        self._probe = saved.probe
        if corpus is not None:
            self._take_corpus(corpus)
        else:
            self._corpus = None
        count = sum(parameter.numel() for parameter in loaded.model.parameters())
        self._emit(describe_opened(opened, count, corpus_missing=corpus is None, is_fork=is_fork))
        self._past.keep(loaded.run)
        self._set_state("finished" if saved.step >= saved.settings.max_steps and not is_fork else "paused")
        self._look()

    def _open_beside_the_loaded(self, path: Path) -> OpenedRun:
        """Read the run at `path`, which may be the loaded one: while that is done it leaves its folder to the other."""
        if self._loaded is not None:
            self._loaded.close()
        try:
            return open_to_write_or_copy(path)
        except BaseException:
            if self._loaded is not None:
                self._loaded.hold()
            raise

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
            for event in self._loaded.set_probe(text):
                self._emit(event)
            self._look()

    def _look(self) -> None:
        event = self._loaded.take_probe() if self._loaded else None
        if event is not None:
            self._emit(event)

    def _show_batch(self, step: int) -> None:
        if self._loaded is not None:
            run = self._loaded.with_text(self._corpus, self._data_directory)
            self._replayer.start(step, run.trainer, self._loaded.checkpoints)

    def _generate(self, command: commands.Generate) -> None:
        if self._loaded is None:
            self._emit(ProblemFound(message="There is no model to write with yet; press Train first.", source="prompt"))
            return
        command = with_seed(command)
        if self._writer.start(command, self._loaded.model, self._loaded.tokenizer, self._loaded.step):
            self._past.start(command, self._loaded.run, self._loaded.tokenizer)

    # ---- the end, and what goes wrong ---------------------------------------------------------------------------------

    def _shut_down(self, command: commands.Shutdown) -> None:
        self._writer.stop()
        self._opener.cancel()
        try:
            self._save_run()
        except Exception as error:  # whatever it is: the window waits for an answer
            if not command.discards_unsaved:
                self._pause()
                self._emit(describe_problem(error, remedy="Close the window again to let go of what is unsaved."))
                self._emit(ShutdownRefused())
                return
        if self._loaded is not None:
            self._loaded.close()
        self._is_over = True
