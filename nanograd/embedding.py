"""The embedding (Bengio et al., 2003): row i of a table W (num_embeddings, embedding_dim) stands for token i, z = W[i].

Its one-hot form is 1 at place i and 0 elsewhere; the embedding is the product of that with the table.
"""

import numpy as np

from nanograd.errors import ShapeError, check_indices
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.module import Module, normal_parameter
from nanograd.tensor import Tensor, fused, wrap

# ---- the definition ---------------------------------------------------------------------------------------------------


def embedding_definition(input: Tensor, weight: Tensor) -> Tensor:
    """The embedding in primitives: ids (...) -> (..., embedding_dim)."""
    return weight[input]


# ---- the fast form ----------------------------------------------------------------------------------------------------

_ONE_HOT_LIMIT = 4096  # up to this many rows, a product with one-hot columns beats sorting the ids


def _embedding(ids: Array, weight: Array, padding_idx: int | None) -> Fused:
    return weight[ids], (ids, len(weight), padding_idx)


def _embedding_backward(g: Array, needs: Needs, ids: Array, count: int, padding_idx: int | None) -> Gradients:
    """Differentiates z = weight[ids]: each row of the table gets the sum of the gradients of its tokens, but for padding."""
    result = _sums_of_rows(g, ids, count)
    if padding_idx is not None:
        result[padding_idx] = 0
    return None, result


def _sums_of_rows(g: Array, ids: Array, count: int) -> Array:
    flat, rows = ids.reshape(-1), g.reshape(ids.size, g.shape[-1])
    if count <= _ONE_HOT_LIMIT:
        one_hot = np.zeros((len(flat), count), g.dtype)
        one_hot[np.arange(len(flat)), flat] = 1
        return one_hot.T @ rows
    result = np.zeros((count, g.shape[-1]), g.dtype)
    if len(flat):
        order = np.argsort(flat, kind="stable")
        found, begins = np.unique(flat[order], return_index=True)
        result[found] = np.add.reduceat(rows[order], begins, axis=0)
    return result


_kernel = Kernel("embedding", _embedding, _embedding_backward)


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Rows of `weight` (num_embeddings, embedding_dim) for ids (...): (..., embedding_dim).

    The row `padding_idx` gets no gradient. Raises ShapeError for ids that are no integers or have no row.

    >>> from nanograd import tensor
    >>> embedding(tensor([1]), Tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.]])
    """
    check_indices("A token id", input.array, len(weight))
    return fused(_kernel, input, weight, padding_idx=_row(padding_idx, len(weight)))


def _row(padding_idx: int | None, count: int) -> int | None:
    """The row counted from the front."""
    if padding_idx is not None and not -count <= padding_idx < count:
        raise ShapeError(f"padding_idx is from {-count} to {count - 1} for {count} embeddings; got {padding_idx}.")
    return None if padding_idx is None else padding_idx % count


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Classes (...) as rows (..., num_classes) of zeros with a 1 at the class (int64); -1 is for one more than the largest.

    Raises ShapeError for classes that are no integers or lie outside.

    >>> from nanograd import tensor
    >>> one_hot(tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    classes = tensor.array
    if num_classes == -1 and not classes.size:
        raise ShapeError("one_hot cannot tell the number of classes from no numbers; pass num_classes.")
    count = int(classes.max()) + 1 if num_classes == -1 else num_classes
    check_indices("A class", classes, count)
    return wrap((classes[..., None] == np.arange(count)).astype(np.int64))


class Embedding(Module):
    """`embedding` with a learned table, drawn from the normal distribution of deviation 1; the row `padding_idx` stays 0."""

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = _row(padding_idx, num_embeddings)
        self.weight = normal_parameter((num_embeddings, embedding_dim), 1.0)
        if self.padding_idx is not None:
            self.weight.array[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        """Ids (...) -> (..., embedding_dim)."""
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """The sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
