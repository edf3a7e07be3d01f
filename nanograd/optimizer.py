"""Optimizers: they change parameters p by their gradients g so that the loss falls. Formulas and defaults are PyTorch's.

In all of them `maximize` climbs instead, with -g for g, and `weight_decay` adds that share of p to g; AdamW and Muon shrink p
itself by lr weight_decay instead. All changes are in place and keep the shape and dtype of p.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nanograd.gradients import clip_grad_norm_, clip_grad_value_
from nanograd.graph import Array
from nanograd.parameter_groups import DeclaredOptimizer, Group, Optimizer

__all__ = ["SGD", "Adam", "AdamW", "Muon", "Optimizer", "RMSprop", "clip_grad_norm_", "clip_grad_value_"]


def _directed(gradient: Array, parameter: Array, group: Group, decay: float) -> Array:
    """The gradient to descend along, with the decay of weights in it; the gradient itself stays as it is."""
    if group["maximize"]:
        gradient = -gradient
    return gradient + decay * parameter if decay else gradient


def _count(state: dict[str, Any], parameter: Array, names: list[str]) -> None:
    """Count a step; before the first, a parameter's state becomes arrays of zeros with these names."""
    if not state:
        state.update({"step": 0, **{name: np.zeros_like(parameter) for name in names}})
    state["step"] += 1


def _mix(average: Array, new: Array, share: float, scratch: Array) -> None:
    """average = share average + (1 - share) new, in place; `scratch` then holds (1 - share) new, and may be `new` itself."""
    average *= share
    np.multiply(new, 1 - share, out=scratch)
    average += scratch


_CHUNK = 131072  # numbers that are worked on while they are in the cache; fewer, and two threads hinder each other


def _in_chunks(arrays: list[Array]) -> Iterator[list[Array]]:
    """The same part of each array of one shape, part after part; all at once where one of them is not contiguous."""
    if arrays[0].size <= _CHUNK or not all(array.flags.c_contiguous for array in arrays):
        yield arrays
        return
    flat = [array.reshape(-1) for array in arrays]
    for begin in range(0, flat[0].size, _CHUNK):
        yield [array[begin : begin + _CHUNK] for array in flat]


class SGD(DeclaredOptimizer, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):
    """Stochastic gradient descent with momentum (Polyak, 1964; Nesterov, 1983; as in Sutskever et al., 2013).

    b = momentum b + (1 - dampening) g, from the first g on; p -= lr b, or lr (g + momentum b) with `nesterov`.

    >>> from nanograd.tensor import Tensor
    >>> x = Tensor([1.0], requires_grad=True)
    >>> x.grad = x.detach()
    >>> SGD([x], lr=0.5).step()
    >>> x.item()
    0.5
    """

    def _check(self, group: Group) -> None:
        super()._check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("nesterov needs a momentum above 0 and a dampening of 0.")

    def _update(self, parameter: Array, gradient: Array, state: dict[str, Any], group: Group) -> None:
        gradient, momentum = _directed(gradient, parameter, group, group["weight_decay"]), group["momentum"]
        if momentum:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                state["momentum_buffer"] = buffer = np.array(gradient)
            else:
                buffer *= momentum
                buffer += (1 - group["dampening"]) * gradient
            gradient = gradient + momentum * buffer if group["nesterov"] else buffer
        for part, change in _in_chunks([parameter, gradient]):
            part -= group["lr"] * change


class RMSprop(DeclaredOptimizer, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False, maximize=False):
    """RMSprop (Tieleman and Hinton, 2012): steps divided by the root of a running mean of squared gradients.

    v = alpha v + (1 - alpha) g^2; p -= lr g / (sqrt(v) + eps). `centered` takes off v the square of the mean of g;
    `momentum` sums the steps up: b = momentum b + g / (sqrt(v) + eps), p -= lr b.
    """

    def _update(self, parameter: Array, gradient: Array, state: dict[str, Any], group: Group) -> None:
        gradient, alpha = _directed(gradient, parameter, group, group["weight_decay"]), group["alpha"]
        names = ["square_avg", *["momentum_buffer"] * (group["momentum"] > 0), *["grad_avg"] * group["centered"]]
        _count(state, parameter, names)
        square, change = state["square_avg"], np.square(gradient, out=np.empty_like(parameter))
        _mix(square, change, alpha, change)
        if group["centered"]:
            _mix(state["grad_avg"], gradient, alpha, change)
            square = square - np.square(state["grad_avg"])
        np.sqrt(square, out=change)
        change += group["eps"]
        np.divide(gradient, change, out=change)
        if group["momentum"] > 0:
            buffer = state["momentum_buffer"]
            buffer *= group["momentum"]
            buffer += change
            np.copyto(change, buffer)
        change *= group["lr"]
        parameter -= change


