"""Replays a run a step at a time, so that commands come in between."""

from collections.abc import Callable, Iterator
from pathlib import Path

from gui.events import EngineEvent, VerificationStopped
from nanograd.errors import CheckpointError, CorpusError
from nanograd.text.cache import IdsCache
from nanograd.training.events import VerificationAdvanced, VerificationFinished
from nanograd.training.run import find_corpus
from nanograd.training.saved_run import open_run
from nanograd.training.verification import verify


class Verifier:
    """At most one replay at a time; a new one ends the one before."""

    def __init__(self, data_directory: Path, cache: IdsCache, emit: Callable[[EngineEvent], None]) -> None:
        self._data_directory = data_directory
        self._cache = cache
        self._emit = emit
        self._replay: Iterator[VerificationAdvanced | VerificationFinished] | None = None
        self._step = 0

    @property
    def is_verifying(self) -> bool:
        """Whether a replay is under way."""
        return self._replay is not None

    def start(self, path: Path, from_step: int | None) -> None:
        """Begin to replay the run in the folder `path`; raises CheckpointError or CorpusError where it cannot be."""
        self.stop()
        opened = open_run(path)
        if opened.directory is None:
            raise CheckpointError(f"{path.name} lies in no run's folder, so there is nothing to compare it with.")
        corpus = find_corpus(opened.saved, self._data_directory, self._cache)
        if corpus is None:
            raise CorpusError(
                f"The text of this run, {opened.saved.corpus.name}, is not where it was; open the run and its text first."
            )
        self._step = 0
        self._replay = verify(opened.directory, corpus, from_step)

    def advance(self) -> None:
        """Take the next step, and tell of it; what goes wrong ends the replay and is raised."""
        replay, self._replay = self._replay, None
        try:
            event = next(replay, None) if replay else None
        except BaseException:
            self._emit(VerificationStopped(step=self._step))
            raise
        if isinstance(event, VerificationAdvanced):
            self._step, self._replay = event.step, replay
        if event is not None:
            self._emit(event)

    def stop(self) -> None:
        """End the replay under way, if there is one."""
        if self._replay is not None:
            self._replay = None
            self._emit(VerificationStopped(step=self._step))
