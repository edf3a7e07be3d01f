"""An exponential moving average of weights (Polyak and Juditsky, 1992): average = decay average + (1 - decay) weight.

Averaged weights are less noisy than the last ones, and often a better model at no cost but memory.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from nanograd.errors import ShapeError
from nanograd.tensor import Tensor


class HasParameters(Protocol):
    """What a Module offers here."""

    def parameters(self) -> Iterable[Tensor]:
        """Its parameters, always in the same order."""
        ...


class ExponentialMovingAverage:
    """Averages of some parameters, or those of a model, that begin at what they are now. They need no gradients.

    >>> weight = Tensor([1.0])
    >>> average = ExponentialMovingAverage([weight], decay=0.75)
    >>> weight.array[:] = 5
    >>> average.update()
    >>> with average.swapped():
    ...     weight.item()
    2.0
    >>> weight.item()
    5.0
    """

    def __init__(self, parameters: HasParameters | Iterable[Tensor], decay: float = 0.999) -> None:
        if not 0 <= decay <= 1:
            raise ValueError(f"decay is from 0 to 1; got {decay}.")
        self.decay = decay
        self._parameters = _as_list(parameters)
        self.averages = [parameter.array.copy() for parameter in self._parameters]

    def update(self) -> None:
        """Take the parameters as they are now into the averages; call it after each step of the optimizer."""
        for average, parameter in zip(self.averages, self._parameters, strict=True):
            change = parameter.array - average
            change *= 1 - self.decay
            average += change

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Let the parameters be their averages inside the block, for an evaluation, and what they were after it."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for position, parameter in enumerate(self._parameters):
            before = parameter.array.copy()
            _write(parameter, self.averages[position])
            self.averages[position] = before

    def copy_to(self, parameters: HasParameters | Iterable[Tensor] | None = None) -> None:
        """Write the averages into a model or parameters of the same shapes; without any, into those they are averages of."""
        targets = self._parameters if parameters is None else _as_list(parameters)
        _check_shapes([average.shape for average in self.averages], [target.shape for target in targets])
        for target, average in zip(targets, self.averages, strict=True):
            _write(target, average)

    def state_dict(self) -> dict[str, Any]:
        """The decay and the averages by position, as arrays that are not copied."""
        return {"decay": self.decay, "averages": dict(enumerate(self.averages))}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; raises ShapeError, before anything is changed, where it does not fit."""
        saved = [np.asarray(array) for _, array in sorted(state_dict["averages"].items())]
        _check_shapes([array.shape for array in saved], [average.shape for average in self.averages])
        self.decay = state_dict["decay"]
        self.averages = [array.astype(before.dtype) for array, before in zip(saved, self.averages, strict=True)]


def _as_list(parameters: HasParameters | Iterable[Tensor]) -> list[Tensor]:
    return list(parameters if isinstance(parameters, Iterable) else parameters.parameters())


def _check_shapes(given: list[tuple[int, ...]], wanted: list[tuple[int, ...]]) -> None:
    if given != wanted:
        raise ShapeError(f"The averages are of the shapes {given}, the parameters {wanted}; they must be of the same model.")


def _write(parameter: Tensor, array: Any) -> None:
    np.copyto(parameter.array, array)
    parameter._counter[0] += 1
