"""Tells what a run would take: counted at once, then measured by timing a real step while there is nothing else to do."""

from collections.abc import Callable
from time import perf_counter

import numpy as np

from gui.events import CostEstimated, EngineEvent
from nanograd.random import stream
from nanograd.text.corpus import Corpus
from nanograd.training.estimate import ASSUMED_VOCABULARY_SIZE, memory_bytes, parameter_count, step_flop
from nanograd.training.parts import Parts
from nanograd.training.settings import RunSettings
from nanograd.training.trainer import build_model, build_optimizer

_ASSUMED_FLOP_PER_S = 4e10
_LONGEST_MEASURED_STEP_S = 0.6
_LARGEST_MEASURED_BYTES = 1_500_000_000
_QUIET_S = 0.25
_MOST_MEASURED_STEPS = 10


class CostMeter:
    """Answers each request with a CostEstimated from the counted arithmetic, and a second one once a step was timed."""

    def __init__(self, emit: Callable[[EngineEvent], None]) -> None:
        self._emit = emit
        self._settings: RunSettings | None = None
        self._vocabulary_size = ASSUMED_VOCABULARY_SIZE
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
        step_s = self._answer(is_measured=False)
        self._waiting = (
            step_s < _LONGEST_MEASURED_STEP_S and memory_bytes(settings, self._vocabulary_size) < _LARGEST_MEASURED_BYTES
        )

    def measure(self) -> None:
        """Time a real step of the settings asked for last."""
        if not self._waiting or self._settings is None:
            return
        self._waiting = False
        step_s = _time_step(self._settings, self._vocabulary_size)
        self._flop_per_s = step_flop(self._settings, self._vocabulary_size) / step_s
        self._answer(is_measured=True)

    def _answer(self, is_measured: bool) -> float:
        settings = self._settings
        assert settings is not None
        step_s = step_flop(settings, self._vocabulary_size) / self._flop_per_s
        self._emit(
            CostEstimated(
                settings=settings,
                parameter_count=parameter_count(settings, self._vocabulary_size),
                memory_bytes=memory_bytes(settings, self._vocabulary_size),
                step_s=step_s,
                is_measured=is_measured,
            )
        )
        return step_s


def _time_step(settings: RunSettings, vocabulary_size: int) -> float:
    """Seconds for a training step: the fastest of two, or of more while they are quick, for a redraw meanwhile slows one down."""
    model = build_model(settings, vocabulary_size)
    optimizer = build_optimizer(model, settings)
    parts = Parts(settings.parts)
    ids = np.random.default_rng(0).integers(0, vocabulary_size, (settings.batch_size, settings.block_size + 1))
    times: list[float] = []
    with np.errstate(all="ignore"):  # a learning rate that is too high is no matter here
        while len(times) < 2 or (len(times) < _MOST_MEASURED_STEPS and sum(times) < _LONGEST_MEASURED_STEP_S):
            began = perf_counter()
            parts.gradients(model, ids[:, :-1], ids[:, 1:], lambda part: stream(settings.seed, "measure", part))
            parts.step(optimizer)
            times.append(perf_counter() - began)
    return min(times)
