"""Causal self-attention with several heads (Vaswani et al., 2017).

Each token makes a query, a key and a value for each of H heads, D = C / H numbers each. A token's weights over the tokens
up to itself are softmax(q . k / sqrt(D)); what it takes from them is the sum of their values by these weights.
Shapes: input (B, T, C); queries, keys and values (B, H, T, D); weights (B, H, T, T), queries by keys.
"""

from typing import Any

import numpy as np

from nanograd.dropout import Dropout, dropout, keep_mask
from nanograd.errors import ShapeError
from nanograd.graph import Array, Kernel
from nanograd.linear import Linear
from nanograd.module import Module
from nanograd.random import Generator, current_generator
from nanograd.rotary import rotate_queries_and_keys
from nanograd.softmax import softmax
from nanograd.tensor import Tensor, fused, wrap

# ---- the definition ---------------------------------------------------------------------------------------------------


def attention_definition(query: Tensor, key: Tensor, value: Tensor, dropout_p: float = 0.0) -> Tensor:
    """Causal attention in primitives: (B, H, T, D) three times gives (B, H, T, D)."""
    T, D = query.shape[-2:]
    scores = query @ key.transpose(-2, -1) / D**0.5
    weights = softmax(scores.masked_fill(wrap(future_mask(T, T)), -np.inf), dim=-1)
    return dropout(weights, dropout_p) @ value


def future_mask(queries: int, keys: int) -> Array:
    """True where a key lies after its query; the last query is level with the last key."""
    return np.arange(keys) > np.arange(keys - queries, keys)[:, None]


# ---- the fast form: from (B, T, 3C), all queries, keys and values side by side, to (B, T, C) --------------------------


def attention_weights(query: Array, key: Array) -> Array:
    """The weights (B, H, T, S) of queries (B, H, T, D) over keys (B, H, S, D), the last of which is the present token."""
    T, S, D = query.shape[2], key.shape[2], query.shape[3]
    weights: Array = query @ np.ascontiguousarray(key.swapaxes(2, 3))
    weights *= query.dtype.type(D**-0.5)
    if T > 1:
        weights[..., future_mask(T, S)] = -np.inf
    weights -= weights.max(axis=-1, keepdims=True)
    np.exp(weights, out=weights)
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights


