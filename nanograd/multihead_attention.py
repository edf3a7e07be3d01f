"""Causal self-attention with several heads (Vaswani et al., 2017).

Each token makes a query, a key and a value for each of H heads, D = C / H numbers each. A token's weights over the tokens
up to itself are softmax(q . k / sqrt(D)); what it takes from them is the sum of their values by these weights. QK
normalisation (Henry et al., 2020) divides queries and keys by their root mean square first, x / sqrt(mean(x^2) + 1e-6).
Shapes: input (B, T, C); queries, keys and values (B, H, T, D); weights (B, H, T, T), queries by keys.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from nanograd.dropout import Dropout, dropout, keep_mask
from nanograd.errors import ShapeError
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.joining import cat
from nanograd.linear import Linear
from nanograd.module import Module
from nanograd.random import Generator, current_generator
from nanograd.rotary import rotary_kernel
from nanograd.softmax import softmax
from nanograd.tensor import Tensor, fused, wrap

_QK_EPS = 1e-6

# ---- the definitions --------------------------------------------------------------------------------------------------


def attention_definition(query: Tensor, key: Tensor, value: Tensor, dropout_p: float = 0.0) -> Tensor:
    """Causal attention in primitives: (B, H, T, D) three times gives (B, H, T, D)."""
    T, D = query.shape[-2:]
    scores = query @ key.transpose(-2, -1) / D**0.5
    weights = softmax(scores.masked_fill(wrap(future_mask(T, T)), -np.inf), dim=-1)
    return dropout(weights, dropout_p) @ value


def qk_norm_definition(qkv: Tensor, n_head: int) -> Tensor:
    """QK normalisation in primitives: (B, T, 3C), of which the last third are values, which stay; the shape stays."""
    heads = qkv.reshape(*qkv.shape[:2], 3, n_head, -1)
    queries_and_keys, values = heads.split([2, 1], dim=2)
    inverse = (queries_and_keys.square().mean(-1, keepdim=True) + _QK_EPS).rsqrt()
    return cat([queries_and_keys * inverse, values], dim=2).reshape(qkv.shape)


def future_mask(queries: int, keys: int) -> Array:
    """True where a key lies after its query; the last query is level with the last key."""
    return np.arange(keys) > np.arange(keys - queries, keys)[:, None]


# ---- the fast form: from (B, T, 3C), all queries, keys and values side by side, to (B, T, C) --------------------------
#
# Queries come in blocks, so that the keys that lie in a block's future are left out. The exponentials e of the scores stay
# as they are; what they sum up to divides the result instead, which has fewer numbers.

QUERY_BLOCK = 64
_SAFE_SCORE = 60.0  # up to here neither exponentials nor their sums leave the range of float32


def attention_weights(query: Array, key: Array) -> Array:
    """The weights (B, H, T, S) of queries (B, H, T, D) over keys (B, H, S, D), the last of which is the present token."""
    T, S, D = query.shape[2], key.shape[2], query.shape[3]
    weights: Array = (query * query.dtype.type(D**-0.5)) @ key.swapaxes(2, 3)
    if T > 1:
        weights[..., future_mask(T, S)] = -np.inf
    weights -= np.maximum.reduce(weights, axis=-1, keepdims=True)  # which begins sooner than the method max
    np.exp(weights, out=weights)
    weights /= np.add.reduce(weights, axis=-1, keepdims=True)
    return weights


def _blocks(T: int) -> list[slice]:
    return [slice(begin, min(begin + QUERY_BLOCK, T)) for begin in range(0, T, QUERY_BLOCK)]


@lru_cache(maxsize=8)
def _future(length: int, dtype: Any) -> Array:
    """(length, length) to be added to scores: minus infinity where a key lies after its query."""
    return np.where(future_mask(length, length), -np.inf, 0).astype(dtype)


def _exponentials(query: Array, key_T: Array, block: slice, is_safe: bool) -> Array:
    """e to the scores (B, H, block, keys up to its end), 0 where a key lies after its query."""
    scores: Array = query[:, :, block] @ key_T[..., : block.stop]
    scores[..., block] += _future(block.stop - block.start, query.dtype)
    if not is_safe:
        scores -= scores.max(axis=-1, keepdims=True)
    return np.exp(scores, out=scores)


def _self_attention(qkv: Array, n_head: int, dropout_p: float, generator: Generator | None) -> Fused:
    B, T, width = qkv.shape
    H, D = n_head, width // 3 // n_head
    query, key, value = np.ascontiguousarray(qkv.reshape(B, T, 3, H, D).transpose(2, 0, 3, 1, 4))
    query *= query.dtype.type(D**-0.5)
    key_T = np.ascontiguousarray(key.swapaxes(2, 3))
    largest = [float(np.einsum("bhtd,bhtd->bht", x, x).max(initial=0)) for x in (query, key)]
    is_safe = largest[0] * largest[1] < _SAFE_SCORE**2  # a score is at most the product of both lengths
    result = np.empty((B, T, H, D), qkv.dtype)
    heads, inverse = result.transpose(0, 2, 1, 3), np.empty((B, H, T, 1), qkv.dtype)
    kept: list[tuple[Array, Array | None]] = []
    for block in _blocks(T):
        e = _exponentials(query, key_T, block, is_safe)
        mask = None if generator is None else keep_mask(e.shape, dropout_p, generator).astype(qkv.dtype)
        np.matmul(e if mask is None else e * mask, value[:, :, : block.stop], out=heads[:, :, block])
        np.reciprocal(e @ np.ones((block.stop, 1), qkv.dtype), out=inverse[:, :, block])
        kept.append((e, mask))
    heads *= inverse if generator is None else inverse / (1 - dropout_p)
    z = result.reshape(B, T, H * D)
    return z, (query, key, value, inverse, kept, dropout_p if generator is not None else 0.0, z)


def _self_attention_backward(
    g: Array, needs: Needs, query: Array, key: Array, value: Array, inverse: Array, kept: list[Any], dropout_p: float, z: Array
) -> Gradients:
    """Differentiates z = (e mask) value / sum(e), e = exp(scores), scores = query key^T, block by block.

    With w = e / sum(e) and dw = (g value^T) mask, the softmax's gradient is w (dw - sum(w dw)), and that sum is g z.
    """
    B, H, T, D = query.shape
    heads = g.reshape(B, T, H, D).transpose(0, 2, 1, 3)
    along = np.einsum("bthd,bthd->bht", g.reshape(B, T, H, D), z.reshape(B, T, H, D))[..., None]
    along *= inverse
    shared = inverse / (1 - dropout_p) * heads
    value_T = np.ascontiguousarray(value.swapaxes(2, 3))
    result = np.empty((B, T, 3, H, D), g.dtype)
    d_query, d_key, d_value = result.transpose(2, 0, 3, 1, 4)
    for block, (e, mask) in reversed(list(zip(_blocks(T), kept, strict=True))):  # the last block reaches every key
        seen = slice(0, block.stop)
        part = shared[:, :, block]
        d_scores = part @ value_T[..., seen]
        if mask is not None:
            d_scores *= mask
        d_scores -= along[:, :, block]
        d_scores *= e
        d_query[:, :, block] = d_scores @ key[:, :, seen]
        dropped = e if mask is None else e * mask
        for target, weights, x in ((d_value, dropped, part), (d_key, d_scores, query[:, :, block])):
            if block.stop == T:
                np.matmul(weights.swapaxes(2, 3), x, out=target)
            else:
                target[:, :, seen] += weights.swapaxes(2, 3) @ x
    d_query *= g.dtype.type(D**-0.5)
    return (result.reshape(B, T, 3 * H * D),)


_kernel = Kernel("self_attention", _self_attention, _self_attention_backward)


def _normalise_heads(qkv: Array, n_head: int) -> Fused:
    """Queries and keys of each head among (B, T, 3C) divided by their root mean square."""
    B, T, width = qkv.shape
    z = np.array(qkv)
    heads = z.reshape(B, T, 3, n_head, width // 3 // n_head)[:, :, :2]
    inverse = 1 / np.sqrt(np.square(heads).mean(axis=-1, keepdims=True) + qkv.dtype.type(_QK_EPS))
    heads *= inverse
    return z, (z, inverse, n_head)


def _normalise_heads_backward(g: Array, needs: Needs, z: Array, inverse: Array, n_head: int) -> Gradients:
    """For y = x / rms(x): dx = (g - y mean(g y)) / rms(x)."""
    shape = (*g.shape[:2], 3, n_head, g.shape[2] // 3 // n_head)
    result = np.array(g)
    d_heads, heads = result.reshape(shape)[:, :, :2], z.reshape(shape)[:, :, :2]
    d_heads -= heads * (d_heads * heads).mean(axis=-1, keepdims=True)
    d_heads *= inverse
    return (result,)


qk_norm_kernel = Kernel("qk_norm", _normalise_heads, _normalise_heads_backward)


class MultiHeadAttention(Module):
    """Causal self-attention with `n_head` heads: (B, T, n_embd) -> (B, T, n_embd).

    `rotary` turns queries and keys by their positions, after `qk_norm`.

    >>> MultiHeadAttention(n_embd=4, n_head=2)(Tensor(np.ones((1, 3, 4)))).shape
    (1, 3, 4)
    """

    def __init__(
        self, n_embd: int, n_head: int, dropout: float = 0.0, bias: bool = True, rotary: bool = False, qk_norm: bool = False
    ) -> None:
        super().__init__()
        if n_embd % n_head:
            raise ShapeError(f"n_head {n_head} does not divide n_embd {n_embd}; choose a divisor.")
        if rotary and n_embd // n_head % 2:
            raise ShapeError(f"Rotary positions need heads of even size; n_embd {n_embd} / n_head {n_head} is odd.")
        self.n_head, self.dropout_p, self.rotary, self.qk_norm = n_head, dropout, rotary, qk_norm
        self.c_attn = Linear(n_embd, 3 * n_embd, bias=bias)
        self.c_proj = Linear(n_embd, n_embd, bias=bias)
        self.dropout = Dropout(dropout)

    def project(self, input: Tensor) -> Tensor:
        """The queries, keys and values of all heads side by side: (B, T, n_embd) -> (B, T, 3 n_embd)."""
        qkv: Tensor = self.c_attn(input)
        if self.qk_norm:
            qkv = fused(qk_norm_kernel, qkv, n_head=self.n_head)
        return fused(rotary_kernel, qkv, n_head=self.n_head, begin=0) if self.rotary else qkv

    def forward(self, input: Tensor) -> Tensor:
        """Attend: (B, T, n_embd) -> (B, T, n_embd)."""
        generator = current_generator() if self.training and self.dropout_p else None
        attended = fused(_kernel, self.project(input), n_head=self.n_head, dropout_p=self.dropout_p, generator=generator)
        result: Tensor = self.dropout(self.c_proj(attended))
        return result

    def extra_repr(self) -> str:
        """The number of heads."""
        return f"n_head={self.n_head}, rotary={self.rotary}, qk_norm={self.qk_norm}"
