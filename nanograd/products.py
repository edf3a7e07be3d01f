"""Tensor's products of vectors and matrices."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nanograd import operations as ops
from nanograd.errors import ShapeError
from nanograd.tensor_methods import TensorMethods

if TYPE_CHECKING:
    from nanograd.tensor import Tensor


class ProductMethods(TensorMethods):
    """What Tensor offers to multiply vectors and matrices."""

    __slots__ = ()

    def __matmul__(self, other: Any) -> "Tensor":
        if not isinstance(other, TensorMethods | np.ndarray):
            return NotImplemented
        other = self._coerce(other)
        if not self.ndim or not other.ndim or self.shape[-1] != other.shape[-2 if other.ndim > 1 else -1]:
            what = "the last dimension of the left to equal the second-last of the right"
            raise ShapeError(f"matmul needs {what}; got {self.shape} @ {other.shape}.")
        if self.dtype != other.dtype:
            raise TypeError(f"matmul needs one dtype; got {self.dtype} and {other.dtype}: use .to() on one.")
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
