"""What PyTorch has and nanograd has not: for each name, what to use instead."""

import sys
from collections.abc import Callable
from difflib import get_close_matches
from pkgutil import get_data
from typing import Final, NoReturn


def _read_hints() -> dict[str, dict[str, str]]:
    """What to use instead of each name, by the sections of outside.txt."""
    sections: dict[str, dict[str, str]] = {}
    hints: dict[str, str] = {}
    for line in (get_data("nanograd", "outside.txt") or b"").decode().splitlines():
        if line.startswith("["):
            hints = sections[line.strip("[]")] = {}
        elif line and not line.startswith("#"):
            names, instead = line.split(": ", maxsplit=1)
            hints |= dict.fromkeys(names.split(), instead)
    return sections


_HINTS: Final = _read_hints()
FUNCTIONS, METHODS, BOTH = _HINTS["functions"], _HINTS["methods"], _HINTS["functions and methods"]
PARTS, MODULE_METHODS = _HINTS["parts"], _HINTS["module methods"]  # parts: layers, losses, optimizers and the like
LOADER_ARGUMENTS = _HINTS["arguments of DataLoader"]


class AbsentMethods:
    """Tensor's ancestor with the methods that it does not have: asking for one raises AttributeError, with what to use instead.

    A `__getattr__` would answer for every other name too, but with one, Python reads all attributes five times as slowly.
    """

    __slots__ = ()


class AbsentModuleMethods:
    """Module's ancestor, likewise."""


class _Absent:
    def __init__(self, name: str, instead: str) -> None:
        self.name, self.instead = name, instead

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__} has no {self.name!r}: {self.instead}.", name=self.name)


for _kind, _hints in ((AbsentMethods, {**BOTH, **METHODS}), (AbsentModuleMethods, MODULE_METHODS)):
    for _name, _instead in _hints.items():
        setattr(_kind, _name, _Absent(_name, _instead))


def explainer(module: str) -> Callable[[str], NoReturn]:
    """A module's `__getattr__`: AttributeError for what it does not have, with what to use instead, or what looks alike."""

    def explain(name: str) -> NoReturn:
        instead = {**BOTH, **FUNCTIONS, **PARTS}.get(name)
        if instead is None:
            known = [entry for entry in vars(sys.modules[module]) if not entry.startswith("_")]
            close = [] if name.startswith("__") else get_close_matches(name, known, n=2, cutoff=0.8)
            instead = f"use {' or '.join(close)}, if you mean that" if close else "it lies outside of what is here of PyTorch"
        raise AttributeError(f"{module} has no {name!r}: {instead}.", name=name)

    return explain
