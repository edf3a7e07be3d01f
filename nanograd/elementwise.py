"""Tensor's methods that work number by number: arithmetic, comparison, functions. Shapes broadcast as in numpy and PyTorch."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nanograd import operations as ops
from nanograd.errors import ShapeError
from nanograd.tensor_methods import TensorMethods

if TYPE_CHECKING:
    from nanograd.tensor import Tensor

Scalar = bool | int | float
_NUMBERS = (TensorMethods, bool, int, float, np.ndarray, np.generic)  # what a tensor can be equal to


class ElementwiseMethods(TensorMethods):
    """What Tensor offers number by number. `other` is a tensor, an array or a Python number."""

    __slots__ = ()

    # ---- arithmetic ---------------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> "Tensor":
        return self._binary(ops.add, other)

    def __sub__(self, other: Any) -> "Tensor":
        return self._binary(ops.subtract, other)

    def __mul__(self, other: Any) -> "Tensor":
        return self._binary(ops.multiply, other)

    def __truediv__(self, other: Any) -> "Tensor":
        left, right = self._pair(other)
        return left._floats()._apply(ops.divide, right._floats())

    def __floordiv__(self, other: Any) -> "Tensor":
        return self._binary(ops.floor_divide, other)

    def __mod__(self, other: Any) -> "Tensor":
        return self._binary(ops.remainder, other)

    def __pow__(self, other: Any) -> "Tensor":
        return self._binary(ops.power, other)

    def __neg__(self) -> "Tensor":
        return self._apply(ops.negative)

    def __pos__(self) -> "Tensor":
        return self._tensor

    def __abs__(self) -> "Tensor":
        return self._apply(ops.absolute)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> "Tensor":
        return self._coerce(other) - self._tensor

    def __rtruediv__(self, other: Any) -> "Tensor":
        return self._coerce(other) / self

    def __rfloordiv__(self, other: Any) -> "Tensor":
        return self._coerce(other) // self

    def __rmod__(self, other: Any) -> "Tensor":
        return self._coerce(other) % self

    def __rpow__(self, other: Any) -> "Tensor":
        return self._coerce(other) ** self

    def add(self, other: Any, *, alpha: Scalar = 1) -> "Tensor":
        """x + alpha other."""
        return self + (other if alpha == 1 else self._coerce(other) * alpha)

    def sub(self, other: Any, *, alpha: Scalar = 1) -> "Tensor":
        """x - alpha other."""
        return self - (other if alpha == 1 else self._coerce(other) * alpha)

    def mul(self, other: Any) -> "Tensor":
        """x other."""
        return self._binary(ops.multiply, other)

    def div(self, other: Any) -> "Tensor":
        """x / other, in floats."""
        return self.__truediv__(other)

    def pow(self, exponent: Any) -> "Tensor":
        """x to the power `exponent`."""
        return self._binary(ops.power, exponent)

    def remainder(self, other: Any) -> "Tensor":
        """x modulo other, with other's sign, as Python's %."""
        return self._binary(ops.remainder, other)

    def neg(self) -> "Tensor":
        """-x."""
        return -self

    # ---- in place: the result takes the place of the numbers here, in this dtype --------------------------------------

    def __iadd__(self, other: Any) -> "Tensor":
        return self.add_(other)

    def __isub__(self, other: Any) -> "Tensor":
        return self.sub_(other)

    def __imul__(self, other: Any) -> "Tensor":
        return self.mul_(other)

    def __itruediv__(self, other: Any) -> "Tensor":
        return self.div_(other)

    def __ipow__(self, other: Any) -> "Tensor":
        return self._in_place(ops.power, self._coerce(other))

    def add_(self, other: Any, *, alpha: Scalar = 1) -> "Tensor":
        """x becomes x + alpha other."""
        value = self._coerce(other)
        return self._in_place(ops.add, value if alpha == 1 else value * alpha)

    def sub_(self, other: Any, *, alpha: Scalar = 1) -> "Tensor":
        """x becomes x - alpha other."""
        value = self._coerce(other)
        return self._in_place(ops.subtract, value if alpha == 1 else value * alpha)

    def mul_(self, other: Any) -> "Tensor":
        """x becomes x other."""
        return self._in_place(ops.multiply, self._coerce(other))

    def div_(self, other: Any) -> "Tensor":
        """x becomes x / other."""
        return self._in_place(ops.divide, self._coerce(other))

    def clamp_(self, min: Any = None, max: Any = None) -> "Tensor":
        """Each number moves to the nearer bound where it lies outside."""
        return self._in_place(ops.clamp, low=min, high=max)

    # ---- comparison and logic: bool, never differentiable -------------------------------------------------------------

    def __eq__(self, other: object) -> "Tensor":  # type: ignore[override]
        return self._binary(ops.equal, other) if isinstance(other, _NUMBERS) else NotImplemented

    def __ne__(self, other: object) -> "Tensor":  # type: ignore[override]
        return self._binary(ops.not_equal, other) if isinstance(other, _NUMBERS) else NotImplemented

    def __lt__(self, other: Any) -> "Tensor":
        return self._binary(ops.less, other)

    def __le__(self, other: Any) -> "Tensor":
        return self._binary(ops.less_equal, other)

    def __gt__(self, other: Any) -> "Tensor":
        return self._binary(ops.greater, other)

    def __ge__(self, other: Any) -> "Tensor":
        return self._binary(ops.greater_equal, other)

    __hash__ = object.__hash__

    def __and__(self, other: Any) -> "Tensor":
        return self._binary(ops.bitwise_and, other)

    def __or__(self, other: Any) -> "Tensor":
        return self._binary(ops.bitwise_or, other)

    def __xor__(self, other: Any) -> "Tensor":
        return self._binary(ops.bitwise_xor, other)

    def __invert__(self) -> "Tensor":
        return self._plain(np.invert(self.array))

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def eq(self, other: Any) -> "Tensor":
        """Whether x equals other."""
        return self._binary(ops.equal, other)

    def ne(self, other: Any) -> "Tensor":
        """Whether x differs from other."""
        return self._binary(ops.not_equal, other)

    def lt(self, other: Any) -> "Tensor":
        """Whether x is below other."""
        return self._binary(ops.less, other)

    def le(self, other: Any) -> "Tensor":
        """Whether x is at most other."""
        return self._binary(ops.less_equal, other)

    def gt(self, other: Any) -> "Tensor":
        """Whether x is above other."""
        return self._binary(ops.greater, other)

    def ge(self, other: Any) -> "Tensor":
        """Whether x is at least other."""
        return self._binary(ops.greater_equal, other)

    def logical_and(self, other: Any) -> "Tensor":
        """Whether both are other than 0."""
        return self._binary(ops.logical_and, other)

    def logical_or(self, other: Any) -> "Tensor":
        """Whether one is other than 0."""
        return self._binary(ops.logical_or, other)

    def logical_xor(self, other: Any) -> "Tensor":
        """Whether exactly one is other than 0."""
        return self._binary(ops.logical_xor, other)

    def logical_not(self) -> "Tensor":
        """Whether x is 0."""
        return self._plain(np.logical_not(self.array))

    def isnan(self) -> "Tensor":
        """Whether x is not a number."""
        return self._plain(np.isnan(self.array))

    def isfinite(self) -> "Tensor":
        """Whether x is a number and not infinite."""
        return self._plain(np.isfinite(self.array))

    def isinf(self) -> "Tensor":
        """Whether x is infinite."""
        return self._plain(np.isinf(self.array))

    # ---- functions; integers become float32 where the result is a float -----------------------------------------------

    def abs(self) -> "Tensor":
        """|x|, with the derivative 0 at 0."""
        return self._apply(ops.absolute)

    def sign(self) -> "Tensor":
        """-1, 0 or 1."""
        return self._apply(ops.sign)

    def exp(self) -> "Tensor":
        """e to the power x."""
        return self._floats()._apply(ops.exp)

    def log(self) -> "Tensor":
        """The natural logarithm."""
        return self._floats()._apply(ops.log)

    def log1p(self) -> "Tensor":
        """log(1 + x), exact near 0."""
        return self._floats()._apply(ops.log1p)

    def sqrt(self) -> "Tensor":
        """The square root."""
        return self._floats()._apply(ops.sqrt)

    def rsqrt(self) -> "Tensor":
        """1 / sqrt(x)."""
        return self._floats()._apply(ops.rsqrt)

    def square(self) -> "Tensor":
        """x times x."""
        return self._apply(ops.square)

    def sin(self) -> "Tensor":
        """The sine of x in radians."""
        return self._floats()._apply(ops.sin)

    def cos(self) -> "Tensor":
        """The cosine of x in radians."""
        return self._floats()._apply(ops.cos)

    def tanh(self) -> "Tensor":
        """The hyperbolic tangent."""
        return self._floats()._apply(ops.tanh)

    def sigmoid(self) -> "Tensor":
        """1 / (1 + e^-x)."""
        return self._floats()._apply(ops.sigmoid)

    def erf(self) -> "Tensor":
        """The error function."""
        return self._floats()._apply(ops.erf)

    def relu(self) -> "Tensor":
        """max(x, 0), with the derivative 0 at 0."""
        return self._apply(ops.relu)

    def clamp(self, min: Any = None, max: Any = None) -> "Tensor":
        """Each number, moved to the nearer bound, a number or a tensor, where it lies outside."""
        result = self._tensor
        bounds = [bound for bound in (min, max) if bound is not None]
        if not bounds:
            raise ValueError("clamp needs min, max or both.")
        if any(hasattr(bound, "shape") for bound in bounds):
            result = result if min is None else result.where(~(result < min), min)
            return result if max is None else result.where(~(result > max), max)
        source = self._floats() if any(isinstance(bound, float) for bound in bounds) else self
        return source._apply(ops.clamp, low=min, high=max)

    def maximum(self, other: "Tensor") -> "Tensor":
        """The larger of two; equal ones share the gradient evenly."""
        return self._binary(ops.maximum, other)

    def minimum(self, other: "Tensor") -> "Tensor":
        """The smaller of two; equal ones share the gradient evenly."""
        return self._binary(ops.minimum, other)

    def where(self, condition: "Tensor", other: Any) -> "Tensor":
        """x where `condition` (bool, broadcast) holds, otherwise `other`."""
        _require_bool("where", condition)
        left, right = self._pair(other)
        return condition._apply(ops.where, left, right)

    def masked_fill(self, mask: "Tensor", value: Any) -> "Tensor":
        """`value`, one number, where `mask` (bool, broadcast) holds, otherwise x."""
        _require_bool("masked_fill", mask)
        return mask._apply(ops.where, self._filling(value), self._tensor)

    def masked_fill_(self, mask: "Tensor", value: Any) -> "Tensor":
        """x becomes `value`, one number, where `mask` (bool, broadcast) holds."""
        _require_bool("masked_fill_", mask)
        return self._in_place(ops.fill_where, mask, self._filling(value))

    # ---- helpers ------------------------------------------------------------------------------------------------------

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
