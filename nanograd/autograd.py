"""Gradients on demand, as torch.autograd."""

from collections.abc import Sequence

import numpy as np

from nanograd.errors import GraphError
from nanograd.gradient_check import gradcheck
from nanograd.graph import is_grad_enabled, no_grad, set_grad_enabled
from nanograd.tensor import Tensor, wrap

__all__ = ["grad", "gradcheck", "is_grad_enabled", "no_grad", "set_grad_enabled"]


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradient of the sum of `outputs`, weighted by `grad_outputs`, for each of `inputs`; no `grad` is changed.

    Raises GraphError for an input that the outputs do not depend on, unless `allow_unused`, which gives None for it.

    >>> x = Tensor([3.0], requires_grad=True)
    >>> grad((x * x).sum(), x)
    (tensor([6.]),)
    """
    results = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    wanted = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    weights = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs or [None] * len(results))
    sums: list[Tensor | None] = [None] * len(wanted)
    for position, (result, weight) in enumerate(zip(results, weights, strict=True)):
        found = result.leaf_gradients(weight, retain_graph or position < len(results) - 1, stops=wanted)
        for place, tensor in enumerate(wanted):
            part = found.get(tensor._node or tensor)
            if part is not None:
                before = sums[place]
                sums[place] = wrap(np.array(part) if before is None else before.data + part)
    unused = [place for place, total in enumerate(sums) if total is None]
    if unused and not allow_unused:
        raise GraphError(f"The outputs do not depend on input {unused[0]}; leave it out, or pass allow_unused=True.")
    return tuple(sums)
