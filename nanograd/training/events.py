"""What happens in a run, as frozen values: the Trainer yields them, files and windows are made from them."""

from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanograd.training.settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins, or goes on, after `step` finished steps. `at_s` is when, by `perf_counter`."""

    step: int
    settings: RunSettings
    vocabulary_size: int
    parameter_count: int
    run_directory: Path | None = None
    at_s: float = field(default_factory=perf_counter, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """One optimizer step is done. `step` counts from 1; `loss` is the batch's mean, in nats per token; `at_s` by `perf_counter`."""

    step: int
    loss: float
    lr: float
    gradient_norm: float
    tokens_per_second: float
    at_s: float = field(default_factory=perf_counter, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationAdvanced:
    """`done` of `total` windows of an evaluation are behind us."""

    step: int
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationFinished:
    """The validation loss after `step` steps, in nats per token, over the fixed windows.

    `digest` is the SHA-256 of the weights, `chain` that of all digests up to it.
    """

    step: int
    loss: float
    digest: str = ""
    chain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions:
    """What the model expects after each token of the probe, read off before the first block and after each of them.

    The K likeliest tokens are `rivals` (n_layer + 1, T, K), ids into `vocabulary`, with `probabilities` of the same shape.
    `losses` (n_layer + 1, T - 1) are those of the tokens that did follow, in nats.
    """

    vocabulary: tuple[str, ...]
    ids: NDArray[np.int64]
    rivals: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    losses: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inside:
    """The model's numbers. The first tokens of the vocabulary lie at `points` (V, 2), each with its nearest `neighbours` (V, N).

    `kinds` are "weights" and, once a step was watched, "gradients" and "updates", those of the step `changed_at`. For
    each and for each of the `parts` there are `counts` (kinds, parts, bins) from -`widths` to `widths` (kinds,), and
    `deviations` (kinds, parts) from 0.
    """

    points: NDArray[np.float32]
    neighbours: NDArray[np.int32]
    kinds: tuple[str, ...]
    parts: tuple[str, ...]
    counts: NDArray[np.uint32]
    widths: NDArray[np.float32]
    deviations: NDArray[np.float32]
    changed_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProbeTaken:
    """Where each head looks over the probe: `weights` is (n_layer, n_head, T, T), a query's row sums to one.

    `predictions` tell what the model expects there. `scores` (n_layer, n_head, 3) tell how much each head looks at the token
    before, at the first token, and, as an induction head does, at what came after the same token earlier. `inside` are the
    model's own numbers.
    """

    step: int
    tokens: tuple[str, ...]
    weights: NDArray[np.float32]
    predictions: Predictions | None = None
    scores: NDArray[np.float32] | None = None
    inside: Inside | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayAdvanced:
    """On the way to the batch of `step`, `done` of `total` steps were gone through again."""

    step: int
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchSeen:
    """The texts of one step's batch, worst first: `ids` (B, T + 1) into `vocabulary`, and the `losses` (B, T) of all but the first.

    `loss` is their mean, in nats per token, and `told_loss` what the run itself told. To get there, `replayed_steps` steps were
    gone through again after step `replayed_from`.
    """

    step: int
    vocabulary: tuple[str, ...]
    ids: NDArray[np.int64]
    losses: NDArray[np.float32]
    loss: float
    told_loss: float | None
    replayed_steps: int
    replayed_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleAdvanced:
    """`done` of the `total` tokens of a sample are written."""

    step: int
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleWritten:
    """A text the model wrote after `step` steps; `text` does not repeat the prompt."""

    step: int
    prompt: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSaved:
    """The run can go on from `path`, exactly where it stood after `step` steps."""

    step: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFailed:
    """A checkpoint could not be written; the run goes on in memory."""

    step: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    """After `step` steps the run goes on with other settings: `changes` are (name, before, after)."""

    step: int
    changes: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeChanged:
    """After `step` steps another text is watched."""

    step: int
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSpiked:
    """The loss of `step` jumped far above what was usual; the weights have changed, and the run can go on."""

    step: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationAdvanced:
    """A run is replayed; it has come to `step` of `last_step`."""

    step: int
    last_step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationFinished:
    """A run was replayed from the checkpoint of `first_step`, and the weights compared at `compared` recorded evaluations.

    `differs_at` is the first step whose weights are not the recorded ones, None where all are; `causes` say why that may be.
    `altered_at` is the first step whose digest the run's own files tell in two ways.
    """

    first_step: int
    last_step: int
    compared: int
    differs_at: int | None = None
    altered_at: int | None = None
    causes: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether all that was compared matched."""
        return self.differs_at is None and self.altered_at is None

    @property
    def message(self) -> str:
        """The outcome in words."""
        span = f"replayed from step {self.first_step:,} to {self.last_step:,}"
        if self.altered_at is not None:
            return f"The run's files contradict each other: metrics.jsonl and the checkpoint differ at step {self.altered_at:,}."
        if self.differs_at is None:
            return f"The same run: {span}, the weights match at all {self.compared:,} recorded evaluations."
        return f"Not the same run: {span}, the weights first differ at step {self.differs_at:,}. {' '.join(self.causes)}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The run reached its `max_steps`."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed:
    """The loss or the gradient of `step` was not finite, which did not change the weights, or the validation loss after it."""

    step: int
    message: str


TrainingEvent = (
    RunStarted
    | StepFinished
    | EvaluationAdvanced
    | EvaluationFinished
    | ProbeTaken
    | SampleAdvanced
    | SampleWritten
    | CheckpointSaved
    | CheckpointFailed
    | SettingsChanged
    | ProbeChanged
    | LossSpiked
    | VerificationAdvanced
    | VerificationFinished
    | RunFinished
    | RunFailed
)
