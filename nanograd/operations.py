"""The primitives: each function on arrays beside its derivatives (see graph.Operation for how to read them).

Those of one number, such as exp, stand where they become methods, in elementwise.py.
"""

from collections.abc import Callable
from math import prod
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from nanograd.errors import ArgumentError
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs, Operation

Axis = tuple[int, ...] | None


def _zero(g: Array) -> Array:
    return np.zeros_like(g)


def kept(g: Array, is_kept: Array) -> Array:
    """g where it is kept, otherwise 0, even for inf and nan: g's bits times 1 or 0, a fifth of the time of np.where."""
    bits: Array = g.view(f"i{g.itemsize}") * is_kept
    return bits.view(g.dtype)


# ---- arithmetic -------------------------------------------------------------------------------------------------------

add = Operation("add", np.add, lambda g: g, lambda g: g)
subtract = Operation("sub", np.subtract, lambda g: g, lambda g: -g)
multiply = Operation("mul", np.multiply, lambda g, y: g * y, lambda g, x: g * x)
divide = Operation("div", np.true_divide, lambda g, y: g / y, lambda g, z, y: -g * z / y)


def _unless_zero(divide: Any) -> Any:
    """The function, which for whole numbers raises ArgumentError where the divisor is 0."""

    def checked(x: Array, y: Array) -> Any:
        if y.dtype.kind == "i" and not y.all():
            raise ArgumentError("A whole number was divided by 0; use floats for inf and nan.")
        return divide(x, y)

    return checked


floor_divide = Operation("floor_divide", _unless_zero(np.floor_divide), _zero, _zero)
remainder = Operation("remainder", _unless_zero(np.remainder), lambda g: g, lambda g, x, y: -g * np.floor_divide(x, y))


def _power_derivative_of_exponent(g: Array, z: Array, x: Array, y: Array) -> Array:
    """z log(x), where 0 to any power from 0 on has the derivative 0."""
    return np.where((x == 0) & (y >= 0), 0, g * z * np.log(x))


def _power_derivative_of_base(g: Array, x: Array, y: Any) -> Array:
    """y x^(y-1), where the power 0 has the derivative 0 even at 0."""
    lowered = np.where(np.equal(y, 0), x.dtype.type(1), x) ** np.where(np.equal(y, 0), 0, np.subtract(y, 1)).astype(x.dtype)
    result: Array = g * (y * lowered)
    return result


power = Operation("pow", lambda x, y: x**y, _power_derivative_of_base, _power_derivative_of_exponent)

bitwise_and = Operation("and", np.bitwise_and)
bitwise_or = Operation("or", np.bitwise_or)
bitwise_xor = Operation("xor", np.bitwise_xor)

cast = Operation("to", lambda x, dtype: x.astype(dtype), lambda g: g)

# ---- choices between arrays -------------------------------------------------------------------------------------------


def _share(g: Array, lower: Array, higher: Array) -> Array:
    """The gradient goes to the higher one; half of it where both are equal, and all where one of them is nan."""
    return np.where(lower == higher, g / 2, np.where(higher < lower, 0, g))


maximum = Operation("maximum", np.maximum, lambda g, x, y: _share(g, y, x), lambda g, x, y: _share(g, x, y))
minimum = Operation("minimum", np.minimum, lambda g, x, y: _share(g, x, y), lambda g, x, y: _share(g, y, x))
clamp = Operation(
    "clamp",
    lambda x, low, high: np.clip(x, low, high),
    lambda g, x, low, high: g * (((x >= low) if low is not None else True) & ((x <= high) if high is not None else True)),
)
where = Operation("where", np.where, _zero, lambda g, x: kept(g, x), lambda g, x: kept(g, ~x))

# ---- reductions: `axis` is a tuple of axes, or None for all -----------------------------------------------------------


