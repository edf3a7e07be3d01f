"""Gradients on demand, and checked against finite differences, as torch.autograd."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nanograd.creation import tensor
from nanograd.errors import GraphError, refuse
from nanograd.graph import Array, backward_from, enable_grad, is_grad_enabled, no_grad, through_hooks
from nanograd.tensor import Tensor, wrap

__all__ = ["enable_grad", "grad", "gradcheck", "is_grad_enabled", "no_grad"]


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool = False,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradient of the sum of `outputs`, weighted by `grad_outputs`, for each of `inputs`, in its shape; no `grad` is changed.

    Raises GraphError for an input that the outputs do not depend on, unless `allow_unused`, which gives None for it.

    >>> x = Tensor([3.0], requires_grad=True)
    >>> grad((x * x).sum(), x)
    (tensor([6.]),)
    """
    refuse(create_graph, "create_graph=True", "only first derivatives exist here; leave it out")
    results = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    wanted = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    weights = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs or [None] * len(results))
    for place, x in enumerate(wanted):
        if not x.requires_grad:
            raise GraphError(f"Input {place} does not require a gradient; set requires_grad=True before it is used.")
    seeds: dict[Any, Array] = {}
    for result, weight in zip(results, weights, strict=True):
        root, seed = result._node or result, result.seed_gradient(weight)
        seeds[root] = seeds[root] + seed if root in seeds else seed
    found = backward_from(seeds, retain_graph, frozenset(x._node for x in wanted if x._node is not None))
    keys = [x._node or x for x in wanted]
    gradients = [found.get(key) for key in keys]
    for place, gradient in enumerate(gradients):
        if gradient is None and not allow_unused:
            raise GraphError(f"The outputs do not depend on input {place}; leave it out, or pass allow_unused=True.")
    if len(set(keys)) < len(keys):  # an input named twice has two arrays
        gradients = [None if gradient is None else np.array(gradient) for gradient in gradients]
    pairs = zip(wanted, gradients, strict=True)
    # Of a list, since Python keeps the first two thousand tuples that it has to cut to size.
    return tuple([None if gradient is None else wrap(through_hooks(x._hooks, gradient)) for x, gradient in pairs])


# ---- checked against finite differences -------------------------------------------------------------------------------


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
    wanted = {position: t for position, t in enumerate(tensors) if t.requires_grad}
    gradients = grad(result, list(wanted.values()), tensor(weight, dtype=result.dtype), allow_unused=True)
    for (position, t), gradient in zip(wanted.items(), gradients, strict=True):
        numeric = _numeric_gradient(lambda: float((func(*tensors).array * weight).sum()), t.array, eps)
        analytic = np.zeros_like(numeric) if gradient is None else gradient.array
        if not np.allclose(analytic, numeric, atol=atol, rtol=rtol):
            worst = np.abs(analytic - numeric).max() if numeric.size else 0.0
            raise GraphError(f"The gradient of input {position} is off by up to {worst:.3g} from finite differences.")
    return True
