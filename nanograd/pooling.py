"""Pooling of (N, C, H, W), channel by channel: the mean of each window (LeCun et al., 1998), or its largest (Ranzato et al., 2007).

y[n, c, h, w] = max, or mean, over i, j of x[n, c, s h + d i - p, s w + d j - p], with stride s, padding p and dilation d.
"""

from itertools import count, repeat
from math import prod
from typing import Any

import numpy as np

from nanograd.errors import ShapeError, refuse
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.module import FunctionLayer
from nanograd.tensor import Tensor, fused
from nanograd.windows import Sizes, Windows, as_sizes, make_windows

# ---- the definitions --------------------------------------------------------------------------------------------------


def max_pool_definition(input: Tensor, kernel_size: int) -> Tensor:
    """Pooling by the largest in primitives, for sizes that `kernel_size` divides: (N, C, k H, k W) -> (N, C, H, W)."""
    return _blocks(input, kernel_size).amax((3, 5))


def average_pool_definition(input: Tensor, kernel_size: int) -> Tensor:
    """Pooling by the mean in primitives, for sizes that `kernel_size` divides: (N, C, k H, k W) -> (N, C, H, W)."""
    return _blocks(input, kernel_size).mean((3, 5))


def _blocks(input: Tensor, size: int) -> Tensor:
    N, C, H, W = input.shape
    return input.reshape(N, C, H // size, size, W // size, size)


# ---- the fast forms: on all channels of all samples alike, (M, H, W) ---------------------------------------------------


def _max_pool(x: Array, windows: Windows) -> Fused:
    seen = windows.of(x, padding=-np.inf)
    z = np.full(seen[:, 0, 0].shape, -np.inf, x.dtype)
    chosen = np.zeros(z.shape, np.int32)
    for number, position in enumerate(np.ndindex(windows.kernel)):
        part = seen[:, *position]
        is_larger = (part > z) | np.isnan(part)
        np.copyto(z, part, where=is_larger)
        np.copyto(chosen, number, where=is_larger)
    return z, (x.shape, chosen, windows)


def _max_pool_backward(g: Array, needs: Needs, shape: tuple[int, ...], chosen: Array, windows: Windows) -> Gradients:
    """The gradient goes to the number that was chosen in each window."""
    return (windows.add_up((g * (chosen == number) for number in count()), shape, g.dtype),)


def _average_pool(x: Array, windows: Windows, counts_padding: bool) -> Fused:
    counts = windows.of(np.ones((1, *x.shape[1:]), x.dtype), padding=float(counts_padding)).sum(axis=(1, 2))
    seen = windows.of(x)
    total = sum(seen[:, *position] for position in np.ndindex(windows.kernel))  # faster than numpy's sum over two dimensions
    return total / counts, (x.shape, counts, windows)


def _average_pool_backward(g: Array, needs: Needs, shape: tuple[int, ...], counts: Array, windows: Windows) -> Gradients:
    """Each number in a window gets an equal share of its gradient."""
    return (windows.add_up(repeat(g / counts), shape, g.dtype),)


_max_kernel = Kernel("max_pool2d", _max_pool, _max_pool_backward)
_average_kernel = Kernel("avg_pool2d", _average_pool, _average_pool_backward)


def max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    """The largest number of each window of (N, C, H, W) or (C, H, W), whose `stride` is its size where none is given.

    >>> max_pool2d(Tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2)
    tensor([[[4.]]])
    """
    refuse(return_indices, "return_indices=True", "leave it out")
    return _pool(_max_kernel, input, _pool_windows(kernel_size, stride, padding, dilation, ceil_mode))


def avg_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (N, C, H, W) or (C, H, W), whose `stride` is its size where none is given.

    Padding counts as zeros, or not at all without `count_include_pad`.

    >>> avg_pool2d(Tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2)
    tensor([[[2.5000]]])
    """
    refuse(divisor_override is not None, "divisor_override", "multiply the result instead")
    windows = _pool_windows(kernel_size, stride, padding, 1, ceil_mode)
    return _pool(_average_kernel, input, windows, counts_padding=count_include_pad)


def _pool_windows(kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Windows:
    refuse(ceil_mode, "ceil_mode=True", "pad the input instead")
    kernel = as_sizes(kernel_size, 2, "kernel_size", 1)
    windows = make_windows(kernel, kernel_size if stride is None else stride, padding, dilation)
    if any(2 * before > span for (before, _), span in zip(windows.padding, windows.spans, strict=True)):
        raise ShapeError(f"Padding is at most half of what the kernel reaches over, {windows.spans}; got {padding}.")
    return windows


def _pool(kernel: Kernel, input: Tensor, windows: Windows, **parameters: Any) -> Tensor:
    if input.ndim not in (3, 4):
        raise ShapeError(f"{kernel.name} takes an input (N, C, H, W) or (C, H, W); got {input.shape}.")
    input._require_floats(kernel.name)
    images = input.reshape(prod(input.shape[:-2]), *input.shape[-2:])
    result = fused(kernel, images, windows=windows, **parameters)
    return result.reshape(*input.shape[:-2], *result.shape[1:])


class _Pool2d(FunctionLayer):
    """A kind of pooling as a layer: (N, C, H, W) -> (N, C, H', W'), or both without N."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.stride: Any = self.kernel_size if vars(self)["stride"] is None else vars(self)["stride"]
        dilation = getattr(self, "dilation", 1)
        _pool_windows(self.kernel_size, self.stride, self.padding, dilation, self.ceil_mode)  # raises here what forward would


class MaxPool2d(_Pool2d, function=max_pool2d, shows="kernel_size stride padding dilation ceil_mode"):
    """`max_pool2d` as a layer: (N, C, H, W) -> (N, C, H', W'), or both without N."""


class AvgPool2d(_Pool2d, function=avg_pool2d, shows="kernel_size stride padding"):
    """`avg_pool2d` as a layer: (N, C, H, W) -> (N, C, H', W'), or both without N."""
