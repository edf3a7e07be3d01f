"""Tells what a run would take: counted at once, then measured by timing a real step while there is nothing else to do."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gui.events import CostEstimated, EngineEvent
from gui.pace import evaluations_between
from nanograd.generation import Sampling
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.random import stream
from nanograd.text.corpus import Corpus
from nanograd.training.estimate import ASSUMED_VOCABULARY_SIZE, memory_bytes, parameter_count, step_flop
from nanograd.training.parts import Parts
from nanograd.training.settings import RunSettings
from nanograd.training.trainer import EVALUATED_TOKENS_AT_ONCE, build_model, build_optimizer

_ASSUMED_FLOP_PER_S: Final = 4e10
_LONGEST_MEASURED_STEP_S: Final = 0.6
_LARGEST_MEASURED_BYTES: Final = 1_500_000_000
_QUIET_S: Final = 0.25
_MOST_MEASURED_STEPS: Final = 10
_MEASURED_TOKENS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _Times:
    """Seconds for a training step, for one window of an evaluation, and for one token of a sample."""

    step_s: float
    window_s: float
    token_s: float


class CostMeter:
    """Answers each request with a CostEstimated from the counted arithmetic, and a second one once a step was timed."""

    def __init__(self, emit: Callable[[EngineEvent], None]) -> None:
        self._emit = emit
        self._settings: RunSettings | None = None
        self._vocabulary_size = ASSUMED_VOCABULARY_SIZE
        self._validation_tokens = 0
        self._flop_per_s = _ASSUMED_FLOP_PER_S
        self._waiting = False

    @property
    def delay_s(self) -> float | None:
        """How long to wait before measuring; None where there is nothing to measure."""
        return _QUIET_S if self._waiting else None

    def request(self, settings: RunSettings, corpus: Corpus | None) -> None:
        """Estimate at once, and measure later."""
        if settings.problems():
            return
        self._settings = settings
        self._vocabulary_size = corpus.tokenizer.vocabulary_size if corpus else ASSUMED_VOCABULARY_SIZE
        self._validation_tokens = len(corpus.split(settings.validation_fraction)[1]) if corpus else 0
        step_s = step_flop(settings, self._vocabulary_size) / self._flop_per_s
        window_s = step_s / settings.batch_size / 3  # the forward pass is a third of a step
        self._answer(_Times(step_s=step_s, window_s=window_s, token_s=window_s / settings.block_size), is_measured=False)
        self._waiting = (
            step_s < _LONGEST_MEASURED_STEP_S and memory_bytes(settings, self._vocabulary_size) < _LARGEST_MEASURED_BYTES
        )

    def measure(self) -> None:
        """Time a real step of the settings asked for last."""
        if not self._waiting or self._settings is None:
            return
        self._waiting = False
        times = _measure(self._settings, self._vocabulary_size)
        self._flop_per_s = step_flop(self._settings, self._vocabulary_size) / times.step_s
        self._answer(times, is_measured=True)

    def _answer(self, times: _Times, is_measured: bool) -> None:
        settings = self._settings
        assert settings is not None
        evaluations = 1 + evaluations_between(0, settings.max_steps, settings.eval_interval)
        evaluation_s = self._windows(settings) * times.window_s + settings.sample_tokens * times.token_s
        self._emit(
            CostEstimated(
                settings=settings,
                parameter_count=parameter_count(settings, self._vocabulary_size),
                memory_bytes=memory_bytes(settings, self._vocabulary_size),
                step_s=times.step_s,
                run_s=settings.max_steps * times.step_s + evaluations * evaluation_s,
                is_measured=is_measured,
            )
        )

    def _windows(self, settings: RunSettings) -> int:
        """How many windows an evaluation covers: no more than the text has, where there is one."""
        available = (
            max(self._validation_tokens - 1, 0) // settings.block_size if self._validation_tokens else settings.eval_windows
        )
        return min(settings.eval_windows, available)


def _measure(settings: RunSettings, vocabulary_size: int) -> _Times:
    """Time a step, a piece of an evaluation and a few tokens of a sample of a model made for it."""
    model = build_model(settings, vocabulary_size)
    parts = Parts(settings.parts)
    ids = np.random.default_rng(0).integers(0, vocabulary_size, (settings.batch_size, settings.block_size + 1))
    with np.errstate(all="ignore"):  # a learning rate that is too high is no matter here
        step_s = _time_step(settings, model, parts, ids)
        model.eval()
        windows = np.resize(ids, (max(1, EVALUATED_TOKENS_AT_ONCE // settings.block_size), settings.block_size + 1))
        window_s = _fastest(lambda: parts.loss(model, windows[:, :-1], windows[:, 1:])) / len(windows)
        return _Times(step_s=step_s, window_s=window_s, token_s=_time_token(model, ids[0, :1]))


def _time_step(settings: RunSettings, model: GPTLanguageModel, parts: Parts, ids: NDArray[Any]) -> float:
    """Seconds for a training step: the fastest of two, or of more while they are quick, for a redraw meanwhile slows one down."""
    optimizer = build_optimizer(model, settings)
    times: list[float] = []
    while len(times) < 2 or (len(times) < _MOST_MEASURED_STEPS and sum(times) < _LONGEST_MEASURED_STEP_S):
        began = perf_counter()
        parts.gradients(model, ids[:, :-1], ids[:, 1:], lambda part: stream(settings.seed, "measure", part))
        parts.step(optimizer)
        times.append(perf_counter() - began)
    return min(times)


def _time_token(model: GPTLanguageModel, prompt: NDArray[Any]) -> float:
    """Seconds from one written token to the next."""
    tokens = model.stream(prompt, _MEASURED_TOKENS, Sampling(), stream(0, "measure"))
    next(tokens)
    return _fastest(lambda: next(tokens), _MEASURED_TOKENS - 1)


def _fastest(function: Callable[[], object], count: int = 2) -> float:
    fastest = inf
    for _ in range(count):
        began = perf_counter()
        function()
        fastest = min(perf_counter() - began, fastest)
    return fastest
