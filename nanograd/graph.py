"""The graph of operations behind a result, and the backward pass through it."""

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from operator import attrgetter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nanograd.errors import GraphError

Array = NDArray[Any]
Counter = list[int]  # how often an array was written to in place; all views of the array share it


class Leaf(Protocol):
    """A tensor that a gradient is wanted for and that no operation made."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of number."""


class Operation:
    """A function on arrays beside its derivatives, one for each input that can have a gradient.

    A derivative names what it needs: first `g`, the gradient of the result; then any of `z`, the result; `x`, `y`, `w`, the
    inputs in their order; and the function's own parameters. Only what is named is kept until the backward pass.
    Where an input was broadcast, its gradient is summed back to its shape afterwards.
    """

    __slots__ = ("derivatives", "forward", "name")

    def __init__(self, name: str, forward: Callable[..., Any], *derivatives: Callable[..., Any]) -> None:
        self.name = name
        self.forward = forward
        self.derivatives = tuple((derivative, *_needs_of(derivative)) for derivative in derivatives)

    def record(
        self,
        targets: "tuple[Target, ...]",
        values: tuple[Any, ...],
        counters: tuple[Counter | None, ...],
        parameters: dict[str, Any],
    ) -> "Node":
        """The node behind the result `values[0]` of the inputs `values[1:]`."""
        saved: list[tuple[Any, ...] | None] = []
        guards: tuple[tuple[Counter, int], ...] = ()
        for target, (_, indices, pick) in zip(targets, self.derivatives, strict=False):
            if target is None:
                saved.append(None)
                continue
            saved.append(pick(values, parameters))
            for index in indices:
                counter = counters[index]
                if counter is not None:
                    guards = (*guards, (counter, counter[0]))
        return Node(self, targets, saved, values[0], guards)

    def gradients(self, node: "Node", g: Array) -> Sequence[Array | None]:
        """The gradient for each input, before it is summed back to the input's shape."""
        return [
            None if target is None else entry[0](g, *saved)
            for target, entry, saved in zip(node.targets, self.derivatives, node.saved or (), strict=False)
        ]


class Kernel:
    """A fused function on arrays beside its backward function, which gives all gradients at once.

    `forward(*arrays, **parameters)` returns the result and a tuple of what the backward pass needs;
    `backward(g, needs, *saved)` returns a gradient, or None, for each input, where `needs` tells which are wanted.
    """

    __slots__ = ("backward", "forward", "name")

    def __init__(
        self,
        name: str,
        forward: Callable[..., tuple[Any, tuple[Any, ...]]],
        backward: Callable[..., Sequence[Array | None]],
    ) -> None:
        self.name = name
        self.forward = forward
        self.backward = backward

    def record(
        self,
        targets: "tuple[Target, ...]",
        values: tuple[Any, ...],
        counters: tuple[Counter | None, ...],
        saved: tuple[Any, ...],
    ) -> "Node":
        """The node behind the result `values[0]` of the inputs `values[1:]`."""
        guards = tuple(
            (counter, counter[0])
            for value, counter in zip(values, counters, strict=True)
            if counter is not None and any(value is kept for kept in saved)
        )
        return Node(self, targets, saved, values[0], guards)

    def gradients(self, node: "Node", g: Array) -> Sequence[Array | None]:
        """The gradient for each input."""
        return self.backward(g, tuple(target is not None for target in node.targets), *(node.saved or ()))


class Node:
    """One operation that was done: where its gradients go, and what it kept to compute them.

    It holds its inputs' nodes but never its own result, so a graph is freed as soon as its last tensor is.
    """

    __slots__ = ("dtype", "guards", "hooks", "rule", "saved", "sequence", "shape", "targets")

    def __init__(
        self,
        rule: "Operation | Kernel",
        targets: "tuple[Target, ...]",
        saved: Sequence[Any],
        result: Array,
        guards: tuple[tuple[Counter, int], ...],
    ) -> None:
        self.rule = rule
        self.targets = targets
        self.saved: Sequence[Any] | None = saved
        self.shape = result.shape
        self.dtype = result.dtype
        self.guards = guards
        self.hooks: list[Callable[[Array], Array | None]] | None = None
        self.sequence = next(_sequence)

    def gradients(self, g: Array) -> Sequence[Array | None]:
        """The gradients for the targets; raises GraphError where what it kept is gone or was written to since."""
        if self.saved is None:
            raise GraphError(
                f"A second backward pass came to {self.rule.name}, whose graph the first one freed; "
                "pass retain_graph=True to the first, or compute the result again."
            )
        for counter, seen in self.guards:
            if counter[0] != seen:
                raise GraphError(
                    f"An array that {self.rule.name} needs for its gradient was changed in place after it was used "
                    f"(version {seen} was expected, version {counter[0]} is there); write x = x + 1 instead of x += 1."
                )
        return self.rule.gradients(self, g)

    def add_hook(self, hook: Callable[[Array], Array | None]) -> Callable[[], None]:
        """Let `hook` see the whole gradient of the result, and replace it; returns a function that takes the hook away."""
        self.hooks = self.hooks or []
        self.hooks.append(hook)
        return lambda: self.hooks.remove(hook) if self.hooks and hook in self.hooks else None

    def free(self) -> None:
        """Let go of what was kept and of the nodes before."""
        self.saved = None
        self.targets = ()
        self.guards = ()


