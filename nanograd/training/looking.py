"""What can be seen of a model while it reads a text. Looking never changes the model."""

import numpy as np

from nanograd.generation import Ids, Sampling, token_probabilities
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.graph import Array
from nanograd.softmax import softmax_array
from nanograd.text.tokenizer import Tokenizer
from nanograd.training.events import Inside, Predictions, ProbeTaken
from nanograd.training.inside import Change, look_inside
from nanograd.training.native import blas_threads
from nanograd.training.one_pass import look_through, read_off

RIVAL_COUNT = 8
_NUMBERS_AT_ONCE = 4_000_000
_REPEATED_TOKENS = 32


def look_at(
    model: GPTLanguageModel,
    tokenizer: Tokenizer,
    ids: Ids,
    step: int,
    change: Change | None = None,
    former: Inside | None = None,
) -> ProbeTaken | None:
    """Attention and predictions over `ids` (T,), the last block_size of them, and the inside; None where there are no ids.

    `change` is what a step did, `former` an earlier look at the same model.
    """
    if not len(ids):
        return None
    seen = ids[-model.config.block_size :]
    with blas_threads(1), np.errstate(over="ignore", invalid="ignore"):  # threads that wait for each other cost more here
        weights, stream = look_through(model, seen)
        predictions = predict(model, tokenizer, seen, stream)
        scores = head_scores(model, weights)
        inside = look_inside(model, change, former)
    tokens = tuple(tokenizer.vocabulary[index] for index in seen)
    return ProbeTaken(step=step, tokens=tokens, weights=weights, predictions=predictions, scores=scores, inside=inside)


def predict(model: GPTLanguageModel, tokenizer: Tokenizer, ids: Ids, stream: Array) -> Predictions:
    """What the `stream` (n_layer + 1, T, C) over `ids` (T,) says of the token after each, layer by layer."""
    layers, T, C = stream.shape
    V = model.config.vocab_size
    K = min(RIVAL_COUNT, V)
    rivals, probabilities = np.empty((layers * T, K), np.int32), np.empty((layers * T, K), np.float32)
    losses = np.empty(layers * T, np.float32)
    following = np.tile(np.roll(ids, -1), layers)
    at_once = max(1, _NUMBERS_AT_ONCE // V)
    for begin in range(0, layers * T, at_once):
        part = slice(begin, begin + at_once)
        predicted = softmax_array(read_off(model, stream.reshape(layers * T, C)[part]), axis=-1)
        rivals[part] = _likeliest(predicted, K)
        probabilities[part] = np.take_along_axis(predicted, rivals[part], axis=-1)
        reached = np.take_along_axis(predicted, following[part, None], axis=-1)[:, 0]
        losses[part] = -np.log(np.maximum(reached, np.finfo(np.float32).tiny))
    return Predictions(
        vocabulary=tokenizer.vocabulary,
        ids=ids,
        rivals=rivals.reshape(layers, T, K),
        probabilities=probabilities.reshape(layers, T, K),
        losses=losses.reshape(layers, T)[:, :-1],
    )


def head_scores(model: GPTLanguageModel, weights: Array) -> Array:
    """How much each head looks back at certain places: (n_layer, n_head, 3), each from 0 to 1.

    The share of the token before and that of the first token are means over the probe's `weights` (n_layer, n_head, T, T).
    The third is the induction score (Olsson et al., 2022): over random tokens said twice, the share of the token that
    came after the present one the first time.
    """
    before = np.diagonal(weights, -1, -2, -1).mean(-1) if weights.shape[-1] > 1 else np.zeros(weights.shape[:2])
    first = weights[..., 1:, 0].mean(-1) if weights.shape[-1] > 1 else np.zeros(weights.shape[:2])
    half = min(_REPEATED_TOKENS, model.config.block_size // 2)
    once = np.random.default_rng(0).integers(0, model.config.vocab_size, half)
    twice, _ = look_through(model, np.concatenate([once, once]))
    return np.stack([before, first, induction_scores(twice)], axis=-1).astype(np.float32)


def induction_scores(weights: Array) -> Array:
    """For weights (..., 2 T, 2 T) over T tokens said twice: the mean share of what came after the token the first time."""
    scores: Array = np.diagonal(weights, 1 - weights.shape[-1] // 2, -2, -1)[..., 1:].mean(-1)
    return scores


def preview_next(model: GPTLanguageModel, ids: Ids, sampling: Sampling, count: int) -> list[tuple[int, float, float]]:
    """The `count` likeliest tokens after `ids` (T,): each with the model's own probability and with the one it is drawn by."""
    with blas_threads(1), np.errstate(over="ignore", invalid="ignore"):
        _, stream = look_through(model, ids[-model.config.block_size :])
        logits = read_off(model, stream[-1, -1:])
        own = softmax_array(logits.astype(np.float64), axis=-1)
        drawn = token_probabilities(logits, sampling, ids[None])
    likeliest = _likeliest(own, min(count, own.shape[-1]))[0].tolist()
    return [(index, float(own[0, index]), float(drawn[0, index])) for index in likeliest]


def _likeliest(probabilities: Array, count: int) -> Array:
    """The ids of the `count` largest of each row (N, V), the largest first."""
    found = np.argpartition(-probabilities, count - 1, axis=-1)[:, :count]
    order = np.argsort(-np.take_along_axis(probabilities, found, axis=-1), axis=-1, kind="stable")
    result: Array = np.take_along_axis(found, order, axis=-1)
    return result
