"""What the engine tells of a text, of a run that was loaded, and of an error."""

import logging
import traceback
from typing import Final

from gui.events import CheckpointOpened, CorpusOpened, ProblemFound
from nanograd.errors import NanogradError, SettingsError
from nanograd.text.byte_pair import BytePairTokenizer
from nanograd.text.byte_pair_training import LARGEST_VOCABULARY, SMALLEST_VOCABULARY
from nanograd.text.choice import TokenizerChoice
from nanograd.text.corpus import Corpus, token_counts
from nanograd.training.saved_run import OpenedRun

PREVIEW_TOKENS: Final = 400
_SHOWN_COUNTS: Final = 1000
_log = logging.getLogger(__name__)


def describe_corpus(corpus: Corpus, choice: TokenizerChoice | None, bundled: str, cache_bytes: int, probe: str) -> CorpusOpened:
    """What the window is told of a text. `choice` is the one that was made for it, if any."""
    return CorpusOpened(
        name=corpus.name,
        path=corpus.path,
        byte_count=corpus.byte_count,
        character_count=corpus.character_count,
        vocabulary=corpus.tokenizer.vocabulary,
        token_count=len(corpus.ids),
        token_counts=token_counts(corpus)[:_SHOWN_COUNTS],
        preview=corpus.tokenizer.decode(corpus.ids[:PREVIEW_TOKENS]).removesuffix("\ufffd"),
        choice=_choice_of(corpus, choice),
        source=corpus.source,
        bundled=bundled,
        fields=corpus.fields,
        cache_bytes=cache_bytes,
        probe=probe,
        notice=corpus.notice,
    )


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


def _choice_of(corpus: Corpus, choice: TokenizerChoice | None) -> TokenizerChoice:
    """The choice that was made where the tokenizer came of it, otherwise the one that it would come of."""
    tokenizer = corpus.tokenizer
    if choice is not None and choice.kind == tokenizer.kind and tokenizer.vocabulary_size <= choice.vocabulary_size:
        return choice  # a short text has fewer pairs to learn than were asked for
    if not isinstance(tokenizer, BytePairTokenizer):
        return TokenizerChoice(kind="byte" if tokenizer.kind == "byte" else "character")
    size = min(max(tokenizer.vocabulary_size, SMALLEST_VOCABULARY), LARGEST_VOCABULARY)
    return TokenizerChoice(kind="byte-pair", vocabulary_size=size)
