"""Functions of several tensors at once: putting them together, and einsum."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nanograd import operations as ops
from nanograd.dtype import common_dtype
from nanograd.errors import ShapeError
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.tensor import Tensor, fused


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after another along `dim`; the other sizes are equal.

    >>> cat([Tensor([1.0]), Tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    if not tensors:
        raise ShapeError("cat needs one tensor at least.")
    axis = tensors[0]._axis(dim)
    shapes = [t.shape for t in tensors]
    if any(not shape or shape[:axis] + shape[axis + 1 :] != shapes[0][:axis] + shapes[0][axis + 1 :] for shape in shapes):
        raise ShapeError(f"cat along dimension {dim} needs equal sizes in all others; got the shapes {shapes}.")
    return fused(ops.concatenate, *_of_one_dtype(tensors), axis=axis)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape side by side in a new dimension `dim`."""
    if len({t.shape for t in tensors}) != 1:
        raise ShapeError(f"stack needs tensors of one shape, one at least; got {[t.shape for t in tensors]}.")
    return cat([t.unsqueeze(dim) for t in tensors], dim)


def _of_one_dtype(tensors: Sequence[Tensor]) -> list[Tensor]:
    dtype = tensors[0].dtype
    for t in tensors[1:]:
        dtype = common_dtype(dtype, 1, t.dtype, 1)
    return [t.to(dtype) for t in tensors]


# ---- einsum -----------------------------------------------------------------------------------------------------------


def einsum(equation: str, *operands: Any) -> Tensor:
    """Products summed as the letters say: "ij,jk->ik" is a product of matrices. A letter that the result lacks is summed over.

    A letter may stand twice in an operand, which takes its diagonal; "..." stands for dimensions that broadcast.

    >>> einsum("i,i->", Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))
    tensor(11.)
    """
    operands = tuple(operands[0]) if len(operands) == 1 and not isinstance(operands[0], Tensor) else operands
    terms, result = _parse(equation, [t.ndim for t in operands])
    try:
        operands = tuple(map(_diagonals, operands, terms))
        terms = ["".join(dict.fromkeys(term)) for term in terms]
        return fused(_einsum_kernel, *_of_one_dtype(operands), terms=terms, result=result)
    except ValueError as error:
        raise ShapeError(f"einsum {equation!r} does not fit the shapes {[t.shape for t in operands]}: {error}.") from None


def _parse(equation: str, ndims: list[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with letters of their own for the dimensions that "..." stands for."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ShapeError(f"einsum {equation!r} is for {len(terms)} operands; got {len(ndims)}.")
    spare = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if letter not in equation]
    counts = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=True)]
    if any((count and "..." not in term) or count < 0 for term, count in zip(terms, counts, strict=True)):
        raise ShapeError(f"einsum {equation!r} names other numbers of dimensions than the operands have: {ndims}.")
    broadcast = "".join(spare[: max(counts)])
    full = [t.replace("...", broadcast[len(broadcast) - count :]) for t, count in zip(terms, counts, strict=True)]
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        right = "..." + "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    return full, right.replace("...", broadcast)


def _diagonals(operand: Tensor, term: str) -> Tensor:
    """The operand with one dimension for each letter: where a letter stands twice, its indices are equal."""
    letters = "".join(dict.fromkeys(term))
    if letters == term:
        return operand
    sizes = dict(zip(term, operand.shape, strict=True))
    if tuple(sizes[letter] for letter in term) != operand.shape:
        raise ShapeError(f"a letter that stands twice in {term!r} needs equal sizes")
    grid = np.ogrid[tuple(slice(0, sizes[letter]) for letter in letters)]
    return operand[tuple(grid[letters.index(letter)] for letter in term)]


def _einsum(*arrays: Array, terms: list[str], result: str) -> Fused:
    z = np.einsum(f"{','.join(terms)}->{result}", *arrays, optimize=len(arrays) > 1)
    return np.asarray(z), (list(arrays), terms, result)


def _einsum_backward(g: Array, needs: Needs, arrays: list[Array], terms: list[str], result: str) -> Gradients:
    """For each operand: the result's gradient times all other operands, summed to the operand's letters."""
    return [_einsum_gradient(g, position, arrays, terms, result) if needed else None for position, needed in enumerate(needs)]


def _einsum_gradient(g: Array, position: int, arrays: list[Array], terms: list[str], result: str) -> Array:
    inputs = [(result, g), *zip(terms, arrays, strict=True)]
    own, array = inputs.pop(position + 1)
    known = "".join(letter for letter in own if any(letter in term for term, _ in inputs))
    spread = np.einsum(f"{','.join(term for term, _ in inputs)}->{known}", *(array for _, array in inputs), optimize=True)
    spread = np.expand_dims(spread, [axis for axis, letter in enumerate(own) if letter not in known])  # summed over here only
    return np.broadcast_to(spread, np.broadcast_shapes(spread.shape, array.shape))


_einsum_kernel = Kernel("einsum", _einsum, _einsum_backward)
