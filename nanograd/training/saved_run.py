"""Opening a run that was saved: by its folder, its newest checkpoint, an older one, or a copy from elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from nanograd.errors import CheckpointError, RunLockedError, SettingsError
from nanograd.training.checkpoint import SavedRun, load_run
from nanograd.training.events import SettingsChanged
from nanograd.training.run_directory import RunDirectory
from nanograd.training.settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The run and the step that another run goes on from."""

    name: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenedRun:
    """A saved run and where it goes on: in its `directory`, or, without one, in a new folder as a child of `parent`.

    `origin` is the checkpoint it was read from; `notice` a remark for the reader, such as that a damaged one was passed over.
    """

    saved: SavedRun
    origin: Path
    directory: RunDirectory | None = None
    parent: Parent | None = None
    notice: str = ""

    def release(self) -> None:
        """Let others write the run."""
        if self.directory is not None:
            self.directory.release()


def open_run(path: Path) -> OpenedRun:
    """The run at `path`, a run's folder or a checkpoint; raises CheckpointError where none can be read.

    The newest checkpoint goes on in its folder; where it is damaged, the one before it does. From an older one, and from a
    copy elsewhere, a new run goes on.
    """
    directory = _directory_of(path)
    if directory is not None:
        return _open_newest(directory)
    saved, home = load_run(path), RunDirectory.around(path.absolute())
    return OpenedRun(saved=saved, origin=path, parent=Parent(name=home.path.name, step=saved.step) if home else None)


def open_at(folder: Path, step: int | None) -> OpenedRun:
    """The run in `folder` as it was saved after `step` steps, or newest where that is None; CheckpointError where that is gone."""
    if step is None:
        return open_run(folder)
    kept = {checkpoint.step: checkpoint.path for checkpoint in RunDirectory(folder).checkpoints.all()}
    if step not in kept:
        raise CheckpointError(f"The checkpoint of step {step:,} is not kept any more. {_kept_steps(RunDirectory(folder))}")
    return open_run(kept[step])


def open_to_write(path: Path, until: int | None = None) -> OpenedRun:
    """The run at `path`, locked before it is read so that nobody else writes it; raises RunLockedError where somebody does.

    It is as it was saved last or, where `until` names a step, last up to that one.
    """
    directory = _directory_of(path)
    if directory is None:
        if until is not None:
            raise CheckpointError("A whole run goes back to an earlier step; give its name or its folder.")
        return open_run(path)
    try:
        directory.lock()
    except OSError as error:
        reason = error.strerror or error
        return as_copy(
            _open_newest(directory, until), f"Its folder cannot be written ({reason}), so training goes on in a new one."
        )
    try:
        return _open_newest(directory, until)
    except BaseException:
        directory.release()
        raise


def open_to_write_or_copy(path: Path) -> OpenedRun:
    """As `open_to_write`, but a run that somebody else is writing goes on as a copy, as the notice then says."""
    try:
        return open_to_write(path)
    except RunLockedError:
        return as_copy(open_run(path), "Another window or process is writing this run; training here goes on in a copy.")


def as_copy(opened: OpenedRun, notice: str = "") -> OpenedRun:
    """The same run as one that goes on in a new folder."""
    if opened.directory is None:
        return opened
    parent = Parent(name=opened.directory.path.name, step=opened.saved.step)
    return replace(opened, directory=None, parent=parent, notice=f"{opened.notice} {notice}".strip())


def _directory_of(path: Path) -> RunDirectory | None:
    """The folder that a run opened at `path` goes on in: that of a folder or of its newest checkpoint; None otherwise."""
    if path.is_dir():
        return RunDirectory(path)
    directory = RunDirectory.around(path.absolute())
    is_newest = directory is not None and path.absolute() == directory.checkpoints.newest_path
    return directory if is_newest else None


def settings_after(settings: RunSettings, changes: Iterable[SettingsChanged]) -> RunSettings:
    """The settings once these changes were made; raises SettingsError where they do not fit."""
    values = settings.as_dict()
    for change in changes:
        values |= {name: after for name, _, after in change.changes}
    return RunSettings.from_dict(values)


def _open_newest(directory: RunDirectory, until: int | None = None) -> OpenedRun:
    """The run as its newest checkpoint that can be read has it, of those up to a step where `until` names one."""
    paths = directory.checkpoints.paths()
    if until is not None and paths:
        paths = [kept.path for kept in directory.checkpoints.all()[::-1] if kept.step <= until]
        if not paths:
            raise CheckpointError(f"No checkpoint up to step {until:,} is kept any more. {_kept_steps(directory)}")
    if not paths:
        raise CheckpointError(f"There is no checkpoint in {directory.path}. Choose the folder of a run, or a checkpoint.")
    problems: list[CheckpointError] = []
    for path in paths:
        try:
            saved = load_run(path)
        except CheckpointError as error:
            problems.append(error)
        else:
            return OpenedRun(
                saved=_with_latest_settings(saved, directory),
                origin=path,
                directory=directory,
                notice=f"{problems[0]} The one before it, of step {saved.step:,}, was opened." if problems else "",
            )
    raise problems[0]


def _kept_steps(directory: RunDirectory) -> str:
    steps = ", ".join(f"{kept.step:,}" for kept in directory.checkpoints.all()) or "none"
    return f"Those kept are of steps: {steps}."


def _with_latest_settings(saved: SavedRun, directory: RunDirectory) -> SavedRun:
    """With the changes that were made after the checkpoint was written."""
    changes = [change for change in directory.changes() if change.step >= saved.step]
    try:
        settings = settings_after(saved.settings, changes)
    except SettingsError:
        return saved
    return saved if settings.fixed_differences(saved.settings) else replace(saved, settings=settings)
