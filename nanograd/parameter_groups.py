"""The base of every optimizer: groups of parameters with settings of their own, and a state for each parameter."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from inspect import Parameter as Argument
from inspect import Signature
from typing import Any, ClassVar

import numpy as np

from nanograd.gradients import clear_gradients
from nanograd.graph import Array, enable_grad
from nanograd.tensor import Tensor

Group = dict[str, Any]
_AT_LEAST_0 = ("lr", "eps", "weight_decay", "momentum", "alpha")


class Optimizer:
    """The base of every optimizer, as torch.optim.Optimizer: a subclass defines `_update`.

    `params` holds parameters, or dicts with a "params" entry and settings that differ from the defaults. `param_groups` can
    be changed between steps, as in `param_groups[0]["lr"] = 0.01`; `state` holds arrays and numbers by parameter.
    """

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise TypeError("An optimizer takes several parameters: pass model.parameters(), or [parameter] for a single one.")
        given = list(params)
        if not given:
            raise ValueError("The optimizer got no parameters; pass model.parameters().")
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Optimize more parameters: {"params": ..., and settings that differ from the defaults}."""
        params = param_group["params"]
        group = {**self.defaults, **param_group, "params": [params] if isinstance(params, Tensor) else list(params)}
        known = set(self._parameters())
        for parameter in group["params"]:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"An optimizer takes tensors, not {type(parameter).__name__}: pass model.parameters().")
            if not parameter.is_leaf:
                raise ValueError("Only a leaf can be optimized, not a result of operations: pass model.parameters().")
            if parameter in known:
                raise ValueError("A parameter came twice; put each into one group, and only once.")
            known.add(parameter)
        self._check(group)
        self.param_groups.append(group)

    def _check(self, group: Group) -> None:
        for name in _AT_LEAST_0:
            if not group.get(name, 0) >= 0:
                raise ValueError(f"{name} is at least 0; got {group[name]}.")
        for beta in group.get("betas", ()):
            if not 0 <= beta < 1:
                raise ValueError(f"Each of betas is from 0 to below 1; got {beta}.")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every parameter's gradient, or fill it with zeros."""
        clear_gradients(self._parameters(), set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient, once.

        A `closure` computes the loss and its gradients again before that; its result is returned.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for _, change in self.updates():
            change()
        return loss

    def updates(self) -> list[tuple[Tensor, Callable[[], None]]]:
        """Each parameter that has a gradient, and what changes it once; these may run in any order, and side by side."""
        wanted = [(p, group) for group in self.param_groups for p in group["params"] if p.grad is not None]
        return [(p, partial(self._change, p, self.state[p], group)) for p, group in wanted]

    def _change(self, parameter: Tensor, state: dict[str, Any], group: Group) -> None:
        assert parameter.grad is not None
        self._update(parameter.array, parameter.grad.array, state, group)
        parameter._counter[0] += 1

    def _update(self, parameter: Array, gradient: Array, state: dict[str, Any], group: Group) -> None:
        """Change one parameter in place, and its state."""
        raise NotImplementedError(f"{type(self).__name__} defines no update.")

    def _parameters(self) -> list[Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def state_dict(self) -> dict[str, Any]:
        """The state by a parameter's position, and the groups' settings, as PyTorch nests them; arrays are not copied."""
        positions = {parameter: position for position, parameter in enumerate(self._parameters())}
        groups = [{**group, "params": [positions[parameter] for parameter in group["params"]]} for group in self.param_groups]
        state = {positions[parameter]: dict(entry) for parameter, entry in self.state.items() if entry}
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state that `state_dict` gave; raises ValueError where the groups or shapes do not fit."""
        saved = state_dict["param_groups"]
        sizes, own = ([len(group["params"]) for group in groups] for groups in (saved, self.param_groups))
        if sizes != own:
            raise ValueError(f"The optimizer has groups of {own} parameters, the saved state has {sizes}; build it as it was.")
        positions = [position for group in saved for position in group["params"]]
        parameters = dict(zip(positions, self._parameters(), strict=True))
        state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        for position, entry in state_dict["state"].items():
            parameter = parameters[int(position)]
            state[parameter] = {name: _copied(name, value, position, parameter) for name, value in entry.items()}
        for group, before in zip(self.param_groups, saved, strict=True):
            group.update({name: value for name, value in before.items() if name != "params"})
        self.state = state

    def __repr__(self) -> str:
        groups = [[f"    {name}: {group[name]}" for name in sorted(group) if name != "params"] for group in self.param_groups]
        texts = ["\n".join([f"Parameter Group {place}", *lines]) for place, lines in enumerate(groups)]
        return f"{type(self).__name__} (\n" + "\n\n".join(texts) + "\n)"


class DeclaredOptimizer(Optimizer):
    """An optimizer whose class line names its settings with their defaults, in the order in which they can be passed.

    `class SGD(DeclaredOptimizer, lr=1e-3, momentum=0.0)` is made as `SGD(params, 0.1)` or `SGD(params, lr=0.1)`; a subclass
    inherits the settings, and may name others and new defaults.
    """

    _own: ClassVar[Group] = {}
    __signature__: ClassVar[Signature]

    def __init_subclass__(cls, **settings: Any) -> None:
        cls._own = settings
        declared = {name: value for kind in reversed(cls.__mro__) for name, value in vars(kind).get("_own", {}).items()}
        kind = Argument.POSITIONAL_OR_KEYWORD
        arguments = [Argument(name, kind, default=value) for name, value in declared.items()]
        cls.__signature__ = Signature([Argument("params", kind), *arguments])

    def __init__(self, *args: Any, **named: Any) -> None:
        given = self.__signature__.bind(*args, **named)
        given.apply_defaults()
        super().__init__(given.arguments.pop("params"), given.arguments)


def _copied(name: str, value: Any, position: int, parameter: Tensor) -> Any:
    """A saved value for a parameter: an array of its own in the parameter's dtype, or a number."""
    array = value.array if isinstance(value, Tensor) else value
    if not isinstance(array, np.ndarray):
        return value
    if not array.ndim:  # PyTorch keeps `step` as a tensor of no dimensions
        return array.item() if name == "step" else array.copy()
    if array.shape != parameter.shape:
        shapes = f"has the shape {array.shape}, the parameter {parameter.shape}"
        raise ValueError(f"The saved {name} of parameter {position} {shapes}; build the optimizer as it was saved.")
    return array.astype(parameter.dtype)
