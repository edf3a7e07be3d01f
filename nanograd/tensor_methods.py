"""What the families of Tensor's methods (elementwise, reduction, shaping) need of the Tensor that they belong to."""

from typing import TYPE_CHECKING, Any, cast

from nanograd.dtype import FLOATS, Dtype, float32
from nanograd.errors import DimensionError
from nanograd.graph import Array, Operation

if TYPE_CHECKING:
    from nanograd.tensor import Tensor


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
