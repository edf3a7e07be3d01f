"""Parameter and Module: what a model is made of, and how its parameters and buffers are found, converted, saved and loaded."""

from collections.abc import Callable, Iterator, Mapping
from inspect import Signature, signature
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np

from nanograd.dtype import FLOATS, float32, float64
from nanograd.errors import ShapeError, refuse_inplace
from nanograd.gradients import clear_gradients
from nanograd.graph import RemovableHandle
from nanograd.outside import AbsentModuleMethods
from nanograd.random import current_generator
from nanograd.tensor import Tensor, wrap

Hook = Callable[..., Any]
T = TypeVar("T")
Named = Iterator[tuple[str, T]]


class Parameter(Tensor):
    """A tensor that a Module counts as its own: found by `parameters()`, changed by an optimizer."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        dtype = data.dtype if isinstance(data, Tensor | np.ndarray) and data.dtype == np.float64 else np.float32
        super().__init__(data, requires_grad=requires_grad, dtype=dtype)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` found amiss: names the state lacks, and names the module does not know."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        found = f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"
        return found if any(self) else "<All keys matched successfully>"


class Module(AbsentModuleMethods):
    """The base of every layer and model, as torch.nn.Module.

    Parameters and modules that are set as attributes are registered under the attribute's name; a tensor that is state but
    is not learned is registered by `register_buffer`. A subclass defines `forward`, and is called like a function.

    >>> class Scale(Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = Parameter([2.0])
    ...     def forward(self, input):
    ...         return input * self.factor
    >>> Scale()(Tensor([3.0])).tolist(), [name for name, _ in Scale().named_parameters()]
    ([6.0], ['factor'])
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: "dict[str, Module | None]"
    _transient: set[str]  # the buffers that a state_dict leaves out
    _forward_hooks: dict[int, Hook]
    _forward_pre_hooks: dict[int, Hook]

    def __init__(self) -> None:
        self.__dict__.update(
            training=True, _parameters={}, _buffers={}, _modules={}, _transient=set(), _forward_hooks={}, _forward_pre_hooks={}
        )

    # ---- registration: what is registered is an attribute as well, so that reading it costs nothing -------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"Call super().__init__() in {type(self).__name__} before setting {name!r}.")
        for kind, registry in _REGISTRIES.items():
            if name in self.__dict__[registry] or (isinstance(value, kind) and kind is not Tensor):
                self._register(name, value, kind)
                return
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        self._forget(name)

    def _register(self, name: str, value: Any, kind: type[Any]) -> None:
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} is a {kind.__name__} or None, not {type(value).__name__}: set one, or delete {name} first.")
        registry = self.__dict__[_REGISTRIES[kind]]
        if name not in registry:
            self._forget(name)
        registry[name] = self.__dict__[name] = value

    def _forget(self, name: str) -> None:
        for registry in _REGISTRIES.values():
            self.__dict__[registry].pop(name, None)
        self._transient.discard(name)

    def _add(self, name: str, value: Any, kind: type[Any]) -> None:
        if not name or "." in name:
            raise KeyError(f"A name has at least one character and no dot; got {name!r}.")
        if hasattr(self, name) and name not in self.__dict__[_REGISTRIES[kind]]:
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} already; choose another name, or delete it first.")
        self._register(name, value, kind)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Count a tensor that is not learned, such as a running mean, as state; `state_dict` holds it where `persistent`."""
        self._add(name, tensor, Tensor)
        (self._transient.discard if persistent else self._transient.add)(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a parameter by name; None keeps the name for one that may come later."""
        self._add(name, param, Parameter)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Register a module by name."""
        self._add(name, module, Module)

    # ---- calling ------------------------------------------------------------------------------------------------------

    def forward(self, *inputs: Any) -> Any:
        """The result for some inputs; a subclass says which."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward().")

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """What `forward` returns, seen and changed by the hooks."""
        if not self._forward_hooks and not self._forward_pre_hooks:
            return self.forward(*inputs, **named)
        for hook in tuple(self._forward_pre_hooks.values()):
            changed = hook(self, inputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        result = self.forward(*inputs, **named)
        for hook in tuple(self._forward_hooks.values()):
            changed = hook(self, inputs, result)
            result = result if changed is None else changed
        return result

    def register_forward_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, inputs, result)` after each forward; what it returns, unless None, becomes the result."""
        return RemovableHandle(self._forward_hooks, hook)

    def register_forward_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook(module, inputs)` before each forward; what it returns, unless None, becomes the inputs."""
        return RemovableHandle(self._forward_pre_hooks, hook)

    # ---- finding ------------------------------------------------------------------------------------------------------

    def named_children(self) -> "Named[Module]":
        """The modules that are set on this one, each once, with their names."""
        return _once((name, child) for name, child in self._modules.items() if child is not None)

    def children(self) -> "Iterator[Module]":
        """The modules that are set on this one, each once."""
        return (child for _, child in self.named_children())

    def named_modules(self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True) -> "Named[Module]":
        """This module and all below it, each once unless told otherwise, with dotted names; those in `memo` are left out."""
        seen = set() if memo is None else memo
        if remove_duplicate and self in seen:
            return
        seen.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(seen, _join(prefix, name), remove_duplicate)

    def modules(self) -> "Iterator[Module]":
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Named[Parameter]:
        """Every parameter once, with its dotted name; only this module's own without `recurse`."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Every parameter once; only this module's own without `recurse`."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Named[Tensor]:
        """Every buffer once, with its dotted name; only this module's own without `recurse`."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Every buffer once; only this module's own without `recurse`."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named(self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Named[Any]:
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        members = ((path, *member) for path, module in modules for member in module.__dict__[registry].items())
        found = ((_join(path, name), member) for path, name, member in members if member is not None)
        return _once(found) if remove_duplicate else found

    # ---- changing the whole tree --------------------------------------------------------------------------------------

    def apply(self, fn: "Callable[[Module], object]") -> Self:
        """Call `fn` with every module, the children before their parents."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below it to training, which turns dropout on, or to evaluation."""
        for module in self.modules():
            module.__dict__["training"] = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation: dropout is off, and batch norm uses its running statistics."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let every parameter be learned, or freeze them all."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget every parameter's gradient, or fill it with zeros."""
        clear_gradients(self.parameters(), set_to_none)

    def to(self, *target: Any, dtype: Any = None, device: Any = None) -> Self:
        """Convert parameters, their gradients and buffers of floats to another dtype in place; the device is always the CPU."""
        kinds = {wrap(np.zeros(0, kind)).to(*target, dtype=dtype, device=device).dtype for kind in FLOATS}
        wanted = kinds.pop()
        if wanted not in FLOATS:
            raise TypeError(f"The numbers of a module are float32 or float64, not {wanted}.")
        for tensor in [*self.parameters(), *self.buffers()] if not kinds else ():  # two kinds: no dtype was named
            for part in (tensor, tensor.grad):
                if part is not None and part.dtype in FLOATS and part.dtype != wanted:
                    part.array = part.array.astype(wanted)
                    part._counter[0] += 1
        return self

    def float(self) -> Self:
        """Convert all floats to float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Convert all floats to float64."""
        return self.to(float64)

    def cpu(self) -> Self:
        """This module: it lies on the CPU."""
        return self

    # ---- saving and loading -------------------------------------------------------------------------------------------

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Every parameter and persistent buffer under its dotted name; the tensors share memory with the model's.

        A parameter that several names lead to stands under each. With `keep_vars` it holds the parameters themselves.
        """
        return {name: tensor if keep_vars else tensor.detach() for name, tensor in self._named_state(prefix)}

    def _named_state(self, prefix: str) -> Named[Tensor]:
        for name, tensor in (self._parameters | self._buffers).items():
            if tensor is not None and name not in self._transient:
                yield prefix + name, tensor
        for name, child in self._modules.items():
            if child is not None:
                yield from child._named_state(f"{prefix}{name}.")

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy tensors or arrays into the parameters and buffers of the same names; returns the names that were left over.

        Raises ShapeError, before anything is changed, that lists everything of another shape or kind, and if `strict`
        everything missing or unexpected.
        """
        own = dict(self._named_state(""))
        arrays = {name: np.asarray(value.array if isinstance(value, Tensor) else value) for name, value in state_dict.items()}
        amiss = IncompatibleKeys([name for name in own if name not in arrays], [name for name in arrays if name not in own])
        problems = [f"missing: {name}" for name in amiss.missing_keys if strict]
        problems += [f"unexpected: {name}" for name in amiss.unexpected_keys if strict]
        pairs = [(name, arrays[name], own[name]) for name in own if name in arrays]
        problems += [f"{name} has the shape {a.shape}, here it is {t.shape}" for name, a, t in pairs if a.shape != t.shape]
        foreign = [entry for entry in pairs if not np.can_cast(entry[1].dtype, entry[2].dtype, "same_kind")]
        problems += [f"{name} is {a.dtype}, here it is {t.dtype}" for name, a, t in foreign]
        if problems:
            raise ShapeError(f"The state does not fit {type(self).__name__}: {'; '.join(problems)}.")
        for _, array, tensor in pairs:
            np.copyto(tensor.array, array, casting="same_kind")
            tensor._counter[0] += 1
        return amiss

    # ---- showing ------------------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands in the brackets of this module's `repr`."""
        return ""

    def _child_lines(self) -> list[str]:
        return [f"({name}): {child!r}" for name, child in self._modules.items()]

    def __repr__(self) -> str:
        extra, children = self.extra_repr(), self._child_lines()
        if not children and "\n" not in extra:
            return f"{type(self).__name__}({extra})"
        lines = "\n".join([*([extra] if extra else []), *children])
        return f"{type(self).__name__}(\n  {lines.replace(chr(10), chr(10) + '  ')}\n)"


