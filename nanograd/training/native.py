"""What is asked of the system and the C libraries below numpy: cores, on how many BLAS computes, and that memory is kept."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

_PREFIXES: Final = ("scipy_openblas_", "openblas_")
_SUFFIXES: Final = ("64_", "")
_M_TRIM_THRESHOLD: Final = -1  # the names and numbers of glibc's malloc.h
_M_TOP_PAD: Final = -2
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
_LARGEST_KEPT: Final = 32 * 1024 * 1024  # the most that glibc takes for M_MMAP_THRESHOLD


def core_count() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _openblas_libraries() -> Iterator[ctypes.CDLL]:
    package = Path(np.__file__).parent
    folders = [package.with_name("numpy.libs"), package / ".dylibs", package / ".libs"]
    for path in (path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir()) if "openblas" in path.name):
        with suppress(OSError):
            yield ctypes.CDLL(str(path))  # loaded already: this gives the same one


@cache
def _blas() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """The functions that tell and set how many threads the OpenBLAS that numpy brought uses; None where there is another BLAS."""
    for library in _openblas_libraries():
        for name in (f"{prefix}{{}}{suffix}" for prefix in _PREFIXES for suffix in _SUFFIXES):
            getter = getattr(library, name.format("get_num_threads"), None)
            setter = getattr(library, name.format("set_num_threads"), None)
            if getter is not None and setter is not None:
                getter.restype, setter.argtypes, setter.restype = ctypes.c_int, [ctypes.c_int], None
                return getter, setter
    return None


@cache
def blas_kernel() -> str:
    """Which kernels the OpenBLAS that numpy brought chose for this processor; "unknown" where there is another BLAS."""
    for library in _openblas_libraries():
        for prefix in _PREFIXES:
            for suffix in _SUFFIXES:
                getter = getattr(library, f"{prefix}get_corename{suffix}", None)
                if getter is not None:
                    getter.restype = ctypes.c_char_p
                    name: bytes = getter() or b"unknown"
                    return name.decode("ascii", "replace")
    return "unknown"


def blas_thread_count() -> int:
    """On how many threads BLAS computes outside of `blas_threads`; 0 where it does not tell."""
    functions = _blas()
    return functions[0]() if functions else 0


def can_set_blas_threads() -> bool:
    """Whether `blas_threads` has an effect here."""
    return _blas() is not None


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Let BLAS use `count` threads for each product inside the block, in all threads of this process, where it can be told so."""
    functions = _blas()
    if functions is None:
        yield
        return
    get_threads, set_threads = functions
    before = get_threads()
    set_threads(count)
    try:
        yield
    finally:
        set_threads(before)


@cache
def keep_freed_memory() -> None:
    """Let this process keep what it frees, up to 32 MB in a piece, so that the next step need not ask the system for it again.

    The system clears every page that it hands out, which takes a fourth of the time of a small training step. Without
    glibc this does nothing. It cannot be undone.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 1)  # what one thread freed, another can use
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(_M_TOP_PAD, _LARGEST_KEPT)
