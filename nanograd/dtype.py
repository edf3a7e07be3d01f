"""The kinds of number that a tensor can hold, and which one a combination of two has: PyTorch's rules."""

from typing import Any, Final

import numpy as np

from nanograd.errors import ArgumentError

Dtype = np.dtype[Any]

float32: Final[Dtype] = np.dtype(np.float32)
float64: Final[Dtype] = np.dtype(np.float64)
int64: Final[Dtype] = np.dtype(np.int64)
bool_: Final[Dtype] = np.dtype(np.bool_)
float_, double, long = float32, float64, int64

FLOATS: Final = (float32, float64)
_RANK: Final = {bool_: 0, int64: 1, float32: 2, float64: 2}


def as_dtype(dtype: Any) -> Dtype:
    """One of the four dtypes; Python's own `float` is float64, `int` is int64. Raises TypeError for another."""
    found: Dtype = np.dtype(dtype)
    if found not in _RANK:
        raise TypeError(f"Tensors are float32, float64, int64 or bool; there is no {found} here: use the nearest of these.")
    return found


def nearest_dtype(dtype: Dtype) -> Dtype:
    """The dtype in which a tensor holds an array of `dtype`: other integers become int64, half floats float32."""
    if dtype.kind in "iu":
        return int64
    return float32 if dtype == np.float16 else as_dtype(dtype)


def common_dtype(a: Dtype, a_ndim: int, b: Dtype, b_ndim: int) -> Dtype:
    """The dtype of a combination: floats win over integers, these over bool; within a kind, dimensions win over one number."""
    if _RANK[a] != _RANK[b]:
        return a if _RANK[a] > _RANK[b] else b
    if bool(a_ndim) != bool(b_ndim):
        return a if a_ndim else b
    return a if a == b else float64


class device(str):  # noqa: N801 - PyTorch's name
    """Where numbers lie, as torch.device: only "cpu" exists here, and ArgumentError answers another.

    >>> device("cpu").type
    'cpu'
    """

    __slots__ = ()

    def __new__(cls, type: str = "cpu", index: int | None = None) -> "device":
        """The CPU, under its name."""
        if str(type).split(":")[0] != "cpu":
            raise ArgumentError(f"nanograd computes on the CPU only; got device {str(type)!r}: use 'cpu', or leave it out.")
        return super().__new__(cls, "cpu")

    @property
    def type(self) -> str:
        """Always "cpu"."""
        return "cpu"

    def __repr__(self) -> str:
        return "device(type='cpu')"


CPU: Final = device("cpu")


def check_device(wanted: Any) -> None:
    """Raise ArgumentError for any device but the CPU, which is the only one here."""
    if wanted is not None:
        device(wanted)
