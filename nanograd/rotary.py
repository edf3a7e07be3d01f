"""Rotary positions (Su et al., 2021): queries and keys are turned by angles that grow with their position.

The D numbers of a head at position t are taken as D/2 pairs (i, i + D/2), and pair i is turned by t / 10000^(2i/D). The
product of a query and a key then depends on the distance of their positions alone.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.joining import cat
from nanograd.tensor import Tensor, wrap

BASE = 10000.0


@lru_cache(maxsize=8)
def turns(begin: int, count: int, head_size: int, dtype: Any) -> tuple[Array, Array]:
    """The cosines and sines (count, D/2) of the angles at positions `begin` to `begin + count`."""
    rates = BASE ** (-2 * np.arange(head_size // 2) / head_size)
    angles = np.arange(begin, begin + count)[:, None] * rates
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


# ---- the definition ---------------------------------------------------------------------------------------------------


def rotary_definition(x: Tensor, begin: int = 0) -> Tensor:
    """(..., T, D) turned by the positions from `begin`, in primitives; the shape stays.

    >>> rotary_definition(Tensor([[1.0, 0.0], [1.0, 0.0]]))
    tensor([[1.0000, 0.0000],
            [0.5403, 0.8415]])
    """
    T, D = x.shape[-2:]
    cosines, sines = (wrap(table) for table in turns(begin, T, D, x.dtype))
    left, right = x.chunk(2, dim=-1)
    return cat([left * cosines - right * sines, left * sines + right * cosines], dim=-1)


# ---- the fast form: queries and keys among (B, T, 3C), in one pass ----------------------------------------------------


def _rotate(qkv: Array, n_head: int, begin: int) -> Fused:
    B, T, width = qkv.shape
    D = width // 3 // n_head
    cosines, sines = turns(begin, T, D, qkv.dtype)
    z = np.array(qkv)
    _turn(z.reshape(B, T, 3, n_head, 2, D // 2)[:, :, :2], cosines, sines)
    return z, (cosines, sines, n_head)


def _turn(heads: Array, cosines: Array, sines: Array) -> None:
    """Turn (B, T, 2, H, 2, D/2) in place."""
    left, right = heads[..., 0, :], heads[..., 1, :]
    cosines, sines = cosines[:, None, None], sines[:, None, None]
    turned = left * cosines - right * sines
    right *= cosines
    right += left * sines
    left[...] = turned


def _rotate_backward(g: Array, needs: Needs, cosines: Array, sines: Array, n_head: int) -> Gradients:
    """A turn's derivative is the turn back."""
    B, T, width = g.shape
    result = np.array(g)
    _turn(result.reshape(B, T, 3, n_head, 2, width // 6 // n_head)[:, :, :2], cosines, -sines)
    return (result,)


rotary_kernel = Kernel("rotary", _rotate, _rotate_backward)
