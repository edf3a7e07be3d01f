"""Writing text token by token: how the next token is drawn, and the loop that feeds it back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanograd.graph import Array
from nanograd.random import Generator
from nanograd.softmax import softmax_array

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are drawn. `temperature` 0 takes the likeliest; `top_k` None and `top_p` None are off.

    `repetition_penalty` makes tokens that the text holds already less likely: their logits are divided by it where they are
    positive, and multiplied where they are negative (Keskar et al., 2019, CTRL, section 4.1, which suggests 1.2); 1 is off.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"A temperature is a number of at least 0; got {self.temperature}. 0 takes the likeliest token.")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k is at least 1, or None for off; got {self.top_k}.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is above 0 and at most 1, or None for off; got {self.top_p}.")
        if not 0 < self.repetition_penalty < float("inf"):
            raise ValueError(f"A repetition penalty is above 0, and off at 1; got {self.repetition_penalty}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSampled:
    """A token that was drawn, how likely the model found it, and the likeliest tokens with their probabilities."""

    id: int
    probability: float
    rivals: tuple[tuple[int, float], ...]


def token_probabilities(logits: Array, sampling: Sampling, ids: Ids | None = None) -> Array:
    """The probabilities (B, V) that tokens are drawn with: logits (B, V) by penalty, temperature, top-k, and top-p, in turn.

    `ids` (B, T) are the texts so far, which the penalty asks for.

    >>> token_probabilities(np.log([[0.6, 0.3, 0.1]]), Sampling(top_k=2)).round(3)
    array([[0.667, 0.333, 0.   ]])
    """
    scores = logits.astype(np.float64)
    if ids is not None and sampling.repetition_penalty != 1:
        said = np.take_along_axis(scores, ids, axis=-1)
        np.put_along_axis(scores, ids, said / sampling.repetition_penalty ** np.sign(said), axis=-1)
    if sampling.temperature == 0:
        certain: Array = np.eye(scores.shape[-1])[scores.argmax(axis=-1)]
        return certain
    scores /= sampling.temperature
    if sampling.top_k is not None and sampling.top_k < scores.shape[-1]:
        smallest = np.partition(scores, -sampling.top_k, axis=-1)[:, -sampling.top_k, None]
        scores = np.where(scores < smallest, -np.inf, scores)
    probabilities = softmax_array(scores, axis=-1)
    if sampling.top_p is not None and sampling.top_p < 1:
        probabilities = _keep_nucleus(probabilities, sampling.top_p)
    return probabilities


def _keep_nucleus(probabilities: Array, top_p: float) -> Array:
    """Only the likeliest tokens that together reach `top_p` (Holtzman et al., 2020), scaled to sum to 1."""
    order = np.argsort(-probabilities, axis=-1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=-1)
    before = np.cumsum(ranked, axis=-1) - ranked
    kept = np.zeros_like(probabilities)
    np.put_along_axis(kept, order, np.where(before < top_p, ranked, 0), axis=-1)
    result: Array = kept / kept.sum(axis=-1, keepdims=True)
    return result


def draw(probabilities: Array, generator: Generator) -> Ids:
    """One id for each row of probabilities (B, V): (B,)."""
    cumulative = probabilities.cumsum(axis=-1)
    points = generator.numpy.random((len(probabilities), 1)) * cumulative[:, -1:]
    drawn: Ids = (cumulative > points).argmax(axis=-1)
    return drawn


def stream_ids(
    next_logits: Callable[[Ids], Array], ids: Ids, max_new_tokens: int, sampling: Sampling, generator: Generator
) -> Iterator[tuple[Ids, Array]]:
    """New ids (B,) one after another, each with the logits (B, V) it was drawn from.

    `next_logits` maps all ids so far (B, T) to the logits of the next.
    """
    for _ in range(max_new_tokens):
        logits = next_logits(ids)
        drawn = draw(token_probabilities(logits, sampling, ids), generator)
        ids = np.concatenate([ids, drawn[:, None]], axis=1)
        yield drawn, logits


def describe(drawn: int, logits: Array, rival_count: int = 5) -> TokenSampled:
    """The event for one id drawn from `logits` (V,), with the model's own probabilities at temperature 1."""
    probabilities = softmax_array(logits.astype(np.float64), axis=-1)
    likeliest = np.argsort(-probabilities, kind="stable")[:rival_count]
    rivals = tuple((int(rival), float(probabilities[rival])) for rival in likeliest)
    return TokenSampled(id=drawn, probability=float(probabilities[drawn]), rivals=rivals)
