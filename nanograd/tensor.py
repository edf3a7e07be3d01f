"""The Tensor: an array that remembers how it was made, so that gradients can flow back through it."""

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple, cast

import numpy as np

from nanograd import operations as ops
from nanograd.errors import GraphError, ShapeError
from nanograd.graph import Array, Counter, Kernel, Node, Operation, backward, is_grad_enabled, no_grad, set_grad_enabled

__all__ = ["Scalar", "Tensor", "apply", "fused", "is_grad_enabled", "no_grad", "set_grad_enabled", "tensor", "wrap"]

Scalar = bool | int | float
Dims = int | Sequence[int] | None
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_DTYPES = (*_FLOATS, np.dtype(np.int64), np.dtype(np.bool_))


class Tensor:
    """An n-dimensional array with reverse-mode differentiation, as torch.Tensor.

    `Tensor(data)` makes a float32 tensor from numbers, nested lists or an array; `tensor(data)` infers the dtype. Operations
    on tensors that require a gradient are recorded, and `backward()` on a result adds to the `grad` of each of them.

    >>> x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_counter", "_node", "_requires_grad", "data", "grad")
    __array_priority__ = 1000  # numpy leaves `array * tensor` to the tensor

    def __init__(self, data: Any, requires_grad: bool = False, dtype: Any = np.float32) -> None:
        array = np.array(data.data if isinstance(data, Tensor) else data, dtype=dtype)
        self.data: Array = array
        self.grad: Tensor | None = None
        self._node: Node | None = None
        self._requires_grad = False
        self._counter: Counter = [0]
        if requires_grad:
            self.requires_grad_()

    # ---- what it is ---------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of number: float32, float64, int64 or bool."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return self.data.ndim

    @property
    def requires_grad(self) -> bool:
        """Whether a backward pass computes a gradient for this tensor, or one it was made from."""
        return self._requires_grad or self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    @property
    def version(self) -> int:
        """How often the numbers were changed in place."""
        return self._counter[0]

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self._node is None

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """How many dimensions there are."""
        return self.data.ndim

    def numel(self) -> int:
        """How many numbers there are."""
        return self.data.size

    def __len__(self) -> int:
        if not self.data.ndim:
            raise ShapeError("A tensor of no dimensions has no length; use item() for its number.")
        return len(self.data)

    def __repr__(self) -> str:
        body = np.array2string(self.data, separator=", ", prefix="tensor(", precision=4)
        dtype = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype}"
        grad = ", requires_grad=True" if self._requires_grad else f", from={self._node.rule.name}" if self._node else ""
        return f"tensor({body}{dtype}{grad})"

    # ---- out of the graph ---------------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The one number in this tensor as a Python number."""
        if self.data.size != 1:
            raise ShapeError(f"item() is for a tensor of one number; this one has the shape {self.shape}: use tolist().")
        return self.data.item()

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def tolist(self) -> Any:
        """The numbers as nested lists."""
        return self.data.tolist()

    def numpy(self) -> Array:
        """The array itself, which shares memory; raises GraphError where a gradient is required: use detach() first."""
        if self.requires_grad:
            raise GraphError("numpy() on a tensor that requires a gradient would leave the graph; use detach().numpy().")
        return self.data

    def detach(self) -> "Tensor":
        """The same numbers, in the same memory, outside the graph."""
        result = wrap(self.data)
        result._counter = self._counter
        return result

    def clone(self) -> "Tensor":
        """A copy that gradients flow through."""
        return apply(_copy, self)

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Ask for a gradient, or stop asking; raises GraphError where that cannot be."""
        if requires_grad and self.dtype not in _FLOATS:
            raise GraphError(f"Only float32 and float64 tensors can require gradients, not {self.dtype}.")
        if not requires_grad and self._node is not None:
            raise GraphError("Only a leaf can stop requiring a gradient; use detach() on a result.")
        self._requires_grad = requires_grad and self._node is None
        return self

    def backward(self, gradient: "Tensor | None" = None, retain_graph: bool = False) -> None:
        """Add to the `grad` of every leaf before this tensor its gradient, weighted by `gradient` (of this shape; 1 if none).

        The graph is freed on the way unless `retain_graph`. Raises GraphError where there is no graph, where it was freed,
        or where an array it needs was changed in place.
        """
        if not self.requires_grad:
            raise GraphError("backward() needs a tensor that requires a gradient; set requires_grad=True on an input.")
        if gradient is None and self.data.size != 1:
            raise GraphError(f"backward() without a gradient needs one number; this tensor has the shape {self.shape}: sum it.")
        weight = np.ones_like(self.data) if gradient is None else np.asarray(gradient.data, self.dtype)
        if weight.shape != self.shape:
            raise ShapeError(f"The gradient has the shape {weight.shape}, the tensor {self.shape}; they must be equal.")
        if self._node is None:
            found: dict[Any, Array] = {self: weight.copy()}
        else:
            found = cast("dict[Any, Array]", backward(self._node, weight, retain_graph))
        for leaf, part in found.items():
            leaf.accumulate_grad(part)

    def accumulate_grad(self, gradient: Array) -> None:
        """Add an array, which then belongs to this tensor, to `grad`."""
        if self.grad is None:
            self.grad = wrap(gradient)
        else:
            self.grad = wrap(self.grad.data + gradient)

    def zero_(self) -> "Tensor":
        """Set every number to 0, in place."""
        return self._write(lambda data: data.fill(0))

    def _write(self, change: Callable[[Array], Any]) -> "Tensor":
        if self.requires_grad and is_grad_enabled():
            raise GraphError("An in-place write to a tensor that requires a gradient; do it inside `with no_grad():`.")
        change(self.data)
        self._counter[0] += 1
        return self

    def __setitem__(self, index: Any, value: Any) -> None:
        self._write(lambda data: data.__setitem__(_plain(index), _plain(value)))

    # ---- dtypes -------------------------------------------------------------------------------------------------------

    def to(self, dtype: Any) -> "Tensor":
        """The same numbers in another dtype; itself where it has it already."""
        dtype = np.dtype(dtype)
        return self if dtype == self.dtype else apply(_cast, self, dtype=dtype)

    def float(self) -> "Tensor":
        """The numbers as float32."""
        return self.to(np.float32)

    def double(self) -> "Tensor":
        """The numbers as float64."""
        return self.to(np.float64)

    def long(self) -> "Tensor":
        """The numbers as int64."""
        return self.to(np.int64)

    # ---- arithmetic ---------------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> "Tensor":
        return _binary(ops.add, self, other)

    def __sub__(self, other: Any) -> "Tensor":
        return _binary(ops.subtract, self, other)

    def __mul__(self, other: Any) -> "Tensor":
        return _binary(ops.multiply, self, other)

    def __truediv__(self, other: Any) -> "Tensor":
        return _binary(ops.divide, *_as_floats(self, _as_tensor(other, self)))

    def __pow__(self, other: Any) -> "Tensor":
        return _binary(ops.power, self, other)

    def __matmul__(self, other: Any) -> "Tensor":
        return _matmul(self, _as_tensor(other, self))

    def __rmatmul__(self, other: Any) -> "Tensor":
        return _matmul(_as_tensor(other, self), self)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> "Tensor":
        return _binary(ops.subtract, _as_tensor(other, self), self)

    def __rtruediv__(self, other: Any) -> "Tensor":
        return _binary(ops.divide, *_as_floats(_as_tensor(other, self), self))

    def __rpow__(self, other: Any) -> "Tensor":
        return _binary(ops.power, _as_tensor(other, self), self)

    def __neg__(self) -> "Tensor":
        return apply(ops.negative, self)

    def matmul(self, other: "Tensor") -> "Tensor":
        """The matrix product, broadcast over the leading dimensions."""
        return self @ other

    # ---- comparison: never differentiable -----------------------------------------------------------------------------

    def __eq__(self, other: object) -> "Tensor":  # type: ignore[override]
        return wrap(np.equal(self.data, _plain(other)))

    def __ne__(self, other: object) -> "Tensor":  # type: ignore[override]
        return wrap(np.not_equal(self.data, _plain(other)))

    def __lt__(self, other: Any) -> "Tensor":
        return wrap(np.less(self.data, _plain(other)))

    def __le__(self, other: Any) -> "Tensor":
        return wrap(np.less_equal(self.data, _plain(other)))

    def __gt__(self, other: Any) -> "Tensor":
        return wrap(np.greater(self.data, _plain(other)))

    def __ge__(self, other: Any) -> "Tensor":
        return wrap(np.greater_equal(self.data, _plain(other)))

    __hash__ = object.__hash__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.data, dtype=dtype, copy=copy)

    # ---- functions of each number -------------------------------------------------------------------------------------

    def abs(self) -> "Tensor":
        """|x|, with the derivative 0 at 0."""
        return apply(ops.absolute, self)

    def exp(self) -> "Tensor":
        """e to the power x."""
        return apply(ops.exp, _as_float(self))

    def log(self) -> "Tensor":
        """The natural logarithm."""
        return apply(ops.log, _as_float(self))

    def sqrt(self) -> "Tensor":
        """The square root."""
        return apply(ops.sqrt, _as_float(self))

    def sin(self) -> "Tensor":
        """The sine of x in radians."""
        return apply(ops.sin, _as_float(self))

    def cos(self) -> "Tensor":
        """The cosine of x in radians."""
        return apply(ops.cos, _as_float(self))

    def tanh(self) -> "Tensor":
        """The hyperbolic tangent."""
        return apply(ops.tanh, _as_float(self))

    def sigmoid(self) -> "Tensor":
        """1 / (1 + e^-x)."""
        return apply(ops.sigmoid, _as_float(self))

    def erf(self) -> "Tensor":
        """The error function."""
        return apply(ops.erf, _as_float(self))

    def relu(self) -> "Tensor":
        """max(x, 0)."""
        return apply(ops.relu, self)

    def clamp(self, min: Scalar | None = None, max: Scalar | None = None) -> "Tensor":
        """Each number, moved to the nearer bound where it lies outside."""
        is_fractional = isinstance(min, float) or isinstance(max, float)
        return apply(ops.clamp, _as_float(self) if is_fractional else self, low=min, high=max)

    def masked_fill(self, mask: "Tensor", value: Scalar) -> "Tensor":
        """`value` where `mask` (bool, broadcast) is true, otherwise the number that is here."""
        return apply(ops.where, mask, wrap(np.asarray(value, self.dtype)), self)

    # ---- reductions ---------------------------------------------------------------------------------------------------

    def sum(self, dim: Dims = None, keepdim: bool = False) -> "Tensor":
        """The sum over `dim`, one or several dimensions, or over all."""
        return apply(ops.total, self, axis=_axes(dim), keepdims=keepdim, shape=self.shape)

    def mean(self, dim: Dims = None, keepdim: bool = False) -> "Tensor":
        """The mean over `dim`, one or several dimensions, or over all."""
        summed = self.sum(dim, keepdim)
        return summed * (summed.numel() / self.numel() if self.numel() else float("nan"))

    def var(self, dim: Dims = None, correction: int = 1, keepdim: bool = False) -> "Tensor":
        """The variance over `dim`, divided by the count less `correction`."""
        centred = self - self.mean(dim, keepdim=True)
        squares = (centred * centred).sum(dim, keepdim)
        count = self.numel() if dim is None else prod(self.shape[axis] for axis in _axes(dim) or ())
        return squares / (count - correction)

    def amax(self, dim: Dims = None, keepdim: bool = False) -> "Tensor":
        """The largest number over `dim`, one or several dimensions, or over all; equal ones share the gradient evenly."""
        return fused(ops.extreme, self, axis=_axes(dim), keepdims=keepdim, function=np.max)

    def amin(self, dim: Dims = None, keepdim: bool = False) -> "Tensor":
        """The smallest number over `dim`, one or several dimensions, or over all; equal ones share the gradient evenly."""
        return fused(ops.extreme, self, axis=_axes(dim), keepdims=keepdim, function=np.min)

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The largest number over all; with `dim`, the pair (values, indices) along it, as PyTorch has it."""
        return self.amax() if dim is None else _extremes(self, self.data.argmax(dim, keepdims=True), dim, keepdim)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The smallest number over all; with `dim`, the pair (values, indices) along it, as PyTorch has it."""
        return self.amin() if dim is None else _extremes(self, self.data.argmin(dim, keepdims=True), dim, keepdim)

    def argmax(self, dim: int | None = None) -> "Tensor":
        """Where the largest number lies along `dim`, or in the flattened tensor (int64)."""
        return wrap(np.asarray(self.data.argmax(axis=dim), np.int64))

    # ---- shapes -------------------------------------------------------------------------------------------------------

    def reshape(self, *shape: Any) -> "Tensor":
        """The same numbers in another shape; one size may be -1."""
        sizes = _sizes(shape)
        try:
            return apply(ops.reshape, self, shape=sizes, before=self.shape)
        except ValueError:
            raise ShapeError(f"A tensor of shape {self.shape} has {self.numel()} numbers; {sizes} does not hold them.") from None

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> "Tensor":
        """The dimensions from `start_dim` to `end_dim`, both included, as one."""
        end = end_dim % self.ndim if self.ndim else 0
        return self.reshape(*self.shape[:start_dim], -1, *self.shape[end + 1 :])

    def unsqueeze(self, dim: int) -> "Tensor":
        """With a dimension of size 1 put in at `dim`."""
        place = dim % (self.ndim + 1)
        return self.reshape(*self.shape[:place], 1, *self.shape[place:])

    def squeeze(self, dim: int | None = None) -> "Tensor":
        """Without the dimensions of size 1, or without `dim` where its size is 1."""
        drop = range(self.ndim) if dim is None else (dim % self.ndim,)
        return self.reshape(tuple(size for axis, size in enumerate(self.shape) if size != 1 or axis not in drop))

    def transpose(self, dim0: int, dim1: int) -> "Tensor":
        """With two dimensions exchanged."""
        order = list(range(self.ndim))
        order[dim0], order[dim1] = order[dim1], order[dim0]
        return apply(ops.permute, self, dims=tuple(order))

    def permute(self, *dims: Any) -> "Tensor":
        """With the dimensions in another order."""
        return apply(ops.permute, self, dims=tuple(dim % self.ndim for dim in _sizes(dims)))

    @property
    def T(self) -> "Tensor":  # noqa: N802 - PyTorch's name
        """The transposed matrix."""
        return apply(ops.permute, self, dims=tuple(reversed(range(self.ndim))))

    def expand(self, *sizes: Any) -> "Tensor":
        """Dimensions of size 1 stretched to `sizes` without copying; -1 keeps a size."""
        wanted = _sizes(sizes)
        kept = (1,) * (len(wanted) - self.ndim) + self.shape
        return apply(ops.expand, self, shape=tuple(k if w == -1 else w for w, k in zip(wanted, kept, strict=True)))

    def __getitem__(self, index: Any) -> "Tensor":
        return apply(ops.take, self, index=_plain(index), shape=self.shape)

    def __iter__(self) -> "Iterator[Tensor]":
        return (self[position] for position in range(len(self)))


_copy = Operation("clone", np.array, lambda g: g)
_cast = Operation("to", lambda x, dtype: x.astype(dtype), lambda g: g)


def wrap(array: Any) -> Tensor:
    """A tensor around an array, without copying."""
    result = Tensor.__new__(Tensor)
    result.data = array if type(array) is np.ndarray else np.asarray(array)
    result.grad = None
    result._node = None
    result._requires_grad = False
    result._counter = [0]
    return result


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of `data`, copied; its dtype is inferred where none is given: float32, int64 or bool from Python's numbers.

    >>> tensor([1, 2]).dtype
    dtype('int64')
    """
    array = np.array(data.data if isinstance(data, Tensor) else data)
    if dtype is None:
        is_python = not isinstance(data, Tensor | np.ndarray | np.generic)
        dtype = np.float32 if array.dtype == np.float64 and is_python else _nearest_dtype(array.dtype)
    return Tensor(array, requires_grad=requires_grad, dtype=dtype)


