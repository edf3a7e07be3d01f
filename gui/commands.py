"""What the window asks of the engine, as frozen values."""

from dataclasses import dataclass
from pathlib import Path

from nanograd.training.metrics import MetricsArrays
from nanograd.training.settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCorpus:
    """Load the text at `path` for the next run."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBundledCorpus:
    """Load the text with the key `name` of those that come with the program."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTraining:
    """Start a run with these settings, or let the present one go on."""

    settings: RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseTraining:
    """Stop asking for steps; the run stays in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeStep:
    """Do one optimizer step, starting a run where there is none, then pause."""

    settings: RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTraining:
    """Save the run and finish it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRun:
    """Save the run under way and let go of it, so that Train starts a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCheckpoint:
    """Write the present run to `path`."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCheckpoint:
    """Load the run at `path`; a run under way is saved first."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExportMetrics:
    """Write the numbers of a run to `path`, as a table."""

    path: Path
    metrics: MetricsArrays


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowBatch:
    """Find the texts that `step` learned from, by going through the steps before it again."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetProbe:
    """Watch the attention over this text from now on."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    """Continue `prompt`. `top_k` 0 and `top_p` 1 are off; `temperature` 0 takes the likeliest; `seed` -1 is a random one.

    With a `beside_step`, the model of that moment writes too, where it is kept.
    """

    prompt: str
    max_new_tokens: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    repetition_penalty: float = 1.0
    beside_step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewNext:
    """Tell what could come after this request's prompt, and how its settings change that; nothing is written."""

    request: Generate


@dataclass(frozen=True, slots=True, kw_only=True)
class StopGenerating:
    """Let the text under way end where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateCost:
    """Tell what a run with these settings will take."""

    settings: RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """Save what is unsaved and end the thread; where saving fails the thread lives on, unless it `discards_unsaved`."""

    discards_unsaved: bool = False


Command = (
    OpenCorpus
    | OpenBundledCorpus
    | StartTraining
    | PauseTraining
    | TakeStep
    | StopTraining
    | CloseRun
    | SaveCheckpoint
    | OpenCheckpoint
    | ExportMetrics
    | ShowBatch
    | SetProbe
    | Generate
    | PreviewNext
    | StopGenerating
    | EstimateCost
    | Shutdown
)
