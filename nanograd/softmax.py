"""Softmax, its logarithm, and the cross-entropy loss made of them.

For a row x of C logits:  softmax(x)_i = e^(x_i) / sum_j e^(x_j),  log_softmax(x)_i = x_i - log sum_j e^(x_j), and the
cross-entropy of a target class t is -log_softmax(x)_t, in nats; of target probabilities p it is -sum_i p_i log_softmax(x)_i.
Subtracting the largest logit first changes none of them and keeps every exponential at 1 or below.
"""

from typing import Any

import numpy as np

from nanograd.errors import ArgumentError, GraphError, ShapeError, check_indices
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs
from nanograd.module import FunctionLayer
from nanograd.tensor import Tensor, fused, wrap

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


def _shifted(x: Array, axis: int) -> Array:
    """x less its largest number along `axis`; NaN where all are minus infinity."""
    result: Array = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
    return result


def softmax_array(x: Array, axis: int) -> Array:
    """Softmax of an array along `axis`."""
    exponentials = _shifted(x, axis)
    np.exp(exponentials, out=exponentials)
    exponentials /= exponentials.sum(axis=axis, keepdims=True)
    return exponentials


def _softmax(x: Array, axis: int) -> Fused:
    z = softmax_array(x, axis)
    return z, (z, axis)


def _softmax_backward(g: Array, needs: Needs, z: Array, axis: int) -> Gradients:
    """dz_i/dx_j = z_i ([i = j] - z_j), so the gradient is z (g - sum_j g_j z_j)."""
    weighted = g * z
    weighted -= z * weighted.sum(axis=axis, keepdims=True)
    return (weighted,)


def _log_softmax(x: Array, axis: int) -> Fused:
    shifted = _shifted(x, axis)
    z = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    return z, (z, axis)


def _log_softmax_backward(g: Array, needs: Needs, z: Array, axis: int) -> Gradients:
    """dz_i/dx_j = [i = j] - softmax_j, so the gradient is g - softmax sum_i g_i."""
    return (g - np.exp(z) * g.sum(axis=axis, keepdims=True),)


def _weighed(row_weights: Array, x: Array) -> Array:
    """The product, which is 0 for rows without weight even where x is not finite."""
    return np.where(row_weights == 0, row_weights, row_weights * x)


def _cross_entropy(x: Array, target: Array, row_weights: Array, divisor: Array | None) -> Fused:
    """Losses (N,) of logits (N, C), each times its row's weight; their sum over `divisor` where there is one."""
    shifted = _shifted(x, 1)
    picked = shifted[np.arange(len(x)), target]
    probabilities = np.exp(shifted, out=shifted)
    sums = probabilities.sum(axis=1, keepdims=True)
    probabilities /= sums
    losses = _weighed(row_weights, np.log(sums[:, 0]) - picked)
    return losses if divisor is None else losses.sum() / divisor, (probabilities, target, row_weights, divisor)


def _cross_entropy_backward(
    g: Array, needs: Needs, probabilities: Array, target: Array, row_weights: Array, divisor: Array | None
) -> Gradients:
    """d loss / d x = (softmax(x) - one_hot(target)) times the row's weight."""
    weight = _weighed(row_weights, g if divisor is None else g / divisor)
    result = probabilities * weight[:, None]
    result[np.arange(len(result)), target] -= weight
    return result, None, None


_softmax_kernel = Kernel("softmax", _softmax, _softmax_backward)
_log_softmax_kernel = Kernel("log_softmax", _log_softmax, _log_softmax_backward)
_cross_entropy_kernel = Kernel("cross_entropy", _cross_entropy, _cross_entropy_backward)


def softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """Positive numbers that sum to 1 along `dim`, computed in `dtype` where it is given; the shape stays.

    >>> softmax(Tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _along(_softmax_kernel, input, dim, dtype)


def log_softmax(input: Tensor, dim: int | None = None, dtype: Any = None) -> Tensor:
    """The logarithm of softmax along `dim`, in nats, computed in `dtype` where it is given; the shape stays."""
    return _along(_log_softmax_kernel, input, dim, dtype)


def _along(kernel: Kernel, input: Tensor, dim: int | None, dtype: Any) -> Tensor:
    if dim is None:
        raise ValueError(f"{kernel.name} needs the dimension along which to sum: pass dim, such as dim=-1 for the last.")
    x = input if dtype is None else input.to(dtype)
    x._require_floats(kernel.name)
    axis = x._axis(dim)
    return fused(kernel, x, axis=axis) if x.ndim else fused(kernel, x.reshape(1), axis=0).reshape(())


# ---- cross-entropy ----------------------------------------------------------------------------------------------------


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross-entropy in nats of logits (N, C), (C,) or (N, C, d1, ...) and target classes (N,), () or (N, d1, ...).

    Targets of the logits' own shape are probabilities of the classes. `weight` (C,) weighs the classes; targets equal to
    `ignore_index` count nothing; `label_smoothing` moves that share of each target evenly to all classes. `reduction` is
    "none" (the shape of target classes), "sum" or "mean": the sum divided by the targets' weights, for probabilities by
    their number. Raises ShapeError where shapes or classes do not fit.

    >>> from nanograd import tensor
    >>> cross_entropy(Tensor([[0.0, 0.0]]), tensor([1])).item()
    0.6931471824645996
    """
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"label_smoothing is from 0 to 1; got {label_smoothing}.")
    if target.shape == input.shape and input.ndim:
        if ignore_index >= 0:
            raise ArgumentError(f"ignore_index {ignore_index} is for target classes; these are probabilities: leave it out.")
        return _of_probabilities(input, target, weight, reduction, label_smoothing)
    rows, classes, row_weights = class_rows("cross_entropy", input, target, weight, ignore_index)
    inputs = rows, classes, wrap(row_weights)
    if reduction != "none" and not label_smoothing:
        check_reduction(reduction)
        divisor = row_weights.sum() if reduction == "mean" else row_weights.dtype.type(1)
        return fused(_cross_entropy_kernel, *inputs, divisor=divisor)
    losses = fused(_cross_entropy_kernel, *inputs, divisor=None)
    if label_smoothing:
        log_probabilities = log_softmax(rows, 1)
        even = (log_probabilities if weight is None else log_probabilities * weight).sum(1)
        even = even.where(wrap(target.array.reshape(-1) != ignore_index), 0.0)
        losses = losses * (1 - label_smoothing) - even * (label_smoothing / rows.shape[1])
    return reduced(losses.reshape(target.shape), reduction, row_weights.sum().item())


def _of_probabilities(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float) -> Tensor:
    """Cross-entropy with target probabilities of the logits' shape."""
    target._require_floats("cross_entropy with targets of the logits' shape, which are probabilities,")
    axis = min(input.ndim - 1, 1)
    classes = input.shape[axis]
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    if weight is not None:
        check_class_weight(weight, classes)
        target = target * weight.reshape(classes, *(1,) * (input.ndim - axis - 1))
    return reduced(-(log_softmax(input, axis) * target).sum(axis), reduction)


# ---- what losses over classes share -----------------------------------------------------------------------------------


def class_rows(name: str, input: Tensor, target: Tensor, weight: Tensor | None, ignored: int) -> tuple[Tensor, Tensor, Array]:
    """The input as rows (M, C), the target class of each (0 where it is ignored), and each row's weight (0 likewise)."""
    if not input.ndim:
        raise ShapeError(f"{name} needs an input (N, C), (C,) or (N, C, d1, ...); got a single number.")
    input._require_floats(name)
    classes = input.shape[min(input.ndim - 1, 1)]
    expected = (input.shape[0], *input.shape[2:]) if input.ndim > 1 else ()
    if target.shape != expected:
        raise ShapeError(f"For an input of shape {input.shape} the targets have the shape {expected}; got {target.shape}.")
    flat = target.array.reshape(-1)
    counted = flat != ignored
    check_indices("A target class", flat[counted], classes)
    chosen = np.where(counted, flat, 0)
    row_weights = counted.astype(input.dtype)
    if weight is not None:
        check_class_weight(weight, classes)
        if weight.requires_grad:
            raise GraphError(f"{name} has no gradient for the weights of target classes; pass weight.detach().")
        row_weights *= weight.array[chosen]
    if input.ndim != 2:
        input = input.permute(0, *range(2, input.ndim), 1).reshape(len(flat), classes) if input.ndim > 2 else input.unsqueeze(0)
    return input, wrap(chosen), row_weights


def reduced(losses: Tensor, reduction: str, count: float | None = None) -> Tensor:
    """The losses themselves, their sum, or their mean: the sum divided by `count` where one is given (NaN where that is 0)."""
    check_reduction(reduction)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    return losses.mean() if count is None else losses.sum() / (count or float("nan"))


def check_reduction(reduction: str) -> None:
    """Raise ValueError for a reduction that losses do not have."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}.")


def check_class_weight(weight: Tensor, classes: int) -> None:
    """Raise ShapeError where there is not one weight for each class."""
    if weight.shape != (classes,):
        raise ShapeError(f"weight has one number for each of the {classes} classes; got the shape {weight.shape}.")


class Softmax(FunctionLayer, function=softmax, shows="dim"):
    """`softmax` as a layer. Input and output have the same shape."""


class LogSoftmax(FunctionLayer, function=log_softmax, shows="dim"):
    """`log_softmax` as a layer. Input and output have the same shape."""
