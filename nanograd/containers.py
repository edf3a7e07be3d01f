"""Modules made of modules: a sequence that is called in turn, a list and a dict, as in torch.nn."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from itertools import groupby
from typing import Any, Self

from nanograd.module import Module


class _Positions(Module):
    """Modules under their positions "0", "1", ...; what a list of modules and a sequence of them share."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, position: int | slice) -> Any:
        if isinstance(position, slice):
            return type(self)().extend(list(self)[position])
        return self._modules[self._name(position)]

    def __setitem__(self, position: int, module: Module) -> None:
        setattr(self, self._name(position), module)

    def __delitem__(self, position: int | slice) -> None:
        modules = list(self)
        del modules[position]
        self._become(modules)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before position `index`; those from there on move up."""
        if index != len(self):
            self._name(index)  # which raises where there is no such position
        modules = list(self)
        return self._become([*modules[:index], module, *modules[index:]])

    def pop(self, key: int = -1) -> Any:
        """Take the module at a position out, and return it."""
        module = self[key]
        del self[key]
        return module

    def __add__(self, other: Iterable[Module]) -> Self:
        return type(self)().extend(self).extend(other)

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

    def _name(self, position: int) -> str:
        names = list(self._modules)
        if not -len(names) <= position < len(names):
            raise IndexError(f"{type(self).__name__} has {len(names)} modules; there is no position {position}.")
        return names[position]

    def _become(self, modules: list[Module]) -> Self:
        for name in list(self._modules):
            delattr(self, name)
        return self.extend(modules)


class Sequential(_Positions):
    """Modules that are called one after another, each with the result of the one before.

    `Sequential(first, second)`, or `Sequential(OrderedDict(name=module, ...))` to name them; a slice is a Sequential.

    >>> class Double(Module):
    ...     def forward(self, input):
    ...         return input * 2
    >>> Sequential(Double(), Double())(3)
    12
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        is_named = len(modules) == 1 and isinstance(modules[0], Mapping)
        for name, module in modules[0].items() if is_named else enumerate(modules):
            self.add_module(str(name), module)

    def __getitem__(self, position: int | slice) -> Any:
        if isinstance(position, slice):  # names stay
            return type(self)(dict(list(self._modules.items())[position]))
        return super().__getitem__(position)

    def forward(self, input: Any) -> Any:
        """Pass `input` through all modules; each one says which shapes it takes and gives."""
        for module in self:
            input = module(input)
        return input


class ModuleList(_Positions):
    """Modules in a list, registered under their positions; it is not called itself.

    >>> ModuleList([Module(), Module()])
    ModuleList(
      (0-1): 2 x Module()
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def _child_lines(self) -> list[str]:
        lines = []
        for text, group in groupby(enumerate(map(repr, self)), key=lambda item: item[1]):
            positions = [position for position, _ in group]
            first, count = positions[0], len(positions)
            lines.append(f"({first}): {text}" if count == 1 else f"({first}-{positions[-1]}): {count} x {text}")
        return lines


class ModuleDict(Module, MutableMapping[str, Any]):
    """Modules in a dict, registered under their keys; it is not called itself.

    >>> list(ModuleDict({"first": Module()}).keys())
    ['first']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    __eq__, __hash__ = object.__eq__, object.__hash__  # a module is itself, whatever it holds

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key], self.__dict__[key]
