"""Softmax, its logarithm, and the cross-entropy loss made of them.

For a row x of C logits:  softmax(x)_i = e^(x_i) / sum_j e^(x_j),  log_softmax(x)_i = x_i - log sum_j e^(x_j), and the
cross-entropy of a target class t is -log_softmax(x)_t, in nats. Subtracting the largest logit first changes none of
them and keeps every exponential at 1 or below.
"""

import numpy as np

from nanograd.errors import ShapeError
from nanograd.graph import Array, Kernel
from nanograd.tensor import Tensor, fused

# ---- the definitions --------------------------------------------------------------------------------------------------


def softmax_definition(input: Tensor, dim: int) -> Tensor:
    """Softmax along `dim` in primitives; the shape stays."""
    exponentials = (input - input.detach().amax(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


def log_softmax_definition(input: Tensor, dim: int) -> Tensor:
    """The logarithm of softmax along `dim` in primitives; the shape stays."""
    shifted = input - input.detach().amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


def cross_entropy_definition(input: Tensor, target: Tensor) -> Tensor:
    """The mean cross-entropy of logits (N, C) and target classes (N,) in primitives."""
    picked = log_softmax_definition(input, 1)[np.arange(len(target)), target]
    return -picked.mean()


# ---- the fast forms ---------------------------------------------------------------------------------------------------


def softmax_array(x: Array, axis: int) -> Array:
    """Softmax of an array along `axis`."""
    exponentials: Array = np.exp(x - x.max(axis=axis, keepdims=True))
    exponentials /= exponentials.sum(axis=axis, keepdims=True)
    return exponentials


def _softmax(x: Array, axis: int) -> tuple[Array, tuple[Array, int]]:
    z = softmax_array(x, axis)
    return z, (z, axis)


def _softmax_backward(g: Array, needs: tuple[bool, ...], z: Array, axis: int) -> tuple[Array]:
    """dz_i/dx_j = z_i ([i = j] - z_j), so the gradient is z (g - sum_j g_j z_j)."""
    weighted = g * z
    weighted -= z * weighted.sum(axis=axis, keepdims=True)
    return (weighted,)


def _log_softmax(x: Array, axis: int) -> tuple[Array, tuple[Array, int]]:
    shifted = x - x.max(axis=axis, keepdims=True)
    z = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return z, (z, axis)


def _log_softmax_backward(g: Array, needs: tuple[bool, ...], z: Array, axis: int) -> tuple[Array]:
    """dz_i/dx_j = [i = j] - softmax_j, so the gradient is g - softmax sum_i g_i."""
    return (g - np.exp(z) * g.sum(axis=axis, keepdims=True),)


def _cross_entropy(x: Array, target: Array, ignore_index: int) -> tuple[Array, tuple[Array, Array, Array]]:
    """Losses (N,) of logits (N, C): 0 where the target is `ignore_index`."""
    rows = np.arange(len(x))
    counted = target != ignore_index
    chosen = np.where(counted, target, 0)
    shifted = x - x.max(axis=1, keepdims=True)
    picked = shifted[rows, chosen]
    probabilities = np.exp(shifted, out=shifted)
    sums = probabilities.sum(axis=1, keepdims=True)
    probabilities /= sums
    return (np.log(sums[:, 0]) - picked) * counted, (probabilities, chosen, counted)


def _cross_entropy_backward(
    g: Array, needs: tuple[bool, ...], probabilities: Array, chosen: Array, counted: Array
) -> tuple[Array, None]:
    """d loss / d x = softmax(x) - one_hot(target), for the rows that count."""
    weight = (g * counted)[:, None]
    result = probabilities * weight
    result[np.arange(len(result)), chosen] -= weight[:, 0]
    return result, None


_softmax_kernel = Kernel("softmax", _softmax, _softmax_backward)
_log_softmax_kernel = Kernel("log_softmax", _log_softmax, _log_softmax_backward)
_cross_entropy_kernel = Kernel("cross_entropy", _cross_entropy, _cross_entropy_backward)


def softmax(input: Tensor, dim: int) -> Tensor:
    """Positive numbers that sum to 1 along `dim`; the shape stays.

    >>> softmax(Tensor([0.0, 0.0]), dim=0)
    tensor([0.5, 0.5])
    """
    return fused(_softmax_kernel, input, axis=dim)


def log_softmax(input: Tensor, dim: int) -> Tensor:
    """The logarithm of softmax along `dim`, in nats; the shape stays."""
    return fused(_log_softmax_kernel, input, axis=dim)


def cross_entropy(input: Tensor, target: Tensor, ignore_index: int = -100, reduction: str = "mean") -> Tensor:
    """The cross-entropy in nats of logits (N, C), (C,) or (N, C, d1, ...) and target classes (N,), () or (N, d1, ...).

    Targets equal to `ignore_index` count nothing. `reduction` is "mean" (over what counts), "sum" or "none" (the
    target's shape). Raises ShapeError where shapes or classes do not fit.

    >>> from nanograd import tensor
    >>> cross_entropy(Tensor([[0.0, 0.0]]), tensor([1])).item()
    0.6931471824645996
    """
    if not input.ndim:
        raise ShapeError("cross_entropy needs logits (N, C), (C,) or (N, C, d1, ...); got a single number.")
    classes = input.shape[1] if input.ndim > 1 else input.shape[0]
    expected = (input.shape[0], *input.shape[2:]) if input.ndim > 1 else ()
    if target.shape != expected:
        raise ShapeError(f"For logits of shape {input.shape} the targets have the shape {expected}; got {target.shape}.")
    _check_classes(target.data, classes, ignore_index)
    rows = input.permute(0, *range(2, input.ndim), 1) if input.ndim > 2 else input
    losses = fused(_cross_entropy_kernel, rows.reshape(-1, classes), target.reshape(-1), ignore_index=ignore_index)
    if reduction == "none":
        return losses.reshape(expected)
    if reduction == "sum":
        return losses.sum()
    if reduction != "mean":
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}.")
    return losses.sum() / int(np.count_nonzero(target.data != ignore_index))


def _check_classes(target: Array, classes: int, ignore_index: int) -> None:
    if target.dtype.kind not in "iu":
        raise ShapeError(f"Target classes are integers (int64); got {target.dtype}: use .long().")
    outside = (target < 0) | (target >= classes)
    outside &= target != ignore_index
    if outside.any():
        raise ShapeError(f"A target class is from 0 to {classes - 1}; got {target[outside][0]}.")
