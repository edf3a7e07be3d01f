"""Activations: the bends between linear layers. Each is applied number by number and keeps the shape.

relu(x) = max(x, 0), and leaky_relu(x) = a x below 0. gelu(x) = x Phi(x) with the normal distribution's Phi (Hendrycks and
Gimpel, 2016), either exactly by the error function or, as in GPT-2, by x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
sigmoid(x) = 1 / (1 + e^-x), silu(x) = x sigmoid(x), softplus(x) = log(1 + e^(beta x)) / beta.
"""

from collections.abc import Callable
from functools import lru_cache
from math import pi, sqrt
from typing import Any

import numpy as np

from nanograd.erf import erf_array
from nanograd.errors import ArgumentError, refuse_inplace
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs, Operation
from nanograd.module import FunctionLayer
from nanograd.tensor import Tensor, apply, fused

_SLOPE, _CUBE = sqrt(2 / pi), 0.044715

# ---- the definitions --------------------------------------------------------------------------------------------------


def gelu_definition(input: Tensor, approximate: str = "none") -> Tensor:
    """GELU in primitives; the shape stays."""
    if approximate == "tanh":
        return input * 0.5 * (1.0 + (_SLOPE * (input + _CUBE * input**3)).tanh())
    return input * 0.5 * (1.0 + (input / sqrt(2)).erf())


def leaky_relu_definition(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Leaky ReLU in primitives; the shape stays."""
    return input.relu() - (-input).relu() * negative_slope


def silu_definition(input: Tensor) -> Tensor:
    """SiLU in primitives; the shape stays."""
    return input * input.sigmoid()


def softplus_definition(input: Tensor, beta: float = 1.0) -> Tensor:
    """Softplus in primitives, which overflows for large numbers; the shape stays."""
    return (input * beta).exp().log1p() / beta


# ---- the fast forms: the derivative is computed in the forward pass, while the numbers are in the cache ---------------

_CHUNK = 65536


def _in_chunks(x: Array, chunk: Callable[[Array, Array, Array], None]) -> Fused:
    """The result z and dz/dx, which `chunk(x, z, slope)` writes for one part after another."""
    z, slope = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    flat_x, flat_z, flat_slope = x.reshape(-1), z.reshape(-1), slope.reshape(-1)
    for begin in range(0, x.size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        chunk(flat_x[part], flat_z[part], flat_slope[part])
    return z, (slope,)


def _times_slope(g: Array, needs: Needs, slope: Array) -> Gradients:
    """The derivative was computed in the forward pass."""
    return (g * slope,)


def _gelu(x: Array, approximate: str) -> Fused:
    return _in_chunks(x, _gelu_tanh_chunk if approximate == "tanh" else _gelu_exact_chunk)


def gelu_array(x: Array, approximate: str) -> Array:
    """GELU of an array, without its derivative."""
    slope, cube, one, half, root_half = _numbers(x.dtype)
    if approximate == "tanh":
        z = x * x
        z *= cube
        z += slope
        z *= x
        np.tanh(z, out=z)
    else:
        z = erf_array(x * root_half)
    z += one
    z *= half
    z *= x
    return z


@lru_cache(maxsize=8)
def _numbers(dtype: Any) -> tuple[Array, ...]:
    """GELU's constants as arrays of no dimensions, with which numpy computes fastest."""
    return tuple(np.array(number, dtype) for number in (_SLOPE, _SLOPE * _CUBE, 1, 0.5, sqrt(0.5)))


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


def _silu_chunk(x: Array, z: Array, slope: Array) -> None:
    """z = x s and dz/dx = s + z (1 - s), with s = 1 / (1 + e^-x)."""
    number = x.dtype.type
    np.negative(x, out=slope)
    np.exp(slope, out=slope)
    slope += number(1)
    np.reciprocal(slope, out=slope)
    np.multiply(x, slope, out=z)
    rest = number(1) - slope
    rest *= z
    slope += rest


def silu_array(x: Array) -> Array:
    """SiLU of an array."""
    return _in_chunks(x, _silu_chunk)[0]


def _softplus(x: Array, beta: float, threshold: float) -> Array:
    scaled = x * beta
    rounded: Array = (np.maximum(scaled, 0) + np.log1p(np.exp(-np.abs(scaled)))) / beta
    return np.where(scaled > threshold, x, rounded)


def _softplus_derivative(g: Array, x: Array, beta: float, threshold: float) -> Array:
    """The derivative is sigmoid(beta x), and 1 beyond the threshold."""
    scaled = x * beta
    return g * np.where(scaled > threshold, g.dtype.type(1), 1 / (1 + np.exp(-scaled)))


_gelu_kernel = Kernel("gelu", _gelu, _times_slope)
_silu_kernel = Kernel("silu", lambda x: _in_chunks(x, _silu_chunk), _times_slope)
_leaky_relu = Operation("leaky_relu", lambda x, a: np.where(x > 0, x, x * a), lambda g, x, a: np.where(x > 0, g, g * a))
_softplus_operation = Operation("softplus", _softplus, _softplus_derivative)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """GELU, exact for "none" or by the hyperbolic tangent for "tanh"; the shape stays.

    >>> gelu(Tensor([0.0, 10.0]))
    tensor([ 0., 10.])
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"approximate is 'none' or 'tanh', not {approximate!r}.")
    return fused(_gelu_kernel, input, approximate=approximate)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0); the shape stays.

    >>> relu(Tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    refuse_inplace(inplace)
    return input.relu()


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x above 0, `negative_slope` x below; the shape stays.

    >>> leaky_relu(Tensor([-1.0, 2.0]), negative_slope=0.5)
    tensor([-0.5000,  2.0000])
    """
    refuse_inplace(inplace)
    input._require_floats("leaky_relu")
    return apply(_leaky_relu, input, a=negative_slope)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x sigmoid(x), also called swish; the shape stays.

    >>> silu(Tensor([0.0, 100.0]))
    tensor([  0., 100.])
    """
    refuse_inplace(inplace)
    input._require_floats("silu")
    return fused(_silu_kernel, input)


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e^-x); the shape stays."""
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent; the shape stays."""
    return input.tanh()


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + e^(beta x)) / beta, and x itself where beta x is above `threshold`; the shape stays.

    >>> softplus(Tensor([-200.0, 100.0]))
    tensor([  0., 100.])
    """
    input._require_floats("softplus")
    return apply(_softplus_operation, input, beta=beta, threshold=threshold)


class ReLU(FunctionLayer, function=relu):
    """`relu` as a layer. Input and output have the same shape."""


class LeakyReLU(FunctionLayer, function=leaky_relu):
    """`leaky_relu` as a layer. Input and output have the same shape."""


class GELU(FunctionLayer, function=gelu):
    """`gelu` as a layer. Input and output have the same shape."""


class SiLU(FunctionLayer, function=silu):
    """`silu` as a layer. Input and output have the same shape."""


class Sigmoid(FunctionLayer, function=sigmoid):
    """`sigmoid` as a layer. Input and output have the same shape."""


class Tanh(FunctionLayer, function=tanh):
    """`tanh` as a layer. Input and output have the same shape."""


class Softplus(FunctionLayer, function=softplus):
    """`softplus` as a layer. Input and output have the same shape."""
