"""How parameters start, as torch.nn.init: each function fills a tensor in place, outside every graph, and returns it.

fan_in is how many numbers an output sees, fan_out how many outputs see a number: for (out, in, ...) each is the size times
that of the kernel. Xavier (Glorot and Bengio, 2010) has the deviation gain sqrt(2 / (fan_in + fan_out)); Kaiming (He et al.,
2015) gain / sqrt(fan). An even distribution from -b to b has the deviation b / sqrt(3).
"""

from math import prod, sqrt
from typing import Any, Final, TypeVar

import numpy as np

from nanograd.errors import ShapeError
from nanograd.graph import no_grad
from nanograd.random import Generator, numpy_draws
from nanograd.tensor import Tensor, wrap

T = TypeVar("T", bound=Tensor)

_GAINS: Final = {"linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": sqrt(2), "selu": 0.75}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much an activation has to be made up for; `param` is the slope of "leaky_relu", 0.01 where none is given.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity == "leaky_relu":
        return sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"There is a gain for {', '.join(_GAINS)} and leaky_relu, not for {nonlinearity!r}.")
    return _GAINS[nonlinearity]


def constant_(tensor: T, val: float) -> T:
    """`val` everywhere."""
    return _fill(tensor, val)


def zeros_(tensor: T) -> T:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def ones_(tensor: T) -> T:
    """1 everywhere."""
    return constant_(tensor, 1.0)


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """Evenly from `a` to below `b`."""
    return _fill(tensor, numpy_draws(generator).random(tensor.shape) * (b - a) + a)


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> T:
    """From the normal distribution."""
    return _fill(tensor, numpy_draws(generator).standard_normal(tensor.shape) * std + mean)


def trunc_normal_(
    tensor: T, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Generator | None = None
) -> T:
    """From the normal distribution between `a` and `b`; raises ValueError where these are more than 2 `std` off the mean.

    Drawn evenly, and kept in proportion to the density; the little there is beyond 7 `std` off the mean is left out.
    """
    if not (std > 0 and a < b and a - 2 * std <= mean <= b + 2 * std):
        raise ValueError(f"trunc_normal_ takes a below b, and a mean within 2 std of them; got {a}, {b} and the mean {mean}.")
    draws = numpy_draws(generator)
    low, high, nearest = max(a, mean - 7 * std), min(b, mean + 7 * std), min(max(mean, a), b)
    values = np.empty(tensor.shape)
    missing = np.ones(tensor.shape, np.bool_)
    while (count := int(missing.sum())) > 0:
        drawn = draws.random(count) * (high - low) + low
        density = np.exp(((nearest - mean) ** 2 - (drawn - mean) ** 2) / (2 * std * std))  # 1 where it is highest
        values[missing] = drawn
        missing[missing] = draws.random(count) > density
    return _fill(tensor, values)


def xavier_uniform_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """Evenly from -b to b with b = gain sqrt(6 / (fan_in + fan_out)).

    >>> bool(xavier_uniform_(wrap(np.empty((2, 4)))).abs().max() <= 1)
    True
    """
    bound = gain * sqrt(6 / max(sum(_fans(tensor)), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """From the normal distribution of deviation gain sqrt(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * sqrt(2 / max(sum(_fans(tensor)), 1)), generator)


def kaiming_uniform_(
    tensor: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> T:
    """Evenly from -b to b with b = gain sqrt(3 / fan), the gain that of `nonlinearity` with the slope `a`."""
    bound = sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: T, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Generator | None = None
) -> T:
    """From the normal distribution of deviation gain / sqrt(fan), the gain that of `nonlinearity` with the slope `a`."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode is 'fan_in' or 'fan_out', not {mode!r}.")
    fan = _fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / sqrt(max(fan, 1))


def _fans(tensor: Tensor) -> tuple[int, int]:
    """fan_in and fan_out."""
    if tensor.ndim < 2:
        raise ShapeError(f"fan_in and fan_out are of tensors of at least two dimensions; got the shape {tensor.shape}.")
    kernel = prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _fill(tensor: T, values: Any) -> T:
    with no_grad():
        tensor.copy_(wrap(np.asarray(values)))
    return tensor
