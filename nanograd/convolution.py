"""Convolution (LeCun et al., 1989) of (N, C, L) or (N, C, H, W) with zeros around it.

y[n, o, h, w] = bias[o] + the sum over c, i, j of weight[o, c, i, j] x[n, c, s h + d i - p, s w + d j - p], with stride s,
padding p and dilation d. With G groups an output channel sees only the C / G input channels of its group.
"""

from math import prod
from typing import Any

import numpy as np

from nanograd.creation import zeros
from nanograd.errors import ShapeError, refuse
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.joining import cat, einsum
from nanograd.module import Module, uniform_parameter
from nanograd.tensor import Tensor, fused
from nanograd.windows import Sizes, Windows, as_sizes, make_windows

# ---- the definition ---------------------------------------------------------------------------------------------------


def convolution_definition(input: Tensor, weight: Tensor, bias: Tensor | None, windows: Windows, groups: int = 1) -> Tensor:
    """Convolution in primitives: what lies under each window times each kernel. (N, C, H, W) -> (N, O, H', W')."""
    N, C, *sizes = input.shape
    places = windows.of(np.arange(prod(sizes)).reshape(1, *sizes), padding=-1)[0]  # in the flat input; -1 is padding
    flat = cat([input.reshape(N, C, -1), zeros(N, C, 1, dtype=input.dtype)], 2)  # what lies at -1 is 0
    seen = flat[:, :, places.reshape(prod(windows.kernel), -1)].reshape(N, groups, C // groups, prod(windows.kernel), -1)
    result = einsum("ngckl,gock->ngol", seen, weight.reshape(groups, -1, *seen.shape[2:4]))
    result = result.reshape(N, -1, *places.shape[len(sizes) :])
    return result if bias is None else result + bias.reshape(-1, *(1,) * len(sizes))


# ---- the fast form: all windows as columns, and one product of matrices for each group. Samples come last, (C, H, W, N), so
# ---- that what is copied lies in long runs ---------------------------------------------------------------------------


def _convolution(x: Array, weight: Array, *bias: Array, windows: Windows, groups: int) -> Fused:
    seen = windows.of(_samples_last(x))
    outputs = seen.shape[x.ndim - 1 :]
    columns = seen.reshape(groups, weight[0].size, prod(outputs))
    kernels = weight.reshape(groups, len(weight) // groups, weight[0].size)
    product = kernels @ columns
    if bias:
        product += bias[0].reshape(groups, -1, 1)
    z = np.ascontiguousarray(np.moveaxis(product.reshape(len(weight), *outputs), -1, 0))
    return z, (x, weight, kernels, columns, windows)  # the columns may be a view of x


def _convolution_backward(
    g: Array, needs: Needs, x: Array, weight: Array, kernels: Array, columns: Array, windows: Windows
) -> Gradients:
    """Differentiates, from the last line up: adding the bias, kernels @ columns, and the windows, which overlap."""
    rows = _samples_last(g).reshape(*kernels.shape[:2], columns.shape[2])
    dx = d_weight = None
    if needs[0]:
        d_columns = (kernels.swapaxes(1, 2) @ rows).reshape(x.shape[1], prod(windows.kernel), *g.shape[2:], len(x))
        dx = np.moveaxis(windows.add_up(d_columns.swapaxes(0, 1), (*x.shape[1:], len(x)), g.dtype), -1, 0)
    if needs[1]:
        d_weight = (rows @ columns.swapaxes(1, 2)).reshape(weight.shape)
    return [dx, d_weight, rows.sum(axis=2).reshape(-1)][: len(needs)]


def _samples_last(x: Array) -> Array:
    return np.ascontiguousarray(np.moveaxis(x, 0, -1))


_kernel = Kernel("convolution", _convolution, _convolution_backward)


def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, *steps: Any, **named: Any) -> Tensor:
    """Convolution of (N, C, L) or (C, L) with a weight (O, C / groups, K): (N, O, L') or (O, L').

    `stride`, `padding`, `dilation` and `groups` follow as in `conv2d`.

    >>> conv1d(Tensor([[1.0, 2.0, 3.0]]), Tensor([[[1.0, 1.0]]]))
    tensor([[3., 5.]])
    """
    return _convolve(1, input, weight, bias, *steps, **named)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution of (N, C, H, W) or (C, H, W) with a weight (O, C / groups, KH, KW): (N, O, H', W') or (O, H', W').

    `stride`, `padding` and `dilation` are a number or one for each spatial dimension; `padding` is by zeros, "valid" for
    none or "same" for as many as keep the size. Raises ShapeError where shapes do not fit.
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


def _convolve(
    dims: int, x: Tensor, weight: Tensor, bias: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Tensor:
    if weight.ndim != dims + 2 or x.ndim not in (dims + 1, dims + 2):
        raise ShapeError(f"conv{dims}d takes inputs and weights of {dims + 2} dimensions; got {x.shape} and {weight.shape}.")
    channels = weight.shape[1] * groups
    if groups < 1 or channels != x.shape[-dims - 1] or weight.shape[0] % groups:
        expected = f"{channels} input channels, and output channels that groups divides"
        raise ShapeError(f"With groups={groups} a weight {weight.shape} expects {expected}; got the input {x.shape}.")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"The bias has one number for each of the {weight.shape[0]} output channels; got {bias.shape}.")
    if x.dtype != weight.dtype:
        raise ShapeError(f"Convolution needs one dtype; got {x.dtype} and a weight of {weight.dtype}: use .to() on one.")
    x._require_floats(f"conv{dims}d")
    samples = x if x.ndim == dims + 2 else x.unsqueeze(0)
    windows = make_windows(weight.shape[2:], stride, padding, dilation)
    result = fused(_kernel, samples, weight, *(() if bias is None else (bias,)), windows=windows, groups=groups)
    return result if samples is x else result.squeeze(0)


class _Convolution(Module):
    """What the layers share: a weight and a bias drawn evenly from -1/sqrt(n) to 1/sqrt(n), n the numbers one output sees."""

    _dims: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        refuse(padding_mode != "zeros", f"padding_mode={padding_mode!r}", "use 'zeros', or pad the input yourself")
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ShapeError(f"groups divides in_channels {in_channels} and out_channels {out_channels}; got {groups}.")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        windows = make_windows(as_sizes(kernel_size, self._dims, "kernel_size", 1), stride, padding, dilation)
        self.kernel_size, self.stride, self.dilation = windows.kernel, windows.stride, windows.dilation
        self.padding = padding if isinstance(padding, str) else as_sizes(padding, self._dims, "padding", 0)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        bound = max(prod(shape[1:]), 1) ** -0.5
        self.weight = uniform_parameter(shape, bound)
        self.bias = uniform_parameter(shape[:1], bound) if bias else None

    def forward(self, input: Tensor) -> Tensor:
        """(N, in_channels, ...) -> (N, out_channels, ...), or both without N."""
        return _convolve(self._dims, input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        """The sizes, and the settings that are not the defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        text += f", padding={self.padding}" if self.padding != (0,) * self._dims else ""
        text += f", dilation={self.dilation}" if self.dilation != (1,) * self._dims else ""
        text += f", groups={self.groups}" if self.groups != 1 else ""
        return text if self.bias is not None else f"{text}, bias=False"


class Conv1d(_Convolution):
    """`conv1d` with a learned weight and bias.

    >>> Conv1d(2, 4, kernel_size=3, padding="same")(zeros(1, 2, 8)).shape
    (1, 4, 8)
    """

    _dims = 1


class Conv2d(_Convolution):
    """`conv2d` with a learned weight and bias.

    >>> Conv2d(1, 4, kernel_size=3, stride=2, padding=1)(zeros(1, 1, 8, 8)).shape
    (1, 4, 4, 4)
    """

    _dims = 2
