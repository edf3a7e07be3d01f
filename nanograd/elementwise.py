"""Tensor's methods that work number by number: arithmetic, comparison, functions, each beside its derivative.

Shapes broadcast as in numpy and PyTorch. graph.Operation tells how to read a derivative.
"""

from collections.abc import Callable
from math import pi, sqrt
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nanograd import operations as ops
from nanograd.dtype import FLOATS
from nanograd.erf import erf_array
from nanograd.errors import ArgumentError, ShapeError
from nanograd.graph import Array, Operation
from nanograd.tensor_methods import TensorMethods

if TYPE_CHECKING:
    from nanograd.tensor import Tensor

Scalar = bool | int | float
_NUMBERS = (TensorMethods, bool, int, float, np.ndarray, np.generic)  # what a tensor can be equal to
_OfOne = Callable[[Any], "Tensor"]
_OfTwo = Callable[[Any, Any], "Tensor"]
_Method = TypeVar("_Method", bound=Callable[..., Any])


# ---- how an operation becomes a method --------------------------------------------------------------------------------


def _sign(x: Array) -> Array:
    """-1, 0 or 1, and 0 for nan, as in PyTorch."""
    return (x > 0).astype(x.dtype) - (x < 0)


_ONES = {dtype: np.ones((), dtype) for dtype in FLOATS}  # an array of no dimensions, with which numpy computes fastest


def _named(method: _Method, operation: Operation, text: str) -> _Method:
    method.__name__, method.__doc__ = operation.name, text
    return method


def _unary(operation: Operation, text: str) -> _OfOne:
    return _named(lambda self: self._apply(operation), operation, text)


def _of_floats(operation: Operation, text: str) -> _OfOne:
    """Integers become float32 before."""
    return _named(lambda self: self._floats()._apply(operation), operation, text)


def _binary(operation: Operation, text: str) -> _OfTwo:
    return _named(lambda self, other: self._binary(operation, other), operation, text)


def _in_place(operation: Operation, text: str) -> _OfTwo:
    """The result takes the place of the numbers, in their dtype."""
    return _named(lambda self, other: self._in_place(operation, self._coerce(other)), operation, text)


def _reflected(method: _OfTwo) -> _OfTwo:
    """other - x from x - other."""
    return lambda self, other: method(self._coerce(other), self)


