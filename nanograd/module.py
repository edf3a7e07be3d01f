"""Parameter and Module: what a model is made of, and how its parameters are found, saved and loaded."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nanograd.errors import ShapeError
from nanograd.tensor import Tensor, wrap


class Parameter(Tensor):
    """A tensor that a Module counts as its own: found by `parameters()`, changed by an optimizer."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        dtype = data.dtype if isinstance(data, Tensor | np.ndarray) and data.dtype == np.float64 else np.float32
        super().__init__(data, requires_grad=requires_grad, dtype=dtype)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Module:
    """The base of every layer and model, as torch.nn.Module.

    Parameters and modules that are set as attributes are registered under the attribute's name. A subclass defines
    `forward`, and is called like a function.
    """

    training: bool

    def __init__(self) -> None:
        object.__setattr__(self, "_parameters", {})
        object.__setattr__(self, "_modules", {})
        object.__setattr__(self, "training", True)

    def __setattr__(self, name: str, value: Any) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"Call super().__init__() in {type(self).__name__} before setting {name!r}.")
        own: dict[str, dict[str, Any]] = self.__dict__
        own["_parameters"].pop(name, None)
        own["_modules"].pop(name, None)
        if isinstance(value, Parameter):
            own["_parameters"][name] = value
        elif isinstance(value, Module):
            own["_modules"][name] = value
        object.__setattr__(self, name, value)

    def forward(self, *inputs: Any) -> Any:
        """The result for some inputs; a subclass says which."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward().")

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """What `forward` returns."""
        return self.forward(*inputs, **named)

    def children(self) -> "Iterator[Module]":
        """The modules that are set on this one."""
        return iter(self.__dict__["_modules"].values())

    def named_modules(self, prefix: str = "") -> "Iterator[tuple[str, Module]]":
        """This module and all below it, with dotted names."""
        yield prefix, self
        for name, child in self.__dict__["_modules"].items():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> "Iterator[Module]":
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter once, with its dotted name."""
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, parameter in module.__dict__["_parameters"].items():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield (f"{prefix}.{name}" if prefix else name), parameter

    def parameters(self) -> Iterator[Parameter]:
        """Every parameter once."""
        return (parameter for _, parameter in self.named_parameters())

    def train(self, mode: bool = True) -> "Module":
        """Switch this module and all below it to training, which turns dropout on, or to evaluation."""
        for module in self.modules():
            object.__setattr__(module, "training", mode)
        return self

    def eval(self) -> "Module":
        """Switch to evaluation: dropout is off."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget every parameter's gradient."""
        for parameter in self.parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, Tensor]:
        """Every parameter under its dotted name; the tensors share memory with the model's."""
        return {name: parameter.detach() for name, parameter in self.named_parameters()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Copy tensors or arrays into the parameters of the same names.

        Raises ShapeError, before anything is changed, that lists what is missing, unexpected or of another shape.
        """
        own = dict(self.named_parameters())
        arrays = {name: value.data if isinstance(value, Tensor) else value for name, value in state_dict.items()}
        problems = [f"missing: {name}" for name in own if name not in arrays]
        problems += [f"unexpected: {name}" for name in arrays if name not in own]
        problems += [
            f"{name} has the shape {arrays[name].shape}, here it is {parameter.shape}"
            for name, parameter in own.items()
            if name in arrays and arrays[name].shape != parameter.shape
        ]
        if problems:
            raise ShapeError(f"The state does not fit {type(self).__name__}: {'; '.join(problems)}.")
        for name, parameter in own.items():
            np.copyto(parameter.data, arrays[name], casting="same_kind")
            parameter._counter[0] += 1

    def extra_repr(self) -> str:
        """What stands in the brackets of this module's `repr`."""
        return ""

    def __repr__(self) -> str:
        children = [f"({name}): {child!r}" for name, child in self.__dict__["_modules"].items()]
        if not children:
            return f"{type(self).__name__}({self.extra_repr()})"
        body = "\n".join(children).replace("\n", "\n  ")
        return f"{type(self).__name__}({self.extra_repr()}\n  {body}\n)"


def uniform_parameter(shape: tuple[int, ...], bound: float, generator: np.random.Generator) -> Parameter:
    """A parameter of float32 numbers drawn evenly from -bound to bound."""
    return Parameter(wrap(((generator.random(shape, np.float32) * 2 - 1) * bound).astype(np.float32)))


def normal_parameter(shape: tuple[int, ...], std: float, generator: np.random.Generator) -> Parameter:
    """A parameter of float32 numbers drawn from the normal distribution of mean 0."""
    return Parameter(wrap(generator.standard_normal(shape, np.float32) * np.float32(std)))
