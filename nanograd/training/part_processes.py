"""Processes that compute parts of a batch beside this one, without waiting for each other's turn at the interpreter.

Threads of one process take turns at running Python: between the short operations of a small model that costs a third of the
time. Weights and gradients lie in memory that all the processes see, so that ids and the loss are all that has to travel.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from threading import Event, Thread
from typing import Any
from weakref import finalize

import numpy as np

from nanograd.autograd import grad
from nanograd.generation import Ids
from nanograd.graph import Array
from nanograd.module import Module
from nanograd.random import Generator, using
from nanograd.tensor import Tensor, wrap
from nanograd.training.native import blas_threads, keep_freed_memory

_ALIGNMENT = 64
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class ProcessLostError(Exception):
    """A process was ended from outside, or its pipe broke."""


def trained_parameters(model: Module) -> list[Tensor]:
    """The parameters that have a gradient, in the model's order."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def part_gradients(
    model: Module, parameters: Sequence[Tensor], inputs: Ids, targets: Ids, share: float, generator: Generator
) -> tuple[float, list[Array]]:
    """The loss of a part (b, T) of a batch, and the gradient for each of the parameters, both times the part's `share`."""
    with using(generator):
        _, loss = model(inputs, targets)
    factor = wrap(np.array(share, loss.dtype))
    found = grad(loss, parameters, grad_outputs=factor)
    return loss.item() * factor.item(), [gradient.array for gradient in found if gradient is not None]


class PartProcesses:
    """`count` processes for one model. They start in the background: until `are_ready` their parts have to be computed here.

    The model's parameters move into memory that the processes share; the optimizer changes them there, in place. Raises
    OSError where the system offers no such memory, and what `pickle` raises for a model that cannot be sent.
    """

    def __init__(self, model: Module, count: int) -> None:
        self._model, self._parameters = model, trained_parameters(model)
        if not hasattr(os, "memfd_create") or getattr(sys, "frozen", False):
            raise OSError("They need Linux, for memory that processes share, and Python as a program of its own.")
        sent = pickle.dumps(model)
        memory_file = os.memfd_create("nanograd-parts")
        try:
            size = _layout(self._parameters)[-1]
            os.ftruncate(memory_file, size * (1 + count))
            areas = _areas(memory_file, self._parameters, 1 + count)
            self._weights, self._gradients = areas[0], areas[1:]
            self._processes = [_start(memory_file, 1 + count, part) for part in range(1, 1 + count)]
        finally:
            os.close(memory_file)
        _move(self._parameters, self._weights)
        self.are_ready = Event()
        self.stop = finalize(self, _stop, self._processes)
        Thread(target=_introduce, args=(sent, self._processes, self.are_ready), daemon=True).start()

    def fit(self, model: Module, parameters: Sequence[Tensor]) -> bool:
        """Whether these processes have this model, with the trained parameters and the weights that it has now."""
        return (
            model is self._model
            and len(parameters) == len(self._weights)
            and all(parameter.array is array for parameter, array in zip(parameters, self._weights, strict=True))
        )

    def gradients(self, part: int, inputs: Ids, targets: Ids, share: float, generator: Generator) -> tuple[float, list[Array]]:
        """`part_gradients` by the process of a part, from 1; the arrays are written over in the next step.

        Raises ProcessLostError where it cannot answer, and what the computation raises there.
        """
        process = self._processes[part - 1]
        try:
            _send(process.stdin, (self._model.training, inputs, targets, share, generator))
            answer = pickle.load(process.stdout)  # type: ignore[arg-type]
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise ProcessLostError(f"The process that computes part {part} of each batch has ended.") from error
        if isinstance(answer, BaseException):
            raise answer
        return answer, self._gradients[part - 1]


def _layout(parameters: Sequence[Tensor]) -> list[int]:
    """Where each parameter begins in an area of memory, in bytes, and where the last one ends."""
    ends = [0]
    for parameter in parameters:
        ends.append(ends[-1] + -(-parameter.array.nbytes // _ALIGNMENT) * _ALIGNMENT)
    return ends


def _areas(memory_file: int, parameters: Sequence[Tensor], count: int) -> list[list[Array]]:
    """For each of `count` areas of the memory an array like each parameter."""
    *begins, size = _layout(parameters)
    memory = np.frombuffer(mmap(memory_file, size * count), np.uint8)

    def view(parameter: Tensor, begin: int) -> Array:
        return memory[begin : begin + parameter.array.nbytes].view(parameter.dtype).reshape(parameter.shape)

    return [[view(p, area * size + begin) for p, begin in zip(parameters, begins, strict=True)] for area in range(count)]


def _move(parameters: Sequence[Tensor], arrays: Sequence[Array]) -> None:
    """Let each parameter's numbers lie in its array."""
    for parameter, array in zip(parameters, arrays, strict=True):
        np.copyto(array, parameter.array)
        parameter.array = array


def _start(memory_file: int, areas: int, part: int) -> "subprocess.Popen[bytes]":
    call = f"import sys; sys.path.insert(0, {str(_PACKAGE_ROOT)!r}); from nanograd.training.part_processes import serve; "
    call += f"serve({memory_file}, {areas}, {part})"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", call],  # -P: nothing is imported from the folder that the user happens to be in
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[memory_file],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        process_group=0,  # Ctrl-C in a terminal is this process's to answer
    )


def _introduce(sent: bytes, processes: "Sequence[subprocess.Popen[bytes]]", are_ready: Event) -> None:
    """Give each process the model, and wait until all have it."""
    with suppress(OSError, ValueError, EOFError, pickle.UnpicklingError):  # one that ends at once leaves them unready
        for process in processes:
            _write(process.stdin, sent)
        for process in processes:
            pickle.load(process.stdout)  # type: ignore[arg-type]
        are_ready.set()


def _stop(processes: "Sequence[subprocess.Popen[bytes]]") -> None:
    """End the processes, which have nothing to lose."""
    for process in processes:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError, ValueError):
                pipe.close()  # type: ignore[union-attr]


def _send(pipe: Any, message: Any) -> None:
    _write(pipe, pickle.dumps(message))


def _write(pipe: Any, message: bytes) -> None:
    pipe.write(message)
    pipe.flush()


def serve(memory_file: int, areas: int, part: int) -> None:
    """What such a process does until its pipe is closed: compute one part of each batch that is sent to it."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed must not be taken for an answer
    keep_freed_memory()
    np.seterr(all="ignore")  # what overflows shows in the loss
    with blas_threads(1), suppress(EOFError, OSError):
        model = pickle.load(requests)
        parameters = trained_parameters(model)
        arrays = _areas(memory_file, parameters, areas)
        for parameter, array in zip(parameters, arrays[0], strict=True):
            parameter.array = array
        _send(answers, "ready")
        while True:
            is_training, *batch = pickle.load(requests)
            _send(answers, _answer(model, parameters, is_training, batch, arrays[part]))


def _answer(model: Module, parameters: Sequence[Tensor], is_training: bool, batch: list[Any], result: Sequence[Array]) -> Any:
    """The part's loss, with the gradients written to `result`, or the error that came instead."""
    try:
        if model.training != is_training:
            model.train(is_training)
        loss, gradients = part_gradients(model, parameters, *batch)
        for array, gradient in zip(result, gradients, strict=True):
            np.copyto(array, gradient)
        return loss
    except Exception as error:
        return error
