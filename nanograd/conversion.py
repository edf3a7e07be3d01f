"""Tensor's methods that change the dtype, or that give Python's own numbers."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nanograd import operations as ops
from nanograd.dtype import FLOATS, as_dtype, check_device
from nanograd.errors import ShapeError
from nanograd.tensor_methods import TensorMethods

if TYPE_CHECKING:
    from nanograd.tensor import Tensor

_DEVICES = ("cpu", "cuda", "mps", "xpu", "meta")


class ConversionMethods(TensorMethods):
    """What Tensor offers to become something else."""

    __slots__ = ()

    def item(self) -> Any:
        """The one number in this tensor as a Python number."""
        if self.array.size != 1:
            raise ShapeError(f"item() is for a tensor of one number; this one has the shape {self.shape}: use tolist().")
        return self.array.item()

    def tolist(self) -> Any:
        """The numbers as nested lists."""
        return self.array.tolist()

    def __bool__(self) -> bool:
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