Target = Node | Leaf | None
_sequence = count()


def backward(
    root: Node, gradient: Array, retain_graph: bool = False, kept: frozenset[Node] = frozenset()
) -> dict[Leaf | Node, Array]:
    """The gradient of `root`, weighted by `gradient` of its shape, with respect to every leaf before it, and the nodes `kept`.

    Nodes are visited from the latest to the earliest, so each has its whole gradient when its turn comes, and each gradient
    is dropped once it is used. Arrays in the answer belong to the caller.
    """
    pending: dict[Any, Array] = {root: gradient}
    found: dict[Leaf | Node, Array] = {}
    for node in _latest_first(root):
        g = pending.pop(node, None)
        if g is None:
            continue
        for hook in node.hooks or ():
            replaced = hook(g)
            g = g if replaced is None else replaced
        if node in kept:
            found[node] = np.array(g)
        targets = node.targets
        for target, part in zip(targets, node.gradients(g), strict=False):
            if target is None or part is None:
                continue
            if part.shape != target.shape:
                part = sum_to_shape(part, target.shape)
            if part.dtype != target.dtype:
                part = part.astype(target.dtype)
            before = pending.get(target)
            if before is not None:
                pending[target] = before + part
            elif type(target) is not Node and (part is g or part is gradient or part.base is not None):
                pending[target] = np.array(part)  # a view, or an array that others hold too
            else:
                pending[target] = part
        if not retain_graph:
            node.free()
    found.update(pending)
    return found


def _latest_first(root: Node) -> list[Node]:
    reached = {root}
    waiting = [root]
    while waiting:
        for target in waiting.pop().targets:
            if type(target) is Node and target not in reached:
                reached.add(target)
                waiting.append(target)
    return sorted(reached, key=attrgetter("sequence"), reverse=True)


def sum_to_shape(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum `g` over the dimensions along which an array of `shape` was broadcast."""
    extra = g.ndim - len(shape)
    if extra:
        g = g.sum(axis=tuple(range(extra)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1 and g.shape[axis] != 1)
    if stretched:
        g = g.sum(axis=stretched, keepdims=True)
    return np.asarray(g).reshape(shape)


class _GradMode(threading.local):
    is_enabled = True


_grad_mode = _GradMode()


def is_grad_enabled() -> bool:
    """Whether operations in this thread are recorded."""
    return _grad_mode.is_enabled


@contextmanager
def set_grad_enabled(mode: bool) -> Iterator[None]:
    """Record operations in this thread inside the block, or do not."""
    before = _grad_mode.is_enabled
    _grad_mode.is_enabled = mode
    try:
        yield
    finally:
        _grad_mode.is_enabled = before


def no_grad() -> Any:
    """Record nothing inside the block or the decorated function, which saves time and memory."""
    return set_grad_enabled(False)


_PLACES = {"z": 0, "x": 1, "y": 2, "w": 3}
_Pick = Callable[[tuple[Any, ...], Mapping[str, Any]], tuple[Any, ...]]


def _needs_of(derivative: Callable[..., Any]) -> tuple[tuple[int, ...], _Pick]:
    """Which of (result, *inputs) a derivative names, and a function that picks out its arguments."""
    names = list(inspect.signature(derivative).parameters)[1:]
    indices = tuple(_PLACES[name] for name in names if name in _PLACES)
    if len(indices) < len(names):
        return indices, lambda values, given: tuple(values[_PLACES[n]] if n in _PLACES else given[n] for n in names)
    if not indices:
        return (), lambda values, given: ()
    first = indices[0]
    if len(indices) == 1:
        return indices, lambda values, given: (values[first],)
    return indices, lambda values, given: tuple([values[index] for index in indices])
