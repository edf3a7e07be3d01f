"""A run: a trainer with a place on disk, which passes the trainer's events on and keeps them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Self

from nanograd.errors import CheckpointError
from nanograd.text.cache import IdsCache
from nanograd.text.corpus import Corpus, describe_change, encode_again
from nanograd.training.checkpoint import CorpusRecord, SavedRun, save_run
from nanograd.training.estimate import check_memory
from nanograd.training.events import (
    CheckpointFailed,
    CheckpointSaved,
    EvaluationFinished,
    RunFinished,
    RunStarted,
    SampleWritten,
    StepFinished,
    TrainingEvent,
)
from nanograd.training.run_directory import RunDirectory
from nanograd.training.settings import RunSettings
from nanograd.training.trainer import Trainer

AUTOSAVE_INTERVAL_S = 60.0
_KEPT_BYTES = 1 << 26  # a text up to this size is kept with the runs, so that clearing the user's cache never costs it


class Run:
    """A trainer and its folder. It is saved at each evaluation, every minute, and when it ends.

    A disk that fails does not stop the training: a CheckpointFailed says so, and the next save tries again.
    """

    def __init__(self, trainer: Trainer, data_directory: Path, directory: RunDirectory | None = None) -> None:
        self.trainer = trainer
        self.directory = directory
        self.saved_step = -1
        self._data_directory = data_directory
        self._saved_at_s = monotonic()
        self._disk_problem = ""

    @classmethod
    def start(cls, settings: RunSettings, corpus: Corpus, data_directory: Path, probe: str | None = None) -> Self:
        """A new run, whose folder is made when it begins; raises SettingsError or CorpusError where it cannot be."""
        check_memory(settings.check(), corpus.tokenizer.vocabulary_size)
        return cls(Trainer(settings, corpus, probe), data_directory)

    @classmethod
    def resume(cls, saved: SavedRun, corpus: Corpus, data_directory: Path, directory: RunDirectory | None = None) -> Self:
        """A run that goes on from a checkpoint, in its own folder, or in a new one where the checkpoint lay elsewhere."""
        run = cls(saved.build_trainer(corpus), data_directory, directory)
        run.saved_step = saved.step
        return run

    def events(self, single_step: bool = False) -> Iterator[TrainingEvent]:
        """Train to the end or for one step, and pass on each event once it is kept."""
        for event in self.trainer.run(single_step):
            match event:
                case RunStarted():
                    self._try_writing(self._write_beginning)
                    yield replace(event, run_directory=self.directory.path if self.directory else None)
                    if self._disk_problem:
                        yield CheckpointFailed(step=event.step, message=self._disk_problem)
                case RunFinished():
                    yield self.save()
                    yield event
                case _:
                    yield from self._keep(event)
                    yield event
                    if self._save_is_due(event):
                        yield self.save()

    def _write_beginning(self) -> None:
        """Make the folder where there is none yet, and write what a run has from its start."""
        directory = self._require_directory()
        directory.write_settings(self.trainer.settings)
        directory.write_corpus(CorpusRecord.of(self.trainer.corpus).as_dict())
        directory.rewrite_metrics(self.trainer.metrics.arrays())
        text = self.trainer.corpus.text
        if not text.is_cached or text.byte_count <= _KEPT_BYTES:
            _corpora(self._data_directory).add(text)

    def _require_directory(self) -> RunDirectory:
        if self.directory is None:
            self.directory = RunDirectory.create(self._data_directory / "runs", self.trainer.corpus.name)
        return self.directory

    def _keep(self, event: TrainingEvent) -> Iterator[CheckpointFailed]:
        if not isinstance(event, StepFinished | EvaluationFinished | SampleWritten):
            return
        before = self._disk_problem
        self._try_writing(lambda: self._require_directory().record(event))
        if before and not self._disk_problem:  # the disk is back: what it missed is written now
            self._try_writing(self._write_beginning)
        if self._disk_problem and self._disk_problem != before:
            yield CheckpointFailed(step=self.trainer.step, message=self._disk_problem)

    def _try_writing(self, write: Callable[[], None]) -> None:
        try:
            write()
            self._disk_problem = ""
        except OSError as error:
            self._disk_problem = self._describe(error)

    def _describe(self, error: OSError) -> str:
        reason = error.strerror or "the disk may be full"  # numpy gives no reason where it could write only a part
        return (
            f"The run cannot be written to {self._data_directory}: {reason}. "
            "It goes on in memory; make room there, or allow writing."
        )

    def _save_is_due(self, event: TrainingEvent) -> bool:
        """After an evaluation, which found the weights good, or a minute after the last save."""
        match event:
            case EvaluationFinished():
                return True
            case StepFinished():
                return monotonic() - self._saved_at_s >= AUTOSAVE_INTERVAL_S
            case _:
                return False

    def save(self, path: Path | None = None) -> CheckpointSaved | CheckpointFailed:
        """Write the run's checkpoint, or a copy of it to `path`."""
        self._saved_at_s = monotonic()
        try:
            target = path or self._require_directory().checkpoint_path
            save_run(target, self.trainer)
        except OSError as error:
            return CheckpointFailed(step=self.trainer.step, message=self._describe(error))
        except CheckpointError as error:
            return CheckpointFailed(step=self.trainer.step, message=str(error))
        if path is None:
            self.saved_step = self.trainer.step
        return CheckpointSaved(step=self.trainer.step, path=target)


def find_corpus(saved: SavedRun, data_directory: Path, cache: IdsCache | None = None) -> Corpus | None:
    """The text that a run was trained on, from a cache or from where it lay; None where all are gone.

    Where its files have changed or vanished since, its `notice` says so.
    """
    record = saved.corpus
    source = record.text_source()
    for place in (cache, _corpora(data_directory)):
        text = place.find(record.digest, saved.tokenizer) if place else None
        if text is not None:
            notice = describe_change(source, record.stamp, record.digest) if source else ""
            return Corpus(name=record.name, text=text, source=source, stamp=record.stamp, notice=notice)
    found = encode_again(source, saved.tokenizer, record.digest, cache) if source else None
    return replace(found, name=record.name) if found else None


def _corpora(data_directory: Path) -> IdsCache:
    return IdsCache(data_directory / "corpora")
