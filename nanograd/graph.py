"""The graph of operations behind a result, and the backward pass through it."""

import inspect
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextvars import Context
from functools import wraps
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanograd.errors import GraphError

Array = NDArray[Any]
Needs = tuple[bool, ...]  # which of a kernel's inputs have their gradient asked for
Gradients = Sequence[Array | None]  # one for each input
Fused = tuple[Array, tuple[Any, ...]]  # a kernel's result, and what its backward function needs
Leaf = Any  # a tensor that a gradient is wanted for and that no operation made, with its `shape` and `dtype`
Counter = list[int]  # how often an array was written to in place, and how often recorded in a graph; its views share it


_NOTHING: tuple[Any, ...] = ()
_PLACES = {"z": -1, "x": 0, "y": 1, "w": 2}  # what derivatives call the result and the inputs


class Operation:
    """A function on arrays beside its derivatives, one for each input that can have a gradient.

    A derivative names what it needs: first `g`, the gradient of the result; then any of `z`, the result, and `x`, `y`, `w`,
    the inputs in their order; then any of the function's own parameters. Only what is named is kept until the backward pass.
    Where an input was broadcast, its gradient is summed back to its shape afterwards.
    """

    __slots__ = ("_plans", "derivatives", "forward", "name")

    def __init__(self, name: str, forward: Callable[..., Any], *derivatives: Callable[..., Any]) -> None:
        self.name = name
        self.forward = forward
        self.derivatives = tuple((derivative, list(inspect.signature(derivative).parameters)[1:]) for derivative in derivatives)
        self._plans: dict[int, _Plan] = {}

    def record(
        self, result: Any, inputs: tuple[Any, ...], targets: "Targets", wanted: int, parameters: Mapping[str, Any]
    ) -> "Node":
        """The node behind the tensor `result`, made from the tensors `inputs`; `wanted` has a bit for each that has a target."""
        plan = self._plans.get(wanted)
        if plan is None:
            plan = self._plans[wanted] = _Plan(self, targets)
        saved, links = _NOTHING, targets
        for place in plan.places:
            tensor = result if place < 0 else inputs[place]
            counter = tensor._counter
            saved += (tensor.array,)
            links += (counter, counter[0])
        if plan.names:
            saved += tuple([parameters[name] for name in plan.names])
        return Node(plan, len(targets), links, saved, result.array)


class _Plan:
    """What an operation keeps, and which derivatives it calls on that, where the gradients of certain inputs are wanted.

    There is one for each choice of inputs, so that little is decided, and few objects are made, for each node.
    """

    __slots__ = ("calls", "name", "names", "places")

    def __init__(self, operation: Operation, targets: "Targets") -> None:
        self.name = operation.name
        last = max(place for place, target in enumerate(targets) if target is not None)
        pairs = list(zip(targets[: last + 1], operation.derivatives, strict=False))
        needed = [name for target, (_, names) in pairs if target is not None for name in names]
        tensors = [name for name in _PLACES if name in needed]
        self.places = tuple(_PLACES[name] for name in tensors)
        self.names = tuple(dict.fromkeys(name for name in needed if name not in _PLACES))
        order = [*tensors, *self.names]
        self.calls = tuple(  # a derivative, and where in what is kept its arguments lie; None for all of it
            None if target is None else (derivative, None if names == order else [order.index(name) for name in names])
            for target, (derivative, names) in pairs
        )

    def gradients(self, width: int, links: tuple[Any, ...], saved: Any, g: Array) -> Gradients:
        """The gradient for each input up to the last one wanted, before it is summed back to the input's shape."""
        found: list[Array | None] = []
        for call in self.calls:
            if call is None:
                found.append(None)
            else:
                derivative, places = call
                found.append(derivative(g, *(saved if places is None else [saved[place] for place in places])))
        return found


class Kernel:
    """A fused function on arrays beside its backward function, which gives all gradients at once.

    `forward(*arrays, **parameters)` returns the result and a tuple of what the backward pass needs;
    `backward(g, needs, *saved)` returns a gradient, or None, for each input, where `needs` tells which are wanted.
    """

    __slots__ = ("backward", "forward", "name")

    def __init__(self, name: str, forward: Callable[..., Fused], backward: Callable[..., Gradients]) -> None:
        self.name, self.forward, self.backward = name, forward, backward

    def record(self, result: Any, inputs: tuple[Any, ...], targets: "Targets", wanted: int, saved: tuple[Any, ...]) -> "Node":
        """The node behind the tensor `result`, made from the tensors `inputs`."""
        tensors = [tensor for tensor in (result, *inputs) if any(tensor.array is kept for kept in saved)]
        guards = [part for tensor in tensors for part in (tensor._counter, tensor._counter[0])]
        return Node(self, len(targets), (*targets, *guards), saved, result.array)

    def gradients(self, width: int, links: tuple[Any, ...], saved: Any, g: Array) -> Gradients:
        """The gradient for each input."""
        return self.backward(g, tuple([target is not None for target in links[:width]]), *saved)


