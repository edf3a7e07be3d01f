"""The windows of convolution and pooling: which numbers of (N, C, ...) a kernel lies on, in one or two spatial dimensions.

Along a dimension of size H, with kernel size k, stride s, padding p and dilation d, there are floor((H + 2 p - d (k - 1) - 1) / s) + 1
windows; position i of window h lies on s h + d i - p.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nanograd.errors import ArgumentError, ShapeError
from nanograd.graph import Array

Sizes = int | Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Where a kernel looks. Each entry is for one spatial dimension; padding is (before, behind)."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]

    @property
    def spans(self) -> tuple[int, ...]:
        """How far a kernel reaches."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def of(self, x: Array, padding: float = 0.0) -> Array:
        """What lies under each window of x with `padding` around it: (C, sizes ..., more) -> a view (C, kernel ..., windows ..., more).

        Raises ShapeError where no window fits.
        """
        padded = self._padded(x, padding)
        dims = len(self.kernel)
        sizes = padded.shape[1 : dims + 1]
        if any(span > size for span, size in zip(self.spans, sizes, strict=True)):
            raise ShapeError(f"A kernel that reaches over {self.spans} does not fit into an input of {sizes}, padding included.")
        view = sliding_window_view(padded, self.spans, axis=tuple(range(1, dims + 1)), writeable=True)
        view = np.moveaxis(view, range(-dims, 0), range(1, dims + 1))
        return view[:, *[slice(None, None, step) for step in (*self.dilation, *self.stride)]]

    def add_up(self, parts: Iterable[Array], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """The derivative of `of`: `parts` has, for each position in the kernel, what is to be added to x (`shape`) there."""
        padded = self._padded(np.zeros(shape, dtype), 0.0)
        places = replace(self, padding=((0, 0),) * len(self.kernel)).of(padded)
        for position, part in zip(np.ndindex(self.kernel), parts, strict=False):
            places[:, *position] += part  # at one position in the kernel no two windows overlap
        return padded[:, *[slice(before, before + size) for (before, _), size in zip(self.padding, shape[1:], strict=False)]]

    def _padded(self, x: Array, value: float) -> Array:
        if not any(before or behind for before, behind in self.padding):
            return x
        around = ((0, 0), *self.padding, *[(0, 0)] * (x.ndim - 1 - len(self.padding)))
        return np.pad(x, around, constant_values=value)


def make_windows(kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any) -> Windows:
    """Windows from arguments as PyTorch takes them; raises ValueError or ShapeError for what cannot be."""
    count = len(kernel)
    strides, dilations = as_sizes(stride, count, "stride", 1), as_sizes(dilation, count, "dilation", 1)
    if padding == "same":
        if max(strides) > 1:
            raise ArgumentError(f"padding='same' is for a stride of 1; got {stride}: give the padding in numbers.")
        totals = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
        around = tuple((total // 2, total - total // 2) for total in totals)
    elif isinstance(padding, str) and padding != "valid":
        raise ArgumentError(f"padding is a number, one for each spatial dimension, 'same' or 'valid', not {padding!r}.")
    else:
        around = tuple((p, p) for p in as_sizes(0 if padding == "valid" else padding, count, "padding", 0))
    return Windows(kernel=kernel, stride=strides, padding=around, dilation=dilations)


def as_sizes(given: Any, count: int, name: str, lowest: int) -> tuple[int, ...]:
    """A number, or one for each of `count` spatial dimensions, as that many."""
    sizes = (given,) * count if isinstance(given, int) else tuple(given)
    sizes = sizes * count if len(sizes) == 1 else sizes
    if len(sizes) != count or any(size < lowest for size in sizes):
        raise ShapeError(f"{name} is a number of at least {lowest}, or {count} of them; got {given}.")
    return sizes
