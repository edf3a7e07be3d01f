"""Activations: the bends between linear layers. Each is applied number by number and keeps the shape.

relu(x) = max(x, 0). gelu(x) = x Phi(x) with the normal distribution's Phi (Hendrycks and Gimpel, 2016), either exactly by
the error function or, as in GPT-2, by x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
"""

from math import pi, sqrt

import numpy as np

from nanograd.erf import erf_array
from nanograd.graph import Array, Kernel
from nanograd.module import Module
from nanograd.tensor import Tensor, fused

_SLOPE, _CUBE = sqrt(2 / pi), 0.044715

# ---- the definitions --------------------------------------------------------------------------------------------------


def gelu_definition(input: Tensor, approximate: str = "none") -> Tensor:
    """GELU in primitives; the shape stays."""
    if approximate == "tanh":
        return input * 0.5 * (1.0 + (_SLOPE * (input + _CUBE * input**3)).tanh())
    return input * 0.5 * (1.0 + (input / sqrt(2)).erf())


# ---- the fast forms: the derivative is computed in the forward pass, while the numbers are in the cache ---------------

_CHUNK = 65536


def _gelu(x: Array, approximate: str) -> tuple[Array, tuple[Array]]:
    z, slope = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    flat_x, flat_z, flat_slope = x.reshape(-1), z.reshape(-1), slope.reshape(-1)
    chunk = _gelu_tanh_chunk if approximate == "tanh" else _gelu_exact_chunk
    for begin in range(0, x.size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        chunk(flat_x[part], flat_z[part], flat_slope[part])
    return z, (slope,)


def _gelu_tanh_chunk(x: Array, z: Array, slope: Array) -> None:
    """z = x h and dz/dx = h + x dh/dx, with h = (1 + tanh u) / 2, u = a (x + b x^3), dh/dx = 2 h (1 - h) du/dx."""
    number = x.dtype.type
    square = x * x
    h = square * number(_SLOPE * _CUBE)
    h += number(_SLOPE)
    h *= x
    np.tanh(h, out=h)
    h *= number(0.5)
    h += number(0.5)
    np.multiply(x, h, out=z)
    square *= number(6 * _SLOPE * _CUBE)
    square += number(2 * _SLOPE)
    np.subtract(number(1), h, out=slope)
    slope *= z
    slope *= square
    slope += h


def _gelu_exact_chunk(x: Array, z: Array, slope: Array) -> None:
    """z = x Phi(x) and dz/dx = Phi(x) + x phi(x)."""
    number = x.dtype.type
    phi = erf_array(x * number(sqrt(0.5)))
    phi += number(1)
    phi *= number(0.5)
    np.multiply(x, phi, out=z)
    np.multiply(x, x, out=slope)
    slope *= number(-0.5)
    np.exp(slope, out=slope)
    slope *= number(1 / sqrt(2 * pi))
    slope *= x
    slope += phi


def _gelu_backward(g: Array, needs: tuple[bool, ...], slope: Array) -> tuple[Array]:
    """The derivative was computed in the forward pass."""
    return (g * slope,)


_gelu_kernel = Kernel("gelu", _gelu, _gelu_backward)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """GELU, exact for "none" or by the hyperbolic tangent for "tanh"; the shape stays.

    >>> gelu(Tensor([0.0, 10.0]))
    tensor([ 0., 10.])
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"approximate is 'none' or 'tanh', not {approximate!r}.")
    return fused(_gelu_kernel, input, approximate=approximate)


def relu(input: Tensor) -> Tensor:
    """max(x, 0); the shape stays.

    >>> relu(Tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return input.relu()


class ReLU(Module):
    """`relu` as a layer. Input and output have the same shape."""

    def forward(self, input: Tensor) -> Tensor:
        """max(x, 0) of a tensor of any shape."""
        return input.relu()


class GELU(Module):
    """`gelu` as a layer. Input and output have the same shape."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """GELU of a tensor of any shape."""
        return gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """The form."""
        return f"approximate={self.approximate!r}"
