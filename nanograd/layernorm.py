"""Layer normalisation (Ba, Kiros and Hinton, 2016): y = (x - mean) / sqrt(var + eps) * weight + bias.

Root-mean-square normalisation (Zhang and Sennrich, 2019) centres nothing: y = x / sqrt(mean(x^2) + eps) * weight. Means and
the variance (divided by the count) are taken over the last dimensions, those of `normalized_shape`.
"""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from nanograd.creation import ones, zeros
from nanograd.errors import ShapeError
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.module import Module, Parameter
from nanograd.tensor import Tensor, fused
from nanograd.windows import Sizes

# ---- the definitions --------------------------------------------------------------------------------------------------


def layer_norm_definition(input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5) -> Tensor:
    """Layer normalisation over the last dimension in primitives; the shape stays."""
    centred = input - input.mean(-1, keepdim=True)
    result = centred / ((centred * centred).mean(-1, keepdim=True) + eps).sqrt()
    result = result if weight is None else result * weight
    return result if bias is None else result + bias


def rms_norm_definition(input: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    """RMS normalisation over the last dimension in primitives; the shape stays."""
    result = input * (input.square().mean(-1, keepdim=True) + eps).rsqrt()
    return result if weight is None else result * weight


# ---- the fast forms: rows (N, C) --------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _averaging(count: int, dtype: Any) -> Array:
    """The vector (C,) whose product with a row of C numbers is their mean."""
    return np.full(count, 1 / max(count, 1), dtype)


@lru_cache(maxsize=64)
def _constants(count: int, dtype: Any, eps: float) -> tuple[Array, Array]:
    """C eps and the root of C as arrays of no dimensions, with which numpy computes fastest."""
    return np.array(count * eps, dtype), np.array(count**0.5, dtype)


def _inverse_deviation(x: Array, eps: float) -> Array:
    """1 / sqrt(mean(x^2) + eps) for each row (N, C): (N, 1)."""
    least, root = _constants(x.shape[-1], x.dtype, eps)
    inverse: Array = np.vecdot(x, x)[:, None]
    inverse += least
    np.sqrt(inverse, out=inverse)
    return np.divide(root, inverse, out=inverse)


def _normalized(x: Array, eps: float) -> tuple[Array, Array]:
    """Rows of mean 0 and variance 1, and what they were multiplied by; sums of short rows are products, which are faster."""
    result: Array = x - (x @ _averaging(x.shape[-1], x.dtype))[:, None]
    inverse = _inverse_deviation(result, eps)
    result *= inverse
    return result, inverse


def _layer_norm(x: Array, weight: Array, *bias: Array, eps: float) -> Fused:
    normalized, inverse = _normalized(x, eps)
    z = normalized * weight
    if bias:
        z += bias[0]
    return z, (normalized, inverse, weight)


def _layer_norm_backward(g: Array, needs: Needs, normalized: Array, inverse: Array, weight: Array) -> Gradients:
    """Differentiates z = normalized weight + bias, then normalized = (x - mean) inverse."""
    rows, count = g.shape
    gradients: list[Array | None] = [None, np.einsum("nc,nc->c", g, normalized) if needs[1] else None]
    if len(needs) > 2:
        gradients.append(np.ones(rows, g.dtype) @ g)
    if needs[0]:
        dx = g * weight
        along = np.vecdot(dx, normalized)[:, None]
        along *= g.dtype.type(1 / max(count, 1))
        dx -= (dx @ _averaging(count, g.dtype))[:, None]
        dx -= normalized * along
        dx *= inverse
        gradients[0] = dx
    return gradients


def _rms_norm(x: Array, weight: Array, eps: float) -> Fused:
    inverse = _inverse_deviation(x, eps)
    normalized = x * inverse
    return normalized * weight, (normalized, inverse, weight)


def _rms_norm_backward(g: Array, needs: Needs, normalized: Array, inverse: Array, weight: Array) -> Gradients:
    """Differentiates z = normalized weight, then normalized = x inverse, where inverse depends on x too."""
    dx = g * weight
    along = np.vecdot(dx, normalized)[:, None] / g.dtype.type(max(dx.shape[-1], 1))
    dx -= normalized * along
    dx *= inverse
    return dx, np.einsum("nc,nc->c", g, normalized) if needs[1] else None


layer_norm_kernel = Kernel("layer_norm", _layer_norm, _layer_norm_backward)
rms_norm_kernel = Kernel("rms_norm", _rms_norm, _rms_norm_backward)


def layer_norm(
    input: Tensor, normalized_shape: Sizes, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalise over the last dimensions, whose sizes are `normalized_shape`; the shape stays.

    `weight` and `bias` have the shape `normalized_shape`. Raises ShapeError where it does not end the input's shape.

    >>> layer_norm(Tensor([1.0, 3.0]), 2)
    tensor([-1.0000,  1.0000])
    """
    biases = () if bias is None else (bias,)
    return _over_last_dimensions(layer_norm_kernel, input, normalized_shape, weight, *biases, eps=eps)


def rms_norm(input: Tensor, normalized_shape: Sizes, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """Divide by the root mean square over the last dimensions, whose sizes are `normalized_shape`; the shape stays.

    `weight` has the shape `normalized_shape`; `eps` of None is the smallest step from 1 in the input's dtype. Raises
    ShapeError where `normalized_shape` does not end the input's shape.

    >>> rms_norm(Tensor([2.0, -2.0]), 2)
    tensor([ 1., -1.])
    """
    eps = np.finfo(input._floats().dtype).eps if eps is None else eps
    return _over_last_dimensions(rms_norm_kernel, input, normalized_shape, weight, eps=eps)


def _over_last_dimensions(kernel: Kernel, input: Tensor, sizes: Sizes, weight: Tensor | None, *bias: Tensor, eps: Any) -> Tensor:
    """A kernel of rows over the last dimensions of `input`, those of `sizes`; raises ShapeError where it has others."""
    shape = _as_shape(sizes)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(f"{kernel.name} expects an input whose shape ends in {shape}; got {input.shape}.")
    input._require_floats(kernel.name)
    rows = input.reshape(prod(input.shape[: -len(shape)]), prod(shape))
    weight = ones(shape, dtype=input.dtype) if weight is None else weight
    return fused(kernel, rows, *[x.reshape(-1) for x in (weight, *bias)], eps=eps).reshape(input.shape)


def _as_shape(sizes: Sizes) -> tuple[int, ...]:
    """The size of one dimension, or those of several, as a shape."""
    return (sizes,) if isinstance(sizes, int) else tuple(sizes)


class LayerNorm(Module):
    """`layer_norm` with a learned weight, from 1, and bias, from 0. Input and output have the same shape."""

    def __init__(self, normalized_shape: Sizes, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True) -> None:
        super().__init__()
        self.normalized_shape = _as_shape(normalized_shape)
        self.eps = eps
        self.weight = Parameter(ones(self.normalized_shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(self.normalized_shape)) if elementwise_affine and bias else None

    def forward(self, input: Tensor) -> Tensor:
        """Normalise a tensor whose shape ends in `normalized_shape`."""
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The shape and eps."""
        has_weight, has_bias = self.weight is not None, self.bias is not None
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={has_weight}, bias={has_bias}"


class RMSNorm(Module):
    """`rms_norm` with a learned weight, from 1. Input and output have the same shape."""

    def __init__(self, normalized_shape: Sizes, eps: float | None = None, elementwise_affine: bool = True) -> None:
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = _as_shape(normalized_shape), eps, elementwise_affine
        self.weight = Parameter(ones(self.normalized_shape)) if elementwise_affine else None

    def forward(self, input: Tensor) -> Tensor:
        """Normalise a tensor whose shape ends in `normalized_shape`."""
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The shape and eps."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
