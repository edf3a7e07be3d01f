"""The linear layer: y = x W^T + b, with x (..., in_features), W (out_features, in_features), b (out_features,)."""

from typing import Any

import numpy as np

from nanograd.errors import ShapeError
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.module import FunctionLayer, Module, uniform_parameter
from nanograd.tensor import Tensor, fused

# ---- the definition ---------------------------------------------------------------------------------------------------


def linear_definition(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The linear layer in primitives: (..., in_features) -> (..., out_features)."""
    result = input @ weight.T
    return result if bias is None else result + bias


# ---- the fast form: one product of matrices, whatever the leading dimensions ------------------------------------------


_FEW = 64  # rows, up to which BLAS computes W x^T faster than x W^T


def _rows_by_weight(x: Array, weight: Array) -> Array:
    """x W^T for rows x (N, in_features) and a weight (out_features, in_features): (N, out_features)."""
    if len(x) == 1:
        row: Array = x.dot(weight.T)  # which takes less time to begin than matmul
        return row
    return np.ascontiguousarray((weight @ x.T).T) if len(x) <= _FEW else x @ weight.T


def _linear(x: Array, weight: Array, *bias: Array) -> Fused:
    z = _rows_by_weight(x.reshape(-1, x.shape[-1]), weight)
    if bias:
        z += bias[0]
    return z.reshape(*x.shape[:-1], len(weight)), (x, weight)


def _linear_backward(g: Array, needs: Needs, x: Array, weight: Array) -> Gradients:
    """Differentiates z = x W^T + b: dx = g W, dW = g^T x, db = the sum of g's rows."""
    rows = g.reshape(-1, g.shape[-1])
    gradients: list[Array | None] = [
        (rows @ weight).reshape(x.shape) if needs[0] else None,
        rows.T @ x.reshape(-1, x.shape[-1]) if needs[1] else None,
    ]
    if len(needs) > 2:
        gradients.append(np.ones(len(rows), g.dtype) @ rows)
    return gradients


_kernel = Kernel("linear", _linear, _linear_backward)


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b: (..., in_features) -> (..., out_features), for a weight (out_features, in_features).

    >>> linear(Tensor([1.0, 2.0]), Tensor([[3.0, 4.0]]))
    tensor([11.])
    """
    if not input.ndim or input.shape[-1] != weight.shape[-1]:
        raise ShapeError(f"A linear layer of {weight.shape} takes inputs (..., {weight.shape[-1]}); got the shape {input.shape}.")
    if input.dtype != weight.dtype:
        wanted = weight.dtype.name
        raise ShapeError(f"A linear layer of {wanted} takes inputs of that dtype; got {input.dtype}: use .to({wanted!r}).")
    return fused(_kernel, input, weight, *(() if bias is None else (bias,)))


class Linear(Module):
    """`linear` with a learned weight and bias, drawn evenly from -1/sqrt(in_features) to 1/sqrt(in_features)."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        bound = in_features**-0.5 if in_features else 0.0
        self.weight = uniform_parameter((out_features, in_features), bound)
        self.bias = uniform_parameter((out_features,), bound) if bias else None

    def forward(self, input: Tensor) -> Tensor:
        """(..., in_features) -> (..., out_features)."""
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Identity(Module):
    """What comes in goes out, whatever it is made with: a placeholder for a layer that is left out."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input."""
        return input


def _flatten(input: Tensor, start_dim: int = 1, end_dim: int = -1) -> Tensor:
    """As a layer it leaves the batch, unlike the method, whose `start_dim` is 0 by default."""
    return input.flatten(start_dim, end_dim)


class Flatten(FunctionLayer, function=_flatten):
    """`flatten` as a layer: (N, C, H, W) -> (N, C H W), from `start_dim` to `end_dim`, both included.

    >>> Flatten()(Tensor(np.zeros((2, 3, 4)))).shape
    (2, 12)
    """
