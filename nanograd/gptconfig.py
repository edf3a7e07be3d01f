"""The shape of a GPT, and how many parameters it has."""

from dataclasses import dataclass, replace
from typing import Literal

from nanograd.mlp import ACTIVATIONS, gated_size

NORMS = ("layernorm", "rmsnorm")
POSITIONS = ("learned", "rotary")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPart:
    """One part of a GPT: how many numbers stand for a token inside it, how many it learns, and its layer, counted from 0."""

    kind: Literal["tokens", "positions", "norm", "attention", "mlp", "head"]
    width: int
    parameter_count: int
    layer: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GPTConfig:
    """The shape of a GPT. The defaults are GPT-2's form without biases; the other choices are what came after it.

    `norm` is one of NORMS, `position` of POSITIONS, `activation` of nn.ACTIVATIONS. `qk_norm` divides queries and keys by
    their root mean square. `bias` is for every linear layer and layer norm. `tied_head` lets the head share the
    table of the tokens. `embedding_std` is the deviation that the tables of tokens and positions start with. `zero_init` starts the projections that end a residual branch at 0, so each block starts as nothing.
    """

    vocab_size: int
    n_embd: int
    n_head: int
    n_layer: int
    block_size: int
    dropout: float = 0.0
    bias: bool = False
    activation: str = "gelu_tanh"
    norm: str = "layernorm"
    position: str = "learned"
    qk_norm: bool = False
    tied_head: bool = True
    zero_init: bool = False
    embedding_std: float = 0.02

    def __post_init__(self) -> None:
        for name, choices in (("norm", NORMS), ("position", POSITIONS), ("activation", ACTIVATIONS)):
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}.")

    def parameter_count(self) -> int:
        """How many numbers the model learns."""
        return sum(part.parameter_count for part in self.parts())

    def parts(self) -> tuple[ModelPart, ...]:
        """What the model is made of, in the order that a token passes it."""
        C, V = self.n_embd, self.vocab_size
        inner = gated_size(4 * C) if self.activation == "swiglu" else 4 * C
        into = 2 * inner if self.activation == "swiglu" else inner
        norm = ModelPart(kind="norm", width=C, parameter_count=C * (2 if self.bias and self.norm == "layernorm" else 1))
        attention = ModelPart(kind="attention", width=C, parameter_count=4 * C * C + (4 * C if self.bias else 0))
        mlp = ModelPart(kind="mlp", width=inner, parameter_count=C * into + inner * C + (into + C if self.bias else 0))
        positions = ModelPart(kind="positions", width=C, parameter_count=self.block_size * C)
        return (
            ModelPart(kind="tokens", width=C, parameter_count=V * C),
            *([positions] if self.position == "learned" else []),
            *[replace(part, layer=layer) for layer in range(self.n_layer) for part in (norm, attention, norm, mlp)],
            norm,
            *([] if self.tied_head else [ModelPart(kind="head", width=C, parameter_count=V * C)]),
        )
