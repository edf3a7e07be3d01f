"""Dropout (Srivastava et al., 2014): in training each number is 0 with probability p, otherwise divided by 1 - p.

Drop path, or stochastic depth (Huang et al., 2016), draws once for each sample x[n] of a batch instead: the branch of a
residual network that ends in it is left out for some samples.
"""

import numpy as np

from nanograd.errors import refuse_inplace
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.module import FunctionLayer
from nanograd.random import Generator, current_generator
from nanograd.tensor import Tensor, fused, wrap

# ---- the definition ---------------------------------------------------------------------------------------------------


def dropout_definition(input: Tensor, p: float, generator: Generator) -> Tensor:
    """Dropout in primitives; the shape stays."""
    return input * wrap(keep_mask(input.shape, p, generator).astype(input.dtype)) / (1 - p)


# ---- the fast form ----------------------------------------------------------------------------------------------------


def keep_mask(shape: tuple[int, ...], p: float, generator: Generator) -> Array:
    """True with probability 1 - p, to the nearest 65,536th: one draw of 16 bits for each number is enough."""
    size = int(np.prod(shape))
    bits = np.asarray(generator.numpy.bit_generator.random_raw(-(-size // 4))).view(np.uint16)[:size]
    return (bits >= round(p * 65536)).reshape(shape)


def _dropout(x: Array, shape: tuple[int, ...], p: float, generator: Generator) -> Fused:
    mask = keep_mask(shape, p, generator)
    scale = 1 / (1 - p)
    z = x * mask
    z *= scale
    return z, (mask, scale)


def _dropout_backward(g: Array, needs: Needs, mask: Array, scale: float) -> Gradients:
    """Differentiates z = x mask scale."""
    result = g * mask
    result *= scale
    return (result,)


_kernel = Kernel("dropout", _dropout, _dropout_backward)


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False, generator: Generator | None = None
) -> Tensor:
    """Zeros with probability `p` while training, otherwise the input; the shape stays.

    Draws from `generator`, or else from the thread's current one. Raises ValueError for a `p` outside 0 to 1.

    >>> dropout(Tensor([1.0, 2.0]), p=0.5, training=False)
    tensor([1., 2.])
    """
    refuse_inplace(inplace)
    return _drop(input, input.shape, p, training, generator)


def drop_path(input: Tensor, drop_prob: float = 0.0, training: bool = False, generator: Generator | None = None) -> Tensor:
    """Samples input[n] that are 0 with probability `drop_prob` while training, otherwise the input (N, ...); the shape stays.

    Draws from `generator`, or else from the thread's current one. Raises ValueError for a probability outside 0 to 1.

    >>> drop_path(Tensor([[1.0, 2.0]]), drop_prob=1.0, training=True)
    tensor([[0., 0.]])
    """
    return _drop(input, input.shape[:1] + (1,) * (input.ndim - 1), drop_prob, training, generator)


def _drop(input: Tensor, shape: tuple[int, ...], p: float, training: bool, generator: Generator | None) -> Tensor:
    _check_probability(p)
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0.0
    return fused(_kernel, input, shape=shape, p=p, generator=generator or current_generator())


def _check_probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"A dropout probability is from 0 to 1; got {p}.")


class Dropout(FunctionLayer, function=dropout, shows="p inplace"):
    """`dropout` as a layer; off in evaluation. Input and output have the same shape."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__(p, inplace)
        _check_probability(p)


class DropPath(FunctionLayer, function=drop_path):
    """`drop_path` as a layer; off in evaluation. Input and output have the same shape (N, ...)."""

    def __init__(self, drop_prob: float = 0.0) -> None:
        super().__init__(drop_prob)
        _check_probability(drop_prob)
