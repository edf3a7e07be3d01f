"""What is done to all gradients at once: forgetting them, and keeping them within bounds."""

from collections.abc import Iterable

import numpy as np

from nanograd.errors import GraphError
from nanograd.graph import Array
from nanograd.tensor import Tensor, wrap

Tensors = Tensor | Iterable[Tensor]


def clear_gradients(parameters: Iterable[Tensor], set_to_none: bool = True) -> None:
    """Forget every gradient, or fill those there are with zeros."""
    for parameter in parameters:
        if set_to_none:
            parameter.grad = None
        elif parameter.grad is not None:
            parameter.grad.array.fill(0)


def clip_grad_norm_(parameters: Tensors, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False) -> Tensor:
    """Scale all gradients together down to the norm `max_norm` where it is longer; return the norm it was, of no dimensions.

    A norm that is not finite makes gradients 0 or NaN, as PyTorch's; with `error_if_nonfinite` it raises GraphError before.

    >>> x = Tensor([3.0, 4.0], requires_grad=True)
    >>> x.grad = x.detach()
    >>> clip_grad_norm_(x, max_norm=1.0).item(), x.grad
    (5.0, tensor([0.6000, 0.8000]))
    """
    gradients = _gradients(parameters)
    with np.errstate(over="ignore", invalid="ignore"):
        norm = _norm(gradients, float(norm_type))
        if error_if_nonfinite and not np.isfinite(norm):
            raise GraphError(f"The gradients' norm is {norm}, so they cannot be clipped; lower the learning rate.")
        share = max_norm / (norm + 1e-6)
        if not share >= 1:
            for gradient in gradients:
                gradient *= share
    return wrap(np.array(norm, gradients[0].dtype if gradients else np.float32))


def clip_grad_value_(parameters: Tensors, clip_value: float) -> None:
    """Bring every number of every gradient to between -clip_value and clip_value."""
    for gradient in _gradients(parameters):
        np.clip(gradient, -clip_value, clip_value, out=gradient)


def _gradients(parameters: Tensors) -> list[Array]:
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    return [parameter.grad.array for parameter in given if parameter.grad is not None]


def _norm(gradients: list[Array], order: float) -> float:
    norms = [float(np.linalg.norm(gradient.reshape(-1), order)) for gradient in gradients]
    return float(np.linalg.norm(norms, order)) if norms else 0.0
