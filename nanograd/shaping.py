"""Tensor's methods that lay numbers out anew, pick some of them, or put several tensors together."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nanograd import operations as ops
from nanograd.errors import ShapeError, check_indices
from nanograd.graph import Operation
from nanograd.tensor_methods import TensorMethods

if TYPE_CHECKING:
    from nanograd.tensor import Tensor


class ShapingMethods(TensorMethods):
    """What Tensor offers to change its shape and to read parts of it. Views share memory with the tensor where numpy can."""

    __slots__ = ()

    # ---- the same numbers in another shape ----------------------------------------------------------------------------

    def reshape(self, *sizes: Any, shape: Any = ()) -> "Tensor":
        """The same numbers in another shape; one size may be -1."""
        sizes = _sizes(sizes or (shape,))
        try:
            return self._apply(ops.reshape, shape=sizes, before=self.array.shape)
        except ValueError:
            raise ShapeError(f"The shape {self.shape} has {self.array.size} numbers; {sizes} does not hold them.") from None

    def view(self, *sizes: Any, size: Any = ()) -> "Tensor":
        """The same numbers in another shape without copying; raises ShapeError where their order in memory forbids it."""
        result = self.reshape(*sizes, shape=size)
        if result.array.size and not np.may_share_memory(result.array, self.array):
            raise ShapeError(f"A view of shape {result.shape} needs a copy, since this tensor is not contiguous: use reshape.")
        return result

    def contiguous(self) -> "Tensor":
        """The same numbers, one after another in memory."""
        return self._tensor if self.array.flags.c_contiguous else self._apply(ops.contiguous)

    def is_contiguous(self) -> bool:
        """Whether the numbers lie one after another in memory."""
        return bool(self.array.flags.c_contiguous)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> "Tensor":
        """The dimensions from `start_dim` to `end_dim`, both included, as one."""
        shape = self.array.shape or (1,)
        begin, end = self._axis(start_dim), self._axis(end_dim)
        if begin > end:
            raise ShapeError(f"flatten goes from start_dim to end_dim; got {start_dim} after {end_dim}.")
        return self.reshape(*shape[:begin], int(np.prod(shape[begin : end + 1])), *shape[end + 1 :])

    def unsqueeze(self, dim: int) -> "Tensor":
        """With a dimension of size 1 put in at `dim`."""
        shape, place = self.array.shape, self._axis(dim, added=1)
        return self.reshape(*shape[:place], 1, *shape[place:])

    def squeeze(self, dim: int | Sequence[int] | None = None) -> "Tensor":
        """Without the dimensions of size 1, or without those of `dim` whose size is 1."""
        dims = range(self.array.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
        drop = {self._axis(axis) for axis in dims}
        return self.reshape(tuple(size for axis, size in enumerate(self.array.shape) if size != 1 or axis not in drop))

    def transpose(self, dim0: int, dim1: int) -> "Tensor":
        """With two dimensions exchanged."""
        order = list(range(self.array.ndim))
        first, second = self._axis(dim0), self._axis(dim1)
        if order:
            order[first], order[second] = order[second], order[first]
        return self._apply(ops.permute, dims=tuple(order))

    def permute(self, *order: Any, dims: Any = ()) -> "Tensor":
        """With the dimensions in another order."""
        order = tuple(self._axis(dim) for dim in _sizes(order or (dims,)))
        if sorted(order) != list(range(self.array.ndim)):
            raise ShapeError(f"permute names each of the {self.array.ndim} dimensions once; got {order}.")
        return self._apply(ops.permute, dims=order)

    @property
    def T(self) -> "Tensor":  # noqa: N802 - PyTorch's name
        """The transposed matrix (N, M) -> (M, N)."""
        return self._apply(ops.permute, dims=tuple(reversed(range(self.array.ndim))))

    @property
    def mT(self) -> "Tensor":  # noqa: N802 - PyTorch's name
        """Each matrix transposed: (..., N, M) -> (..., M, N)."""
        if self.array.ndim < 2:
            raise ShapeError(f"mT needs two dimensions at least; the shape is {self.array.shape}.")
        return self.transpose(-2, -1)

    def expand(self, *sizes: Any, size: Any = ()) -> "Tensor":
        """Dimensions of size 1 stretched to `sizes` without copying; -1 keeps a size."""
        wanted, own = _sizes(sizes or (size,)), self.array.shape
        new = len(wanted) - len(own)
        kept = (1,) * new + own
        if new < 0 or -1 in wanted[:new] or any(k not in (1, w) and w != -1 for k, w in zip(kept, wanted, strict=False)):
            raise ShapeError(f"{own} cannot be expanded to {wanted}: only dimensions of size 1 stretch.")
        return self._apply(ops.expand, shape=tuple(k if w == -1 else w for w, k in zip(wanted, kept, strict=True)))

    def repeat(self, *times: Any, repeats: Any = ()) -> "Tensor":
        """Copies laid side by side, `repeats` times along each dimension."""
        times = _sizes(times or (repeats,))
        shape = (1,) * (len(times) - self.array.ndim) + self.array.shape
        if len(shape) != len(times):
            raise ShapeError(f"repeat needs a number for each of the {self.array.ndim} dimensions; got {times}.")
        once = self.reshape([size for own in shape for size in (1, own)])
        copies = once.expand([size for pair in zip(times, shape, strict=True) for size in pair])
        return copies.reshape([count * size for count, size in zip(times, shape, strict=True)])

    def flip(self, *axes: Any, dims: Any = ()) -> "Tensor":
        """Reversed along `dims`, as a copy."""
        given = _sizes(axes or (dims,))
        backwards = {self._axis(axis) for axis in given}
        if len(backwards) < len(given):
            raise ShapeError(f"flip names each dimension once; got {given}.")
        index = tuple(slice(None, None, -1 if axis in backwards else 1) for axis in range(self.array.ndim))
        return self._tensor[index].clone()

    # ---- parts --------------------------------------------------------------------------------------------------------

    def __getitem__(self, index: Any) -> "Tensor":
        basic, advanced = plain_index(index)
        result = self if basic is None else self._apply(ops.take, index=basic, shape=self.array.shape)
        if advanced is None:
            result._tensor._whole = (self._tensor, index)  # what a recorded in-place write to the view changes
        return result._tensor if advanced is None else result._apply(ops.take, index=advanced, shape=result.array.shape)

    def __iter__(self) -> "Iterator[Tensor]":
        if not self.array.ndim:
            raise TypeError("A tensor of no dimensions cannot be iterated over; use item() for its number.")
        return iter(self.unbind(0))

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> "tuple[Tensor, ...]":
        """Pieces along `dim`: of `split_size`, the last perhaps smaller, or of the sizes that are listed."""
        axis = self._axis(dim)
        size = self.array.shape[axis]
        if isinstance(split_size, int):
            if split_size < 1:
                raise ShapeError(f"split_size is at least 1; got {split_size}.")
            split_size = [min(split_size, size - begin) for begin in range(0, size, split_size)] or [0]
        if sum(split_size) != size:
            raise ShapeError(f"The sizes {split_size} sum to {sum(split_size)}; dimension {dim} has {size}.")
        ends = np.cumsum(split_size).tolist()
        return tuple(self._part(axis, slice(end - length, end)) for length, end in zip(split_size, ends, strict=True))

    def chunk(self, chunks: int, dim: int = 0) -> "tuple[Tensor, ...]":
        """At most `chunks` pieces along `dim`, of one size but for the last."""
        if chunks < 1:
            raise ShapeError(f"chunks is at least 1; got {chunks}.")
        axis = self._axis(dim)
        size = self.array.shape[axis]
        return self.split(-(-size // chunks), dim) if size else tuple(self._part(axis, slice(0, 0)) for _ in range(chunks))

    def unbind(self, dim: int = 0) -> "tuple[Tensor, ...]":
        """The slices along `dim`, each without it."""
        axis = self._axis(dim)
        return tuple(self._part(axis, position) for position in range(self.array.shape[axis]))

    def gather(self, dim: int, index: "Tensor") -> "Tensor":
        """The numbers at `index` along `dim`: out[i][j] = x[i][index[i][j]] for dim 1; the shape of `index`."""
        axis = self._axis(dim)
        _check_gather(index, self.array.shape, axis)
        return self._tensor[_along(index.array, axis)]

    def index_select(self, dim: int, index: "Tensor") -> "Tensor":
        """The slices at `index` (N,) along `dim`."""
        if index.ndim > 1:
            raise ShapeError(f"index_select takes one dimension of indices; got the shape {index.shape}.")
        return self._part(self._axis(dim), index.reshape(-1))

    def scatter_add(self, dim: int, index: "Tensor", src: "Tensor") -> "Tensor":
        """x with `src` added at `index` along `dim`: out[i][index[i][j]] += src[i][j] for dim 1."""
        axis = self._axis(dim)
        _check_gather(index, self.array.shape, axis)
        part = src[tuple(slice(0, size) for size in index.shape)]
        if part.shape != index.shape:
            raise ShapeError(f"scatter_add needs a number for each index; got {src.shape} for indices {index.shape}.")
        return self._apply(ops.add_at, part, index=_along(index.array, axis))

    def tril(self, diagonal: int = 0) -> "Tensor":
        """Each matrix with zeros above its diagonal, or above the one that many to the right."""
        return self._triangle(ops.lower_triangle, diagonal)

    def triu(self, diagonal: int = 0) -> "Tensor":
        """Each matrix with zeros below its diagonal, or below the one that many to the right."""
        return self._triangle(ops.upper_triangle, diagonal)

    def _triangle(self, operation: Operation, diagonal: int) -> "Tensor":
        if self.array.ndim < 2:
            raise ShapeError(f"A triangle needs two dimensions at least; the shape is {self.array.shape}.")
        return self._apply(operation, k=diagonal)

    def _part(self, axis: int, index: Any) -> "Tensor":
        """What lies at an index along one dimension."""
        return self._tensor[(*(slice(None),) * axis, index)]


def plain_index(index: Any) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]:
    """An index in two steps, each None where there is nothing to do: what gives a view, then what reads by arrays.

    In PyTorch a whole number takes its dimension away before arrays are looked at; numpy would count it among them.
    """
    parts = [_plain_part(part) for part in (index if isinstance(index, tuple) else (index,))]
    if not any(isinstance(part, np.ndarray) for part in parts):
        return (*parts, *(() if Ellipsis in parts else (Ellipsis,))), None  # with ... even one number is a view
    if not any(type(part) is int for part in parts):
        return None, tuple(parts)
    basic: list[Any] = []
    for part in parts:
        basic.extend((slice(None),) * (part.ndim if part.dtype == np.bool_ else 1) if isinstance(part, np.ndarray) else (part,))
    rest = [part if isinstance(part, np.ndarray) or part is Ellipsis else slice(None) for part in parts if type(part) is not int]
    return tuple(basic), tuple(rest)


def _plain_part(part: Any) -> Any:
    """One part of an index with an array in place of a tensor, a list or a range, and a whole number as an int."""
    if isinstance(part, TensorMethods):
        part = part.array
    if isinstance(part, list | tuple | range):
        part = np.asarray([_plain_part(entry) for entry in part], None if part else np.int64)
    if isinstance(part, bool | np.bool_):
        return np.asarray(part)
    if isinstance(part, np.integer) or (isinstance(part, np.ndarray) and not part.ndim and part.dtype.kind in "iu"):
        return int(part)
    return part


def _along(index: Any, axis: int) -> tuple[Any, ...]:
    """The index that reads, at each place of `index`, that number along `axis`, and the place's own along the others."""
    grid: list[Any] = list(np.ogrid[tuple(slice(0, size) for size in index.shape)])
    grid[axis : axis + 1] = [index] * bool(grid)
    return tuple(grid)


def _check_gather(index: "Tensor", shape: tuple[int, ...], axis: int) -> None:
    if index.ndim != len(shape):
        raise ShapeError(f"The index has {index.ndim} dimensions, the tensor {len(shape)}; they must be equal.")
    check_indices(f"An index along dimension {axis}", index.array, shape[axis] if shape else 1)


def _sizes(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    given = sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int | np.integer) else sizes
    return tuple(int(size) for size in given)
