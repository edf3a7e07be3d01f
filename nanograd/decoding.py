"""A GPT's forward pass for the tokens that are new, on plain arrays: the keys and values of those before are kept.

So a new token costs one token's work, whatever came before it. Nothing is recorded, and dropout is off. That the logits are
those of GPTLanguageModel, which defines them, is held by the tests. B texts, T new tokens each, S tokens so far.
"""

from collections.abc import Callable, Mapping
from functools import partial

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
_FEW = range(3, 17)  # rows
_UNCOPIED = 1_000_000  # multiplications
_SMALL = 131_072  # numbers in a matrix; a larger one is worth copying, since the copied product takes two cores

# The product of a matrix and a single row takes two cores from so many numbers on. A matrix that nearly has them, such as the
# one for queries, keys and values at a width of 384, gets rows of zeros, which takes half the time.
_TWO_CORES = 460_800

Step = Callable[[Array], Array]  # rows (N, in) -> rows (N, out)


class Decoder:
    """The next token's logits for B texts that grow; `weights` are a GPTLanguageModel's, by name. Most are not copied."""

    def __init__(self, config: GPTConfig, weights: Mapping[str, Array], batch_size: int) -> None:
        self.length = 0  # of the texts so far; setting it back makes the decoder forget the rest
        self._config = config
        self._weights = weights
        self._bend = BENDS[config.activation][1]
        norm = partial(_norm, config, weights)
        linear = partial(_linear, weights, batch_size)
        self._layers = [
            (
                *(norm(f"{name}.ln_1"), linear(f"{name}.attn.c_attn"), linear(f"{name}.attn.c_proj")),
                *(norm(f"{name}.ln_2"), linear(f"{name}.mlp.c_fc"), linear(f"{name}.mlp.c_proj")),
            )
            for name in (f"h.{layer}" for layer in range(config.n_layer))
        ]
        self._last_norm = norm("ln_f")
        self._head = linear("lm_head" if "lm_head.weight" in weights else "wte")
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
        for kept, (norm_1, c_attn, c_proj, norm_2, mlp_fc, mlp_proj) in zip(self._kept, self._layers, strict=True):
            x += c_proj(self._attend(c_attn(norm_1(x)), kept, B))
            x += mlp_proj(self._bend(mlp_fc(norm_2(x))))
        self.length = end
        return self._head(self._last_norm(x[T - 1 :: T]))

    def _attend(self, qkv: Array, kept: Array, B: int) -> Array:
        """Queries, keys and values (B T, 3C) -> what the heads take from the texts so far (B T, C); `kept` is the layer's."""
        config, begin = self._config, self.length
        qkv = qkv.reshape(B, -1, qkv.shape[-1])
        T = qkv.shape[1]
        if config.qk_norm:
            qkv = qk_norm_kernel.forward(qkv, n_head=config.n_head)[0]
        if config.position == "rotary":
            qkv = rotary_kernel.forward(qkv, n_head=config.n_head, begin=begin)[0]
        heads = qkv.reshape(B, T, 3, config.n_head, -1).transpose(2, 0, 3, 1, 4)
        kept[..., begin : begin + T, :] = heads[1:]
        keys, values = kept[..., : begin + T, :]
        return join_heads(attention_weights(heads[0], keys) @ values).reshape(B * T, -1)


def _norm(config: GPTConfig, weights: Mapping[str, Array], name: str) -> Step:
    """The norm of that name."""
    weight, bias = weights[f"{name}.weight"], weights.get(f"{name}.bias")
    arrays = (weight,) if bias is None else (weight, bias)
    is_rms = config.norm == "rmsnorm"
    kernel, eps = (rms_norm_kernel, float(np.finfo(weight.dtype).eps)) if is_rms else (layer_norm_kernel, 1e-5)
    return lambda x: kernel.forward(x, *arrays, eps=eps)[0]


def _linear(weights: Mapping[str, Array], batch_size: int, name: str) -> Step:
    """The linear layer of that name."""
    weight, bias = weights[f"{name}.weight"], weights.get(f"{name}.bias")
    pieces = _pieces(weight, batch_size) if batch_size in _FEW and weight.size <= _SMALL else []
    longer = _with_zeros(weight) if batch_size == 1 and 7 / 8 * _TWO_CORES < weight.size < _TWO_CORES else None

    def step(x: Array) -> Array:
        if len(x) == 1 and longer is not None:
            z: Array = x.dot(longer.T)[:, : len(weight)]
        elif len(x) > batch_size or not pieces:
            z = rows_by_weight(x, weight)
        elif len(pieces) == 1:
            z = x.dot(pieces[0][1])
        else:
            z = np.empty((len(x), len(weight)), x.dtype)
            for columns, piece in pieces:
                np.matmul(x, piece, out=z[:, columns])
        if bias is not None:
            z += bias
        return z

    return step


def _with_zeros(weight: Array) -> Array:
    """The weight with as many rows of zeros as make it _TWO_CORES numbers."""
    rows, columns = weight.shape
    return np.concatenate([weight, np.zeros((-(-_TWO_CORES // columns) - rows, columns), weight.dtype)])


def _pieces(weight: Array, rows: int) -> list[tuple[slice, Array]]:
    """The transposed weight in pieces of columns, with their places, which `rows` of numbers are multiplied by without a copy."""
    count = -(-rows * weight.size // _UNCOPIED)
    step = -(-len(weight) // count)
    places = [slice(begin, begin + step) for begin in range(0, len(weight), step)]
    return [(place, np.ascontiguousarray(weight[place].T)) for place in places]
