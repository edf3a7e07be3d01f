"""The run that the engine has loaded: one that can train, or, where its text is gone, a model to look at and write with."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gui.events import FormerRunFound
from nanograd.errors import CheckpointError
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.model_state import save_tensors
from nanograd.text.corpus import Corpus
from nanograd.text.tokenizer import Tokenizer
from nanograd.training.checkpoint import SavedRun, load_run, summarize
from nanograd.training.events import CheckpointFailed, ProbeTaken
from nanograd.training.looking import look_at
from nanograd.training.run import Run
from nanograd.training.run_directory import RunDirectory
from nanograd.training.settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Withheld:
    """A saved run that waits for its text."""

    saved: SavedRun
    model: GPTLanguageModel
    directory: RunDirectory | None


class LoadedRun:
    """A run with its text in `run`, otherwise what its checkpoint alone can give."""

    def __init__(self, *, run: Run | None, origin: Path | None = None, withheld: _Withheld | None = None) -> None:
        self.run = run
        self._origin = origin
        self._withheld = withheld
        self._probe = withheld.saved.probe if withheld else ""

    @classmethod
    def open(
        cls, saved: SavedRun, origin: Path, corpus: Corpus | None, data_directory: Path, directory: RunDirectory | None
    ) -> Self:
        """The run that was read from `origin`; raises CheckpointError where the file does not fit itself."""
        if corpus is not None:
            return cls(run=Run.resume(saved, corpus, data_directory, directory), origin=origin)
        withheld = _Withheld(saved=saved, model=saved.build_model(), directory=directory)
        return cls(run=None, origin=origin, withheld=withheld)

    def attach(self, corpus: Corpus, data_directory: Path) -> Run:
        """The run, now that its text is here."""
        if self.run is None:
            assert self._withheld is not None
            self.run = Run.resume(self._withheld.saved, corpus, data_directory, self._withheld.directory)
            self.run.trainer.set_probe(self._probe)
            self._withheld = None
        return self.run

    @property
    def _saved(self) -> SavedRun:
        assert self._withheld is not None
        return self._withheld.saved

    @property
    def is_from_checkpoint(self) -> bool:
        """Whether the run was opened rather than started."""
        return self._origin is not None

    @property
    def place(self) -> Path | None:
        """The folder that the run is kept in; None where it has none yet."""
        if self.run is not None:
            directory = self.run.directory
        else:
            assert self._withheld is not None
            directory = self._withheld.directory
        return directory.path if directory else None

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

    def set_probe(self, text: str) -> None:
        """Watch the attention over `text`; raises VocabularyError for characters that the model does not know."""
        if self.run is not None:
            self.run.trainer.set_probe(text)
        else:
            self.tokenizer.encode(text)
            self._probe = text

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

    def last_good(self, data_directory: Path) -> Self:
        """This run as it was saved or opened last or, where it never was, as it began."""
        assert self.run is not None
        trainer, directory = self.run.trainer, self.run.directory
        for path in (directory.checkpoint_path if directory else None, self._origin):
            if path is not None:
                with suppress(CheckpointError):
                    return type(self)(
                        run=Run.resume(load_run(path), trainer.corpus, data_directory, directory), origin=self._origin
                    )
        return type(self)(run=Run.start(trainer.settings, trainer.corpus, data_directory, trainer.probe), origin=self._origin)


def find_former_run(data_directory: Path) -> FormerRunFound | None:
    """The run that was saved last in an earlier session, so that the window can offer to go on with it."""
    latest = RunDirectory.latest(data_directory / "runs")
    summary = summarize(latest.checkpoint_path) if latest else None
    if latest is None or summary is None:
        return None
    return FormerRunFound(
        path=latest.checkpoint_path, corpus_name=summary.corpus_name, step=summary.step, max_steps=summary.max_steps
    )