_REGISTRIES: dict[type[Any], str] = {Parameter: "_parameters", Module: "_modules", Tensor: "_buffers"}


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _once(found: Named[T]) -> Named[T]:
    seen: set[int] = set()
    for name, value in found:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value


class FunctionLayer(Module):
    """A function as a layer, `class ReLU(FunctionLayer, function=relu)`: made with its settings, called with its tensors.

    What the function calls `input` and `target` is given to `forward`; everything else is a setting of the layer, but for
    `training`, which the layer knows, and a `generator`. Settings that are weights are buffers, so that they follow the
    layer's dtype and lie in its `state_dict`. Its repr shows the settings that `shows` names, or all of them.
    """

    _function: ClassVar[Callable[..., Tensor]]
    _passed: ClassVar[list[str]]  # the attributes that the function is given
    _shown: ClassVar[list[str]]
    __signature__: ClassVar[Signature]

    def __init_subclass__(cls, function: Callable[..., Tensor] | None = None, shows: str | None = None) -> None:
        if function is not None:
            own = {n: entry for n, entry in signature(function).parameters.items() if n not in ("input", "target", "generator")}
            cls._function, cls._passed = staticmethod(function), [name for name in own if name != "inplace"]
            cls._shown = [name for name in cls._passed if name != "training"] if shows is None else shows.split()
            cls.__signature__ = Signature([entry for name, entry in own.items() if name != "training"])

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__()
        given = self.__signature__.bind(*args, **named)
        given.apply_defaults()
        refuse_inplace(given.arguments.get("inplace", False))
        for name, value in given.arguments.items():
            keep = self.register_buffer if name.endswith("weight") else self.__setattr__
            keep(name, value)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def forward(self, *tensors: Tensor) -> Tensor:
        """The function of tensors in the shapes that it takes."""
        own = self.__dict__
        return self._function(*tensors, **{name: own[name] for name in self._passed})

    def extra_repr(self) -> str:
        """The settings."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self._shown)


def uniform_parameter(shape: tuple[int, ...], bound: float) -> Parameter:
    """A parameter of float32 numbers drawn evenly from -bound to bound."""
    drawn = current_generator().numpy.random(shape, np.float32)
    return Parameter(wrap(((drawn * 2 - 1) * bound).astype(np.float32)))


def normal_parameter(shape: tuple[int, ...], std: float) -> Parameter:
    """A parameter of float32 numbers drawn from the normal distribution of mean 0."""
    return Parameter(wrap(current_generator().numpy.standard_normal(shape, np.float32) * np.float32(std)))
