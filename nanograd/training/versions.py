"""What the bits of a run depend on beside its settings and its text: the versions and the machine below it."""

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from nanograd.training.native import blas_kernel, blas_thread_count

_TITLES = {
    "nanograd": "nanograd",
    "python": "Python",
    "numpy": "numpy",
    "blas": "BLAS",
    "blas_kernel": "the BLAS kernel for the processor",
    "machine": "the machine",
    "parts": "the number of parts",
    "blas_threads": "the number of BLAS threads",
}
_HARMLESS = ("nanograd", "python")  # a difference there is told, but others come first as a cause


def present_versions(parts: int) -> dict[str, Any]:
    """The versions here, for a run whose batches are computed in this many parts."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "nanograd": _version_of_nanograd(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "blas_kernel": blas_kernel(),
        "machine": f"{platform.system()} {platform.machine()}",
        "parts": parts,
        "blas_threads": blas_thread_count() if parts == 1 else 1,
    }


def version_differences(recorded: Mapping[str, Any], present: Mapping[str, Any]) -> list[str]:
    """In words, what differs between the versions that a run was written with and those here, the likeliest cause first."""
    names = sorted(_TITLES, key=lambda name: name in _HARMLESS)
    return [
        f"{_TITLES[name]} was {recorded[name]} and is {present[name]}"
        for name in names
        if name in recorded and recorded[name] != present.get(name)
    ]


def _version_of_nanograd() -> str:
    try:
        return version("nanograd")
    except PackageNotFoundError:
        return "unknown"
