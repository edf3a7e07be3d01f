"""A GPT's forward pass for the tokens that are new, on plain arrays: the keys and values of those before are kept.

So a new token costs one token's work, whatever came before it. Nothing is recorded, and dropout is off. That the logits are
those of GPTLanguageModel, which defines them, is held by the tests. B texts, T new tokens each, S tokens so far.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nanograd.gptconfig import GPTConfig
from nanograd.graph import Array
from nanograd.layernorm import layer_norm_kernel, rms_norm_kernel
from nanograd.linear import rows_by_weight
from nanograd.mlp import BENDS
from nanograd.multihead_attention import attention_weights, join_heads, qk_norm_kernel
from nanograd.rotary import rotary_kernel

# BLAS first copies what it multiplies into an order of its own, except where there are few multiplications and no matrix is
# transposed. For a few texts at once and a small matrix the copying costs more than the product, in one piece or in two.
_FEW = range(4, 17)  # rows
_UNCOPIED = 1_000_000  # multiplications
_SMALL = 131_072  # numbers in a matrix; a larger one is worth copying, since the copied product takes two cores


class Decoder:
    """The next token's logits for B texts that grow; `weights` are a GPTLanguageModel's, by name. Large ones are not copied."""

    def __init__(self, config: GPTConfig, weights: Mapping[str, Array], batch_size: int) -> None:
        self.length = 0  # of the texts so far; setting it back makes the decoder forget the rest
        self._config = config
        self._weights = weights
        self._pieces = {
            name: _pieces(array, batch_size)
            for name, array in weights.items()
            if batch_size in _FEW and array.ndim == 2 and array.size <= _SMALL
        }
        head_size = config.n_embd // config.n_head
        shape = (config.n_layer, 2, batch_size, config.n_head, config.block_size, head_size)
        self._kept = np.empty(shape, weights["wte.weight"].dtype)  # keys and values, filled up to `length`

    def logits(self, ids: NDArray[np.int64]) -> Array:
        """The logits (B, V) of the token after `ids` (B, T), which come after the texts so far; S is at most block_size."""
        B, T = ids.shape
        weights, begin, end = self._weights, self.length, self.length + T
        x: Array = weights["wte.weight"][ids]
        if "wpe.weight" in weights:
            x += weights["wpe.weight"][begin:end]
        x = x.reshape(B * T, -1)
        _, bend = BENDS[self._config.activation]
        for layer in range(self._config.n_layer):
            name = f"h.{layer}."
            attended = self._attend(self._linear(self._norm(x, f"{name}ln_1"), f"{name}attn.c_attn"), layer, B)
            x += self._linear(attended, f"{name}attn.c_proj")
            hidden = self._linear(self._norm(x, f"{name}ln_2"), f"{name}mlp.c_fc")
            x += self._linear(bend(hidden), f"{name}mlp.c_proj")
        self.length = end
        last = self._norm(x[T - 1 :: T], "ln_f")
        logits: Array = last @ weights.get("lm_head.weight", weights["wte.weight"]).T
        return logits

    def _linear(self, x: Array, name: str) -> Array:
        pieces = self._pieces.get(f"{name}.weight") if len(x) in _FEW else None
        if pieces is None:
            z = rows_by_weight(x, self._weights[f"{name}.weight"])
        else:
            z = np.empty((len(x), len(self._weights[f"{name}.weight"])), x.dtype)
            for columns, piece in pieces:
                np.matmul(x, piece, out=z[:, columns])
        bias = self._weights.get(f"{name}.bias")
        if bias is not None:
            z += bias
        return z

    def _norm(self, x: Array, name: str) -> Array:
        weight = self._weights[f"{name}.weight"]
        if self._config.norm == "rmsnorm":
            return rms_norm_kernel.forward(x, weight, eps=np.finfo(x.dtype).eps)[0]
        bias = self._weights.get(f"{name}.bias")
        return layer_norm_kernel.forward(x, weight, *(() if bias is None else (bias,)), eps=1e-5)[0]

    def _attend(self, qkv: Array, layer: int, B: int) -> Array:
        """Queries, keys and values (B T, 3C) -> what the heads take from the texts so far (B T, C)."""
        config, begin = self._config, self.length
        qkv = qkv.reshape(B, -1, qkv.shape[-1])
        T = qkv.shape[1]
        if config.qk_norm:
            qkv = qk_norm_kernel.forward(qkv, n_head=config.n_head)[0]
        if config.position == "rotary":
            qkv = rotary_kernel.forward(qkv, n_head=config.n_head, begin=begin)[0]
        heads = qkv.reshape(B, T, 3, config.n_head, -1).transpose(2, 0, 3, 1, 4)
        kept = self._kept[layer]
        kept[..., begin : begin + T, :] = heads[1:]
        keys, values = kept[..., : begin + T, :]
        return join_heads(attention_weights(heads[0], keys) @ values).reshape(B * T, -1)


def _pieces(weight: Array, rows: int) -> list[tuple[slice, Array]]:
    """The transposed weight in pieces of columns, with their places, which `rows` of numbers are multiplied by without a copy."""
    count = -(-rows * weight.size // _UNCOPIED)
    step = -(-len(weight) // count)
    places = [slice(begin, begin + step) for begin in range(0, len(weight), step)]
    return [(place, np.ascontiguousarray(weight[place].T)) for place in places]
