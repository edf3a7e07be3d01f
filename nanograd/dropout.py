"""Dropout (Srivastava et al., 2014): in training each number is 0 with probability p, otherwise divided by 1 - p."""

import numpy as np

from nanograd.graph import Array, Kernel
from nanograd.module import Module
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
    bits = np.frombuffer(generator.numpy.bytes(2 * size), np.uint16)
    return (bits >= round(p * 65536)).reshape(shape)


def _dropout(x: Array, p: float, generator: Generator) -> tuple[Array, tuple[Array, float]]:
    mask = keep_mask(x.shape, p, generator)
    scale = 1 / (1 - p)
    z = x * mask
    z *= scale
    return z, (mask, scale)


def _dropout_backward(g: Array, needs: tuple[bool, ...], mask: Array, scale: float) -> tuple[Array]:
    """Differentiates z = x mask scale."""
    result = g * mask
    result *= scale
    return (result,)


_kernel = Kernel("dropout", _dropout, _dropout_backward)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, generator: Generator | None = None) -> Tensor:
    """Zeros with probability `p` while training, otherwise the input; the shape stays.

    Draws from `generator`, or else from the thread's current one. Raises ValueError for a `p` outside 0 to 1.

    >>> dropout(Tensor([1.0, 2.0]), p=0.5, training=False)
    tensor([1., 2.])
    """
    if not 0 <= p <= 1:
        raise ValueError(f"A dropout probability is from 0 to 1; got {p}.")
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0.0
    return fused(_kernel, input, p=p, generator=generator or current_generator())


class Dropout(Module):
    """`dropout` as a layer; off in evaluation. Input and output have the same shape."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"A dropout probability is from 0 to 1; got {p}.")
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        """Dropout of a tensor of any shape."""
        return dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"
