"""Gradients on demand, as torch.autograd."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nanograd.errors import GraphError, refuse
from nanograd.gradient_check import gradcheck
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
    gradients = [found.get(x._node or x) for x in wanted]
    for place, gradient in enumerate(gradients):
        if gradient is None and not allow_unused:
            raise GraphError(f"The outputs do not depend on input {place}; leave it out, or pass allow_unused=True.")
    pairs = zip(wanted, gradients, strict=True)
    return tuple(None if gradient is None else wrap(np.array(through_hooks(x._hooks, gradient))) for x, gradient in pairs)
