"""The windows of convolution and pooling: which numbers of (N, C, ...) a kernel lies on, in one or two spatial dimensions.

Along a dimension of size H, with kernel size k, stride s, padding p and dilation d, there are floor((H + 2 p - d (k - 1) - 1) / s) + 1
windows; position i of window h lies on s h + d i - p.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanograd.errors import ShapeError
from nanograd.graph import Array, Kernel
from nanograd.tensor import Tensor, fused

Sizes = int | Sequence[int]
Index = tuple[Any, ...]


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

    def padded_sizes(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The spatial sizes with padding."""
        return tuple(size + before + behind for size, (before, behind) in zip(sizes, self.padding, strict=True))

    def output_sizes(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """How many windows there are; raises ShapeError where none fits."""
        padded = self.padded_sizes(sizes)
        if any(span > size for span, size in zip(self.spans, padded, strict=True)):
            raise ShapeError(f"A kernel that reaches over {self.spans} does not fit into an input of {padded}, padding included.")
        return tuple((size - span) // s + 1 for size, span, s in zip(padded, self.spans, self.stride, strict=True))

    def pad(self, x: Array, value: float = 0.0) -> Array:
        """x (N, C, ...) with `value` around it."""
        if not any(before or behind for before, behind in self.padding):
            return x
        return np.pad(x, ((0, 0), (0, 0), *self.padding), constant_values=value)

    def inside(self, sizes: tuple[int, ...]) -> Index:
        """The spatial part of a padded array that is not padding."""
        return tuple(slice(before, before + size) for (before, _), size in zip(self.padding, sizes, strict=True))

    def places(self, outputs: tuple[int, ...]) -> Iterator[tuple[Index, Index]]:
        """Each position in the kernel, and the spatial part of a padded array that lies there under all windows."""
        for position in np.ndindex(self.kernel):
            begins = [i * d for i, d in zip(position, self.dilation, strict=True)]
            steps = zip(begins, outputs, self.stride, strict=True)
            yield position, tuple(slice(b, b + (size - 1) * s + 1, s) for b, size, s in steps)


def make_windows(kernel: tuple[int, ...], stride: Any, padding: Any, dilation: Any) -> Windows:
    """Windows from arguments as PyTorch takes them; raises ValueError or ShapeError for what cannot be."""
    count = len(kernel)
    strides, dilations = as_sizes(stride, count, "stride", 1), as_sizes(dilation, count, "dilation", 1)
    if padding == "same":
        if max(strides) > 1:
            raise ValueError(f"padding='same' is for a stride of 1; got {stride}: give the padding in numbers.")
        totals = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
        around = tuple((total // 2, total - total // 2) for total in totals)
    elif isinstance(padding, str) and padding != "valid":
        raise ValueError(f"padding is a number, one for each spatial dimension, 'same' or 'valid', not {padding!r}.")
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


def apply_windows(kernel: Kernel, dims: int, input: Tensor, *others: Tensor, **parameters: Any) -> Tensor:
    """The kernel on (N, C, ...), or on one sample (C, ...)."""
    if input.ndim not in (dims + 1, dims + 2):
        raise ShapeError(f"{kernel.name} takes an input of {dims + 2} dimensions (N, C, ...), or one less; got {input.shape}.")
    input._require_floats(kernel.name)
    if input.ndim == dims + 2:
        return fused(kernel, input, *others, **parameters)
    return fused(kernel, input.unsqueeze(0), *others, **parameters).squeeze(0)
