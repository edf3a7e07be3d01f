"""Pooling: the largest number, or the mean, of each window of (N, C, H, W), channel by channel."""

from typing import Any

import numpy as np

from nanograd.errors import ShapeError, refuse
from nanograd.graph import Array, Kernel
from nanograd.module import Module
from nanograd.tensor import Tensor
from nanograd.windows import Sizes, Windows, apply_windows, as_sizes, make_windows

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


# ---- the fast forms: one pass over all windows for each position in the kernel ----------------------------------------


def _max_pool(x: Array, windows: Windows) -> tuple[Array, tuple[Any, ...]]:
    outputs, padded = windows.output_sizes(x.shape[2:]), windows.pad(x, -np.inf)
    z = np.full((*x.shape[:2], *outputs), -np.inf, x.dtype)
    chosen = np.zeros(z.shape, np.int32)
    for number, (_, place) in enumerate(windows.places(outputs)):
        part = padded[..., *place]
        is_larger = (part > z) | np.isnan(part)
        np.copyto(z, part, where=is_larger)
        chosen[is_larger] = number
    return z, (x.shape, chosen, windows)


def _max_pool_backward(
    g: Array, needs: tuple[bool, ...], shape: tuple[int, ...], chosen: Array, windows: Windows
) -> tuple[Array]:
    """The gradient goes to the number that was chosen in each window."""
    d_padded = np.zeros((*shape[:2], *windows.padded_sizes(shape[2:])), g.dtype)
    for number, (_, place) in enumerate(windows.places(g.shape[2:])):
        d_padded[..., *place] += g * (chosen == number)
    return (d_padded[..., *windows.inside(shape[2:])],)


def _average_pool(x: Array, windows: Windows, counts_padding: bool) -> tuple[Array, tuple[Any, ...]]:
    outputs, padded = windows.output_sizes(x.shape[2:]), windows.pad(x)
    inside = windows.pad(np.ones((1, 1, *x.shape[2:]), x.dtype), value=float(counts_padding))
    z = np.zeros((*x.shape[:2], *outputs), x.dtype)
    counts = np.zeros((1, 1, *outputs), x.dtype)
    for _, place in windows.places(outputs):
        z += padded[..., *place]
        counts += inside[..., *place]
    z /= counts
    return z, (x.shape, counts, windows)


def _average_pool_backward(
    g: Array, needs: tuple[bool, ...], shape: tuple[int, ...], counts: Array, windows: Windows
) -> tuple[Array]:
    """Each number in a window gets an equal share of its gradient."""
    d_padded = np.zeros((*shape[:2], *windows.padded_sizes(shape[2:])), g.dtype)
    share = g / counts
    for _, place in windows.places(g.shape[2:]):
        d_padded[..., *place] += share
    return (d_padded[..., *windows.inside(shape[2:])],)


_max_kernel = Kernel("max_pool", _max_pool, _max_pool_backward)
_average_kernel = Kernel("avg_pool", _average_pool, _average_pool_backward)


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
    windows = _pool_windows(kernel_size, stride, padding, dilation, ceil_mode)
    return apply_windows(_max_kernel, 2, input, windows=windows)


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
    return apply_windows(_average_kernel, 2, input, windows=windows, counts_padding=count_include_pad)


def _pool_windows(kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Windows:
    refuse(ceil_mode, "ceil_mode=True", "pad the input instead")
    kernel = as_sizes(kernel_size, 2, "kernel_size", 1)
    windows = make_windows(kernel, kernel_size if stride is None else stride, padding, dilation)
    if any(2 * before > span for (before, _), span in zip(windows.padding, windows.spans, strict=True)):
        raise ShapeError(f"Padding is at most half of what the kernel reaches over, {windows.spans}; got {padding}.")
    return windows


class MaxPool2d(Module):
    """`max_pool2d` as a layer."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        refuse(return_indices, "return_indices=True", "leave it out")
        _pool_windows(kernel_size, stride, padding, dilation, ceil_mode)  # raises here what forward would
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H', W'), or both without N."""
        return max_pool2d(input, self.kernel_size, self.stride, self.padding, self.dilation)

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}"


class AvgPool2d(Module):
    """`avg_pool2d` as a layer."""

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        _pool_windows(kernel_size, stride, padding, 1, ceil_mode)  # raises here what forward would
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.count_include_pad = padding, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H', W'), or both without N."""
        return avg_pool2d(input, self.kernel_size, self.stride, self.padding, count_include_pad=self.count_include_pad)

    def extra_repr(self) -> str:
        """The windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
