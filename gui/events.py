"""What the engine tells the window beside the events of the run itself, as frozen values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nanograd.training.events import BatchSeen, ReplayAdvanced, SampleWritten, TrainingEvent
from nanograd.training.metrics import MetricsArrays
from nanograd.training.settings import RunSettings

RunState = Literal["idle", "training", "paused", "finished", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStateChanged:
    """The run is in `state` now, after `step` finished steps."""

    state: RunState
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusOpened:
    """A text is ready. `token_counts` has each token and how often it occurs, most frequent first.

    `probe` is the text whose attention a run would watch. `notice` is a remark for the reader, such as an encoding that had
    to be assumed; otherwise empty.
    """

    name: str
    path: Path | None
    byte_count: int
    character_count: int
    vocabulary: tuple[str, ...]
    token_counts: tuple[tuple[str, int], ...]
    preview: str
    probe: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckpointOpened:
    """A run was loaded. `corpus_missing` says that its text is gone: generation works, training asks for it."""

    path: Path
    step: int
    settings: RunSettings
    parameter_count: int
    vocabulary: tuple[str, ...]
    metrics: MetricsArrays
    samples: tuple[SampleWritten, ...]
    probe: str
    corpus_name: str
    corpus_missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointWritten:
    """The checkpoint that was asked for by hand lies at `path`."""

    path: Path
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerRunFound:
    """The run that was saved last, in an earlier session; it can go on from its checkpoint at `path`."""

    path: Path
    corpus_name: str
    step: int
    max_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsExported:
    """The numbers of a run lie at `path`, as a table."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEstimated:
    """What a run with `settings` takes: bytes of memory, seconds for one step, and for the run with its evaluations.

    `is_measured` where a real step, a real evaluation and a real sample were timed in part.
    """

    settings: RunSettings
    parameter_count: int
    memory_bytes: int
    step_s: float
    run_s: float
    is_measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayStarted:
    """To see the batch of `step`, `replayed_steps` steps after step `replayed_from` are gone through again."""

    step: int
    replayed_from: int
    replayed_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationStarted:
    """A text begins after `prompt`, drawn with `seed`."""

    prompt: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextGenerated:
    """The next token's text, how likely it was, and its likeliest rivals with their probabilities, itself included."""

    text: str
    probability: float
    rivals: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPreviewed:
    """What could come after `prompt`, likeliest first: the token's text, the model's own probability, and that of being drawn."""

    prompt: str
    rivals: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationFinished:
    """The text under way has ended after `token_count` tokens, by itself or because it was stopped."""

    token_count: int
    tokens_per_second: float
    was_stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBeside:
    """The same of the text that the model of an earlier moment writes."""

    event: GenerationStarted | TextGenerated | GenerationFinished


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentsKept:
    """The model as it was after these steps is kept, in order, and can write."""

    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemFound:
    """Something did not work: the message says what and what to do; `details` is a traceback where the fault is ours.

    `setting_problems` maps settings fields to what is wrong with them; `source` names the view that should show it.
    """

    message: str
    details: str = ""
    setting_problems: tuple[tuple[str, str], ...] = ()
    source: Literal["", "prompt", "probe"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownRefused:
    """The run could not be saved, as a ProblemFound has said, so the engine goes on."""


EngineEvent = (
    TrainingEvent
    | RunStateChanged
    | CorpusOpened
    | CheckpointOpened
    | CheckpointWritten
    | FormerRunFound
    | MetricsExported
    | CostEstimated
    | ReplayStarted
    | ReplayAdvanced
    | BatchSeen
    | GenerationStarted
    | TextGenerated
    | NextPreviewed
    | GenerationFinished
    | WrittenBeside
    | MomentsKept
    | ProblemFound
    | ShutdownRefused
)
