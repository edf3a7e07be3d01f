"""New tensors: from data, of one value, in a series, and at random. `size` is sizes one by one or as one tuple.

All take `dtype` (float32 where nothing else is said), `requires_grad` and a `device`, which can only be the CPU.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nanograd.dtype import as_dtype, check_device, float32, int64, nearest_dtype
from nanograd.errors import ArgumentError, ShapeError
from nanograd.graph import Array
from nanograd.random import Generator, numpy_draws
from nanograd.tensor import Tensor, wrap

__all__ = [
    "arange", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "linspace", "multinomial", "ones", "ones_like",
    "rand", "rand_like", "randint", "randn", "randn_like", "randperm", "tensor", "zeros", "zeros_like",
]  # fmt: skip

Number = bool | int | float
_TensorMaker = Callable[..., Tensor]


def _finish(array: Any, dtype: Any, device: Any = None, requires_grad: bool = False) -> Tensor:
    check_device(device)
    result = wrap(np.asarray(array, as_dtype(dtype)))
    return result.requires_grad_() if requires_grad else result


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
    first = data
    while isinstance(first, list | tuple) and first:
        first = first[0]
    if isinstance(data, list | tuple) and any(isinstance(part, Tensor) for part in data):
        data = [part.tolist() if isinstance(part, Tensor) else part for part in data]
    array = np.array(data.array if isinstance(data, Tensor) else data)
    if dtype is None:
        is_wide = array.dtype == np.float64 and getattr(first, "dtype", None) == np.float64
        dtype = float32 if array.dtype == np.float64 and not is_wide else nearest_dtype(array.dtype)
    return _finish(array, dtype, device, requires_grad)


def from_numpy(ndarray: Array) -> Tensor:
    """A tensor that shares memory with an array of float32, float64, int64 or bool; another dtype is a TypeError."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy takes a numpy array, not {type(ndarray).__name__}: use tensor(data).")
    as_dtype(ndarray.dtype)
    return wrap(ndarray)


# ---- of one value, or in a series -------------------------------------------------------------------------------------


def _makers(name: str, text: str, make: Callable[..., Any]) -> tuple[_TensorMaker, _TensorMaker]:
    """The function that fills a tensor by `make(shape, dtype)`, and the one that does so in the likeness of another tensor."""

    def maker(
        *sizes: Any, size: Any = (), dtype: Any = None, device: Any = None, requires_grad: bool = False, **source: Any
    ) -> Tensor:
        wanted = as_dtype(dtype or float32)
        return _finish(make(_shape(sizes or (size,)), wanted, **source), wanted, device, requires_grad)

    def like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
        return maker(input.shape, dtype=dtype or input.dtype, device=device, requires_grad=requires_grad)

    maker.__name__, maker.__doc__ = name, text
    like.__name__, like.__doc__ = f"{name}_like", f"`{name}` in the shape and dtype of a tensor."
    return maker, like


zeros, zeros_like = _makers("zeros", "Zeros of the shape `size`.", np.zeros)
ones, ones_like = _makers("ones", "Ones in the shape `size`.", np.ones)
empty, empty_like = _makers("empty", "Numbers that mean nothing, in the shape `size`, to be written over.", np.empty)


def full(size: Any, fill_value: Number, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`fill_value` everywhere; without a dtype, in the value's own."""
    wanted = as_dtype(dtype) if dtype is not None else tensor(fill_value).dtype
    return _finish(np.full(_shape((size,)), fill_value, wanted), wanted, device, requires_grad)


def full_like(input: Tensor, fill_value: Number, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`fill_value` in the shape and dtype of a tensor."""
    return full(input.shape, fill_value, dtype or input.dtype, device, requires_grad)


def arange(
    start: Number = 0, end: Any = None, step: Number = 1, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """From `start` in steps to below `end`; arange(n) begins at 0. int64 where all are whole, otherwise float32."""
    begin, stop = (0, start) if end is None else (start, end)
    if step == 0 or (stop - begin) * step < 0:
        raise ArgumentError(f"arange goes from {begin} to {stop} in steps towards it; got the step {step}.")
    count = int(np.ceil((stop - begin) / step))
    is_whole = all(isinstance(value, int) for value in (begin, stop, step))
    return _finish(begin + np.arange(count) * step, dtype or (int64 if is_whole else float32), device, requires_grad)


def linspace(
    start: Number, end: Number, steps: int, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`steps` numbers evenly from `start` to `end`, both included."""
    return _finish(np.linspace(start, end, steps), dtype or float32, device, requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of (n, m), zeros elsewhere."""
    return _finish(np.eye(n, m), dtype or float32, device, requires_grad)


# ---- at random --------------------------------------------------------------------------------------------------------


rand, rand_like = _makers(
    "rand",
    "Evenly from 0 to below 1, in the shape `size`; from `generator` where one is given.",
    lambda shape, dtype, generator=None: numpy_draws(generator).random(shape, dtype),
)
randn, randn_like = _makers(
    "randn",
    "From the normal distribution of mean 0 and deviation 1, in the shape `size`; from `generator` where one is given.",
    lambda shape, dtype, generator=None: numpy_draws(generator).standard_normal(shape, dtype),
)


def randint(
    low: int = 0, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = None, device: Any = None
) -> Tensor:
    """Whole numbers from `low` to below `high`; randint(high, size) begins at 0. int64."""
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if high <= low:
        raise ArgumentError(f"randint needs high above low; got low {low}, high {high}.")
    return _finish(numpy_draws(generator).integers(low, high, _shape((size,))), dtype or int64, device)


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """0 to n - 1 in random order, int64."""
    return _finish(numpy_draws(generator).permutation(n), dtype or int64, device)


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor:
    """Indices drawn by weights (C,) or (N, C), which need not sum to 1: (num_samples,) or (N, num_samples), int64."""
    weights = np.atleast_2d(input.array.astype(np.float64))
    if input.ndim not in (1, 2) or (weights < 0).any() or not np.isfinite(weights).all():
        raise ArgumentError("multinomial takes weights (C,) or (N, C), finite and at least 0.")
    if num_samples < 1:
        raise ArgumentError(f"multinomial draws at least one sample; got num_samples {num_samples}.")
    available = (weights > 0).sum(axis=1).min() if len(weights) else 0
    if available < (1 if replacement else num_samples):
        raise ArgumentError(f"{num_samples} draws without replacement need as many weights above 0; there are {available}.")
    drawn = [numpy_draws(generator).choice(row.size, num_samples, replacement, row / row.sum()) for row in weights]
    return wrap(np.reshape(drawn, (*input.shape[:-1], num_samples)).astype(np.int64))