def _spread(g: Array, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Array:
    """Lay a reduction's gradient along the axes that it reduced."""
    if axis is not None and not keepdims:
        for index in sorted(normalize_axis_index(a, len(shape)) for a in axis):
            g = np.expand_dims(g, index)
    return np.broadcast_to(g, shape)


total = Operation(
    "sum",
    lambda x, axis, keepdims, shape: x.sum(axis=axis, keepdims=keepdims),
    lambda g, axis, keepdims, shape: _spread(g, shape, axis, keepdims),
)


def _reduction(name: str, forward: Callable[..., Any], derivative: Callable[..., Array]) -> Operation:
    """An operation `forward(x, axis, keepdims)` whose derivative gets `g` and the result laid along the axes again: (g, z, x, axis)."""

    def spread(g: Array, z: Array, x: Array, axis: Axis, keepdims: bool) -> Array:
        return derivative(_spread(g, x.shape, axis, keepdims), _spread(z, x.shape, axis, keepdims), x, axis)

    return Operation(name, forward, spread)


def _extreme_derivative(g: Array, z: Array, x: Array, axis: Axis) -> Array:
    """Equal extremes share the gradient evenly."""
    chosen: Array = (x == z) | np.isnan(x)
    return np.where(chosen, g / chosen.sum(axis=axis, keepdims=True, dtype=g.dtype), 0)


def _logsumexp(x: Array, axis: Axis, keepdims: bool) -> Array:
    largest = x.max(axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(largest), largest, 0)
    kept: Array = np.log(np.exp(x - shift).sum(axis=axis, keepdims=True)) + shift
    return kept if keepdims else np.squeeze(kept, axis=axis)


def _product_of_others(x: Array, axis: Axis) -> Array:
    """For each number those before times those behind, which holds where some are 0."""
    along = x.reshape(1, -1) if axis is None else np.moveaxis(x, axis[0], -1)
    ones = np.ones((*along.shape[:-1], 1), x.dtype)
    before = np.cumprod(np.concatenate([ones, along], axis=-1), axis=-1)[..., :-1]
    behind = np.flip(np.cumprod(np.concatenate([ones, np.flip(along, -1)], axis=-1), axis=-1)[..., :-1], -1)
    others: Array = before * behind
    return others.reshape(x.shape) if axis is None else np.moveaxis(others, -1, axis[0])


def _centred(x: Array, axis: Axis) -> Array:
    """x less its mean, which for no numbers is nan."""
    result: Array = x - x.sum(axis=axis, keepdims=True) / (x.size if axis is None else prod(x.shape[a] for a in axis))
    return result


largest = _reduction("max", np.max, _extreme_derivative)
smallest = _reduction("min", np.min, _extreme_derivative)
logsumexp = _reduction("logsumexp", _logsumexp, lambda g, z, x, axis: g * np.exp(x - z))
product = _reduction("prod", np.prod, lambda g, z, x, axis: g * _product_of_others(x, axis))
norm2 = _reduction(
    "norm",
    lambda x, axis, keepdims: np.sqrt(np.square(x).sum(axis=axis, keepdims=keepdims)),
    lambda g, z, x, axis: g * (x / np.where(z == 0, 1, z)),
)
variance = Operation(  # what the mean adds to the derivative sums up to 0
    "var",
    lambda x, axis, keepdims, divisor: np.square(_centred(x, axis)).sum(axis=axis, keepdims=keepdims) / divisor,
    lambda g, x, axis, keepdims, divisor: _spread(g * 2 / divisor, x.shape, axis, keepdims) * _centred(x, axis),
)
root_of_variance = Operation("std", np.sqrt, lambda g, z: np.where(z == 0, 0, g / (2 * z)))


def _reverse_sum(g: Array, axis: int) -> Array:
    """What comes later depends on each number: the sum from behind."""
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis) if g.ndim else g


cumulative_sum = Operation("cumsum", lambda x, axis: np.cumsum(x, axis=axis) if x.ndim else x, _reverse_sum)

# ---- shapes -----------------------------------------------------------------------------------------------------------

