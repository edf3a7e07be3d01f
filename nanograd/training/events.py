"""What happens in a run, as frozen values: the Trainer yields them, files and windows are made from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanograd.training.settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins, or goes on, after `step` finished steps."""

    step: int
    settings: RunSettings
    vocabulary_size: int
    parameter_count: int
    run_directory: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """One optimizer step is done. `step` counts from 1; `loss` is the batch's mean, in nats per token."""

    step: int
    loss: float
    lr: float
    gradient_norm: float
    tokens_per_second: float


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
class ProbeTaken:
    """Where each head looks over the probe: `weights` is (n_layer, n_head, T, T), a query's row sums to one."""

    step: int
    tokens: tuple[str, ...]
    weights: NDArray[np.float32]


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
    | RunFinished
    | RunFailed
)