class ElementwiseMethods(TensorMethods):
    """What Tensor offers number by number. `other` is a tensor, an array or a Python number."""

    __slots__ = ()

    # ---- arithmetic ---------------------------------------------------------------------------------------------------

    __add__ = __radd__ = _binary(ops.add, "x + other.")
    __sub__ = _binary(ops.subtract, "x - other.")
    mul = __mul__ = __rmul__ = _binary(ops.multiply, "x other.")
    __floordiv__ = _binary(ops.floor_divide, "x / other, rounded down.")
    remainder = __mod__ = _binary(ops.remainder, "x modulo other, with other's sign, as Python's %.")
    neg = __neg__ = _unary(Operation("neg", np.negative, lambda g: -g), "-x.")
    abs = __abs__ = _unary(Operation("abs", np.abs, lambda g, x: g * _sign(x)), "|x|, with the derivative 0 at 0.")

    def div(self, other: Any) -> "Tensor":
        """x / other, in floats."""
        left, right = self._pair(other)
        return left._floats()._apply(ops.divide, right._floats())

    def pow(self, exponent: Any) -> "Tensor":
        """x to the power `exponent`."""
        return self._binary(ops.power, exponent)

    __truediv__, __pow__ = div, pow
    __rsub__, __rfloordiv__, __rmod__ = _reflected(__sub__), _reflected(__floordiv__), _reflected(__mod__)
    __rtruediv__, __rpow__ = _reflected(__truediv__), _reflected(__pow__)

    def __pos__(self) -> "Tensor":
        return self._tensor

    def add(self, other: Any, *, alpha: Scalar = 1) -> "Tensor":
        """x + alpha other."""
        return self._binary(ops.add, self._times(other, alpha))

    def sub(self, other: Any, *, alpha: Scalar = 1) -> "Tensor":
        """x - alpha other."""
        return self._binary(ops.subtract, self._times(other, alpha))

    def add_(self, other: Any, *, alpha: Scalar = 1) -> "Tensor":
        """x becomes x + alpha other."""
        return self._in_place(ops.add, self._times(other, alpha))

    def sub_(self, other: Any, *, alpha: Scalar = 1) -> "Tensor":
        """x becomes x - alpha other."""
        return self._in_place(ops.subtract, self._times(other, alpha))

    __iadd__, __isub__ = add_, sub_
    mul_ = __imul__ = _in_place(ops.multiply, "x becomes x other.")
    div_ = __itruediv__ = _in_place(ops.divide, "x becomes x / other.")
    __ipow__ = _in_place(ops.power, "x becomes x to the power other.")
    __ifloordiv__ = _in_place(ops.floor_divide, "x becomes x / other, rounded down.")
    __imod__ = _in_place(ops.remainder, "x becomes x modulo other.")

    # ---- comparison and logic: bool, never differentiable -------------------------------------------------------------

    eq = _binary(Operation("eq", np.equal), "Whether x equals other.")
    ne = _binary(Operation("ne", np.not_equal), "Whether x differs from other.")
    lt = __lt__ = _binary(Operation("lt", np.less), "Whether x is below other.")
    le = __le__ = _binary(Operation("le", np.less_equal), "Whether x is at most other.")
    gt = __gt__ = _binary(Operation("gt", np.greater), "Whether x is above other.")
    ge = __ge__ = _binary(Operation("ge", np.greater_equal), "Whether x is at least other.")

    def __eq__(self, other: object) -> "Tensor":  # type: ignore[override]
        return self.eq(other) if isinstance(other, _NUMBERS) else NotImplemented

    def __ne__(self, other: object) -> "Tensor":  # type: ignore[override]
        return self.ne(other) if isinstance(other, _NUMBERS) else NotImplemented

    __hash__ = object.__hash__
    __and__ = __rand__ = _binary(ops.bitwise_and, "The bits, or truths, in both.")
    __or__ = __ror__ = _binary(ops.bitwise_or, "The bits, or truths, in one or both.")
    __xor__ = __rxor__ = _binary(ops.bitwise_xor, "The bits, or truths, in exactly one.")
    __iand__ = _in_place(ops.bitwise_and, "x becomes x & other.")
    __ior__ = _in_place(ops.bitwise_or, "x becomes x | other.")
    __ixor__ = _in_place(ops.bitwise_xor, "x becomes x ^ other.")
    __invert__ = _unary(Operation("invert", np.invert), "Every bit, or truth, turned around.")
    logical_and = _binary(Operation("logical_and", np.logical_and), "Whether both are other than 0.")
    logical_or = _binary(Operation("logical_or", np.logical_or), "Whether one is other than 0.")
    logical_xor = _binary(Operation("logical_xor", np.logical_xor), "Whether exactly one is other than 0.")
    logical_not = _unary(Operation("logical_not", np.logical_not), "Whether x is 0.")
    isnan = _unary(Operation("isnan", np.isnan), "Whether x is not a number.")
    isfinite = _unary(Operation("isfinite", np.isfinite), "Whether x is a number and not infinite.")
    isinf = _unary(Operation("isinf", np.isinf), "Whether x is infinite.")

    # ---- functions ----------------------------------------------------------------------------------------------------

    sign = _unary(Operation("sign", _sign, lambda g: np.zeros_like(g)), "-1, 0 or 1.")
    square = _unary(Operation("square", np.square, lambda g, x: 2 * g * x), "x times x.")
    relu = _unary(Operation("relu", lambda x: np.maximum(x, 0), lambda g, z: ops.kept(g, ~(z <= 0))), "max(x, 0), flat at 0.")
    exp = _of_floats(Operation("exp", np.exp, lambda g, z: g * z), "e to the power x.")
    log = _of_floats(Operation("log", np.log, lambda g, x: g / x), "The natural logarithm.")
    log1p = _of_floats(Operation("log1p", np.log1p, lambda g, x: g / (1 + x)), "log(1 + x), exact near 0.")
    sqrt = _of_floats(Operation("sqrt", np.sqrt, lambda g, z: g / (2 * z)), "The square root.")
    rsqrt = _of_floats(Operation("rsqrt", lambda x: 1 / np.sqrt(x), lambda g, z: g * (-0.5 * z * z * z)), "1 / sqrt(x).")
    sin = _of_floats(Operation("sin", np.sin, lambda g, x: g * np.cos(x)), "The sine of x in radians.")
    cos = _of_floats(Operation("cos", np.cos, lambda g, x: -g * np.sin(x)), "The cosine of x in radians.")
    tanh = _of_floats(Operation("tanh", np.tanh, lambda g, z: g * (_ONES[z.dtype] - z * z)), "The hyperbolic tangent.")
    sigmoid = _of_floats(
        Operation("sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda g, z: g * z * (_ONES[z.dtype] - z)), "1 / (1 + e^-x)."
    )
    erf = _of_floats(Operation("erf", erf_array, lambda g, x: g * (2 / sqrt(pi)) * np.exp(-x * x)), "The error function.")

    # ---- choices ------------------------------------------------------------------------------------------------------

    maximum = _binary(ops.maximum, "The larger of two; equal ones share the gradient evenly.")
    minimum = _binary(ops.minimum, "The smaller of two; equal ones share the gradient evenly.")

    def clamp(self, min: Any = None, max: Any = None) -> "Tensor":
        """Each number, moved to the nearer bound, a number or a tensor, where it lies outside."""
        result = self._tensor
        bounds = [bound for bound in (min, max) if bound is not None]
        if not bounds:
            raise ArgumentError("clamp needs min, max or both.")
        if any(hasattr(bound, "shape") for bound in bounds):
            result = result if min is None else result.where(~(result < min), min)
            return result if max is None else result.where(~(result > max), max)
        source = self._floats() if any(isinstance(bound, float) for bound in bounds) else self
        return source._apply(ops.clamp, low=min, high=max)

    def where(self, condition: "Tensor", other: Any) -> "Tensor":
        """x where `condition` (bool, broadcast) holds, otherwise `other`."""
        _require_bool("where", condition)
        left, right = self._pair(other)
        return condition._apply(ops.where, left, right)

    def masked_fill(self, mask: "Tensor", value: Any) -> "Tensor":
        """`value`, one number, where `mask` (bool, broadcast) holds, otherwise x."""
        _require_bool("masked_fill", mask)
        return mask._apply(ops.where, self._filling(value), self._tensor)

    def clamp_(self, min: Any = None, max: Any = None) -> "Tensor":
        """x becomes x.clamp(min, max)."""
        return self._tensor.copy_(self._tensor.clone().clamp(min, max))  # which the graph needs as it was

    def masked_fill_(self, mask: "Tensor", value: Any) -> "Tensor":
        """x becomes x.masked_fill(mask, value)."""
        return self._tensor.copy_(self.masked_fill(mask, value))

    # ---- helpers ------------------------------------------------------------------------------------------------------

    def _times(self, other: Any, alpha: Scalar) -> "Tensor":
        value = self._coerce(other)
        return value if alpha == 1 else value * alpha

    def _filling(self, value: Any) -> "Tensor":
        filling = self._coerce(value)
        if filling.ndim:
            raise ShapeError(f"masked_fill takes one number; got the shape {filling.shape}: use where().")
        if self.array.dtype == np.int64 and not np.isfinite(filling.array).all():
            raise ShapeError(f"masked_fill cannot put {filling.item()} into a tensor of int64; use .float() first.")
        return filling.to(self.array.dtype)


def _require_bool(name: str, mask: "Tensor") -> None:
    if mask.array.dtype != np.bool_:
        raise ShapeError(f"{name} expects a mask of bool; got {mask.array.dtype}: compare, such as mask == 0.")
