"""A GPT's forward pass for the tokens that are new, on plain arrays: the keys and values of those before are kept.

So a new token costs one token's work, whatever came before it. Nothing is recorded, and dropout is off. That the logits are
those of GPTLanguageModel, which defines them, is held by the tests. B texts, T new tokens each, S tokens so far. Numbers lie in
columns, (C, N) with N = B T, since BLAS takes a weight as it is for W x, but copies it first for x W^T.
"""

from collections.abc import Callable, Mapping
from functools import partial
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from nanograd.gptconfig import GPTConfig
from nanograd.graph import Array
from nanograd.mlp import BENDS
from nanograd.multihead_attention import attention_weights, qk_norm_kernel
from nanograd.rotary import rotary_kernel

Weights = Mapping[str, Array]
Step = Callable[[Array], Array]  # columns (in, N) -> columns (out, N)

# The product with a single column takes two cores from so many numbers on. A weight that nearly has them, such as the one for
# queries, keys and values at a width of 384, gets rows of zeros, which takes half the time.
_TWO_CORES = 460_800


class Decoder:
    """The next token's logits for B texts that grow; `weights` are a GPTLanguageModel's, by name. Most are not copied."""

    def __init__(self, config: GPTConfig, weights: Weights, batch_size: int) -> None:
        self.length = 0  # of the texts so far; setting it back makes the decoder forget the rest
        self._config = config
        self._tokens, self._positions = weights["wte.weight"], weights.get("wpe.weight")
        self._bend = BENDS[config.activation][1]
        D = config.n_embd // config.n_head
        shape = (config.n_layer, 2, batch_size, config.n_head, config.block_size, D)
        self._kept = np.empty(shape, self._tokens.dtype)  # keys and values, filled up to `length`
        norm, linear = partial(_norm, config, weights), partial(_linear, weights, batch_size)
        self._layers = [
            (
                *(norm(f"{name}.ln_1"), linear(f"{name}.attn.c_attn"), linear(f"{name}.attn.c_proj")),
                *(norm(f"{name}.ln_2"), linear(f"{name}.mlp.c_fc"), linear(f"{name}.mlp.c_proj")),
            )
            for name in (f"h.{layer}" for layer in range(config.n_layer))
        ]
        self._last_norm = norm("ln_f")
        self._head = linear("lm_head" if "lm_head.weight" in weights else "wte")

    def logits(self, ids: NDArray[np.int64]) -> Array:
        """The logits (B, V) of the token after `ids` (B, T), which come after the texts so far; S is at most block_size."""
        T, begin = ids.shape[1], self.length
        x: Array = self._tokens[ids]
        if self._positions is not None:
            x += self._positions[begin : begin + T]
        x = np.ascontiguousarray(x.reshape(-1, x.shape[2]).T)
        for kept, (norm_1, c_attn, c_proj, norm_2, mlp_fc, mlp_proj) in zip(self._kept, self._layers, strict=True):
            x += c_proj(self._attend(c_attn(norm_1(x)), kept, T))
            x += mlp_proj(self._bend(mlp_fc(norm_2(x)).T).T)
        self.length = begin + T
        return self._head(self._last_norm(x[:, T - 1 :: T])).T

    def _attend(self, qkv: Array, kept: Array, T: int) -> Array:
        """Queries, keys and values (3C, N) -> what the heads take from the texts so far (C, N); `kept` is the layer's."""
        config, begin, end = self._config, self.length, self.length + T
        _, B, H, _, D = kept.shape
        qkv = qkv.T.reshape(B, T, 3 * H * D)
        if config.qk_norm:
            qkv = qk_norm_kernel.forward(qkv, n_head=H)[0]
        if config.position == "rotary":
            qkv = rotary_kernel.forward(qkv, n_head=H, begin=begin)[0]
        heads = qkv.reshape(B, T, 3, H, D).transpose(2, 0, 3, 1, 4)
        kept[:, :, :, begin:end] = heads[1:]
        keys, values = kept[:, :, :, :end]
        attended: Array = attention_weights(heads[0], keys) @ values
        return attended.transpose(1, 3, 0, 2).reshape(H * D, B * T)


def _norm(config: GPTConfig, weights: Weights, name: str) -> Step:
    """The norm of that name, in fewer operations than its kernel, which also keeps what a backward pass needs."""
    weight, bias = weights[f"{name}.weight"][:, None], _bias(weights, name)
    C, number = len(weight), weight.dtype.type
    is_rms = config.norm == "rmsnorm"
    least = C * (float(np.finfo(number).eps) if is_rms else 1e-5)
    averaging = np.full((1, C), 1 / C, number)

    def norm(x: Array) -> Array:
        if not is_rms:
            x = x - averaging.dot(x)
        if x.shape[1] == 1:  # a Python number takes a third of the time of an array of one
            column = x.reshape(-1)
            z: Array = x * number(sqrt(C / (column.dot(column) + least)))
        else:
            inverse = np.vecdot(x.T, x.T)
            inverse += least
            np.divide(C, inverse, out=inverse)
            z = x * np.sqrt(inverse, out=inverse)
        z *= weight
        if bias is not None:
            z += bias
        return z

    return norm


def _linear(weights: Weights, batch_size: int, name: str) -> Step:
    """The linear layer of that name."""
    weight, bias = weights[f"{name}.weight"], _bias(weights, name)
    longer = _with_zeros(weight) if batch_size == 1 and 7 / 8 * _TWO_CORES < weight.size < _TWO_CORES else weight

    def linear(x: Array) -> Array:
        z: Array = longer.dot(x)[: len(weight)] if x.shape[1] == 1 else weight @ x
        if bias is not None:
            z += bias
        return z

    return linear


def _bias(weights: Weights, name: str) -> Array | None:
    """The bias of that layer as a column, where it has one."""
    bias = weights.get(f"{name}.bias")
    return None if bias is None else bias[:, None]


def _with_zeros(weight: Array) -> Array:
    """The weight with as many rows of zeros as make it _TWO_CORES numbers."""
    rows, columns = weight.shape
    return np.concatenate([weight, np.zeros((-(-_TWO_CORES // columns) - rows, columns), weight.dtype)])