class Adam(DeclaredOptimizer, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False):
    """Adam (Kingma and Ba, 2015): the running mean of gradients over the root of that of their squares.

    m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps) at step t.
    `amsgrad` (Reddi et al., 2018) takes for v the largest there was.

    >>> from nanograd.tensor import Tensor
    >>> x = Tensor([1.0], requires_grad=True)
    >>> x.grad = x.detach()
    >>> Adam([x], lr=0.1).step()
    >>> round(x.item(), 4)
    0.9
    """

    decouples_weight_decay = False

    def _update(self, parameter: Array, gradient: Array, state: dict[str, Any], group: Group) -> None:
        names = ["exp_avg", "exp_avg_sq", *["max_exp_avg_sq"] * group["amsgrad"]]
        _count(state, parameter, names)
        arrays = [parameter, gradient, *(state[name] for name in names)]
        for pieces in _in_chunks(arrays):
            self._update_chunk(*pieces, step=state["step"], group=group)

    def _update_chunk(
        self, parameter: Array, gradient: Array, average: Array, square: Array, *largest: Array, step: int, group: Group
    ) -> None:
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        if decay and self.decouples_weight_decay:
            parameter *= 1 - lr * decay
            decay = 0.0
        gradient = _directed(gradient, parameter, group, decay)
        change = np.empty_like(parameter)
        _mix(average, gradient, beta1, change)
        np.multiply(gradient, gradient, out=change)
        _mix(square, change, beta2, change)
        if largest:
            square = np.maximum(largest[0], square, out=largest[0])
        correction = (1 - beta2**step) ** 0.5  # multiplied out, which saves a pass over the numbers
        np.sqrt(square, out=change)
        change += group["eps"] * correction
        np.divide(average, change, out=change)
        change *= lr * correction / (1 - beta1**step)
        parameter -= change


class AdamW(Adam, weight_decay=1e-2):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): each step shrinks parameters by lr weight_decay."""

    decouples_weight_decay = True


class Muon(DeclaredOptimizer, lr=0.02, weight_decay=0.0, momentum=0.95, nesterov=True, ns_steps=5, eps=1e-7):
    """Muon (Jordan et al., 2024): momentum for matrices (rows, columns), each step made nearly orthogonal.

    b = momentum b + (1 - momentum) g; u = (1 - momentum) g + momentum b with `nesterov`, otherwise b; then
    p -= lr sqrt(max(1, rows / columns)) orthogonal(u), so that long and wide matrices change alike. Defaults are this
    method's own and not PyTorch's. Everything else, and as a rule embeddings and the head, belongs into an AdamW.
    """

    def _check(self, group: Group) -> None:
        Optimizer._check(self, group)
        wrong = [parameter.shape for parameter in group["params"] if parameter.ndim != 2]
        if wrong:
            raise ValueError(f"Muon changes matrices only; got a parameter of the shape {wrong[0]}: put the rest in an AdamW.")

    def _update(self, parameter: Array, gradient: Array, state: dict[str, Any], group: Group) -> None:
        if not state:
            state["momentum_buffer"] = np.zeros_like(parameter)
        buffer, change = state["momentum_buffer"], np.empty_like(parameter)
        _mix(buffer, gradient, group["momentum"], change)
        if group["nesterov"]:
            change += group["momentum"] * buffer  # to (1 - momentum) g
        else:
            change = buffer
        change = orthogonal(change, group["ns_steps"], group["eps"])
        change *= group["lr"] * max(1.0, len(parameter) / parameter.shape[1]) ** 0.5
        parameter *= 1 - group["lr"] * group["weight_decay"]
        parameter -= change


_QUINTIC = (3.4445, -4.7750, 2.0315)  # of a polynomial that lifts small singular values fastest, by Jordan et al.


def orthogonal(matrix: Array, steps: int = 5, eps: float = 1e-7) -> Array:
    """About the nearest orthogonal matrix: the singular values of `matrix` (rows, columns) come near 1, from 0.7 to 1.2.

    Newton-Schulz steps X -> a X + (b G + c G^2) X, with G = X X^T, from X of norm 1; a matrix of zeros stays zeros.
    """
    a, b, c = _QUINTIC
    is_tall = len(matrix) > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / max(float(np.linalg.norm(x)), eps)
    for _ in range(steps):
        gram = x @ x.T
        polynomial = gram @ gram
        polynomial *= c
        gram *= b
        polynomial += gram
        x = a * x + polynomial @ x
    return np.ascontiguousarray(x.T) if is_tall else x