reshape = Operation("reshape", lambda x, shape, before: x.reshape(shape), lambda g, before: g.reshape(before))
contiguous = Operation("contiguous", np.ascontiguousarray, lambda g: g)
permute = Operation("permute", lambda x, dims: x.transpose(dims), lambda g, dims: g.transpose(np.argsort(dims)))
expand = Operation("expand", lambda x, shape: x.view() if x.shape == shape else np.broadcast_to(x, shape), lambda g: g)


def _index_derivative(g: Array, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """Scatter the gradient back to where it was read; positions read twice, which takes arrays of integers, add up."""
    result = np.zeros(shape, g.dtype)
    if all(isinstance(part, int | slice | EllipsisType | None) or getattr(part, "dtype", None) == np.bool_ for part in index):
        result[index] = g
    else:
        np.add.at(result, index, g)
    return result


take = Operation("index", lambda x, index, shape: x[index], lambda g, index, shape: _index_derivative(g, index, shape))


Steps = tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]  # an index, as shaping.plain_index gives it


def assign(target: Array, value: Any, index: Steps) -> None:
    """target[index] = value."""
    basic, advanced = index
    view = target if basic is None else target[basic]
    view[... if advanced is None else advanced] = value


def _put(x: Array, y: Array, index: Steps, size: tuple[int, ...]) -> Array:
    result = np.array(x)
    assign(result, y, index)
    return result


def _add_at(x: Array, y: Array, index: Any) -> Array:
    result = np.array(x)
    np.add.at(result, index, y)
    return result


def _without_derivative(g: Array, index: Steps) -> Array:
    """What was written over had no effect on the result."""
    result = np.array(g)
    assign(result, 0, index)
    return result


def _put_derivative(g: Array, index: Steps, size: tuple[int, ...]) -> Array:
    """What was written has the gradient of the places where it was written, with as many dimensions as `size` at least."""
    basic, advanced = index
    part = g if basic is None else g[basic]
    part = part if advanced is None else part[advanced]
    result: Array = part.reshape((1,) * (len(size) - part.ndim) + part.shape)
    return result


put = Operation("index_put", _put, _without_derivative, _put_derivative)
add_at = Operation("scatter_add", _add_at, lambda g: g, lambda g, index: g[index])
lower_triangle = Operation("tril", np.tril, lambda g, k: np.tril(g, k))
upper_triangle = Operation("triu", np.triu, lambda g, k: np.triu(g, k))


def _concatenate(*arrays: Array, axis: int) -> Fused:
    ends = np.cumsum([array.shape[axis] for array in arrays])[:-1]
    return np.concatenate(arrays, axis=axis), (ends, axis)


def _concatenate_backward(g: Array, needs: Needs, ends: Array, axis: int) -> Gradients:
    return np.split(g, ends, axis=axis)


concatenate = Kernel("cat", _concatenate, _concatenate_backward)

# ---- matrix product ---------------------------------------------------------------------------------------------------


def _matrices(g: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """A vector x as a row, a vector y as a column, and g with the dimensions that this adds."""
    g = g[..., None] if y.ndim == 1 else g
    return g[..., None, :] if x.ndim == 1 else g, np.atleast_2d(x), y[:, None] if y.ndim == 1 else y


def _matmul_derivative_of_left(g: Array, x: Array, y: Array) -> Array:
    """g @ y^T."""
    g, x, y = _matrices(g, x, y)
    result: Array = g @ np.swapaxes(y, -1, -2)
    return result


def _matmul_derivative_of_right(g: Array, x: Array, y: Array) -> Array:
    """x^T @ g."""
    g, x, columns = _matrices(g, x, y)
    if columns.ndim == 2 < x.ndim:  # one matrix for all: one large product, where the batch is summed over, too
        rows = prod(x.shape[:-1])
        x, g = x.reshape(rows, x.shape[-1]), g.reshape(rows, g.shape[-1])
    result: Array = np.swapaxes(x, -1, -2) @ g
    return result if y.ndim > 1 else result[..., 0]


matmul = Operation("matmul", np.matmul, _matmul_derivative_of_left, _matmul_derivative_of_right)
