"""The primitives: each function on arrays beside its derivatives (see graph.Operation for how to read them)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from nanograd.erf import erf_array
from nanograd.graph import Array, Kernel, Operation

# ---- arithmetic -------------------------------------------------------------------------------------------------------

add = Operation("add", np.add, lambda g: g, lambda g: g)
subtract = Operation("subtract", np.subtract, lambda g: g, lambda g: -g)
multiply = Operation("multiply", np.multiply, lambda g, y: g * y, lambda g, x: g * x)
divide = Operation("divide", np.true_divide, lambda g, y: g / y, lambda g, z, y: -g * z / y)
negative = Operation("negative", np.negative, lambda g: -g)


def _power_derivative_of_exponent(g: Array, z: Array, x: Array) -> Array:
    """z log(x), where 0 to any power has the derivative 0."""
    return g * z * np.log(np.where(x == 0, x.dtype.type(1), x))


def _power_derivative_of_base(g: Array, x: Array, y: Any) -> Array:
    """y x^(y-1), where the power 0 has the derivative 0 even at 0."""
    lowered = np.where(np.equal(y, 0), x.dtype.type(1), x) ** np.where(np.equal(y, 0), 0, np.subtract(y, 1)).astype(x.dtype)
    result: Array = g * (y * lowered)
    return result


power = Operation("power", np.power, _power_derivative_of_base, _power_derivative_of_exponent)

# ---- functions of one array -------------------------------------------------------------------------------------------

absolute = Operation("abs", np.abs, lambda g, x: g * np.sign(x))
exp = Operation("exp", np.exp, lambda g, z: g * z)
log = Operation("log", np.log, lambda g, x: g / x)
log1p = Operation("log1p", np.log1p, lambda g, x: g / (1 + x))
sqrt = Operation("sqrt", np.sqrt, lambda g, z: g / (2 * z))
square = Operation("square", np.square, lambda g, x: 2 * g * x)
sin = Operation("sin", np.sin, lambda g, x: g * np.cos(x))
cos = Operation("cos", np.cos, lambda g, x: -g * np.sin(x))
tanh = Operation("tanh", np.tanh, lambda g, z: g * (1 - z * z))
sigmoid = Operation("sigmoid", lambda x: 0.5 * np.tanh(0.5 * x) + 0.5, lambda g, z: g * z * (1 - z))
erf = Operation("erf", erf_array, lambda g, x: g * (2 / np.sqrt(np.pi)).astype(x.dtype) * np.exp(-x * x))
relu = Operation("relu", lambda x: np.maximum(x, 0), lambda g, z: g * (z > 0))

# ---- choices between arrays -------------------------------------------------------------------------------------------


def _share(g: Array, chosen: Array, x: Array, y: Array) -> Array:
    """The gradient goes to what was chosen; where both were equal, half of it."""
    return g * np.where(x == y, g.dtype.type(0.5), chosen.astype(g.dtype))


maximum = Operation("maximum", np.maximum, lambda g, x, y: _share(g, x > y, x, y), lambda g, x, y: _share(g, y > x, x, y))
minimum = Operation("minimum", np.minimum, lambda g, x, y: _share(g, x < y, x, y), lambda g, x, y: _share(g, y < x, x, y))
clamp = Operation(
    "clamp",
    lambda x, low, high: np.clip(x, low, high),
    lambda g, x, low, high: g * (((x >= low) if low is not None else True) & ((x <= high) if high is not None else True)),
)
where = Operation("where", np.where, lambda g: None, lambda g, x: np.where(x, g, 0), lambda g, x: np.where(x, 0, g))

# ---- reductions: `axis` is a tuple of axes, or None for all -----------------------------------------------------------


def _spread(g: Array, shape: tuple[int, ...], axis: tuple[int, ...] | None, keepdims: bool) -> Array:
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


def _extreme(x: Array, axis: tuple[int, ...] | None, keepdims: bool, function: Any) -> tuple[Array, tuple[Any, ...]]:
    kept = function(x, axis=axis, keepdims=True)
    return (kept if keepdims else np.squeeze(kept, axis=axis)), (x, kept, axis, keepdims)


def _extreme_backward(
    g: Array, needs: tuple[bool, ...], x: Array, kept: Array, axis: tuple[int, ...] | None, keepdims: bool
) -> tuple[Array]:
    """Differentiates `kept = function(x, axis)`: equal extremes share the gradient evenly."""
    chosen = (x == kept) | np.isnan(x)
    shares = chosen / chosen.sum(axis=axis, keepdims=True)
    return (_spread(g, x.shape, axis, keepdims) * shares.astype(g.dtype),)


extreme = Kernel("max", _extreme, _extreme_backward)

# ---- shapes -----------------------------------------------------------------------------------------------------------

reshape = Operation("reshape", lambda x, shape, before: x.reshape(shape), lambda g, before: g.reshape(before))
permute = Operation("permute", lambda x, dims: x.transpose(dims), lambda g, dims: g.transpose(np.argsort(dims)))
expand = Operation("expand", lambda x, shape: np.broadcast_to(x, shape), lambda g: g)


def _index_derivative(g: Array, index: Any, shape: tuple[int, ...]) -> Array:
    """Scatter the gradient back to where it was read; positions read twice add up."""
    result = np.zeros(shape, g.dtype)
    if is_plain_index(index):
        result[index] = g
    else:
        np.add.at(result, index, g)
    return result


def is_plain_index(index: Any) -> bool:
    """Whether an index names no position twice: integers, slices, None, ... and boolean masks, but no arrays of integers."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None or part is Ellipsis or isinstance(part, int | slice | np.integer) or getattr(part, "dtype", None) == np.bool_
        for part in parts
    )


