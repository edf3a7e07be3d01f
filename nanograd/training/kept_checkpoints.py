"""Which of a run's checkpoints are kept: the last two, the best and every n-th, within a budget."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nanograd.model_state import read_metadata

CHECKPOINT_NAME = "checkpoint.safetensors"
FORMER_FOLDER = "checkpoints"
_PREFIX, _SUFFIX = "step-", ".safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCheckpoint:
    """A checkpoint that lies in a run's folder."""

    path: Path
    step: int
    byte_count: int


class KeptCheckpoints:
    """The newest lies in the run's folder as checkpoint.safetensors, those before it in checkpoints/, named for their steps."""

    def __init__(self, folder: Path) -> None:
        self.newest_path = folder / CHECKPOINT_NAME
        self._former_folder = folder / FORMER_FOLDER

    def paths(self) -> list[Path]:
        """All of them, newest first; whether they can be read is open."""
        newest = [self.newest_path] if self.newest_path.is_file() else []
        return newest + [checkpoint.path for checkpoint in reversed(self._former())]

    def all(self) -> list[KeptCheckpoint]:
        """All whose step is known, oldest first."""
        newest = self._newest()
        return self._former() + ([newest] if newest else [])

    def byte_count(self) -> int:
        """What they take on the disk."""
        return sum(checkpoint.byte_count for checkpoint in self.all())

    def place_for_newest(self, next_step: int) -> Path | None:
        """Where the newest goes when that of `next_step` comes; None where it is not from before, or damaged.

        Raises OSError where its folder cannot be made.
        """
        newest = self._newest()
        if newest is None or newest.step >= next_step:
            return None
        self._former_folder.mkdir(exist_ok=True)
        return self._former_folder / f"{_PREFIX}{newest.step:09}{_SUFFIX}"

    def forget_after(self, step: int) -> None:
        """Remove those from beyond `step`: the run goes on from there, and makes them again. The one of `step` is the newest then."""
        newest = self._newest()
        for checkpoint in self._former():
            if checkpoint.step > step:
                checkpoint.path.unlink(missing_ok=True)
            elif checkpoint.step == step and newest is not None and newest.step > step:
                checkpoint.path.replace(self.newest_path)

    def prune(self, losses: Mapping[int, float], keep_every: int, budget_bytes: int) -> None:
        """Remove what is not kept. `losses` are those on validation by step; `keep_every` is in steps, 0 for none.

        Beyond the budget the oldest go first, never the last or the best. What cannot be removed stays.
        """
        everything = self.all()
        measured = [checkpoint for checkpoint in everything if checkpoint.step in losses]
        best = min(measured, key=lambda checkpoint: losses[checkpoint.step], default=None)
        kept = [
            checkpoint
            for checkpoint in everything
            if checkpoint is best or checkpoint in everything[-2:] or (keep_every and checkpoint.step % keep_every == 0)
        ]
        total = sum(checkpoint.byte_count for checkpoint in kept)
        for checkpoint in list(kept[:-1]):
            if total > budget_bytes and checkpoint is not best:
                kept.remove(checkpoint)
                total -= checkpoint.byte_count
        for checkpoint in everything:
            if checkpoint not in kept:
                with suppress(OSError):
                    checkpoint.path.unlink()

    def _newest(self) -> KeptCheckpoint | None:
        metadata = read_metadata(self.newest_path) or {}
        step = metadata.get("step", "")
        if not (step.isascii() and step.isdigit()):
            return None
        return _kept(self.newest_path, int(step))

    def _former(self) -> list[KeptCheckpoint]:
        with suppress(OSError):
            paths = list(self._former_folder.glob(f"{_PREFIX}*{_SUFFIX}"))
            numbers = {path: path.name[len(_PREFIX) : -len(_SUFFIX)] for path in paths}
            found = [_kept(path, int(number)) for path, number in numbers.items() if number.isascii() and number.isdigit()]
            return sorted((kept for kept in found if kept is not None), key=lambda kept: kept.step)
        return []


def _kept(path: Path, step: int) -> KeptCheckpoint | None:
    try:
        return KeptCheckpoint(path=path, step=step, byte_count=path.stat().st_size)
    except OSError:
        return None
