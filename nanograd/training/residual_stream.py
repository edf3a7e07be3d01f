"""The residual stream of a model: what flows past its blocks, and what the head would make of it after any of them."""

import numpy as np

from nanograd.generation import Ids
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.graph import Array, no_grad
from nanograd.tensor import wrap


def look_through(model: GPTLanguageModel, ids: Ids) -> tuple[Array, Array]:
    """What one pass over the ids (T,) leaves behind: the attention weights (L, H, T, T), and the stream (L + 1, T, C).

    The stream is taken as it enters the first block, and as it leaves each.
    """
    stream: list[Array] = []
    hooks = [
        module.register_forward_hook(lambda _module, _inputs, result: stream.append(result.array))
        for module in (model.dropout, *model.h)
    ]
    try:
        weights = model.attention_weights(ids)
    finally:
        for hook in hooks:
            hook.remove()
    return weights, np.concatenate(stream)


@no_grad
def read_off(model: GPTLanguageModel, stream: Array) -> Array:
    """The logits (N, V) that the final norm and the head make of places (N, C) of the stream, after whichever block.

    After the last block they are the model's own; before it they show what it would say if it ended there (the logit
    lens; nostalgebraist, 2020).
    """
    logits: Array = model.lm_head(model.ln_f(wrap(stream))).array
    return logits
