"""Writing a file so that it is there whole or not at all."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, write: Callable[[BinaryIO], object], set_aside: Path | None = None) -> None:
    """Call `write` with an open file that takes the place of `path` once everything is on the disk.

    Whatever `write` or the disk raises goes on to the caller, and what was at `path` before stays as it was. Where all
    goes well, what was there moves to `set_aside` if that is given, which lies on the same disk.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    partial = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        _put_in_place(partial, target, set_aside)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    _sync_folder(target.parent)


def remove_partial_files(folder: Path) -> None:
    """Remove what a killed process left half-written in `folder`, which no other process may be writing to."""
    with suppress(OSError):
        for partial in folder.glob(".*.part"):
            partial.unlink()


def _put_in_place(partial: Path, target: Path, set_aside: Path | None) -> None:
    if set_aside is None or not target.exists():
        os.replace(partial, target)
        return
    os.replace(target, set_aside)
    try:
        os.replace(partial, target)
    except OSError:
        os.replace(set_aside, target)
        raise


def _sync_folder(folder: Path) -> None:
    """Make the new name itself last through a loss of power, where the system can (Windows opens no folders)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
