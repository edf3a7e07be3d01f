"""The multi-layer perceptron: two linear layers with a bend between, proj(activation(fc(x))).

"relu2" squares the ReLU (So et al., 2021). "swiglu" multiplies SiLU of one half of fc's result with the other
(Shazeer, 2020), with the hidden size cut to two thirds, so that the number of parameters stays.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from nanograd.activation import gelu, gelu_array, relu, silu, silu_array
from nanograd.graph import Array
from nanograd.linear import Linear
from nanograd.module import Module
from nanograd.tensor import Tensor


def _swiglu(hidden: Tensor) -> Tensor:
    gate, up = hidden.chunk(2, dim=-1)
    return silu(gate) * up


def _swiglu_array(hidden: Array) -> Array:
    gate, up = np.split(hidden, 2, axis=-1)
    return np.asarray(silu_array(gate) * up)


# Each activation of tensors, and the same of arrays, which may write over what it gets.
BENDS: Final[dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Array], Array]]]] = {
    "relu": (relu, lambda x: np.maximum(x, 0, out=x)),
    "gelu": (gelu, lambda x: gelu_array(x, "none")),
    "gelu_tanh": (lambda x: gelu(x, "tanh"), lambda x: gelu_array(x, "tanh")),
    "relu2": (lambda x: relu(x).square(), lambda x: np.square(np.maximum(x, 0, out=x), out=x)),
    "swiglu": (_swiglu, _swiglu_array),
}
ACTIVATIONS = tuple(BENDS)


def gated_size(hidden_dim: int) -> int:
    """The hidden size of "swiglu" that has about as many parameters as `hidden_dim` has without a gate."""
    return max(1, round(hidden_dim * 2 / 3))


class MLP(Module):
    """Two linear layers with an activation between: (..., input_dim) -> (..., output_dim).

    `activation` is one of ACTIVATIONS.

    >>> MLP(input_dim=4, hidden_dim=8, output_dim=2)(Tensor([[1.0, 2.0, 3.0, 4.0]])).shape
    (1, 2)
    """

    def __init__(self, input_dim: int, hidden_dim: int, output_dim: int, activation: str = "relu", bias: bool = True) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"An activation is one of {', '.join(ACTIVATIONS)}, not {activation!r}.")
        self.activation = activation
        is_gated = activation == "swiglu"
        inner = gated_size(hidden_dim) if is_gated else hidden_dim
        self.c_fc = Linear(input_dim, 2 * inner if is_gated else inner, bias=bias)
        self.c_proj = Linear(inner, output_dim, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """(..., input_dim) -> (..., output_dim)."""
        bend, _ = BENDS[self.activation]
        result: Tensor = self.c_proj(bend(self.c_fc(input)))
        return result

    def extra_repr(self) -> str:
        """The activation."""
        return f"activation={self.activation!r}"
