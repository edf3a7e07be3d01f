"""Losses: how far an input x lies from a target y; `reduction` gives their mean, their sum, or each one ("none").

nll -x[y] (with log-probabilities x, so that nll_loss(log_softmax(x), y) is the cross-entropy);  mse (x - y)^2;  l1 |x - y|;
smooth_l1 (Girshick, 2015) (x - y)^2 / (2 beta) where |x - y| < beta, otherwise |x - y| - beta / 2;
binary_cross_entropy_with_logits -(y log s + (1 - y) log(1 - s)) with s = sigmoid(x).
"""

import warnings

import numpy as np

from nanograd.activation import softplus
from nanograd.errors import ShapeError
from nanograd.graph import Array, Kernel
from nanograd.module import Module
from nanograd.softmax import check_reduction, class_rows, cross_entropy, reduce_rows
from nanograd.tensor import Tensor, fused, wrap

# ---- the definitions --------------------------------------------------------------------------------------------------


def nll_loss_definition(input: Tensor, target: Tensor) -> Tensor:
    """The mean negative log-likelihood of log-probabilities (N, C) and target classes (N,) in primitives."""
    return -input[np.arange(len(target)), target].mean()


def binary_cross_entropy_with_logits_definition(input: Tensor, target: Tensor) -> Tensor:
    """Its mean in primitives, which overflow for large logits; input and target have the same shape."""
    probability = input.sigmoid()
    return -(target * probability.log() + (1 - target) * (1 - probability).log()).mean()


# ---- losses over classes ----------------------------------------------------------------------------------------------


def _nll(x: Array, target: Array, row_weights: Array) -> tuple[Array, tuple[Array, Array, tuple[int, ...]]]:
    picked = -x[np.arange(len(x)), target]
    z = np.multiply(picked, row_weights, out=np.zeros_like(picked), where=row_weights != 0)
    return z, (target, row_weights, x.shape)


def _nll_backward(
    g: Array, needs: tuple[bool, ...], target: Array, row_weights: Array, shape: tuple[int, ...]
) -> tuple[Array, None, None]:
    """Differentiates z = -x[row, target] weight: each row has one number that counts."""
    result = np.zeros(shape, g.dtype)
    result[np.arange(len(g)), target] = np.multiply(-g, row_weights, out=np.zeros_like(g), where=row_weights != 0)
    return result, None, None


_nll_kernel = Kernel("nll_loss", _nll, _nll_backward)


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """The negative log-likelihood of log-probabilities (N, C), (C,) or (N, C, d1, ...) and classes (N,), () or (N, d1, ...).

    `weight` (C,) weighs the classes, targets equal to `ignore_index` count nothing, and "mean" divides by the targets'
    weights. Raises ShapeError where shapes or classes do not fit.

    >>> from nanograd import tensor
    >>> nll_loss(Tensor([[-1.0, -2.0]]), tensor([1]))
    tensor(2.)
    """
    check_reduction(reduction)
    rows, classes, row_weights = class_rows("nll_loss", input, target, weight, ignore_index)
    return reduce_rows(fused(_nll_kernel, rows, classes, wrap(row_weights)), row_weights, target.shape, reduction)


# ---- losses number by number: input and target broadcast ---------------------------------------------------------------


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The squared difference; "none" keeps the shape.

    >>> mse_loss(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    tensor(2.)
    """
    return _reduce(_difference(input, target).square(), reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The absolute difference; "none" keeps the shape.

    >>> l1_loss(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    tensor(1.)
    """
    return _reduce(_difference(input, target).abs(), reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """The squared difference over 2 `beta` below `beta`, from there on the absolute one less beta / 2; "none" keeps the shape.

    >>> smooth_l1_loss(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]), reduction="sum")
    tensor(1.5000)
    """
    if beta < 0:
        raise ValueError(f"beta is at least 0; got {beta}.")
    distance = _difference(input, target).abs()
    if beta:
        inner = distance.clamp(max=beta)
        distance = inner * (distance - inner * 0.5) / beta
    return _reduce(distance, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean", pos_weight: Tensor | None = None
) -> Tensor:
    """The cross-entropy in nats of logits and target probabilities of one shape, each a yes or no; "none" keeps the shape.

    `weight` weighs each loss, `pos_weight` its part for yes; both broadcast. Raises ShapeError where shapes differ.

    >>> binary_cross_entropy_with_logits(Tensor([1e4, -1e4]), Tensor([1.0, 1.0]), reduction="none")
    tensor([    0., 10000.])
    """
    if input.shape != target.shape:
        raise ShapeError(f"Input and target have one shape; got {input.shape} and {target.shape}.")
    no = softplus(-input, threshold=float("inf"))  # -log(sigmoid(x)); adding x gives -log(1 - sigmoid(x))
    yes = 1.0 if pos_weight is None else 1.0 + (pos_weight - 1.0) * target
    losses = (1.0 - target) * input + no * yes
    return _reduce(losses if weight is None else losses * weight, reduction)


def _difference(input: Tensor, target: Tensor) -> Tensor:
    if input.shape != target.shape:
        warnings.warn(
            f"The input has the shape {input.shape}, the target {target.shape}: they are broadcast, which is rarely meant.",
            stacklevel=3,
        )
    return input - target


def _reduce(losses: Tensor, reduction: str) -> Tensor:
    check_reduction(reduction)
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


# ---- as modules -------------------------------------------------------------------------------------------------------


class _Loss(Module):
    """A loss that is told how to reduce."""

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(reduction)
        self.reduction = reduction


class _ClassLoss(_Loss):
    """A loss over classes, which can have a weight each."""

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index


class CrossEntropyLoss(_ClassLoss):
    """`cross_entropy` as a module.

    >>> CrossEntropyLoss()(Tensor([[0.0, 0.0]]), Tensor([[0.5, 0.5]])).item()
    0.6931471824645996
    """

    def __init__(
        self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(weight, ignore_index=ignore_index, reduction=reduction)
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Logits (N, C), (C,) or (N, C, d1, ...) against target classes, or probabilities of the logits' shape."""
        return cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_ClassLoss):
    """`nll_loss` as a module."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Log-probabilities (N, C), (C,) or (N, C, d1, ...) against target classes."""
        return nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class MSELoss(_Loss):
    """`mse_loss` as a module."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Input and target of one shape."""
        return mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """`l1_loss` as a module."""

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Input and target of one shape."""
        return l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """`smooth_l1_loss` as a module."""

    def __init__(self, *, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Input and target of one shape."""
        return smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class BCEWithLogitsLoss(_Loss):
    """`binary_cross_entropy_with_logits` as a module."""

    weight: Tensor | None
    pos_weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean", pos_weight: Tensor | None = None) -> None:
        super().__init__(reduction=reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Logits and target probabilities of one shape."""
        return binary_cross_entropy_with_logits(input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight)
