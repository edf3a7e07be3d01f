"""Layer normalisation (Ba, Kiros and Hinton, 2016): y = (x - mean) / sqrt(var + eps) * weight + bias.

Mean and variance (divided by the count) are taken over the last dimensions, those of `normalized_shape`.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from nanograd.creation import ones, zeros
from nanograd.errors import ShapeError
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.module import Module, Parameter
from nanograd.tensor import Tensor, fused
from nanograd.windows import Sizes

# ---- the definition ---------------------------------------------------------------------------------------------------


def layer_norm_definition(input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5) -> Tensor:
    """Layer normalisation over the last dimension in primitives; the shape stays."""
    centred = input - input.mean(-1, keepdim=True)
    result = centred / ((centred * centred).mean(-1, keepdim=True) + eps).sqrt()
    result = result if weight is None else result * weight
    return result if bias is None else result + bias


# ---- the fast form: rows (N, C) ---------------------------------------------------------------------------------------


def _normalized(x: Array, eps: float) -> tuple[Array, Array]:
    """Rows of mean 0 and variance 1, and what they were multiplied by; sums of short rows are products, which are faster."""
    count = x.shape[-1]
    result: Array = x - (x @ np.full(count, 1 / max(count, 1), x.dtype))[:, None]
    inverse = np.vecdot(result, result)[:, None]
    inverse *= x.dtype.type(1 / max(count, 1))
    inverse += x.dtype.type(eps)
    np.sqrt(inverse, out=inverse)
    np.reciprocal(inverse, out=inverse)
    result *= inverse
    return result, inverse


def layer_norm_array(x: Array, weight: Array, bias: Array | None, eps: float = 1e-5) -> Array:
    """Layer normalisation of rows (N, C)."""
    z, _ = _normalized(x, eps)
    z *= weight
    if bias is not None:
        z += bias
    return z


def _layer_norm(x: Array, *weight_and_bias: Array, has_weight: bool, eps: float) -> Fused:
    normalized, inverse = _normalized(x, eps)
    weight = weight_and_bias[0] if has_weight else None
    z = normalized * weight if weight is not None else normalized.copy()
    if len(weight_and_bias) > has_weight:
        z += weight_and_bias[-1]
    return z, (normalized, inverse, weight)


def _layer_norm_backward(g: Array, needs: Needs, normalized: Array, inverse: Array, weight: Array | None) -> Gradients:
    """Differentiates z = normalized weight + bias, then normalized = (x - mean) inverse."""
    gradients: list[Array | None] = [None]
    rows, count = g.shape
    if weight is not None:
        gradients.append(np.einsum("nc,nc->c", g, normalized) if needs[1] else None)
    if len(needs) > len(gradients):
        gradients.append(np.ones(rows, g.dtype) @ g)
    if needs[0]:
        dx = g * weight if weight is not None else g.copy()
        along = np.vecdot(dx, normalized)[:, None]
        along *= g.dtype.type(1 / max(count, 1))
        dx -= (dx @ np.full(count, 1 / max(count, 1), g.dtype))[:, None]
        dx -= normalized * along
        dx *= inverse
        gradients[0] = dx
    return gradients


_kernel = Kernel("layer_norm", _layer_norm, _layer_norm_backward)


def layer_norm(
    input: Tensor, normalized_shape: Sizes, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalise over the last dimensions, whose sizes are `normalized_shape`; the shape stays.

    `weight` and `bias` have the shape `normalized_shape`. Raises ShapeError where it does not end the input's shape.

    >>> layer_norm(Tensor([1.0, 3.0]), 2)
    tensor([-1.0000,  1.0000])
    """
    extras = [extra for extra in (weight, bias) if extra is not None]
    return over_last_dimensions(_kernel, input, normalized_shape, extras, has_weight=weight is not None, eps=eps)


def over_last_dimensions(kernel: Kernel, input: Tensor, sizes: Sizes, extras: Sequence[Tensor], **settings: Any) -> Tensor:
    """A kernel of rows over the last dimensions of `input`, those of `sizes`; raises ShapeError where it has others."""
    shape = as_shape(sizes)
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(f"{kernel.name} expects an input whose shape ends in {shape}; got {input.shape}.")
    input._require_floats(kernel.name)
    rows = input.reshape(prod(input.shape[: -len(shape)]), prod(shape))
    return fused(kernel, rows, *[extra.reshape(-1) for extra in extras], **settings).reshape(input.shape)


def as_shape(sizes: Sizes) -> tuple[int, ...]:
    """The size of one dimension, or those of several, as a shape."""
    return (sizes,) if isinstance(sizes, int) else tuple(sizes)


class LayerNorm(Module):
    """`layer_norm` with a learned weight, from 1, and bias, from 0. Input and output have the same shape."""

    def __init__(self, normalized_shape: Sizes, eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True) -> None:
        super().__init__()
        self.normalized_shape = as_shape(normalized_shape)
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