class Node:
    """One operation that was done: where its gradients go, and what it kept to compute them.

    It holds its inputs' nodes but never its own result, so a graph is freed as soon as its last tensor is. All that Python's
    garbage collector has to follow lies in one tuple: `links` has a target or None for each of `width` inputs, and then a
    counter, and its version when it was recorded, for each array that is kept.
    """

    __slots__ = ("_hooks", "dtype", "links", "rule", "saved", "sequence", "shape", "width")

    def __init__(self, rule: _Plan | Kernel, width: int, links: tuple[Any, ...], saved: Sequence[Any], result: Array) -> None:
        self.rule = rule
        self.width = width
        self.links = links
        self.saved: Sequence[Any] | None = saved
        self.shape = result.shape
        self.dtype = result.dtype
        self._hooks: Hooks | None = None
        self.sequence = _next_sequence()

    def __repr__(self) -> str:
        return f"<{self.rule.name}>"

    def gradients(self, g: Array) -> Gradients:
        """The gradients for the targets; raises GraphError where what it kept is gone or was written to since."""
        if self.saved is None:
            remedy = "pass retain_graph=True to the first, or compute the result again"
            raise GraphError(f"A second backward pass came to {self.rule.name}, whose graph the first one freed; {remedy}.")
        links, place = self.links, self.width
        while place < len(links):
            counter, seen = links[place], links[place + 1]
            if counter[0] != seen:
                versions = f"version {seen} was expected, version {counter[0]} is there"
                what = f"An array that {self.rule.name} needs for its gradient was changed in place after it was used"
                raise GraphError(f"{what} ({versions}); write x = x + 1 instead of x += 1.")
            place += 2
        return self.rule.gradients(self.width, links, self.saved, g)


Hooks = dict[float, Callable[[Array], Array | None]]


class RemovableHandle:
    """What registering a hook gives back: `remove()` takes the hook away again."""

    __slots__ = ("_hooks", "_key")

    def __init__(self, hooks: dict[Any, Any], hook: Callable[..., Any]) -> None:
        self._hooks, self._key = hooks, _next_sequence()
        hooks[self._key] = hook

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._key, None)


def through_hooks(hooks: Hooks | None, g: Array) -> Array:
    """The gradient after each hook has seen it, in the order of their keys, and perhaps replaced it by a copy of its own."""
    for _, hook in sorted((hooks or {}).items()):
        replaced = hook(g)
        g = g if replaced is None else np.array(replaced)
    return g


Targets = tuple[Node | Leaf | None, ...]
_next_sequence = count().__next__


def backward_from(pending: dict[Any, Array], retain_graph: bool, kept: frozenset[Node] = frozenset()) -> dict[Leaf | Node, Array]:
    """The gradient with respect to every leaf before the nodes `pending`, which come with their gradients, and the nodes `kept`.

    Nodes are visited from the latest to the earliest, so each has its whole gradient when its turn comes, and each gradient
    is dropped once it is used. A leaf among `pending` is its own answer. Arrays in the answer belong to the caller.
    """
    found: dict[Leaf | Node, Array] = {}
    waiting = [(-node.sequence, node) for node in pending if type(node) is Node]
    heapify(waiting)
    with np.errstate(all="ignore"):
        while waiting:
            node = heappop(waiting)[1]
            g = pending.pop(node)
            if node._hooks is not None:
                g = through_hooks(node._hooks, g)
            if kept and node in kept:
                found[node] = np.array(g)
            for target, part in zip(node.links, node.gradients(g)):  # noqa: B905 - some inputs have no gradient
                if target is None or part is None:
                    continue
                if part.shape != target.shape:
                    part = sum_to_shape(part, target.shape)
                if part.dtype is not target.dtype:
                    part = part.astype(target.dtype)
                before = pending.get(target)
                if before is not None:
                    pending[target] = before + part
                elif type(target) is Node:
                    heappush(waiting, (-target.sequence, target))
                    pending[target] = part
                else:  # a view, or an array that others hold too, is copied
                    is_own = part is not g and part.base is None and part.flags.writeable
                    pending[target] = part if is_own else np.array(part)
            if not retain_graph:  # let go of what was kept and of the nodes before
                node.saved, node.links = None, _NOTHING
    found.update(pending)
    return found


def sum_to_shape(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum `g` over the dimensions along which an array of `shape` was broadcast."""
    extra = g.ndim - len(shape)
    if extra:
        g = g.sum(axis=tuple(range(extra)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1 and g.shape[axis] != 1)
    if stretched:
        g = g.sum(axis=stretched, keepdims=True)
    return np.asarray(g).reshape(shape)


class _ThreadState(threading.local):
    """What each thread has of its own.

    `quietly(function, *arguments)` calls a function without numpy's warnings: as in PyTorch, log(0) is -inf and 0/0 is nan,
    and that is all. (A context in which numpy was told so costs 0.05 microseconds to enter, np.errstate 2.)
    """

    def __init__(self) -> None:
        self.is_grad_enabled = True
        context = Context()
        context.run(np.seterr, all="ignore")
        self.quietly = context.run


thread = _ThreadState()


def is_grad_enabled() -> bool:
    """Whether operations in this thread are recorded."""
    return thread.is_grad_enabled


class _GradMode:
    """Recording switched on or off: as a block, or around each call of a decorated function, or each step of a generator."""

    def __init__(self, mode: bool) -> None:
        self._mode = mode
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(thread.is_grad_enabled)
        thread.is_grad_enabled = self._mode

    def __exit__(self, *_: object) -> None:
        thread.is_grad_enabled = self._before.pop()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def switched(*args: Any, **named: Any) -> Any:
            with _GradMode(self._mode):
                return function(*args, **named)

        @wraps(function)
        def switched_generator(*args: Any, **named: Any) -> Generator[Any, Any, Any]:
            steps, sent = function(*args, **named), None
            while True:
                with _GradMode(self._mode):
                    try:
                        step = steps.send(sent)
                    except StopIteration as end:
                        return end.value
                sent = yield step

        return switched_generator if inspect.isgeneratorfunction(function) else switched


def no_grad(function: Callable[..., Any] | None = None) -> Any:
    """Record nothing inside the block or the decorated function, which saves time and memory."""
    return _GradMode(False) if function is None else _GradMode(False)(function)


def enable_grad(function: Callable[..., Any] | None = None) -> Any:
    """Record inside the block or the decorated function, even where it lies inside `no_grad`."""
    return _GradMode(True) if function is None else _GradMode(True)(function)
