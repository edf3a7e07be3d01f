"""Opens a text step by step, so that training and commands come in between, and tells how far it is."""

from collections.abc import Callable
from time import monotonic

from gui.events import CorpusAdvanced, EngineEvent
from nanograd.text.building import TextProgress
from nanograd.text.corpus import Corpus, Opening

_QUIET_S = 0.3
_TOLD_INTERVAL_S = 0.1
_ENCODING_PER_READING = 1.5  # how much longer the second pass takes, roughly


class TextOpener:
    """At most one text at a time; a new one ends the one before."""

    def __init__(self, emit: Callable[[EngineEvent], None]) -> None:
        self._emit = emit
        self._opening: Opening | None = None
        self._name, self._stage = "", ""
        self._began_s = self._stage_began_s = self._told_at_s = 0.0

    @property
    def is_opening(self) -> bool:
        """Whether a text is under way."""
        return self._opening is not None

    def start(self, opening: Opening, name: str) -> None:
        """Begin to open a text."""
        self.cancel()
        self._opening, self._name, self._stage = opening, name, ""
        self._began_s = self._told_at_s = monotonic()

    def advance(self) -> Corpus | None:
        """One step; the corpus where that was the last. What it raises ends the opening."""
        if self._opening is None:
            return None
        try:
            self._tell(next(self._opening))
            return None
        except StopIteration as end:
            self._opening = None
            corpus: Corpus = end.value
            return corpus
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