take = Operation("index", lambda x, index, shape: x[index], lambda g, index, shape: _index_derivative(g, index, shape))


def _take_along_derivative(g: Array, index: Array, axis: int, shape: tuple[int, ...]) -> Array:
    """Put the gradient back where it was read: one place in each row along `axis`."""
    result = np.zeros(shape, g.dtype)
    np.put_along_axis(result, index, g, axis)
    return result


take_along = Operation("take_along_dim", lambda x, index, axis, shape: np.take_along_axis(x, index, axis), _take_along_derivative)


def _concatenate(*arrays: Array, axis: int) -> tuple[Array, tuple[Any, ...]]:
    ends = np.cumsum([array.shape[axis] for array in arrays])[:-1]
    return np.concatenate(arrays, axis=axis), (ends, axis)


def _concatenate_backward(g: Array, needs: tuple[bool, ...], ends: Array, axis: int) -> Sequence[Array | None]:
    return np.split(g, ends, axis=axis)


concatenate = Kernel("cat", _concatenate, _concatenate_backward)

# ---- matrix product ---------------------------------------------------------------------------------------------------


def _matmul_derivative_of_left(g: Array, x: Array, y: Array) -> Array:
    """g @ y^T, with vectors seen as rows and columns."""
    if y.ndim == 1:
        return g[..., None] * y
    return g @ np.swapaxes(y, -1, -2) if x.ndim > 1 else _dot_rows(g, y)


def _dot_rows(g: Array, y: Array) -> Array:
    """For z = x @ y with a vector x (K,): g (..., N) against y (..., K, N) gives (..., K)."""
    result: Array = np.squeeze(y @ g[..., None], -1)
    return result


def _matmul_derivative_of_right(g: Array, x: Array, y: Array) -> Array:
    """x^T @ g, with vectors seen as rows and columns."""
    if x.ndim == 1:
        return x[:, None] * g[..., None, :] if y.ndim > 1 else g * x
    if y.ndim == 1:
        result: Array = np.squeeze(np.swapaxes(x, -1, -2) @ g[..., None], -1)
        return result
    return np.swapaxes(x, -1, -2) @ g


matmul = Operation("matmul", np.matmul, _matmul_derivative_of_left, _matmul_derivative_of_right)
