"""What a GPT is made of, part by part, with the parameters of each, told from its shape alone."""

from dataclasses import dataclass, replace
from typing import Literal

from nanograd.gptconfig import GPTConfig
from nanograd.mlp import gated_size


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPart:
    """One part of a GPT: how many numbers stand for a token inside it, how many it learns, and its layer, counted from 0."""

    kind: Literal["tokens", "positions", "norm", "attention", "mlp", "head"]
    width: int
    parameter_count: int
    layer: int | None = None


def model_parts(config: GPTConfig) -> tuple[ModelPart, ...]:
    """What the model is made of, in the order that a token passes it."""
    C, V = config.n_embd, config.vocab_size
    inner = gated_size(4 * C) if config.activation == "swiglu" else 4 * C
    into = 2 * inner if config.activation == "swiglu" else inner
    norm = ModelPart(kind="norm", width=C, parameter_count=C * (2 if config.bias and config.norm == "layernorm" else 1))
    attention = ModelPart(kind="attention", width=C, parameter_count=4 * C * C + (4 * C if config.bias else 0))
    mlp = ModelPart(kind="mlp", width=inner, parameter_count=C * into + inner * C + (into + C if config.bias else 0))
    positions = ModelPart(kind="positions", width=C, parameter_count=config.block_size * C)
    return (
        ModelPart(kind="tokens", width=C, parameter_count=V * C),
        *([positions] if config.position == "learned" else []),
        *[replace(part, layer=layer) for layer in range(config.n_layer) for part in (norm, attention, norm, mlp)],
        norm,
        *([] if config.tied_head else [ModelPart(kind="head", width=C, parameter_count=V * C)]),
    )
