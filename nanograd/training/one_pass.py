"""One pass over a text, looked into: where the heads look, what flows past the blocks, what the head would make of it."""

import numpy as np

from nanograd.generation import Ids
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.graph import Array, no_grad
from nanograd.multihead_attention import MultiHeadAttention, attention_weights
from nanograd.tensor import Tensor, wrap


@no_grad
def look_through(model: GPTLanguageModel, ids: Ids) -> tuple[Array, Array]:
    """What one pass over the ids (T,) leaves behind: the attention weights (L, H, T, T), and the residual stream (L + 1, T, C).

    The weights are queries by keys, each row summing to 1. The stream is taken as it enters the first block, and as it leaves
    each. Dropout is off meanwhile.
    """
    weights: list[Array] = []
    stream: list[Array] = []
    hooks = [
        module.register_forward_hook(lambda _module, _inputs, result: stream.append(result.array))
        for module in (model.dropout, *model.h)
    ]
    hooks += [
        block.attn.register_forward_pre_hook(lambda attention, inputs: weights.append(_weights(attention, *inputs)))
        for block in model.h
    ]
    in_training = [module for module in model.modules() if module.training]
    for module in in_training:
        module.training = False
    try:
        model(np.asarray(ids)[None])
    finally:
        for module in in_training:
            module.training = True
        for hook in hooks:
            hook.remove()
    return np.concatenate(weights), np.concatenate(stream)


def _weights(attention: MultiHeadAttention, input: Tensor) -> Array:
    """Where the heads look, before dropout, for an input (B, T, C): (B, H, T, T)."""
    qkv = attention.project(input).array
    query, key, _ = qkv.reshape(*qkv.shape[:2], 3, attention.n_head, -1).transpose(2, 0, 3, 1, 4)
    return attention_weights(query, key)


@no_grad
def read_off(model: GPTLanguageModel, stream: Array) -> Array:
    """The logits (N, V) that the final norm and the head make of places (N, C) of the stream, after whichever block.

    After the last block they are the model's own; before it they show what it would say if it ended there (the logit
    lens; nostalgebraist, 2020).
    """
    logits: Array = model.lm_head(model.ln_f(wrap(stream))).array
    return logits