def apply(operation: Operation, *inputs: Tensor, **parameters: Any) -> Tensor:
    """The result of an operation on tensors, recorded where a gradient is wanted."""
    values = tuple([x.data for x in inputs])
    result = wrap(operation.forward(*values, **parameters))
    base = result.data.base
    if base is not None and (base is values[0] or base is values[0].base):  # a view: a write to one is a write to both
        result._counter = inputs[0]._counter
    if is_grad_enabled():
        targets = tuple([x._node or (x if x._requires_grad else None) for x in inputs])
        if any(target is not None for target in targets):
            counters = (result._counter, *[x._counter for x in inputs])
            result._node = operation.record(targets, (result.data, *values), counters, parameters)
    return result


def fused(kernel: Kernel, *inputs: Tensor, **parameters: Any) -> Tensor:
    """The result of a fused kernel on tensors, recorded as one node where a gradient is wanted."""
    values = tuple([x.data for x in inputs])
    array, saved = kernel.forward(*values, **parameters)
    result = wrap(array)
    if is_grad_enabled():
        targets = tuple([x._node or (x if x._requires_grad else None) for x in inputs])
        if any(target is not None for target in targets):
            counters = (result._counter, *[x._counter for x in inputs])
            result._node = kernel.record(targets, (result.data, *values), counters, saved)
    return result


