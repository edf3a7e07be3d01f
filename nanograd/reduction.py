"""Tensor's methods that make many numbers into few: sums, products of matrices, extremes; and those that put numbers in order.

`dim` is a dimension, several where a tuple is allowed, or None for all; `keepdim` leaves the reduced ones with size 1.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from nanograd import operations as ops
from nanograd.dtype import FLOATS, int64
from nanograd.errors import DimensionError, ShapeError
from nanograd.tensor_methods import TensorMethods

if TYPE_CHECKING:
    from nanograd.tensor import Tensor

Dims = int | Sequence[int] | None
_NUMPY_NAMES: Final = {"axis": "dim", "keepdims": "keepdim"}


class ValuesAndIndices(NamedTuple):
    """Numbers, and where along the dimension they were found (int64); both of one shape."""

    values: "Tensor"
    indices: "Tensor"


class ReductionMethods(TensorMethods):
    """What Tensor offers to sum up, to multiply as vectors and matrices, and to order."""

    __slots__ = ()

    # ---- sums ---------------------------------------------------------------------------------------------------------

    def sum(self, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> "Tensor":
        """The sum over `dim`, in `dtype` where one is given; integers and bools sum to int64."""
        return self._counted(dtype)._apply(ops.total, axis=self._axes(dim), keepdims=keepdim, shape=self.array.shape)

    def mean(self, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> "Tensor":
        """The mean over `dim`, of floats, in `dtype` where one is given."""
        source = self._tensor.to(dtype=dtype)
        source._require_floats("mean")
        return source.sum(dim, keepdim) / self._count(dim)

    def var(self, dim: Dims = None, correction: int = 1, keepdim: bool = False, unbiased: bool = True) -> "Tensor":
        """The variance over `dim`: squares from the mean, summed and divided by the count less `correction`."""
        self._require_floats("var")
        divisor = max(self._count(dim) - (correction if unbiased else 0), 0)
        return self._apply(ops.variance, axis=self._axes(dim), keepdims=keepdim, divisor=divisor)

    def std(self, dim: Dims = None, correction: int = 1, keepdim: bool = False, unbiased: bool = True) -> "Tensor":
        """The square root of the variance over `dim`."""
        return self.var(dim, correction, keepdim, unbiased)._apply(ops.root_of_variance)

    def norm(self, p: float = 2, dim: Dims = None, keepdim: bool = False) -> "Tensor":
        """The p-norm over `dim`: (sum of |x|^p)^(1/p); the largest |x| for p = inf."""
        self._require_floats("norm")
        if p == float("inf"):
            return self._tensor.abs().amax(dim, keepdim)
        if p == 2:
            return self._apply(ops.norm2, axis=self._axes(dim), keepdims=keepdim)
        return (self._tensor.abs() ** p).sum(dim, keepdim) ** (1 / p)

    def logsumexp(self, dim: Dims, keepdim: bool = False) -> "Tensor":
        """log of the sum of e^x over `dim`, without overflow."""
        return self._floats()._apply(ops.logsumexp, axis=self._axes(dim), keepdims=keepdim)

    def softmax(self, dim: int) -> "Tensor":
        """e^x, divided by its sum over `dim`; the shape stays."""
        return self.log_softmax(dim).exp()

    def log_softmax(self, dim: int) -> "Tensor":
        """x less the logarithm of the sum of e^x over `dim`; the shape stays."""
        return self._tensor - self.logsumexp(dim, keepdim=True)

    def prod(self, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> "Tensor":
        """The product over `dim`, in `dtype` where one is given."""
        return self._counted(dtype)._apply(ops.product, axis=self._axes(dim), keepdims=keepdim)

    def cumsum(self, dim: int, *, dtype: Any = None) -> "Tensor":
        """The sum of the numbers so far along `dim`; the shape stays."""
        return self._counted(dtype)._apply(ops.cumulative_sum, axis=self._axis(dim))

    def all(self, dim: Dims = None, keepdim: bool = False) -> "Tensor":
        """Whether all over `dim` are other than 0."""
        return self._plain(self.array.all(axis=self._axes(dim), keepdims=keepdim))

    def any(self, dim: Dims = None, keepdim: bool = False) -> "Tensor":
        """Whether one over `dim` is other than 0."""
        return self._plain(self.array.any(axis=self._axes(dim), keepdims=keepdim))

    def __contains__(self, value: Any) -> bool:
        return bool(self._tensor.eq(value).any())

    # ---- products of vectors and matrices -----------------------------------------------------------------------------

    def __matmul__(self, other: Any) -> "Tensor":
        if not isinstance(other, TensorMethods | np.ndarray):
            return NotImplemented
        other = self._coerce(other)
        if not self.ndim or not other.ndim or self.shape[-1] != other.shape[-2 if other.ndim > 1 else -1]:
            raise ShapeError(f"matmul needs shapes such as (..., N, K) @ (..., K, M); got {self.shape} @ {other.shape}.")
        if self.dtype != other.dtype:
            raise ShapeError(f"matmul needs one dtype; got {self.dtype} and {other.dtype}: use .to() on one.")
        return self._apply(ops.matmul, other)

    def __rmatmul__(self, other: Any) -> "Tensor":
        return self._coerce(other) @ self

    def matmul(self, other: "Tensor") -> "Tensor":
        """The matrix product, broadcast over the leading dimensions: (..., N, K) @ (..., K, M) -> (..., N, M)."""
        return self._tensor @ other

    def bmm(self, mat2: "Tensor") -> "Tensor":
        """The product of B matrices with B others: (B, N, K), (B, K, M) -> (B, N, M)."""
        if self.ndim != 3 or mat2.ndim != 3 or self.shape[0] != mat2.shape[0]:
            raise ShapeError(f"bmm takes (B, N, K) and (B, K, M); got {self.shape} and {mat2.shape}.")
        return self._tensor @ mat2

    def outer(self, vec2: "Tensor") -> "Tensor":
        """The product of each number with each: (N,), (M,) -> (N, M)."""
        if self.ndim != 1 or vec2.ndim != 1:
            raise ShapeError(f"outer takes two vectors; got the shapes {self.shape} and {vec2.shape}.")
        return self._tensor.unsqueeze(1) * vec2

    # ---- extremes and order -------------------------------------------------------------------------------------------

    def amax(self, dim: Dims = None, keepdim: bool = False) -> "Tensor":
        """The largest number over `dim`; equal ones share the gradient evenly."""
        self._require_numbers("amax", dim)
        return self._apply(ops.largest, axis=self._axes(dim), keepdims=keepdim)

    def amin(self, dim: Dims = None, keepdim: bool = False) -> "Tensor":
        """The smallest number over `dim`; equal ones share the gradient evenly."""
        self._require_numbers("amin", dim)
        return self._apply(ops.smallest, axis=self._axes(dim), keepdims=keepdim)

    def max(self, dim: "int | Tensor | None" = None, keepdim: bool = False) -> Any:
        """The largest number of all; with `dim` the pair (values, indices) along it; with a tensor, `maximum`."""
        if isinstance(dim, TensorMethods):
            return self._tensor.maximum(dim)
        return self.amax() if dim is None else self._found(self._place(np.argmax, dim, True, "max"), dim, keepdim)

    def min(self, dim: "int | Tensor | None" = None, keepdim: bool = False) -> Any:
        """The smallest number of all; with `dim` the pair (values, indices) along it; with a tensor, `minimum`."""
        if isinstance(dim, TensorMethods):
            return self._tensor.minimum(dim)
        return self.amin() if dim is None else self._found(self._place(np.argmin, dim, True, "min"), dim, keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Where the largest number lies along `dim`, or in the flattened tensor (int64)."""
        return self._place(np.argmax, dim, keepdim, "argmax")

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> "Tensor":
        """Where the smallest number lies along `dim`, or in the flattened tensor (int64)."""
        return self._place(np.argmin, dim, keepdim, "argmin")

    def sort(self, dim: int = -1, descending: bool = False, stable: bool = False) -> ValuesAndIndices:
        """The numbers in order along `dim`, NaN last (first where descending), and where each was; always stable."""
        axis = self._axis(dim)
        array = np.atleast_1d(self.array)
        if descending:  # equal ones stay in their order
            order = array.shape[axis] - 1 - np.flip(np.argsort(np.flip(array, axis), axis=axis, kind="stable"), axis)
        else:
            order = np.argsort(array, axis=axis, kind="stable")
        return self._found(self._plain(order.reshape(self.shape)), axis, keepdim=True)

    def argsort(self, dim: int = -1, descending: bool = False, stable: bool = False) -> "Tensor":
        """Where each number of `sort` was."""
        return self.sort(dim, descending).indices

    def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesAndIndices:
        """The `k` largest numbers along `dim`, or the smallest, in order, and where each was."""
        axis = self._axis(dim)
        size = self._count(axis)
        if not 0 <= k <= size:
            raise ShapeError(f"topk takes k from 0 to the size of the dimension, {size}; got {k}.")
        index = (*(slice(None),) * axis, slice(0, k)) if self.ndim else ...
        values, indices = self.sort(axis, descending=largest)
        return ValuesAndIndices(values[index], indices[index])

    # ---- helpers ------------------------------------------------------------------------------------------------------

    def _counted(self, dtype: Any) -> "Tensor":
        """This tensor in `dtype`, where none is given with bools as int64."""
        return self._tensor.to(dtype=int64 if dtype is None and self.array.dtype == np.bool_ else dtype)

    def _axes(self, dim: Dims) -> tuple[int, ...] | None:
        if dim is None or (not isinstance(dim, int) and not len(dim)):
            return None
        axes = (self._axis(dim),) if isinstance(dim, int) else tuple(self._axis(axis) for axis in dim)
        if len(set(axes)) < len(axes):
            raise ShapeError(f"A dimension appears twice in {dim}; name each once.")
        return axes if self.array.ndim else None

    def _count(self, dim: Dims) -> int:
        axes = self._axes(dim)
        return int(np.prod([self.array.shape[axis] for axis in axes])) if axes is not None else self.array.size

    def _require_floats(self, name: str) -> None:
        if self.array.dtype not in FLOATS:
            raise ShapeError(f"{name} is for floats; this tensor holds {self.array.dtype}: use .float() first.")

    def _require_numbers(self, name: str, dim: Dims) -> None:
        if not self._count(dim):
            raise DimensionError(f"{name} of no numbers: the shape is {self.array.shape}; reduce over a dimension that has some.")

    def _place(self, find: Any, dim: int | None, keepdim: bool, name: str) -> "Tensor":
        self._require_numbers(name, dim)
        axis = None if dim is None or not self.array.ndim else self._axis(dim)
        return self._plain(np.asarray(find(self.array, axis=axis, keepdims=keepdim), np.int64))

    def _found(self, indices: "Tensor", dim: int, keepdim: bool) -> ValuesAndIndices:
        """The numbers at `indices` along `dim`, and these."""
        values = self._tensor.gather(dim, indices)
        return ValuesAndIndices(values, indices) if keepdim else ValuesAndIndices(values.squeeze(dim), indices.squeeze(dim))


def _numpy_named(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which takes numpy's names `axis` and `keepdims` for `dim` and `keepdim` as well, as PyTorch does."""

    @wraps(method)
    def renamed(self: object, *args: Any, **named: Any) -> Any:
        if named:
            named = {_NUMPY_NAMES.get(name, name): value for name, value in named.items()}
        return method(self, *args, **named)

    return renamed


for _name, _method in list(vars(ReductionMethods).items()):
    if not _name.startswith("_") and "dim" in signature(_method).parameters:
        setattr(ReductionMethods, _name, _numpy_named(_method))
