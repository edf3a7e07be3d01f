"""What the engine tells the window beside the events of the run itself, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nanograd.text.choice import TokenizerChoice
from nanograd.text.source import TextSource
from nanograd.training.events import (
    BatchSeen,
    ProbeChanged,
    ProbeTaken,
    ReplayAdvanced,
    SampleWritten,
    SettingsChanged,
    TrainingEvent,
)
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
    """A text is ready, told in the tokens of `choice`. `token_counts` has each and how often it occurs, most frequent first.

    `source` tells of its files, `bundled` is its key where it comes with the program, `fields` are those of its tables, and
    `cache_bytes` is what all encoded texts take on the disk. `probe` is the text whose attention a run would watch. `notice`
    is a remark for the reader, such as what had to be left out; otherwise empty.
    """

    name: str
    path: Path | None
    byte_count: int
    character_count: int
    vocabulary: tuple[str, ...]
    token_count: int
    token_counts: tuple[tuple[str, int], ...]
    preview: str
    choice: TokenizerChoice = field(default_factory=TokenizerChoice)
    source: TextSource | None = None
    bundled: str = ""
    fields: tuple[str, ...] = ()
    cache_bytes: int = 0
    probe: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusAdvanced:
    """A text is being opened: `done` of `total` bytes, or of tokens where it is learning them."""

    name: str
    stage: Literal["reading", "learning", "encoding"]
    done: int
    total: int
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingAsked:
    """The file `name` of `source` is not Unicode: each guess is an encoding and how the text would read. The text is not open."""

    source: TextSource
    name: str
    guesses: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningEnded:
    """The text that was being opened is open now, or was given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheMeasured:
    """How much the encoded texts take on the disk, in bytes."""

    cache_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChanged:
    """The files of the run's text are gone or say something else now, as `message` tells; the run goes on without them."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckpointOpened:
    """A run was loaded, with the `looks` that were kept; where it `is_fork`, Train goes on in a new one. `corpus_missing` says that its text is gone: generation works, training asks for it.

    `notice` is a remark for the reader, such as that a damaged checkpoint was passed over; otherwise empty.
    """

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
    notice: str = ""
    changes: tuple[SettingsChanged | ProbeChanged, ...] = ()
    is_fork: bool = False
    looks: tuple[ProbeTaken, ...] = ()


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
class KeptRun:
    """A run in its folder at `path`. `checkpoints` are the steps and sizes in bytes of those kept, oldest first.

    `byte_count` is what the whole folder takes; `is_open` says that it is loaded here or being written elsewhere. `settings`
    are those of its file, unchecked, empty where it cannot be read. `problem` says what of the run is missing, damaged or newer.
    """

    path: Path
    corpus_name: str
    step: int
    max_steps: int
    best_loss: float | None
    byte_count: int
    checkpoints: tuple[tuple[int, int], ...]
    parent: tuple[str, int] | None
    is_open: bool
    settings: Mapping[str, Any]
    notes: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurvesRead:
    """The numbers of the runs that were asked for, by their folders; without points where they cannot be read."""

    curves: Mapping[Path, MetricsArrays]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsListed:
    """Every run that is kept, the one saved last first, the place of the `loaded` one, and what else takes room, in bytes."""

    runs: tuple[KeptRun, ...]
    loaded: Path | None
    texts_byte_count: int
    trash_byte_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDeleted:
    """A run lies at `path` in the trash now, from where it can be put back."""

    path: Path
    byte_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationStopped:
    """A replay ended at `step` before it was through; until there nothing differed."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingBackOffered:
    """A run went wrong: it can go on from the checkpoint of `step` with these settings, whose rates are lower."""

    step: int
    settings: RunSettings


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
    """A text begins after `prompt`, drawn with `seed` by the model as it is after `step` steps.

    `last_text` is what the last of the tokens that were there already adds.
    """

    prompt: str
    seed: int
    last_text: str = ""
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextGenerated:
    """The next token, how likely it was, and its likeliest rivals with their probabilities, itself included.

    `text` is what it adds: empty while a character lacks tokens still, and then the whole of it.
    """

    text: str
    token: str
    probability: float
    rivals: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextPreviewed:
    """What could come after `prompt` and the tokens `following` it, likeliest first.

    Each is a token, the model's own probability, and that of being drawn.
    """

    prompt: str
    following: tuple[str, ...] = ()
    rivals: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationFinished:
    """The text under way has ended after `token_count` tokens, by itself or because it was stopped."""

    token_count: int
    tokens_per_second: float
    was_stopped: bool


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
    source: Literal["", "prompt", "probe", "tokenizer"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenBeside:
    """The same of the text that the model of an earlier moment or of another run writes, or why it cannot.

    `has_other_tokens` where that run's vocabulary is not that of the present one.
    """

    event: GenerationStarted | TextGenerated | GenerationFinished | ProblemFound
    has_other_tokens: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownRefused:
    """The run could not be saved, as a ProblemFound has said, so the engine goes on."""


EngineEvent = (
    TrainingEvent
    | RunStateChanged
    | CorpusOpened
    | CorpusAdvanced
    | EncodingAsked
    | OpeningEnded
    | CacheMeasured
    | TextChanged
    | CheckpointOpened
    | CheckpointWritten
    | FormerRunFound
    | RunsListed
    | CurvesRead
    | RunDeleted
    | VerificationStopped
    | GoingBackOffered
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
