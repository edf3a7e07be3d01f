"""What the engine tells of a run that was loaded, and of an error."""

import logging
import traceback

from gui.events import CheckpointOpened, ProblemFound
from nanograd.errors import NanogradError, SettingsError
from nanograd.training.saved_run import OpenedRun

_log = logging.getLogger(__name__)


def describe_opened(opened: OpenedRun, parameter_count: int, *, corpus_missing: bool, is_fork: bool) -> CheckpointOpened:
    """A run that was loaded, with what its folder tells beside the checkpoint."""
    saved, directory = opened.saved, opened.directory
    return CheckpointOpened(
        path=opened.origin,
        step=saved.step,
        settings=saved.settings,
        parameter_count=parameter_count,
        vocabulary=saved.tokenizer.vocabulary,
        metrics=saved.metrics,
        samples=directory.samples(saved.step) if directory else (),
        probe=saved.probe,
        corpus_name=saved.corpus.name,
        corpus_missing=corpus_missing,
        notice=opened.notice,
        changes=(*directory.changes(), *directory.probes()) if directory else (),
        is_fork=is_fork,
        looks=directory.looks.load(saved.step, saved.tokenizer.vocabulary) if directory else (),
    )


def describe_problem(error: Exception, remedy: str = "") -> ProblemFound:
    """What went wrong; a fault of the program's own is logged, and its traceback can be copied."""
    problems = tuple(error.problems.items()) if isinstance(error, SettingsError) else ()
    message, details = str(error), ""
    if isinstance(error, MemoryError):
        message = "There is not enough memory for that. Choose a smaller batch, context or model, or close other programs."
    elif not isinstance(error, NanogradError):
        _log.error("The engine met an unexpected error.", exc_info=error)
        message = f"Something went wrong inside: {error!r}. The last checkpoint is safe."
        details = "".join(traceback.format_exception(error))
    return ProblemFound(message=f"{message} {remedy}".strip(), details=details, setting_problems=problems)
