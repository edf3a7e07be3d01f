"""What went wrong in a step: which layer's gradient, and whether a loss is a spike."""

from collections import deque
from math import sqrt

import numpy as np

from nanograd.generation import Ids
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.training.inside import part_of
from nanograd.training.one_pass import look_through

_JUDGED_FROM = 50
_RECENT = 4
_MEMORY = 0.99
_SPREADS = 4.0
_SHARE = 0.5
_LEAST_RISE = 0.5


class SpikeWatch:
    """Watches the loss of each step, in nats per token, for a jump far beyond how it usually varies.

    The mean of the last four is compared with a running mean over about a hundred steps: a spike is half of that above it,
    half a nat at least, and four times the spread from one step to the next, which a loss that falls steadily does not widen.
    """

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._sum: float = 0.0
        self._squares: float = 0.0
        self._mass: float = 0.0
        self._count = 0

    def is_spike(self, loss: float) -> bool:
        """Whether the loss of the newest step makes a spike; after one the watch begins anew."""
        former = self._recent[-1] if self._recent else loss
        self._recent.append(loss)
        recent, usual = sum(self._recent) / len(self._recent), self.usual
        if self._count >= _JUDGED_FROM:
            spread = sqrt(self._squares / self._mass / 2)
            if recent > usual + max(_SHARE * usual, _LEAST_RISE, _SPREADS * spread):
                self._forget()
                return True
        self._count += 1
        self._sum = _MEMORY * self._sum + (1 - _MEMORY) * loss
        self._squares = _MEMORY * self._squares + (1 - _MEMORY) * (loss - former) ** 2
        self._mass = _MEMORY * self._mass + (1 - _MEMORY)
        return False

    @property
    def usual(self) -> float:
        """The running mean of the loss before the newest step; 0 before the first."""
        return self._sum / self._mass if self._mass else 0.0

    def _forget(self) -> None:
        self._recent.clear()
        self._count = 0
        self._sum, self._squares, self._mass = 0.0, 0.0, 0.0


def describe_largest_gradient(model: GPTLanguageModel) -> str:
    """In words, the layer whose gradient is largest, and its share of the whole."""
    squares: dict[str, float] = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            square = float(np.square(parameter.grad.array, dtype=np.float64).sum())
            squares[part_of(name)] = squares.get(part_of(name), 0.0) + square
    largest = max(squares, key=squares.__getitem__)
    share = sqrt(squares[largest] / (sum(squares.values()) or 1.0))
    return f"The gradient is largest in {largest}, {share:.0%} of its norm."


def describe_broken_gradient(model: GPTLanguageModel, inputs: Ids) -> str:
    """In words, where the gradient of a batch (B, T) is not finite: the layer where that begins on the way back.

    Where no layer's is finite, the fault lies in the forward pass, and the first layer whose output is not finite is named.
    """
    parts = dict.fromkeys(part_of(name) for name, _ in model.named_parameters())
    broken = {
        part_of(name)
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and not np.isfinite(parameter.grad.array).all()
    }
    if not broken:  # each number is finite, and their squares are not
        return describe_largest_gradient(model)
    backwards = [part for part in reversed(parts) if part in broken]
    if len(backwards) < len(parts):
        return f"The gradient is not finite in {backwards[0]}."
    return (
        f"The gradient is finite in no layer; going forward, the numbers go wrong first in {_first_broken_output(model, inputs)}."
    )


def _first_broken_output(model: GPTLanguageModel, inputs: Ids) -> str:
    """The first layer, over all texts of a batch (B, T), that puts out a number that is not finite."""
    depths = []
    for row in inputs:
        _, stream = look_through(model, row)
        broken = np.flatnonzero(~np.isfinite(stream).all(axis=(1, 2)))
        depths.append(int(broken[0]) if broken.size else len(stream))
    depth = min(depths)
    names = ["the embeddings", *(f"Layer {layer + 1}" for layer in range(model.config.n_layer)), "the head"]
    return names[depth]
