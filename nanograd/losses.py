"""Losses: how far an input x lies from a target y; `reduction` gives their mean, their sum, or each one ("none").

nll -x[y] (with log-probabilities x, so that nll_loss(log_softmax(x), y) is the cross-entropy);  mse (x - y)^2;  l1 |x - y|;
smooth_l1 (Girshick, 2015) (x - y)^2 / (2 beta) where |x - y| < beta, otherwise |x - y| - beta / 2;
binary_cross_entropy_with_logits -(y log s + (1 - y) log(1 - s)) with s = sigmoid(x).
"""

import warnings
from typing import Any

from nanograd.activation import softplus
from nanograd.errors import ArgumentError, ShapeError
from nanograd.module import FunctionLayer
from nanograd.softmax import check_reduction, class_rows, cross_entropy, reduced
from nanograd.tensor import Tensor, wrap

# ---- the definition ---------------------------------------------------------------------------------------------------


def binary_cross_entropy_with_logits_definition(input: Tensor, target: Tensor) -> Tensor:
    """Its mean in primitives, which overflow for large logits; input and target have the same shape."""
    probability = input.sigmoid()
    return -(target * probability.log() + (1 - target) * (1 - probability).log()).mean()


# ---- losses over classes ----------------------------------------------------------------------------------------------


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
    rows, classes, row_weights = class_rows("nll_loss", input, target, weight, ignore_index)
    picked = rows.gather(1, classes.unsqueeze(1)).squeeze(1).where(wrap(row_weights != 0), 0.0)  # even where it is infinite
    losses = picked * wrap(-row_weights)
    return reduced(losses.reshape(target.shape), reduction, row_weights.sum().item())


# ---- losses number by number: input and target broadcast ---------------------------------------------------------------


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The squared difference; "none" keeps the shape.

    >>> mse_loss(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    tensor(2.)
    """
    return reduced(_difference(input, target).square(), reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The absolute difference; "none" keeps the shape.

    >>> l1_loss(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]))
    tensor(1.)
    """
    return reduced(_difference(input, target).abs(), reduction)


def smooth_l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """The squared difference over 2 `beta` below `beta`, from there on the absolute one less beta / 2; "none" keeps the shape.

    >>> smooth_l1_loss(Tensor([1.0, 2.0]), Tensor([1.0, 4.0]), reduction="sum")
    tensor(1.5000)
    """
    if beta < 0:
        raise ArgumentError(f"beta is at least 0; got {beta}.")
    distance = _difference(input, target).abs()
    if beta:
        inner = distance.clamp(max=beta)
        distance = inner * (distance - inner * 0.5) / beta
    return reduced(distance, reduction)


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
    return reduced(losses if weight is None else losses * weight, reduction)


def _difference(input: Tensor, target: Tensor) -> Tensor:
    if input.shape != target.shape:
        shapes = f"The input has the shape {input.shape}, the target {target.shape}"
        warnings.warn(f"{shapes}: they are broadcast, which is rarely meant.", stacklevel=3)
    return input - target


# ---- as modules -------------------------------------------------------------------------------------------------------


class _Loss(FunctionLayer):
    """A loss function as a module: made with the function's settings, called with its input and target."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        check_reduction(self.reduction)


class CrossEntropyLoss(_Loss, function=cross_entropy, shows=""):
    """`cross_entropy` as a module: the loss of input and target in the shapes that the function takes.

    >>> CrossEntropyLoss()(Tensor([[0.0, 0.0]]), Tensor([[0.5, 0.5]])).item()
    0.6931471824645996
    """


class NLLLoss(_Loss, function=nll_loss, shows=""):
    """`nll_loss` as a module: the loss of input and target in the shapes that the function takes."""


class MSELoss(_Loss, function=mse_loss, shows=""):
    """`mse_loss` as a module: the loss of input and target in the shapes that the function takes."""


class L1Loss(_Loss, function=l1_loss, shows=""):
    """`l1_loss` as a module: the loss of input and target in the shapes that the function takes."""


class SmoothL1Loss(_Loss, function=smooth_l1_loss, shows=""):
    """`smooth_l1_loss` as a module: the loss of input and target in the shapes that the function takes."""


class BCEWithLogitsLoss(_Loss, function=binary_cross_entropy_with_logits, shows=""):
    """`binary_cross_entropy_with_logits` as a module: the loss of input and target in the shapes that the function takes."""
