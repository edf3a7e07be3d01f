"""The multi-layer perceptron: two linear layers with a bend between, proj(activation(fc(x))).

"relu2" squares the ReLU (So et al., 2021). "swiglu" multiplies SiLU of one half of fc's result with the other
(Shazeer, 2020), with the hidden size cut to two thirds, so that the number of parameters stays.
"""

from collections.abc import Callable
from typing import Final

from nanograd.activation import gelu, relu, silu
from nanograd.linear import Linear
from nanograd.module import Module
from nanograd.tensor import Tensor


def _swiglu(hidden: Tensor) -> Tensor:
    gate, up = hidden.chunk(2, dim=-1)
    return silu(gate) * up


BENDS: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "relu": relu,
    "gelu": gelu,
    "gelu_tanh": lambda x: gelu(x, "tanh"),
    "relu2": lambda x: relu(x).square(),
    "swiglu": _swiglu,
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
        result: Tensor = self.c_proj(BENDS[self.activation](self.c_fc(input)))
        return result

    def extra_repr(self) -> str:
        """The activation."""
        return f"activation={self.activation!r}"