class Extremes(NamedTuple):
    """The largest or smallest numbers along a dimension, and where they lie (int64)."""

    values: Tensor
    indices: Tensor


def _extremes(x: Tensor, places: Array, dim: int, keepdim: bool) -> Extremes:
    values, indices = apply(ops.take_along, x, index=places, axis=dim, shape=x.shape), wrap(places)
    return Extremes(values, indices) if keepdim else Extremes(values.squeeze(dim), indices.squeeze(dim))


def _matmul(left: Tensor, right: Tensor) -> Tensor:
    if not left.ndim or not right.ndim or left.shape[-1] != right.shape[-2 if right.ndim > 1 else -1]:
        raise ShapeError(
            f"matmul needs the last dimension of the left to equal the second-last of the right; got {left.shape} @ {right.shape}."
        )
    return apply(ops.matmul, *_same_dtype(left, right))


def _binary(operation: Operation, left: Tensor, right: Any) -> Tensor:
    left, right = _same_dtype(left, _as_tensor(right, left))
    try:
        return apply(operation, left, right)
    except ValueError as error:
        if "broadcast" not in str(error):
            raise
        raise ShapeError(
            f"{operation.name} got the shapes {left.shape} and {right.shape}, which do not broadcast: aligned at the end, "
            "sizes must be equal or 1."
        ) from None


