"""Attention (Vaswani et al., 2017): z = softmax(q k^T scale + mask) v, where each query takes a mean of the values.

Shapes: queries (..., L, E), keys (..., S, E), values (..., S, Ev); the mask, the scores and the weights (..., L, S); the result
(..., L, Ev). In MultiheadAttention each of H heads attends with E / H numbers of projected queries, keys and values.
"""

from typing import Any

import numpy as np

from nanograd.creation import empty, zeros
from nanograd.dropout import dropout, keep_mask
from nanograd.errors import ArgumentError, ShapeError, refuse
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.init import xavier_uniform_
from nanograd.linear import Linear, linear
from nanograd.module import Module, Parameter
from nanograd.random import Generator, current_generator
from nanograd.softmax import softmax
from nanograd.tensor import Tensor, fused, wrap

# ---- the definition ---------------------------------------------------------------------------------------------------


def attention_definition(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, dropout_p: float = 0.0, scale: float | None = None
) -> tuple[Tensor, Tensor]:
    """Attention in primitives, with a mask of floats that is added: the result and the weights."""
    scores = (query * (query.shape[-1] ** -0.5 if scale is None else scale)) @ key.transpose(-2, -1)
    weights = dropout(softmax(scores if mask is None else scores + mask, dim=-1), dropout_p)
    return weights @ value, weights


# ---- the fast form ----------------------------------------------------------------------------------------------------


def _attention(
    query: Array, key: Array, value: Array, *mask: Array, scale: float, dropout_p: float, generator: Generator | None
) -> Fused:
    scores = (query * query.dtype.type(scale)) @ np.ascontiguousarray(key.swapaxes(-1, -2))
    if mask:
        scores = scores + mask[0]
    largest = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    weights = np.exp(scores - np.where(np.isneginf(largest), 0, largest))
    total = weights.sum(axis=-1, keepdims=True)
    weights /= np.where(total == 0, 1, total)  # a query that may look at no key takes nothing
    dropped = weights
    if generator is not None:
        dropped = weights * (keep_mask(weights.shape, dropout_p, generator) / weights.dtype.type(1 - dropout_p))
    return dropped @ value, (query, key, value, weights, dropped, scale)


def _attention_backward(
    g: Array, needs: Needs, query: Array, key: Array, value: Array, weights: Array, dropped: Array, scale: float
) -> Gradients:
    """Differentiates, from the last line up: dropped @ value, dropout and softmax, adding the mask, query @ key^T."""
    d_scores = g @ value.swapaxes(-1, -2)
    d_scores *= dropped
    d_scores -= weights * d_scores.sum(axis=-1, keepdims=True)
    scaled = d_scores * g.dtype.type(scale)
    gradients = [scaled @ key, scaled.swapaxes(-1, -2) @ query, dropped.swapaxes(-1, -2) @ g, d_scores]
    return gradients[: len(needs)]


_kernel = Kernel("scaled_dot_product_attention", _attention, _attention_backward)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """Attention of queries (..., L, E) over keys (..., S, E) and values (..., S, Ev): (..., L, Ev).

    `attn_mask`, which broadcasts to (..., L, S), is True where a query may look at a key, or holds floats that are added to
    the scores; with `is_causal` query i looks at keys up to i. A query that may look at no key gets zeros. `scale` is
    1 / sqrt(E) where none is given; `dropout_p` always applies. Raises ShapeError where shapes do not fit.

    >>> ones = Tensor([[1.0], [1.0]])
    >>> scaled_dot_product_attention(ones, ones, Tensor([[2.0], [4.0]]), is_causal=True)
    tensor([[2.],
            [3.]])
    """
    if min(query.ndim, key.ndim, value.ndim) < 2 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        shapes = f"{query.shape}, {key.shape} and {value.shape}"
        raise ShapeError(f"Attention takes queries (..., L, E), keys (..., S, E) and values (..., S, Ev); got {shapes}.")
    if not query.dtype == key.dtype == value.dtype:
        raise ShapeError(f"Attention needs one dtype; got {query.dtype}, {key.dtype} and {value.dtype}: use .to().")
    if is_causal and attn_mask is not None:
        raise ArgumentError("attn_mask and is_causal exclude each other: make the mask causal too, or leave one of them out.")
    if not 0 <= dropout_p < 1:
        raise ArgumentError(f"dropout_p is from 0 to below 1; got {dropout_p}.")
    query._require_floats("scaled_dot_product_attention")
    if is_causal:
        attn_mask = wrap(np.tri(query.shape[-2], key.shape[-2], dtype=np.bool_))
    masks = () if attn_mask is None else (_added(attn_mask, query, allowed=True),)
    generator = current_generator() if dropout_p else None
    scale = max(query.shape[-1], 1) ** -0.5 if scale is None else scale
    return fused(_kernel, query, key, value, *masks, scale=scale, dropout_p=dropout_p, generator=generator)


