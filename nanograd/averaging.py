"""An exponential moving average of weights (Polyak and Juditsky, 1992): average = decay average + (1 - decay) weight.

Averaged weights are less noisy than the last ones, and often a better model at no cost but memory.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from nanograd.errors import ShapeError
from nanograd.module import Module
from nanograd.tensor import Tensor


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

    def __init__(self, parameters: Module | Iterable[Tensor], decay: float = 0.999) -> None:
        if not 0 <= decay <= 1:
            raise ValueError(f"decay is from 0 to 1; got {decay}.")
        self.decay = decay
        self._parameters = list(parameters.parameters() if isinstance(parameters, Module) else parameters)
        self.averages = [parameter.array.copy() for parameter in self._parameters]

    def update(self) -> None:
        """Take the parameters as they are now into the averages; call it after each step of the optimizer."""
        for average, parameter in zip(self.averages, self._parameters, strict=True):
            average += (1 - self.decay) * (parameter.array - average)

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Let the parameters be their averages inside the block, for an evaluation, and what they were after it."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for average, parameter in zip(self.averages, self._parameters, strict=True):
            before = parameter.array.copy()
            parameter.array[...] = average
            average[...] = before
            parameter._counter[0] += 1  # a graph that needs the parameter as it was can tell

    def state_dict(self) -> dict[str, Any]:
        """The decay and the averages by position, as arrays that are not copied."""
        return {"decay": self.decay, "averages": dict(enumerate(self.averages))}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave; raises ShapeError, before anything is changed, where it does not fit."""
        saved = [np.asarray(array) for _, array in sorted(state_dict["averages"].items())]
        given, wanted = [array.shape for array in saved], [average.shape for average in self.averages]
        if given != wanted:
            raise ShapeError(f"The averages are of the shapes {given}, the parameters {wanted}; they must be of the same model.")
        self.decay = state_dict["decay"]
        self.averages = [array.astype(before.dtype) for array, before in zip(saved, self.averages, strict=True)]
