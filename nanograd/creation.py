"""New tensors: from data, of one value, in a series, and at random. `size` is sizes one by one or as one tuple.

All take `dtype` (float32 where nothing else is said), `requires_grad` and a `device`, which can only be the CPU.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nanograd.dtype import as_dtype, check_device, float32, int64, nearest_dtype
from nanograd.errors import ShapeError
from nanograd.graph import Array
from nanograd.random import Generator, current_generator
from nanograd.tensor import Tensor, wrap

Number = bool | int | float


def _finish(array: Array, requires_grad: bool = False, device: Any = None) -> Tensor:
    check_device(device)
    return wrap(array).requires_grad_(requires_grad) if requires_grad else wrap(array)


def _shape(size: tuple[Any, ...]) -> tuple[int, ...]:
    given = size[0] if len(size) == 1 and isinstance(size[0], Sequence) else size
    shape = tuple(int(length) for length in given)
    if any(length < 0 for length in shape):
        raise ShapeError(f"Sizes are at least 0; got {shape}.")
    return shape


# ---- from data --------------------------------------------------------------------------------------------------------


def tensor(data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of `data`, copied; its dtype is inferred where none is given: float32, int64 or bool from Python's numbers.

    >>> tensor([1, 2]).dtype
    dtype('int64')
    """
    if isinstance(data, list | tuple) and any(isinstance(part, Tensor) for part in data):
        data = [part.tolist() if isinstance(part, Tensor) else part for part in data]
    array = np.array(data.array if isinstance(data, Tensor) else data)
    if dtype is None:
        is_python = not isinstance(data, Tensor | np.ndarray | np.generic)
        dtype = float32 if array.dtype == np.float64 and is_python else nearest_dtype(array.dtype)
    return _finish(array.astype(as_dtype(dtype)), requires_grad, device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, without copying where it is one, or an array, of that dtype."""
    if isinstance(data, np.ndarray):
        data = from_numpy(data)
    return data.to(dtype=dtype, device=device) if isinstance(data, Tensor) else tensor(data, dtype, device)


def from_numpy(ndarray: Array) -> Tensor:
    """A tensor that shares memory with an array of float32, float64, int64 or bool; another dtype is a TypeError."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy takes a numpy array, not {type(ndarray).__name__}: use tensor(data).")
    as_dtype(ndarray.dtype)
    return wrap(ndarray)


# ---- of one value, or in a series -------------------------------------------------------------------------------------


def zeros(*sizes: Any, size: Any = (), dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros.

    >>> zeros(2, 2)
    tensor([[0., 0.],
            [0., 0.]])
    """
    return _finish(np.zeros(_shape(sizes or (size,)), as_dtype(dtype or float32)), requires_grad, device)


def ones(*sizes: Any, size: Any = (), dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones."""
    return _finish(np.ones(_shape(sizes or (size,)), as_dtype(dtype or float32)), requires_grad, device)


def empty(*sizes: Any, size: Any = (), dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Numbers that mean nothing, to be written over."""
    return _finish(np.empty(_shape(sizes or (size,)), as_dtype(dtype or float32)), requires_grad, device)


def full(size: Any, fill_value: Number, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`fill_value` everywhere; without a dtype, in the value's own."""
    wanted = as_dtype(dtype) if dtype is not None else tensor(fill_value).dtype
    return _finish(np.full(_shape((size,)), fill_value, wanted), requires_grad, device)


def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape and dtype of a tensor."""
    return zeros(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape and dtype of a tensor."""
    return ones(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Numbers that mean nothing, in the shape and dtype of a tensor."""
    return empty(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def full_like(input: Tensor, fill_value: Number, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`fill_value` in the shape and dtype of a tensor."""
    return full(input.shape, fill_value, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def arange(
    start: Number = 0,
    end: Number | None = None,
    step: Number = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """From `start` in steps to below `end`; arange(n) begins at 0. int64 where all are whole, otherwise float32."""
    begin, stop = (0, start) if end is None else (start, end)
    if step == 0 or (stop - begin) * step < 0:
        raise ValueError(f"arange goes from {begin} to {stop} in steps towards it; got the step {step}.")
    count = int(np.ceil((stop - begin) / step))
    is_whole = all(isinstance(value, int) for value in (begin, stop, step))
    values = begin + np.arange(count) * step
    return _finish(values.astype(as_dtype(dtype) if dtype is not None else int64 if is_whole else float32), requires_grad, device)


def linspace(
    start: Number, end: Number, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` numbers evenly from `start` to `end`, both included."""
    return _finish(np.linspace(start, end, steps).astype(as_dtype(dtype or float32)), requires_grad, device)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of (n, m), zeros elsewhere."""
    return _finish(np.eye(n, m, dtype=as_dtype(dtype or float32)), requires_grad, device)


# ---- at random --------------------------------------------------------------------------------------------------------


def _draws(generator: Generator | None) -> np.random.Generator:
    return (generator or current_generator()).numpy


def rand(
    *sizes: Any,
    size: Any = (),
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Evenly from 0 to below 1."""
    return _finish(_draws(generator).random(_shape(sizes or (size,)), as_dtype(dtype or float32)), requires_grad, device)


def randn(
    *sizes: Any,
    size: Any = (),
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """From the normal distribution of mean 0 and deviation 1."""
    return _finish(_draws(generator).standard_normal(_shape(sizes or (size,)), as_dtype(dtype or float32)), requires_grad, device)


def rand_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`rand` in the shape and dtype of a tensor."""
    return rand(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`randn` in the shape and dtype of a tensor."""
    return randn(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)


def randint(
    low: int = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Whole numbers from `low` to below `high`; randint(high, size) begins at 0. int64."""
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if high <= low:
        raise ValueError(f"randint needs high above low; got low {low}, high {high}.")
    return _finish(_draws(generator).integers(low, high, _shape((size,))).astype(as_dtype(dtype or int64)), device=device)


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """0 to n - 1 in random order, int64."""
    return _finish(_draws(generator).permutation(n).astype(as_dtype(dtype or int64)), device=device)


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor:
    """Indices drawn by weights (C,) or (N, C), which need not sum to 1: (num_samples,) or (N, num_samples), int64."""
    weights = np.atleast_2d(input.array.astype(np.float64))
    if input.ndim not in (1, 2) or (weights < 0).any() or not np.isfinite(weights).all():
        raise ValueError("multinomial takes weights (C,) or (N, C), finite and at least 0.")
    if num_samples < 1:
        raise ValueError(f"multinomial draws at least one sample; got num_samples {num_samples}.")
    available = (weights > 0).sum(axis=1).min() if len(weights) else 0
    if available < (1 if replacement else num_samples):
        raise ValueError(f"{num_samples} draws without replacement need as many weights above 0; there are {available}.")
    if replacement:
        cumulative = np.cumsum(weights, axis=1)
        points = _draws(generator).random((len(weights), num_samples)) * cumulative[:, -1:]
        drawn = np.stack([np.searchsorted(row, at, side="right") for row, at in zip(cumulative, points, strict=True)])
    else:  # the largest of exponential races: Efraimidis and Spirakis, 2006
        with np.errstate(divide="ignore"):
            races = _draws(generator).standard_exponential(weights.shape) / weights
        drawn = np.argsort(races, axis=1, kind="stable")[:, :num_samples]
    return wrap((drawn[0] if input.ndim == 1 else drawn).astype(np.int64))
