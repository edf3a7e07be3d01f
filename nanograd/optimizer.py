"""Optimizers: they change parameters so that the loss falls. Formulas and defaults are PyTorch's."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from nanograd.graph import Array
from nanograd.tensor import Tensor

Group = dict[str, Any]


class Optimizer:
    """The base of every optimizer: groups of parameters, each with settings of its own, as torch.optim.Optimizer.

    `params` holds parameters, or dicts with a "params" entry and settings that differ from the defaults.
    A subclass defines `_update`.
    """

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        given = list(params)
        if not given:
            raise ValueError("The optimizer got no parameters; pass model.parameters().")
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.defaults = defaults
        self.param_groups: list[Group] = [{**defaults, **group, "params": list(group["params"])} for group in groups]
        self.state: dict[int, dict[str, Any]] = {}
        for group in self.param_groups:
            _check_group(group)

    def zero_grad(self) -> None:
        """Forget every parameter's gradient."""
        for parameter in self._parameters():
            parameter.grad = None

    def step(self) -> None:
        """Change every parameter that has a gradient, once."""
        index = 0
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter.data, parameter.grad.data, self.state.setdefault(index, {}), group)
                    parameter._counter[0] += 1
                index += 1

    def _update(self, parameter: Array, gradient: Array, state: dict[str, Any], group: Group) -> None:
        """Change one parameter in place, and its state."""
        raise NotImplementedError(f"{type(self).__name__} defines no update.")

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def state_dict(self) -> dict[str, Any]:
        """The state by a parameter's position, and the groups' settings, as PyTorch nests them; arrays are not copied."""
        groups, begin = [], 0
        for group in self.param_groups:
            end = begin + len(group["params"])
            groups.append({**group, "params": list(range(begin, end))})
            begin = end
        return {"state": {index: dict(entry) for index, entry in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state that `state_dict` gave; raises ValueError where the groups or shapes do not fit."""
        saved = state_dict["param_groups"]
        sizes = [len(group["params"]) for group in saved]
        own = [len(group["params"]) for group in self.param_groups]
        if sizes != own:
            raise ValueError(f"The optimizer has groups of {own} parameters, the saved state has {sizes}; build it as it was.")
        parameters = self._parameters()
        state = {int(index): _copied(entry) for index, entry in state_dict["state"].items()}
        for index, entry in state.items():
            for name, value in entry.items():
                if isinstance(value, np.ndarray) and value.ndim and value.shape != parameters[index].shape:
                    raise ValueError(
                        f"The saved {name} of parameter {index} has the shape {value.shape}, the parameter {parameters[index].shape}."
                    )
        for group, before in zip(self.param_groups, saved, strict=True):
            group.update({name: value for name, value in before.items() if name != "params"})
        self.state = state


def _copied(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in entry.items()}


def _check_group(group: Group) -> None:
    for name in ("lr", "eps", "weight_decay"):
        if not group.get(name, 0) >= 0:
            raise ValueError(f"{name} is at least 0; got {group[name]}.")
    for beta in group.get("betas", ()):
        if not 0 <= beta < 1:
            raise ValueError(f"Each of betas is from 0 to below 1; got {beta}.")


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015). `weight_decay` adds that share of each parameter to its gradient.

    >>> parameter = Tensor([1.0], requires_grad=True)
    >>> parameter.grad = parameter.detach()
    >>> Adam([parameter], lr=0.1).step()
    >>> round(parameter.item(), 4)
    0.9
    """

    decouples_weight_decay = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay})

    def _update(self, parameter: Array, gradient: Array, state: dict[str, Any], group: Group) -> None:
        """m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)."""
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(parameter), exp_avg_sq=np.zeros_like(parameter))
        if decay and self.decouples_weight_decay:
            parameter *= 1 - lr * decay
        elif decay:
            gradient = gradient + decay * parameter
        state["step"] += 1
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean *= beta1
        mean += (1 - beta1) * gradient
        square *= beta2
        change = gradient * gradient
        change *= 1 - beta2
        square += change
        np.sqrt(square, out=change)
        change *= (1 - beta2 ** state["step"]) ** -0.5
        change += group["eps"]
        np.divide(mean, change, out=change)
        change *= lr / (1 - beta1 ** state["step"])
        parameter -= change


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019): each step shrinks parameters by lr weight_decay."""

    decouples_weight_decay = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)


def clip_grad_norm_(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Shorten all gradients together to the norm `max_norm` where it is longer; return the norm it was.

    A norm that is not finite is returned, and nothing is changed.
    """
    gradients = [parameter.grad.data for parameter in parameters if parameter.grad is not None]
    norm = float(np.sqrt(sum(float(np.vdot(gradient, gradient)) for gradient in gradients)))
    if np.isfinite(norm) and norm > max_norm:
        for gradient in gradients:
            gradient *= max_norm / (norm + 1e-6)
    return norm