def split_heads(qkv: Array, n_head: int) -> Array:
    """(B, T, 3C) -> (3, B, H, T, D), contiguous."""
    B, T, width = qkv.shape
    return np.ascontiguousarray(qkv.reshape(B, T, 3, n_head, width // 3 // n_head).transpose(2, 0, 3, 1, 4))


def join_heads(heads: Array) -> Array:
    """(B, H, T, D) -> (B, T, C)."""
    B, H, T, D = heads.shape
    return heads.transpose(0, 2, 1, 3).reshape(B, T, H * D)


def _self_attention(
    qkv: Array, n_head: int, dropout_p: float, generator: Generator | None, kept_weights: list[Array] | None
) -> tuple[Array, tuple[Any, ...]]:
    query, key, value = split_heads(qkv, n_head)
    weights = attention_weights(query, key)
    if kept_weights is not None:
        kept_weights.append(weights)
    mask = None
    if generator is not None:
        mask = keep_mask(weights.shape, dropout_p, generator) / qkv.dtype.type(1 - dropout_p)
    dropped = weights if mask is None else weights * mask
    return join_heads(dropped @ value), (query, key, value, weights, mask)


def _self_attention_backward(
    g: Array, needs: tuple[bool, ...], query: Array, key: Array, value: Array, weights: Array, mask: Array | None
) -> tuple[Array]:
    """Differentiates, from the last line up: join_heads, dropped @ value, the mask, softmax, scaling, query @ key^T."""
    B, H, T, D = query.shape
    heads = g.reshape(B, T, H, D).transpose(0, 2, 1, 3)
    result = np.empty((B, T, 3, H, D), g.dtype)
    into = result.transpose(2, 0, 3, 1, 4)
    dropped = weights if mask is None else weights * mask
    into[2] = dropped.swapaxes(2, 3) @ heads
    d_scores = heads @ np.ascontiguousarray(value.swapaxes(2, 3))
    if mask is not None:
        d_scores *= mask
    d_scores *= weights
    d_scores -= weights * d_scores.sum(axis=-1, keepdims=True)
    d_scores *= g.dtype.type(D**-0.5)
    into[0] = d_scores @ key
    into[1] = d_scores.swapaxes(2, 3) @ query
    return (result.reshape(B, T, 3 * H * D),)


_kernel = Kernel("self_attention", _self_attention, _self_attention_backward)


def _normalise_heads(qkv: Array, n_head: int) -> tuple[Array, tuple[Any, ...]]:
    """Queries and keys of each head among (B, T, 3C) divided by their root mean square."""
    B, T, width = qkv.shape
    z = np.array(qkv)
    heads = z.reshape(B, T, 3, n_head, width // 3 // n_head)[:, :, :2]
    inverse = 1 / np.sqrt(np.square(heads).mean(axis=-1, keepdims=True) + qkv.dtype.type(1e-6))
    heads *= inverse
    return z, (z, inverse, n_head)


def _normalise_heads_backward(g: Array, needs: tuple[bool, ...], z: Array, inverse: Array, n_head: int) -> tuple[Array]:
    """For y = x / rms(x): dx = (g - y mean(g y)) / rms(x)."""
    shape = (*g.shape[:2], 3, n_head, g.shape[2] // 3 // n_head)
    result = np.array(g)
    d_heads, heads = result.reshape(shape)[:, :, :2], z.reshape(shape)[:, :, :2]
    d_heads -= heads * (d_heads * heads).mean(axis=-1, keepdims=True)
    d_heads *= inverse
    return (result,)


_qk_norm_kernel = Kernel("qk_norm", _normalise_heads, _normalise_heads_backward)


class KeyValueCache:
    """One layer's keys and values of the tokens so far, so that a new token costs one token's work.

    `keys` and `values` are (B, H, block_size, D), filled up to `length`.
    """

    def __init__(self, batch_size: int, n_head: int, block_size: int, head_size: int, dtype: Any = np.float32) -> None:
        self._keys = np.empty((batch_size, n_head, block_size, head_size), dtype)
        self._values = np.empty_like(self._keys)
        self.length = 0

    def extend(self, key: Array, value: Array) -> tuple[Array, Array]:
        """Add the keys and values (B, H, T, D) of T new tokens; return all so far, (B, H, length, D)."""
        end = self.length + key.shape[2]
        self._keys[:, :, self.length : end] = key
        self._values[:, :, self.length : end] = value
        self.length = end
        return self._keys[:, :, :end], self._values[:, :, :end]


class MultiHeadAttention(Module):
    """Causal self-attention with `n_head` heads: (B, T, n_embd) -> (B, T, n_embd).

    `rotary` turns queries and keys by their positions; `qk_norm` divides them by their root mean square first (Henry et
    al., 2020).
    """

    def __init__(
        self, n_embd: int, n_head: int, dropout: float = 0.0, bias: bool = True, rotary: bool = False, qk_norm: bool = False
    ) -> None:
        super().__init__()
        if n_embd % n_head:
            raise ShapeError(f"n_head {n_head} does not divide n_embd {n_embd}; choose a divisor.")
        if rotary and n_embd // n_head % 2:
            raise ShapeError(
                f"Rotary positions need heads of even size; n_embd {n_embd} / n_head {n_head} is odd: choose others."
            )
        self.rotary, self.qk_norm = rotary, qk_norm
        self.n_head = n_head
        self.dropout_p = dropout
        self.c_attn = Linear(n_embd, 3 * n_embd, bias=bias)
        self.c_proj = Linear(n_embd, n_embd, bias=bias)
        self.dropout = Dropout(dropout)

    def forward(self, input: Tensor, kept_weights: list[Array] | None = None, cache: KeyValueCache | None = None) -> Tensor:
        """Attend; the weights (B, H, T, T), before dropout, are appended to `kept_weights` where it is given.

        With a `cache` the input holds only new tokens, nothing is recorded, and the weights are (B, H, T, length).
        """
        qkv = self.c_attn(input)
        if self.qk_norm:
            qkv = fused(_qk_norm_kernel, qkv, n_head=self.n_head)
        if self.rotary:
            qkv = rotate_queries_and_keys(qkv, self.n_head, begin=cache.length if cache else 0)
        if cache is not None:
            projected: Tensor = self.c_proj(wrap(self._attend_cached(qkv.array, kept_weights, cache)))
            return projected
        generator = current_generator() if self.training and self.dropout_p else None
        attended = fused(
            _kernel,
            qkv,
            n_head=self.n_head,
            dropout_p=self.dropout_p,
            generator=generator,
            kept_weights=kept_weights,
        )
        result: Tensor = self.dropout(self.c_proj(attended))
        return result

    def _attend_cached(self, qkv: Array, kept_weights: list[Array] | None, cache: KeyValueCache) -> Array:
        query, key, value = split_heads(qkv, self.n_head)
        keys, values = cache.extend(key, value)
        weights = attention_weights(query, keys)
        if kept_weights is not None:
            kept_weights.append(weights)
        return join_heads(weights @ values)

    def extra_repr(self) -> str:
        """The number of heads."""
        return f"n_head={self.n_head}, rotary={self.rotary}, qk_norm={self.qk_norm}"
