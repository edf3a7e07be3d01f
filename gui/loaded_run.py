"""The run that the engine has loaded: one that can train, or, where its text is gone, a model to look at and write with."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gui.events import GoingBackOffered
from nanograd.errors import CheckpointError, CorpusError
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.model_state import save_tensors
from nanograd.text.corpus import Corpus
from nanograd.text.tokenizer import Tokenizer
from nanograd.training.checkpoint import SavedRun
from nanograd.training.events import CheckpointFailed, LossSpiked, ProbeTaken, RunFailed, TrainingEvent
from nanograd.training.looking import look_at
from nanograd.training.run import Run
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import OpenedRun, open_run
from nanograd.training.settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Withheld:
    """A saved run that waits for its text."""

    opened: OpenedRun
    model: GPTLanguageModel


class LoadedRun:
    """A run with its text in `run`, otherwise what its checkpoint alone can give."""

    def __init__(
        self,
        *,
        run: Run | None,
        origin: Path | None = None,
        withheld: _Withheld | None = None,
        forked: OpenedRun | None = None,
    ) -> None:
        self.run = run
        self._forked = forked
        self._origin = origin
        self._withheld = withheld
        self._probe = withheld.opened.saved.probe if withheld else ""

    @classmethod
    def open(cls, opened: OpenedRun, corpus: Corpus | None, data_directory: Path, is_fork: bool = False) -> Self:
        """A run that was read, a fork where its settings may yet change; CheckpointError where the file does not fit itself."""
        forked = opened if is_fork else None
        if corpus is not None:
            return cls(run=_resume(opened, corpus, data_directory), origin=opened.origin, forked=forked)
        withheld = _Withheld(opened=opened, model=opened.saved.build_model())
        return cls(run=None, origin=opened.origin, withheld=withheld, forked=forked)

    def attach(self, corpus: Corpus, data_directory: Path) -> Run:
        """The run, now that its text is here."""
        if self.run is None:
            assert self._withheld is not None
            self.run = _resume(self._withheld.opened, corpus, data_directory)
            self.run.trainer.set_probe(self._probe)
            self._withheld = None
        return self.run

    def ready(self, corpus: Corpus | None, settings: RunSettings, data_directory: Path) -> Run:
        """The run with its text, a fork with these settings.

        Raises CorpusError where `corpus` is another text and the run lacks its own, and SettingsError where the weights of a
        fork do not allow the settings.
        """
        self.with_text(corpus, data_directory)
        self._settle(settings, data_directory)
        assert self.run is not None
        return self.run

    def with_text(self, corpus: Corpus | None, data_directory: Path) -> Run:
        """The run with its text; raises CorpusError where it lacks it and `corpus` is another."""
        if self.run is None and (corpus is None or corpus.digest != self.corpus_digest):
            raise CorpusError(f"The text of this run, {self.corpus_name}, is not where it was; open it to go on training.")
        if corpus is not None:
            self.attach(corpus, data_directory)
        assert self.run is not None
        return self.run

    def _settle(self, settings: RunSettings, data_directory: Path) -> None:
        """Give a fork the settings that it goes on with, once."""
        if self._forked is None:
            return
        assert self.run is not None
        if settings != self.settings:
            probe = self.run.trainer.probe
            self.run = Run.fork(self._forked, settings, self.run.trainer.corpus, data_directory)
            self.run.trainer.set_probe(probe)
        self._forked = None

    @property
    def _saved(self) -> SavedRun:
        assert self._withheld is not None
        return self._withheld.opened.saved

    @property
    def is_from_checkpoint(self) -> bool:
        """Whether the run was opened rather than started."""
        return self._origin is not None

    @property
    def place(self) -> Path | None:
        """The folder that the run is kept in; None where it has none yet."""
        directory = self._directory
        return directory.path if directory else None

    @property
    def checkpoints(self) -> tuple[Path, ...]:
        """The files that this run can go on from."""
        own = self._directory.checkpoints.paths() if self._directory else []
        found = (*own, *((self._origin,) if self._origin else ()))
        return tuple(path for path in dict.fromkeys(found) if path.exists())

    @property
    def _directory(self) -> RunDirectory | None:
        if self.run is not None:
            return self.run.directory
        assert self._withheld is not None
        return self._withheld.opened.directory

    def close(self) -> None:
        """Let others write the run's folder."""
        if self._directory is not None:
            self._directory.release()

    def hold(self) -> None:
        """Let nobody else write the run's folder; raises RunLockedError where somebody does."""
        if self._directory is not None:
            self._directory.lock()

    @property
    def model(self) -> GPTLanguageModel:
        """The model as it stands."""
        if self.run is not None:
            return self.run.trainer.model
        assert self._withheld is not None
        return self._withheld.model

    @property
    def tokenizer(self) -> Tokenizer:
        """What turns text into the model's ids."""
        return self.run.trainer.tokenizer if self.run else self._saved.tokenizer

    @property
    def settings(self) -> RunSettings:
        """The run's settings."""
        return self.run.trainer.settings if self.run else self._saved.settings

    @property
    def step(self) -> int:
        """How many steps are finished."""
        return self.run.trainer.step if self.run else self._saved.step

    @property
    def corpus_digest(self) -> str:
        """The digest of the run's text."""
        return self.run.trainer.corpus.digest if self.run else self._saved.corpus.digest

    @property
    def corpus_name(self) -> str:
        """The name of the run's text."""
        return self.run.trainer.corpus.name if self.run else self._saved.corpus.name

    def set_probe(self, text: str) -> list[TrainingEvent]:
        """Watch the attention over `text`, and tell what happened; VocabularyError for characters that the model does not know."""
        if self.run is not None:
            return self.run.change_probe(text)
        self.tokenizer.encode(text)
        self._probe = text
        return []

    def take_probe(self) -> ProbeTaken | None:
        """The attention over the probe as the model stands."""
        if self.run is not None:
            return self.run.trainer.take_probe()
        return look_at(self.model, self.tokenizer, self.tokenizer.encode(self._probe), self.step)

    def save_to(self, path: Path) -> None:
        """Write a checkpoint to `path`; raises CheckpointError where that fails."""
        if self.run is None:
            save_tensors(path, self._saved.tensors, self._saved.metadata)
            return
        event = self.run.save(path)
        if isinstance(event, CheckpointFailed):
            raise CheckpointError(event.message)

    def goes_on(self, settings: RunSettings, single_step: bool, *, is_finished: bool) -> bool:
        """Whether Train lets this run go on, or starts a new one."""
        if not is_finished:
            return True
        if settings.fixed_differences(self.settings):
            return False
        was_raised = settings.max_steps > self.settings.max_steps
        return single_step or (settings.max_steps > self.step and (self.is_from_checkpoint or was_raised))

    def way_back(self, event: RunFailed | LossSpiked) -> GoingBackOffered:
        """An offer of what goes on after what went wrong."""
        assert self.run is not None
        step, settings = self.run.way_back(event)
        return GoingBackOffered(step=step, settings=settings)

    def last_good(self, data_directory: Path, until: int | None = None) -> Self:
        """This run as it was saved or opened last, up to a step where `until` names one, or, where it never was, as it began."""
        assert self.run is not None
        trainer, directory = self.run.trainer, self.run.directory
        kept = (
            [each.path for each in directory.checkpoints.all()[::-1] if until is None or each.step <= until] if directory else []
        )
        for path in (*kept, self._origin):
            if path is not None:
                with suppress(CheckpointError):
                    opened = open_run(path)
                    run = Run.resume(opened.saved, trainer.corpus, data_directory, directory, self.run.parent)
                    return type(self)(run=run, origin=self._origin)
        return type(self)(run=Run.start(trainer.settings, trainer.corpus, data_directory, trainer.probe), origin=self._origin)


def _resume(opened: OpenedRun, corpus: Corpus, data_directory: Path) -> Run:
    return Run.resume(opened.saved, corpus, data_directory, opened.directory, opened.parent)
