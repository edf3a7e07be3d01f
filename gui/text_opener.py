"""Opens a text step by step, so that training and commands come in between, and tells how far it is and what came of it."""

from collections.abc import Callable
from time import monotonic

from gui.commands import CancelOpening, ClearCache, LimitCache, OpenCorpus
from gui.events import CacheMeasured, CorpusAdvanced, EncodingAsked, EngineEvent, OpeningEnded, TextChanged
from nanograd.text.building import TextProgress
from nanograd.text.cache import IdsCache
from nanograd.text.choice import TokenizerChoice
from nanograd.text.corpus import Corpus, Opening, describe_change
from nanograd.text.encodings import EncodingError
from resources import BUNDLED_CORPORA, corpus_text

_QUIET_S = 0.3
_TOLD_INTERVAL_S = 0.1
_ENCODING_PER_READING = 1.5  # how much longer the second pass takes, roughly


class TextOpener:
    """At most one text at a time; a new one ends the one before."""

    def __init__(self, emit: Callable[[EngineEvent], None], cache: IdsCache) -> None:
        self._emit = emit
        self._cache = cache
        self._opening: Opening | None = None
        self._command: OpenCorpus | None = None
        self._told_changed: Corpus | None = None
        self._stage = ""
        self._began_s = self._stage_began_s = self._told_at_s = 0.0

    @property
    def is_opening(self) -> bool:
        """Whether a text is under way."""
        return self._opening is not None

    @property
    def choice(self) -> TokenizerChoice | None:
        """The tokenizer that was asked for last."""
        return self._command.choice if self._command else None

    def handle(self, command: CancelOpening | ClearCache | LimitCache) -> None:
        """Do what is asked of texts beside opening them."""
        match command:
            case CancelOpening():
                self.cancel()
                self._emit(OpeningEnded())
                return
            case ClearCache():
                self._cache.clear()
            case LimitCache():
                self._cache.limit_bytes = command.limit_bytes
                self._cache.trim()
        self._emit(CacheMeasured(cache_bytes=self._cache.size_bytes()))

    def start(self, command: OpenCorpus, opening: Opening) -> None:
        """Begin to open a text."""
        self.cancel()
        self._opening, self._command, self._stage = opening, command, "reading"
        self._began_s = self._stage_began_s = self._told_at_s = monotonic()

    def advance(self) -> Corpus | None:
        """One step; the corpus where that was the last. A file that is not Unicode ends the opening with a question.

        What else it raises ends it too.
        """
        if self._opening is None or self._command is None:
            return None
        try:
            self._tell(self._command.source.name, next(self._opening))
            return None
        except StopIteration as end:
            self._opening = None
            corpus: Corpus = end.value
            return corpus
        except EncodingError as error:
            self._opening = None
            self._emit(EncodingAsked(source=self._command.source, name=error.name, guesses=error.guesses))
            return None
        except BaseException:
            self._opening = None
            raise

    def cancel(self) -> None:
        """Give up what is under way, if anything."""
        if self._opening is not None:
            self._opening.close()
            self._opening = None

    def tell_of_changes(self, corpus: Corpus) -> None:
        """Say once where the text's files are gone or say something else now."""
        if corpus.source is not None and self._told_changed is not corpus:
            notice = describe_change(corpus.source, corpus.stamp, corpus.digest)
            if notice:
                self._told_changed = corpus
                self._emit(TextChanged(message=notice))

    def _tell(self, name: str, progress: TextProgress) -> None:
        now_s = monotonic()
        if progress.stage != self._stage:
            self._stage, self._stage_began_s = progress.stage, now_s
        if now_s - self._began_s < _QUIET_S or now_s - self._told_at_s < _TOLD_INTERVAL_S:
            return
        self._told_at_s = now_s
        self._emit(
            CorpusAdvanced(
                name=name, stage=progress.stage, done=progress.done, total=progress.total,
                seconds_left=self._seconds_left(progress, now_s),
            )
        )  # fmt: skip

    def _seconds_left(self, progress: TextProgress, now_s: float) -> float:
        rate_s = (now_s - self._stage_began_s) / max(progress.done, 1)
        following = _ENCODING_PER_READING * progress.total if progress.stage == "reading" else 0.0
        return rate_s * (progress.total - progress.done + following)


def bundled_corpus(key: str, choice: TokenizerChoice) -> Corpus:
    """The text with this key of those that come with the program."""
    titles = {text.key: text.title for text in BUNDLED_CORPORA}
    return Corpus.from_text(corpus_text(key), name=titles[key], choice=choice)
