"""A lock on a run's folder that ends with the process that holds it, however that ends."""

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import sleep
from weakref import finalize

from nanograd.errors import RunLockedError

_ATTEMPTS, _PAUSE_S = 4, 0.01
_LOCKED_BYTE = 1 << 30  # Windows lets nobody read a byte that is locked, so it lies beyond what is written


class RunLock:
    """Held from its making until `release`; raises RunLockedError where another window or process holds it.

    What the file says of the holder is for people; the lock itself is the system's.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock_patiently(descriptor)
        except OSError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise RunLockedError(
                f"The run {path.parent.name} is being written by another window or process{holder}. "
                "Close it there, or go on in a copy of your own."
            ) from None
        self._close: Callable[[], object] = finalize(self, os.close, descriptor)
        since = datetime.now().isoformat(timespec="seconds")
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"process": os.getpid(), "since": since}).encode() + b"\n")

    def release(self) -> None:
        """Let others have the run."""
        self._close()


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock at `path` now."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        _lock(descriptor)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock_patiently(descriptor: int) -> None:
    """Take the lock, once more after a moment where it is held: somebody may only have asked whether it is."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return _lock(descriptor)
        except OSError:
            sleep(_PAUSE_S)
    return _lock(descriptor)


def _holder(descriptor: int) -> str:
    try:
        return f" (process {int(json.loads(os.read(descriptor, 200))['process'])})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
