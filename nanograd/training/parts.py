"""A training step on several cores: the batch is cut into parts, each computed on a core of its own in a graph of its own.

Whole parts run side by side, since single operations of a small model are too short to be cut. Threads compute them at first,
and processes once a training has gone on for a moment. What the parts found is added up in their order, so a run with the same
number of parts gives the same bits each time, whoever computed them.
"""

import logging
import pickle
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from time import perf_counter
from typing import TypeVar

import numpy as np

from nanograd.generation import Ids
from nanograd.graph import Array, no_grad
from nanograd.module import Module
from nanograd.optimizer import Optimizer
from nanograd.random import Generator
from nanograd.tensor import wrap
from nanograd.training.native import blas_threads, can_set_blas_threads, keep_freed_memory
from nanograd.training.part_processes import PartProcesses, ProcessLostError, part_gradients, trained_parameters

Item = TypeVar("Item")
Result = TypeVar("Result")

# How long a thread may keep Python to itself while another wants it. Between the short operations of a small model a thread
# misses its turn again and again: at Python's own 5 ms a step of such a model takes a fifth longer.
_SWITCH_INTERVAL_S = 0.0005


_ALONE_S = 0.5  # so long threads compute before processes are worth starting
_log = logging.getLogger(__name__)


class Parts:
    """`count` cores that compute together; one where BLAS cannot be told to leave them a core each."""

    def __init__(self, count: int) -> None:
        self.count = count if can_set_blas_threads() else 1
        self._pool = ThreadPoolExecutor(max(1, self.count - 1), thread_name_prefix="nanograd-part")
        self._processes: PartProcesses | None = None
        self._may_start = self.count > 1
        self._alone_s = 0.0
        keep_freed_memory()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)

    def start_processes(self, model: Module, wait_s: float = 0.0) -> bool:
        """Start a process for each part but the first, and wait that long for them; whether they are ready.

        `gradients` does this by itself. Where it cannot be done, threads go on computing the parts.
        """
        if self._processes is None and self._may_start:
            try:
                self._processes = PartProcesses(model, self.count - 1)
            except (OSError, pickle.PicklingError, AttributeError, TypeError) as error:
                self._give_processes_up(str(error))
        return self._processes is not None and self._processes.are_ready.wait(wait_s)

    def _give_processes_up(self, reason: str) -> None:
        """Compute with threads from here on, which gives the same numbers."""
        _log.info("Threads compute the parts of each batch, not processes: %s", reason)
        self._may_start = False
        processes, self._processes = self._processes, None
        if processes is not None:
            processes.stop()

    def gradients(self, model: Module, inputs: Ids, targets: Ids, streams: Callable[[int], Generator]) -> tuple[float, float]:
        """Give each parameter the gradient of the mean loss over a batch (B, T); returns the loss and the gradient's norm.

        `streams(part)` is what the dropout of a part is drawn from.
        """
        began = perf_counter()
        parameters = trained_parameters(model)
        if self._processes is not None and not self._processes.fit(model, parameters):
            self._give_processes_up("the model or its weights were exchanged.")
        is_worth_it = self._processes is not None or self._alone_s >= _ALONE_S
        processes = self._processes if is_worth_it and self.start_processes(model) else None
        slices = _slices(len(inputs), self.count)

        lost: list[ProcessLostError] = []

        def compute(numbered: tuple[int, slice]) -> tuple[float, list[Array]]:
            part, rows = numbered
            batch = inputs[rows], targets[rows], len(inputs[rows]) / len(inputs)
            if part and processes is not None:
                try:
                    return processes.gradients(part, *batch, streams(part))
                except ProcessLostError as error:
                    lost.append(error)
            return part_gradients(model, parameters, *batch, streams(part))

        computed = self._map(compute, list(enumerate(slices)))
        if lost:
            self._give_processes_up(str(lost[0]))

        def add_up(positions: Sequence[int]) -> float:
            squares = 0.0
            for position in positions:
                total = computed[0][1][position]
                for _, others in computed[1:]:
                    total += others[position]
                parameters[position].grad = wrap(total)
                squares += float(np.vdot(total, total))
            return squares

        shares = _balanced([parameter.numel() for parameter in parameters], self.count)
        squares = self._map(add_up, shares)
        self._alone_s += perf_counter() - began
        return sum(loss for loss, _ in computed), sum(squares) ** 0.5

    def step(self, optimizer: Optimizer, gradient_scale: float = 1.0) -> None:
        """`optimizer.step()`, with the gradients times `gradient_scale` first."""
        updates = optimizer.updates()

        def update(positions: Sequence[int]) -> None:
            for position in positions:
                parameter, change = updates[position]
                if gradient_scale != 1 and parameter.grad is not None:
                    parameter.grad.array *= gradient_scale
                change()

        shares = _balanced([parameter.numel() for parameter, _ in updates], self.count)
        self._map(update, shares)

    def loss(self, model: Module, inputs: Ids, targets: Ids) -> float:
        """The mean loss over a batch (B, T), without gradients."""

        def compute(rows: slice) -> float:
            with no_grad():
                _, loss = model(inputs[rows], targets[rows])
            return float(loss.item()) * len(inputs[rows])

        return sum(self._map(compute, _slices(len(inputs), self.count))) / len(inputs)

    def _map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The function of each item, the first in this thread; an error comes out once all have ended."""
        if self.count == 1:
            return [function(item) for item in items]
        with blas_threads(1):
            others = [self._pool.submit(_quietly, function, item) for item in items[1:]]
            try:
                first = function(items[0])
            finally:
                wait(others)
            return [first, *[other.result() for other in others]]


def _quietly(function: Callable[[Item], Result], item: Item) -> Result:
    """The function of the item without numpy's warnings, which are each thread's own; what overflows shows in the loss."""
    with np.errstate(all="ignore"):
        return function(item)


def _slices(length: int, count: int) -> list[slice]:
    """At most `count` pieces of nearly one size, the larger first."""
    count = min(count, length)
    ends = [length * (part + 1) // count for part in range(count)]
    return [slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]


def _balanced(sizes: list[int], count: int) -> list[list[int]]:
    """Positions dealt out to `count` lists, the largest first, each to the list that holds least."""
    lists: list[list[int]] = [[] for _ in range(count)]
    totals = [0] * count
    for position in sorted(range(len(sizes)), key=lambda position: -sizes[position]):
        least = totals.index(min(totals))
        lists[least].append(position)
        totals[least] += sizes[position]
    return lists
