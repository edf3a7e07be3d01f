"""Layers and containers under one roof, as torch.nn."""

from collections.abc import Iterator
from typing import Any

from nanograd import functional
from nanograd.activation import GELU, ReLU
from nanograd.dropout import Dropout
from nanograd.embedding import Embedding
from nanograd.layernorm import LayerNorm
from nanograd.linear import Linear
from nanograd.module import Module, Parameter
from nanograd.multihead_attention import MultiHeadAttention
from nanograd.tensor import Tensor

__all__ = [
    "ACTIVATIONS",
    "GELU",
    "MLP",
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Linear",
    "Module",
    "ModuleList",
    "MultiHeadAttention",
    "Parameter",
    "ReLU",
    "Sequential",
    "functional",
]

ACTIVATIONS = ("relu", "gelu", "gelu_tanh")


class ModuleList(Module):
    """Modules in a list, registered under their positions."""

    def __init__(self, modules: "list[Any] | tuple[Any, ...]" = ()) -> None:
        super().__init__()
        for position, module in enumerate(modules):
            setattr(self, str(position), module)

    def __iter__(self) -> Iterator[Any]:
        return self.children()

    def __len__(self) -> int:
        return len(list(self.children()))

    def __getitem__(self, position: int) -> Any:
        return list(self.children())[position]


class Sequential(ModuleList):
    """Modules that are called one after another, each with the result of the one before.

    >>> Sequential(Linear(2, 3), ReLU(), Linear(3, 1))(Tensor([1.0, 2.0])).shape
    (1,)
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def forward(self, input: Tensor) -> Tensor:
        """Pass `input` through all modules."""
        for module in self:
            input = module(input)
        return input


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
        self.c_fc = Linear(input_dim, hidden_dim, bias=bias)
        self.activation = ReLU() if activation == "relu" else GELU("tanh" if activation == "gelu_tanh" else "none")
        self.c_proj = Linear(hidden_dim, output_dim, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """(..., input_dim) -> (..., output_dim)."""
        result: Tensor = self.c_proj(self.activation(self.c_fc(input)))
        return result
