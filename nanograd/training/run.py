"""A run: a trainer with a place on disk, which passes the trainer's events on and keeps them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Self

from nanograd.errors import CheckpointError, SettingsError
from nanograd.text.cache import IdsCache
from nanograd.text.corpus import Corpus, describe_change, encode_again
from nanograd.training.checkpoint import CorpusRecord, SavedRun, save_run
from nanograd.training.estimate import check_memory
from nanograd.training.events import (
    CheckpointFailed,
    CheckpointSaved,
    EvaluationFinished,
    LossSpiked,
    ProbeChanged,
    ProbeTaken,
    RunFailed,
    RunFinished,
    RunStarted,
    SampleWritten,
    SettingsChanged,
    StepFinished,
    TrainingEvent,
)
from nanograd.training.kept_looks import MOST as MOST_LOOKS
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import OpenedRun, Parent, as_copy
from nanograd.training.settings import FIXED_BY_WEIGHTS, RunSettings, declared_settings
from nanograd.training.trainer import Trainer
from nanograd.training.versions import present_versions

AUTOSAVE_INTERVAL_S = 60.0
_FAILED_RATE, _SPIKED_RATE = 0.1, 0.5  # what a lower rate is, after a loss that is not finite and after a spike
_KEPT_BYTES = 1 << 26  # a text up to this size is kept with the runs, so that clearing the user's cache never costs it


class Run:
    """A trainer and its folder. It is saved at each evaluation, every minute, and when it ends.

    A disk that fails does not stop the training: a CheckpointFailed says so, and the next save tries again. While the run
    goes on nobody else can write its folder, until `close`. `parent` is the run that this one is a copy of, in a new folder.
    """

    def __init__(
        self, trainer: Trainer, data_directory: Path, directory: RunDirectory | None = None, parent: Parent | None = None
    ) -> None:
        self.trainer = trainer
        self.directory = directory
        self.parent = parent
        self.saved_step = -1
        self._data_directory = data_directory
        self._saved_at_s = monotonic()
        self._changes: list[SettingsChanged] = []
        self._notes = ""
        self._looks: list[ProbeTaken] = []
        self._is_written = False
        self._disk_problem = ""

    @classmethod
    def start(
        cls, settings: RunSettings, corpus: Corpus, data_directory: Path, probe: str | None = None, notes: str = ""
    ) -> Self:
        """A new run, whose folder is made when it begins; raises SettingsError or CorpusError where it cannot be."""
        check_memory(settings.check(), corpus.tokenizer.vocabulary_size)
        run = cls(Trainer(settings, corpus, probe), data_directory)
        run._notes = notes
        return run

    @classmethod
    def resume(
        cls,
        saved: SavedRun,
        corpus: Corpus,
        data_directory: Path,
        directory: RunDirectory | None = None,
        parent: Parent | None = None,
    ) -> Self:
        """A run that goes on from a checkpoint, in its own folder, or in a new one where the checkpoint lay elsewhere."""
        run = cls(saved.build_trainer(corpus), data_directory, directory, parent)
        run.saved_step = saved.step
        if directory is not None:
            run._changes = [replace(change, step=min(change.step, saved.step)) for change in directory.changes()]
        return run

    @classmethod
    def fork(cls, opened: OpenedRun, settings: RunSettings, corpus: Corpus, data_directory: Path) -> Self:
        """A new run that goes on from a checkpoint with other settings, all that its weights allow.

        Raises SettingsError or CheckpointError where they do not.
        """
        fixed = [name for name in opened.saved.settings.fixed_differences(settings) if name in FIXED_BY_WEIGHTS]
        if fixed:
            labels = declared_settings()
            reason = "cannot change in a copy, since the weights were made for it; start a new run to change it."
            raise SettingsError({name: f"{labels[name].label} {reason}" for name in fixed})
        saved = replace(opened.saved, settings=settings.check())
        check_memory(settings, saved.tokenizer.vocabulary_size)
        run = cls(saved.build_trainer(corpus), data_directory, parent=as_copy(opened).parent)
        run._changes = _changes_between(opened.saved.settings, settings, saved.step)
        return run

    def events(self, single_step: bool = False) -> Iterator[TrainingEvent]:
        """Train to the end or for one step, and pass on each event once it is kept.

        Raises RunLockedError where another window or process writes the run.
        """
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
                case ProbeTaken():
                    self._looks.append(event)
                    del self._looks[:-MOST_LOOKS]
                    yield event
                case _:
                    yield from self._keep(event)
                    yield event
                    if self._save_is_due(event):
                        yield self.save()

    def change_settings(self, settings: RunSettings) -> list[TrainingEvent]:
        """Go on with other settings, after a checkpoint with those before; returns what happened, nothing where none differs.

        Raises SettingsError, with nothing changed, where one differs that is fixed for the whole run.
        """
        trainer = self.trainer
        changes = _changes_between(trainer.settings, settings, trainer.step)
        if not changes:
            return []
        trainer.check_change(settings)
        has_gone_on = self.directory is not None and self.saved_step != trainer.step
        happened: list[TrainingEvent] = [self.save()] if has_gone_on else []
        trainer.change_settings(settings)
        if self.directory is not None or trainer.step > 0:  # before that, the run begins with them
            self._changes += changes
            happened += [*self._keep(changes[0]), *changes]
        return happened

    def change_probe(self, text: str) -> list[TrainingEvent]:
        """Watch another text, after a checkpoint with the one before; returns what happened, nothing where it is the same.

        Raises VocabularyError, with nothing changed, for characters that the model does not know.
        """
        trainer, before = self.trainer, self.trainer.probe
        if text == before:
            return []
        trainer.tokenizer.encode(text)
        has_gone_on = self.directory is not None and self.saved_step != trainer.step
        happened: list[TrainingEvent] = [self.save()] if has_gone_on else []
        trainer.set_probe(text)
        if self.directory is None:  # the run begins with it
            return happened
        event = ProbeChanged(step=trainer.step, before=before, after=text)
        return [*happened, *self._keep(event), event]

    def way_back(self, event: RunFailed | LossSpiked) -> tuple[int, RunSettings]:
        """From where to go on after what went wrong, and how: the step of the last checkpoint before it, and lower rates.

        The step is 0 where there is none: the run begins anew.
        """
        kept = self.directory.checkpoints.all() if self.directory else []
        good = max((checkpoint.step for checkpoint in kept if checkpoint.step < event.step), default=0)
        return good, self.trainer.settings.with_rates_times(_SPIKED_RATE if isinstance(event, LossSpiked) else _FAILED_RATE)

    def close(self) -> None:
        """Let others write the run's folder."""
        if self.directory is not None:
            self.directory.release()

    # ---- the folder ---------------------------------------------------------------------------------------------------

    def _write_beginning(self) -> None:
        """Make the folder where there is none yet, and write what a run has from its start."""
        if self.directory is None:
            self._make_directory()
            return
        self.directory.lock()
        if self._is_written:
            self.directory.write_settings(self.trainer.settings)
            return
        if not self._disk_problem:  # what is there was left by another process
            self.directory.mend(self.trainer.step)
        self._save_ids()
        self._write_all(self.directory)
        self._is_written = True

    def _make_directory(self) -> RunDirectory:
        """A folder with all that the run has so far, a checkpoint too, so that whatever comes then, it can be opened."""

        def fill(directory: RunDirectory) -> None:
            self._write_all(directory)
            directory.write_notes(self._notes)
            if self.parent is not None:
                directory.write_parent(self.parent.name, self.parent.step)
            save_run(directory.checkpoint_path, self.trainer)

        self._save_ids()
        self.directory = RunDirectory.create(self._data_directory / "runs", self.trainer.corpus.name, fill)
        self.directory.lock()
        self.saved_step = self.trainer.step
        self._is_written = True
        return self.directory

    def _write_all(self, directory: RunDirectory) -> None:
        trainer = self.trainer
        directory.write_settings(trainer.settings)
        directory.write_corpus(CorpusRecord.of(trainer.corpus).as_dict())
        directory.rewrite_changes(self._changes)
        directory.rewrite_metrics(trainer.metrics.arrays(), trainer.digests)
        directory.note_versions(trainer.step, present_versions(trainer.part_count))
        directory.note_probe(trainer.step, trainer.probe)

    def _save_ids(self) -> None:
        text = self.trainer.corpus.text
        if not text.is_cached or text.byte_count <= _KEPT_BYTES:
            _corpora(self._data_directory).add(text)

    def _keep(self, event: TrainingEvent) -> Iterator[CheckpointFailed]:
        if not isinstance(event, StepFinished | EvaluationFinished | SampleWritten | SettingsChanged | ProbeChanged):
            return
        before = self._disk_problem
        self._try_writing(lambda: self._record(event))
        if before and not self._disk_problem:
            self._write_again()
        if self._disk_problem and self._disk_problem != before:
            yield CheckpointFailed(step=self.trainer.step, message=self._disk_problem)

    def _write_again(self) -> None:
        """Write what a disk that failed has missed."""
        self._is_written = False
        self._try_writing(self._write_beginning)

    def _record(self, event: TrainingEvent) -> None:
        if self.directory is None:
            self._make_directory()  # which writes what the event tells, too, but for samples
            if not isinstance(event, SampleWritten):
                return
        assert self.directory is not None
        self.directory.record(event)
        if isinstance(event, EvaluationFinished | ProbeChanged):
            self.directory.note_probe(event.step, self.trainer.probe)

    def _try_writing(self, write: Callable[[], object]) -> None:
        try:
            write()
            self._disk_problem = ""
        except OSError as error:
            self._disk_problem = self._describe(error)
        except CheckpointError as error:
            self._disk_problem = str(error)

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
            target = path or self._save_newest()
            if path is not None:
                save_run(path, self.trainer)
            elif self._disk_problem:  # the disk is back: what it missed is written now
                self._write_again()
        except OSError as error:
            return CheckpointFailed(step=self.trainer.step, message=self._describe(error))
        except CheckpointError as error:
            return CheckpointFailed(step=self.trainer.step, message=str(error))
        return CheckpointSaved(step=self.trainer.step, path=target)

    def _save_newest(self) -> Path:
        trainer = self.trainer
        if self.directory is not None and not self.directory.path.is_dir():  # somebody took it away: the run gets another
            self.directory.release()
            self.directory = None
        if self.directory is None:
            return self._make_directory().checkpoint_path
        checkpoints = self.directory.checkpoints
        save_run(checkpoints.newest_path, trainer, checkpoints.place_for_newest(trainer.step))
        self.saved_step = trainer.step
        self._keep_looks(self.directory)
        metrics, settings = trainer.metrics.arrays(), trainer.settings
        losses = dict(zip(metrics.validation_steps.tolist(), metrics.validation_loss.tolist(), strict=True))
        checkpoints.prune(losses, settings.keep_every, settings.disk_budget * 1_000_000)
        return checkpoints.newest_path

    def _keep_looks(self, directory: RunDirectory) -> None:
        """Write the looks since the last checkpoint; where that fails, they wait for the next one."""
        with suppress(OSError, CheckpointError):
            directory.looks.add(self._looks)
            self._looks.clear()


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


def _changes_between(before: RunSettings, after: RunSettings, step: int) -> list[SettingsChanged]:
    """What differs, as one event; none where nothing does."""
    old, new = before.as_dict(), after.as_dict()
    changes = tuple((name, old[name], new[name]) for name in old if old[name] != new[name])
    return [SettingsChanged(step=step, changes=changes)] if changes else []
