"""The embedding: row i of a table (num_embeddings, embedding_dim) stands for token i."""

from typing import Any

import numpy as np

from nanograd.errors import ShapeError
from nanograd.graph import Array, Kernel
from nanograd.module import Module, normal_parameter
from nanograd.random import current_generator
from nanograd.tensor import Tensor, fused

# ---- the definition ---------------------------------------------------------------------------------------------------


def embedding_definition(input: Tensor, weight: Tensor) -> Tensor:
    """The embedding in primitives: ids (...) -> (..., embedding_dim)."""
    return weight[input]


# ---- the fast form ----------------------------------------------------------------------------------------------------

_ONE_HOT_LIMIT = 4096  # up to this many rows, a product with one-hot columns beats sorting the ids


def _embedding(ids: Array, weight: Array) -> tuple[Array, tuple[Any, ...]]:
    return weight[ids], (ids, len(weight))


def _embedding_backward(g: Array, needs: tuple[bool, ...], ids: Array, count: int) -> tuple[None, Array]:
    """Differentiates z = weight[ids]: each row of the table gets the sum of the gradients of its tokens."""
    flat, rows = ids.reshape(-1), g.reshape(ids.size, g.shape[-1])
    if count <= _ONE_HOT_LIMIT:
        one_hot = np.zeros((len(flat), count), g.dtype)
        one_hot[np.arange(len(flat)), flat] = 1
        return None, one_hot.T @ rows
    result = np.zeros((count, g.shape[-1]), g.dtype)
    if len(flat):
        order = np.argsort(flat, kind="stable")
        found, begins = np.unique(flat[order], return_index=True)
        result[found] = np.add.reduceat(rows[order], begins, axis=0)
    return None, result


_kernel = Kernel("embedding", _embedding, _embedding_backward)


def embedding(input: Tensor, weight: Tensor) -> Tensor:
    """Rows of `weight` (num_embeddings, embedding_dim) for ids (...): (..., embedding_dim).

    >>> from nanograd import tensor
    >>> embedding(tensor([1]), Tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.]])
    """
    ids = input.data
    if ids.dtype.kind not in "iu":
        raise ShapeError(f"Token ids are integers (int64); got {ids.dtype}: use .long().")
    if ids.size and (ids.min() < 0 or ids.max() >= len(weight)):
        wrong = ids.max() if ids.max() >= len(weight) else ids.min()
        raise ShapeError(f"A token id is from 0 to {len(weight) - 1}; got {wrong}.")
    return fused(_kernel, input, weight)


class Embedding(Module):
    """`embedding` with a learned table, drawn from the normal distribution of deviation 1."""

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.weight = normal_parameter((num_embeddings, embedding_dim), 1.0, current_generator().numpy)

    def forward(self, input: Tensor) -> Tensor:
        """Ids (...) -> (..., embedding_dim)."""
        return embedding(input, self.weight)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.num_embeddings}, {self.embedding_dim}"
