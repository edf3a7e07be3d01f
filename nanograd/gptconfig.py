"""The shape of a GPT: its sizes, and the choices between its forms."""

from dataclasses import dataclass

from nanograd.mlp import ACTIVATIONS

NORMS = ("layernorm", "rmsnorm")
POSITIONS = ("learned", "rotary")


@dataclass(frozen=True, slots=True, kw_only=True)
class GPTConfig:
    """The shape of a GPT. The defaults are GPT-2's form without biases; the other choices are what came after it.

    `norm` is one of NORMS, `position` of POSITIONS, `activation` of nn.ACTIVATIONS. `qk_norm` divides queries and keys by
    their root mean square. `bias` is for every linear layer and layer norm. `tied_head` lets the head share the
    table of the tokens. `embedding_std` is the deviation that the tables of tokens and positions start with. `zero_init`
    starts the projections that end a residual branch at 0, so each block starts as nothing.
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
