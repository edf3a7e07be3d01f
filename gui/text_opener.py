"""Opens a text step by step, so that training and commands come in between, and tells how far it is and what came of it."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from gui.commands import CancelOpening, ClearCache, LimitCache, OpenBundledCorpus, OpenCorpus
from gui.events import CacheMeasured, CorpusAdvanced, CorpusOpened, EncodingAsked, EngineEvent, OpeningEnded, TextChanged
from nanograd.text.building import TextProgress
from nanograd.text.byte_pair import BytePairTokenizer
from nanograd.text.byte_pair_training import LARGEST_VOCABULARY, SMALLEST_VOCABULARY
from nanograd.text.cache import IdsCache
from nanograd.text.choice import TokenizerChoice
from nanograd.text.corpus import Corpus, Opening, describe_change, open_text, token_counts
from nanograd.text.encodings import EncodingError
from resources import BUNDLED_CORPORA, corpus_text

PREVIEW_TOKENS: Final = 400
_SHOWN_COUNTS: Final = 1000
_QUIET_S = 0.3
_TOLD_INTERVAL_S = 0.1
_ENCODING_PER_READING = 1.5  # how much longer the second pass takes, roughly


class TextOpener:
    """At most one text at a time; a new one ends the one before."""

    def __init__(self, emit: Callable[[EngineEvent], None], cache: IdsCache) -> None:
        self._emit = emit
        self._cache = cache
        self._opening: Opening | None = None
        self._command: OpenCorpus | OpenBundledCorpus | None = None
        self._told_changed: Corpus | None = None
        self._name = ""
        self._stage = ""
        self._began_s = self._stage_began_s = self._told_at_s = 0.0

    @property
    def is_opening(self) -> bool:
        """Whether a text is under way."""
        return self._opening is not None

    @property
    def command(self) -> OpenCorpus | OpenBundledCorpus | None:
        """What was asked for last."""
        return self._command

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

    def tell_of_changed_files(self, corpus: Corpus) -> None:
        """Say once where the text's files are gone or say something else now."""
        if corpus.source is not None and self._told_changed is not corpus:
            notice = describe_change(corpus.source, corpus.stamp, corpus.digest)
            if notice:
                self._told_changed = corpus
                self._emit(TextChanged(message=notice))

    def start(self, command: OpenCorpus | OpenBundledCorpus, opening: Opening) -> None:
        """Begin to open a text."""
        self._name = command.source.name if isinstance(command, OpenCorpus) else title_of(command.name)
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
            self._tell(next(self._opening))
            return None
        except StopIteration as end:
            self._opening = None
            corpus: Corpus = end.value
            return corpus
        except EncodingError as error:
            self._opening = None
            assert isinstance(self._command, OpenCorpus)
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

    def _tell(self, progress: TextProgress) -> None:
        now_s = monotonic()
        if progress.stage != self._stage:
            self._stage, self._stage_began_s = progress.stage, now_s
        if now_s - self._began_s < _QUIET_S or now_s - self._told_at_s < _TOLD_INTERVAL_S:
            return
        self._told_at_s = now_s
        self._emit(
            CorpusAdvanced(
                name=self._name, stage=progress.stage, done=progress.done, total=progress.total,
                seconds_left=self._seconds_left(progress, now_s),
            )
        )  # fmt: skip

    def _seconds_left(self, progress: TextProgress, now_s: float) -> float:
        rate_s = (now_s - self._stage_began_s) / max(progress.done, 1)
        following = _ENCODING_PER_READING * progress.total if progress.stage == "reading" else 0.0
        return rate_s * (progress.total - progress.done + following)


def describe(corpus: Corpus, command: OpenCorpus | OpenBundledCorpus | None, cache_bytes: int, probe: str) -> CorpusOpened:
    """What the window is told of a text. `command` is what asked for it, if anything did."""
    return CorpusOpened(
        name=corpus.name,
        path=corpus.path,
        byte_count=corpus.byte_count,
        character_count=corpus.character_count,
        vocabulary=corpus.tokenizer.vocabulary,
        token_count=len(corpus.ids),
        token_counts=token_counts(corpus)[:_SHOWN_COUNTS],
        preview=corpus.tokenizer.decode(corpus.ids[:PREVIEW_TOKENS]).removesuffix("\ufffd"),
        choice=_choice_of(corpus, command.choice if command else None),
        source=corpus.source,
        bundled=command.name if isinstance(command, OpenBundledCorpus) else "",
        fields=corpus.fields,
        cache_bytes=cache_bytes,
        probe=probe,
        notice=corpus.notice,
    )


def open_bundled(command: OpenBundledCorpus) -> Opening:
    """Open one of the texts that come with the program, step by step."""
    return open_text(corpus_text(command.name), title_of(command.name), command.choice)


def title_of(key: str) -> str:
    """What a text is called that comes with the program."""
    return {text.key: text.title for text in BUNDLED_CORPORA}[key]


def _choice_of(corpus: Corpus, choice: TokenizerChoice | None) -> TokenizerChoice:
    """The choice that was made where the tokenizer came of it, otherwise the one that it would come of."""
    tokenizer = corpus.tokenizer
    if choice is not None and choice.files is not None and tokenizer.kind == choice.kind:
        return choice
    if choice is not None and choice.kind == tokenizer.kind and tokenizer.vocabulary_size <= choice.vocabulary_size:
        return choice  # a short text has fewer pairs to learn than were asked for
    if not isinstance(tokenizer, BytePairTokenizer):
        return TokenizerChoice(kind="byte" if tokenizer.kind == "byte" else "character")
    size = min(max(tokenizer.vocabulary_size, SMALLEST_VOCABULARY), LARGEST_VOCABULARY)
    return TokenizerChoice(kind="byte-pair", vocabulary_size=size)
