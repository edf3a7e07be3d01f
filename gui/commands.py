"""What the window asks of the engine, as frozen values."""

from dataclasses import dataclass, field
from pathlib import Path

from nanograd.text.choice import TokenizerChoice
from nanograd.text.source import TextSource
from nanograd.training.metrics import MetricsArrays
from nanograd.training.settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCorpus:
    """Load the text of `source` for the next run, told in the tokens of `choice`."""

    source: TextSource
    choice: TokenizerChoice = field(default_factory=TokenizerChoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBundledCorpus:
    """Load the text with the key `name` of those that come with the program."""

    name: str
    choice: TokenizerChoice = field(default_factory=TokenizerChoice)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOpening:
    """Give up the text that is being opened; the one before stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCache:
    """Remove the encoded texts that are kept to be opened faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCache:
    """Keep the encoded texts within `limit_bytes` from now on; those used longest ago go first."""

    limit_bytes: int


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
class ChangeSettings:
    """Let the run under way go on with these settings; a checkpoint with those before comes first."""

    settings: RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class GoBack:
    """Train on from the last good checkpoint up to `step`, with these settings."""

    step: int
    settings: RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRuns:
    """Tell of every run that is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCurves:
    """Tell the numbers of the runs in these folders, as far as they can be read."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteNotes:
    """Put `text` in place of the notes of the run in the folder `path`."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkRun:
    """Load the run in the folder `path` as it was at `step`, the newest where None, so that Train goes on in a new run.

    Its settings may be others, as far as the weights allow.
    """

    path: Path
    step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRun:
    """Replay the run at `path` from a checkpoint, the oldest where `from_step` is None, and tell whether it comes out the same."""

    path: Path
    from_step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopVerifying:
    """Let the replay under way end where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRun:
    """Move the run at `path` to the trash."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRun:
    """Put the run that lies in the trash at `path` back."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyTrash:
    """Remove the runs in the trash for good."""


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

    `following` are the tokens after the prompt that are there already, as the vocabulary has them. `beside` names a model
    that writes too: this run's own after a step, where that is kept, or that of the run in a folder.
    """

    prompt: str
    max_new_tokens: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    repetition_penalty: float = 1.0
    following: tuple[str, ...] = ()
    beside: int | Path | None = None


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
    | CancelOpening
    | ClearCache
    | LimitCache
    | StartTraining
    | PauseTraining
    | TakeStep
    | StopTraining
    | ChangeSettings
    | GoBack
    | ListRuns
    | ReadCurves
    | WriteNotes
    | ForkRun
    | VerifyRun
    | StopVerifying
    | DeleteRun
    | RestoreRun
    | EmptyTrash
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

WAITING_FOR_TEXT = (StartTraining, TakeStep, OpenCheckpoint, ForkRun, CloseRun, SetProbe)
"""What waits, while a text is being opened, until it is there."""