def _added(mask: Tensor, like: Tensor, allowed: bool) -> Tensor:
    """A mask as floats to add to the scores: minus infinity where a mask of bools is not `allowed`."""
    if mask.dtype == np.bool_:
        return wrap(np.where(mask.array == allowed, 0, -np.inf).astype(like.dtype))
    mask._require_floats("A mask other than of bools")
    return mask.to(like.dtype)


# ---- the layer --------------------------------------------------------------------------------------------------------


class MultiheadAttention(Module):
    """Attention with `num_heads` heads between a projection of queries, keys and values and one of the result.

    Inputs are (L, N, E) and (S, N, E), with `batch_first` (N, L, E) and (N, S, E), or (L, E) and (S, E) without a batch.
    Raises ShapeError where `num_heads` does not divide `embed_dim`.

    >>> attention = MultiheadAttention(embed_dim=4, num_heads=2, batch_first=True)
    >>> x = zeros(1, 3, 4)
    >>> result, weights = attention(x, x, x)
    >>> result.shape, weights.shape
    ((1, 3, 4), (1, 3, 3))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        refuse(add_bias_kv or add_zero_attn, "add_bias_kv, add_zero_attn", "add the key and value to the inputs")
        has_own_sizes = kdim not in (None, embed_dim) or vdim not in (None, embed_dim)
        refuse(has_own_sizes, "kdim or vdim other than embed_dim", "bring keys and values to embed_dim by a Linear layer")
        if num_heads < 1 or embed_dim % num_heads:
            raise ShapeError(f"num_heads {num_heads} does not divide embed_dim {embed_dim}; choose a divisor.")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.in_proj_weight = xavier_uniform_(Parameter(empty(3 * embed_dim, embed_dim)))
        self.in_proj_bias = Parameter(zeros(3 * embed_dim)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias)
        if bias:
            self.out_proj.bias = Parameter(zeros(embed_dim))

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The result, in the shape of `query`, and the weights after dropout, or None unless `need_weights`.

        Masks are of bools, True where a key must not be looked at, or of floats that are added: `key_padding_mask` (N, S),
        `attn_mask` (L, S) or (N H, L, S). `is_causal` says that `attn_mask` is causal, which it has to be. The weights are
        (N, L, S), the mean of all heads, or (N, H, L, S) without `average_attn_weights`; without a batch there is no N.
        Without `need_weights` it is faster.
        """
        if is_causal and attn_mask is None:
            raise ArgumentError("is_causal says that attn_mask is causal, so attn_mask has to be given as well.")
        if query.ndim == 2:  # no batch: a batch of one
            one = 0 if self.batch_first else 1
            padding = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
            query, key, value = (x.unsqueeze(one) for x in (query, key, value))
            result, weights = self.forward(query, key, value, padding, need_weights, attn_mask, average_attn_weights)
            return result.squeeze(one), None if weights is None else weights.squeeze(0)
        order = (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3)  # from (N, L, H, D) or (L, N, H, D) to (N, H, L, D)
        back = (0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3)
        biases: Any = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        heads = []
        for x, weight, bias in zip((query, key, value), self.in_proj_weight.chunk(3), biases, strict=True):
            if x.ndim != 3 or x.shape[-1] != self.embed_dim or x.shape[order[0]] != query.shape[order[0]]:
                raise ShapeError(f"The inputs have three dimensions, or two, the last of size {self.embed_dim}; got {x.shape}.")
            split = linear(x, weight, bias).reshape(*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads)
            heads.append(split.permute(*order))
        queries, keys, values = heads
        mask = self._mask(queries, keys, key_padding_mask, attn_mask)
        dropout_p, weights = self.dropout if self.training else 0.0, None
        if need_weights:
            result, weights = attention_definition(queries, keys, values, mask, dropout_p)
            weights = weights.mean(1) if average_attn_weights else weights
        else:
            result = scaled_dot_product_attention(queries, keys, values, mask, dropout_p)
        return self.out_proj(result.permute(*back).reshape(query.shape)), weights

    def _mask(self, query: Tensor, key: Tensor, padding: Tensor | None, attn_mask: Tensor | None) -> Tensor | None:
        """Both masks as floats to add, together (N, 1 or H, 1 or L, S), for heads (N, H, L, D) and (N, H, S, D)."""
        N, H, L = query.shape[:3]
        S = key.shape[2]
        of_heads: dict[Any, Any] = {(L, S): (1, 1, L, S), (N * H, L, S): (N, H, L, S)}  # a mask's shape, and how it is laid out
        of_keys: dict[Any, Any] = {(N, S): (N, 1, 1, S)}
        parts: list[Tensor] = []
        for name, mask, shapes in (("attn_mask", attn_mask, of_heads), ("key_padding_mask", padding, of_keys)):
            if mask is not None:
                if mask.shape not in shapes:
                    raise ShapeError(f"{name} has the shape {' or '.join(map(str, shapes))}; got {mask.shape}.")
                parts.append(_added(mask, query, allowed=False).reshape(shapes[mask.shape]))
        return sum(parts[1:], parts[0]) if parts else None
