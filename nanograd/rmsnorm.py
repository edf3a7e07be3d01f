"""Root-mean-square normalisation (Zhang and Sennrich, 2019): y = x / sqrt(mean(x^2) + eps) * weight.

The mean is taken over the last dimensions, those of `normalized_shape`; unlike layer normalisation nothing is centred.
"""

import numpy as np

from nanograd.creation import ones
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.layernorm import as_shape, over_last_dimensions
from nanograd.module import Module, Parameter
from nanograd.tensor import Tensor
from nanograd.windows import Sizes

# ---- the definition ---------------------------------------------------------------------------------------------------


def rms_norm_definition(input: Tensor, weight: Tensor | None, eps: float) -> Tensor:
    """RMS normalisation over the last dimension in primitives; the shape stays."""
    result = input * (input.square().mean(-1, keepdim=True) + eps).rsqrt()
    return result if weight is None else result * weight


# ---- the fast form: rows (N, C) ---------------------------------------------------------------------------------------


def rms_norm_array(x: Array, weight: Array, eps: float | None = None) -> Array:
    """RMS normalisation of rows (N, C)."""
    return _rms_norm(x, weight, eps=float(np.finfo(x.dtype).eps) if eps is None else eps)[0]


def _rms_norm(x: Array, *weight: Array, eps: float) -> Fused:
    mean_square = np.vecdot(x, x)[:, None] / x.dtype.type(max(x.shape[-1], 1))
    inverse = 1 / np.sqrt(mean_square + x.dtype.type(eps))
    normalized = x * inverse
    return normalized * weight[0] if weight else normalized.copy(), (normalized, inverse, *weight)


def _rms_norm_backward(g: Array, needs: Needs, normalized: Array, inverse: Array, *weight: Array) -> Gradients:
    """Differentiates z = normalized weight, then normalized = x inverse, where inverse depends on x too."""
    dx = g * weight[0] if weight else g.copy()
    along = np.vecdot(dx, normalized)[:, None] / g.dtype.type(max(dx.shape[-1], 1))
    dx -= normalized * along
    dx *= inverse
    return [dx, np.einsum("nc,nc->c", g, normalized)] if weight else [dx]


_kernel = Kernel("rms_norm", _rms_norm, _rms_norm_backward)


def rms_norm(input: Tensor, normalized_shape: Sizes, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """Divide by the root mean square over the last dimensions, whose sizes are `normalized_shape`; the shape stays.

    `weight` has the shape `normalized_shape`; `eps` of None is the smallest step from 1 in the input's dtype. Raises
    ShapeError where `normalized_shape` does not end the input's shape.

    >>> rms_norm(Tensor([2.0, -2.0]), 2)
    tensor([ 1., -1.])
    """
    eps = np.finfo(input._floats().dtype).eps if eps is None else eps
    return over_last_dimensions(_kernel, input, normalized_shape, [] if weight is None else [weight], eps=eps)


class RMSNorm(Module):
    """`rms_norm` with a learned weight, from 1. Input and output have the same shape."""

    weight: Parameter | None

    def __init__(self, normalized_shape: Sizes, eps: float | None = None, elementwise_affine: bool = True) -> None:
        super().__init__()
        self.normalized_shape, self.eps, self.elementwise_affine = as_shape(normalized_shape), eps, elementwise_affine
        self.register_parameter("weight", Parameter(ones(self.normalized_shape)) if elementwise_affine else None)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise a tensor whose shape ends in `normalized_shape`."""
        return rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """The shape and eps."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
