"""Gradients checked against finite differences, for users and tests alike."""

from collections.abc import Callable
from typing import Any

import numpy as np

from nanograd.creation import tensor
from nanograd.errors import GraphError
from nanograd.graph import Array
from nanograd.tensor import Tensor


def _numeric_gradient(value: Callable[[], float], x: Array, eps: float) -> Array:
    """Central differences of `value()` with respect to each number of x, which it reads."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        before = x[index]
        x[index] = before + eps
        above = value()
        x[index] = before - eps
        gradient[index] = (above - value()) / (2 * eps)
        x[index] = before
    return gradient


def gradcheck(func: Callable[..., Tensor], inputs: Any, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3) -> bool:
    """True where the gradients of `func` at float64 `inputs` agree with central differences; otherwise GraphError says where.

    The result is weighted by fixed random numbers, so that errors in different places do not cancel out.

    >>> gradcheck(lambda x: x * x, tensor([1.0, 2.0], dtype=np.float64, requires_grad=True))
    True
    """
    tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if any(t.requires_grad and t.dtype != np.float64 for t in tensors):
        raise GraphError("gradcheck needs float64 inputs: float32 is too coarse for finite differences; use .double().")
    result = func(*tensors)
    weight = np.random.default_rng(0).standard_normal(result.shape)
    for t in tensors:
        t.grad = None
    result.backward(tensor(weight, dtype=result.dtype))
    for position, t in enumerate(tensors):
        if not t.requires_grad:
            continue
        numeric = _numeric_gradient(lambda: float((func(*tensors).array * weight).sum()), t.array, eps)
        analytic = np.zeros_like(numeric) if t.grad is None else t.grad.array
        if not np.allclose(analytic, numeric, atol=atol, rtol=rtol):
            worst = np.abs(analytic - numeric).max() if numeric.size else 0.0
            raise GraphError(f"The gradient of input {position} is off by up to {worst:.3g} from finite differences.")
    return True
