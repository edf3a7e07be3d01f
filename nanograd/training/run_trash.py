"""Runs that were deleted lie in a trash inside the data folder, and can be put back, until it is emptied."""

import shutil
from contextlib import suppress
from pathlib import Path
from time import time

from nanograd.errors import RunLockedError
from nanograd.training.run_directory import RunDirectory

KEPT_S = 30 * 24 * 3600.0


class RunTrash:
    """The trash of a data folder. Nothing is copied: a run moves there and back by a new name."""

    def __init__(self, data_directory: Path) -> None:
        self._runs = data_directory / "runs"
        self._folder = data_directory / "trash"

    def put(self, run: RunDirectory) -> Path:
        """Move a run here, and return its place; raises RunLockedError where somebody writes it, OSError where it cannot move.

        What was put here more than 30 days ago is gone for good then.
        """
        if run.is_locked():
            raise RunLockedError(f"The run {run.path.name} is open or being written; close it, then delete it.")
        self._folder.mkdir(exist_ok=True)
        self._forget_old()
        place = _free(self._folder / run.path.name)
        run.path.rename(place)
        with suppress(OSError):
            place.touch()  # when it was deleted
        return place

    def put_back(self, place: Path) -> RunDirectory:
        """Move a run that `put` moved to `place` back among the others; raises OSError where that fails."""
        self._runs.mkdir(exist_ok=True)
        home = _free(self._runs / place.name)
        place.rename(home)
        return RunDirectory(home)

    def byte_count(self) -> int:
        """What it all takes on the disk."""
        return sum(RunDirectory(path).byte_count() for path in self._places())

    def empty(self) -> None:
        """Remove all that is here, for good; raises OSError where something cannot be removed."""
        for place in self._places():
            shutil.rmtree(place)

    def _forget_old(self) -> None:
        for place in self._places():
            with suppress(OSError):
                if time() - place.stat().st_mtime > KEPT_S:
                    shutil.rmtree(place)

    def _places(self) -> list[Path]:
        with suppress(OSError):
            return sorted(path for path in self._folder.iterdir() if path.is_dir())
        return []


def _free(path: Path) -> Path:
    """The path itself or, where something is there, one with a number."""
    number = 2
    free = path
    while free.exists():
        free = path.with_name(f"{path.name}-{number}")
        number += 1
    return free