def _as_tensor(value: Any, like: Tensor) -> Tensor:
    """A number as a tensor of `like`'s dtype, unless it needs a wider one; an array as it is."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, bool | int | float):
        is_wider = isinstance(value, float) and like.dtype not in _FLOATS
        return wrap(np.asarray(value, np.float32 if is_wider else like.dtype if like.dtype != np.bool_ else None))
    if isinstance(value, np.ndarray | np.generic):
        return wrap(np.asarray(value, _nearest_dtype(value.dtype)))
    raise TypeError(f"A tensor can be combined with a number, an array or a tensor, not with {type(value).__name__}.")


def _as_float(x: Tensor) -> Tensor:
    return x if x.data.dtype in _FLOATS else x.to(np.float32)


def _as_floats(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Both in their common dtype, or float32 where that is none of numbers with fractions."""
    left, right = _same_dtype(left, right)
    return _as_float(left), _as_float(right)


def _same_dtype(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Both in PyTorch's common dtype: the wider kind wins; within a kind, dimensions win over a single number."""
    a, b = left.data.dtype, right.data.dtype
    if a == b:
        return left, right
    rank = {np.dtype(np.bool_): 0, np.dtype(np.int64): 1, np.dtype(np.float32): 2, np.dtype(np.float64): 2}
    if rank[a] != rank[b]:
        dtype = a if rank[a] > rank[b] else b
    elif bool(left.ndim) != bool(right.ndim):
        dtype = a if left.ndim else b
    else:
        dtype = np.result_type(a, b)
    return left.to(dtype), right.to(dtype)


def _nearest_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype in _DTYPES:
        return dtype
    if dtype.kind in "iu":
        return np.dtype(np.int64)
    if dtype == np.float16:
        return np.dtype(np.float32)
    raise TypeError(f"Tensors are float32, float64, int64 or bool; {dtype} has no place among them.")


def _plain(value: Any) -> Any:
    """Arrays in place of the tensors in an index or a value."""
    if isinstance(value, Tensor):
        return value.data
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    return np.asarray(value) if isinstance(value, list) else value


def _axes(dim: Dims) -> tuple[int, ...] | None:
    return None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)


def _sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes
