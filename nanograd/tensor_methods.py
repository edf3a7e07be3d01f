"""What every family of Tensor's methods (elementwise, reduction, shaping) stands on: what a tensor is, and conversions."""

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nanograd import operations as ops
from nanograd.dtype import FLOATS, Dtype, as_dtype, check_device, float32
from nanograd.errors import DimensionError, ShapeError
from nanograd.graph import Array, Operation

if TYPE_CHECKING:
    from nanograd.tensor import Tensor

_DEVICES = ("cpu", "cuda", "mps", "xpu", "meta")


class TensorMethods:
    """The base of the families; Tensor itself defines what is left open here."""

    __slots__ = ()
    array: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension."""
        return self.array.shape

    @property
    def dtype(self) -> Dtype:
        """The kind of number: float32, float64, int64 or bool."""
        return self.array.dtype

    @property
    def ndim(self) -> int:
        """How many dimensions there are."""
        return self.array.ndim

    @property
    def _tensor(self) -> "Tensor":
        return cast("Tensor", self)

    if TYPE_CHECKING:  # what Tensor itself defines

        def _apply(self, operation: Operation, *others: Tensor, **parameters: Any) -> Tensor: ...  # recorded where wanted
        def _binary(self, operation: Operation, other: Any) -> Tensor: ...  # on this and another value, in their common dtype
        def _in_place(self, operation: Operation, *others: Tensor, **parameters: Any) -> Tensor: ...  # the numbers' new values
        def _coerce(self, other: Any) -> Tensor: ...  # another value as a tensor, a number in this one's dtype where it fits
        def _pair(self, other: Any) -> tuple[Tensor, Tensor]: ...  # this and another value in their common dtype
        def _plain(self, array: Any) -> Tensor: ...  # a tensor around an array, outside every graph

    def _floats(self) -> "Tensor":
        """This tensor, as float32 where it holds integers."""
        return self._tensor if self.array.dtype in FLOATS else self._tensor.to(float32)

    def _axis(self, dim: int, added: int = 0) -> int:
        """A dimension counted from the front, of this tensor's and the `added` ones; raises DimensionError where there is none."""
        count = max(self.ndim + added, 1)
        if not -count <= dim < count:
            raise DimensionError(f"Dimension {dim} is out of range: with {self.ndim + added} it is from {-count} to {count - 1}.")
        return dim % count

    # ---- as something else --------------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The one number in this tensor as a Python number."""
        if self.array.size != 1:
            raise ShapeError(f"item() is for a tensor of one number; this one has the shape {self.shape}: use tolist().")
        return self.array.item()

    def tolist(self) -> Any:
        """The numbers as nested lists."""
        return self.array.tolist()

    def __bool__(self) -> bool:
        if self.array.size > 1:
            raise ShapeError(f"Several numbers, here of the shape {self.shape}, are neither true nor false: use any() or all().")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.dtype in FLOATS:
            raise TypeError(f"Only integers index; this tensor holds {self.dtype}: use .long().")
        return int(self.item())

    def cpu(self) -> "Tensor":
        """This tensor: it lies on the CPU."""
        return self._tensor

    def to(self, *target: Any, dtype: Any = None, device: Any = None) -> "Tensor":
        """The same numbers in another dtype, or itself; the device can only be the CPU. Takes a tensor to be like, too."""
        for value in target:
            if isinstance(value, TensorMethods):
                dtype = value.dtype
            elif isinstance(value, str) and value.split(":")[0] in _DEVICES:
                device = value
            else:
                dtype = value
        check_device(device)
        wanted = self.dtype if dtype is None else as_dtype(dtype)
        return self._tensor if wanted == self.dtype else self._apply(ops.cast, dtype=wanted)

    def double(self) -> "Tensor":
        """The numbers as float64."""
        return self.to(np.float64)

    def long(self) -> "Tensor":
        """The numbers as int64; fractions are cut off."""
        return self.to(np.int64)

    def bool(self) -> "Tensor":
        """Whether each number is other than 0."""
        return self.to(np.bool_)

    def float(self) -> "Tensor":
        """The numbers as float32."""
        return self.to(np.float32)
