"""Opens texts as the card has them read, and shows the one that is open and how far one is that is being opened."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QSettings, Signal, Slot
from PySide6.QtWidgets import QWidget

from gui.commands import CancelOpening, ClearCache, Command, LimitCache, OpenBundledCorpus, OpenCorpus
from gui.events import (
    CacheMeasured,
    CorpusAdvanced,
    CorpusOpened,
    EncodingAsked,
    OpeningEnded,
    TextChanged,
)
from gui.file_dialogs import ask_for_folder, ask_for_texts, ask_for_vocabulary
from gui.window_layout import WindowLayout
from nanograd.text.cache import DEFAULT_LIMIT_BYTES
from nanograd.text.source import TextSource
from nanograd.training.estimate import ASSUMED_VOCABULARY_SIZE, parameter_count

_LIMIT_KEY: Final = "cache_limit_bytes"
TextEvent = CorpusOpened | CorpusAdvanced | EncodingAsked | OpeningEnded | CacheMeasured | TextChanged


class TextDisplay(QObject):
    """What the window knows of its text. `post` asks the engine for something; its answers come to `show`."""

    problem_found = Signal(str)

    def __init__(self, views: WindowLayout, post: Callable[[Command], None], preferences: QSettings, window: QWidget) -> None:
        super().__init__(window)
        self.corpus: CorpusOpened | None = None
        self.vocabulary_size = ASSUMED_VOCABULARY_SIZE
        self._views = views
        self._post = post
        self._preferences = preferences
        self._window = window
        card = views.corpus_card
        for opener in (card, views.welcome):
            opener.open_requested.connect(self.ask_for_files)
            opener.bundled_requested.connect(self._on_bundled_requested)
        card.folder_requested.connect(self._on_folder_requested)
        card.vocabulary_requested.connect(self._on_vocabulary_requested)
        card.reading_changed.connect(self._on_reading_changed)
        card.source_requested.connect(self._on_source_requested)
        card.question_dismissed.connect(views.message_bar.clear)
        card.cancel_requested.connect(self._on_cancel_requested)
        card.clear_cache_requested.connect(self._on_clear_cache_requested)
        card.cache_limit_changed.connect(self._on_cache_limit_changed)
        limit_bytes = self._remembered_limit()
        card.show_cache_limit(limit_bytes)
        post(LimitCache(limit_bytes=limit_bytes))

    def open(self, *paths: Path) -> None:
        """Load files and folders as one text."""
        self._open(self._views.corpus_card.source_of(paths))

    def show(self, event: TextEvent) -> None:
        """Show what happened to a text."""
        views = self._views
        match event:
            case CorpusOpened():
                self._show_corpus(event)
            case CorpusAdvanced():
                views.corpus_card.show_progress(event)
            case OpeningEnded():
                views.corpus_card.show_progress(None)
            case EncodingAsked():
                views.corpus_card.show_question(event)
                message = f"{event.name} is not Unicode. Choose on the left how it reads right, or save it again as UTF-8."
                views.message_bar.show_notice(message)
                self.problem_found.emit(message)
            case CacheMeasured():
                views.corpus_card.show_cache(event.cache_bytes)
            case TextChanged():
                views.message_bar.show_notice(event.message)

    def show_missing(self, name: str) -> None:
        """Say that the text of an opened run is gone."""
        self.corpus = None
        self._views.corpus_card.show_missing(name)

    def show_fit(self) -> None:
        """Show how the text is split as the form has it, and whether it is large enough for the model described there."""
        form, card = self._views.settings_form, self._views.corpus_card
        if self.corpus is not None:
            card.show_split(form.settings().validation_fraction)
            if not form.problems():
                card.show_fit(form.settings(), parameter_count(form.settings(), self.vocabulary_size))

    @Slot()
    def ask_for_files(self) -> None:
        """Let the user choose files, and open them."""
        paths = ask_for_texts(self._window)
        if paths:
            self.open(*paths)

    def _show_corpus(self, event: CorpusOpened) -> None:
        views = self._views
        self.corpus = event
        self.vocabulary_size = len(event.vocabulary)
        views.corpus_card.show_corpus(event, views.settings_form.settings().validation_fraction)
        views.attention.show_probe_text(event.probe)
        views.attention.show_probe_problem("")
        views.message_bar.clear()
        if event.notice:
            views.message_bar.show_notice(event.notice)
        views.show_laboratory()

    def _open(self, source: TextSource) -> None:
        self._views.corpus_card.settle()
        self._post(OpenCorpus(source=source, choice=self._views.corpus_card.choice()))

    @Slot()
    def _on_folder_requested(self) -> None:
        path = ask_for_folder(self._window)
        if path:
            self.open(path)

    @Slot()
    def _on_vocabulary_requested(self) -> None:
        folder = ask_for_vocabulary(self._window)
        if folder:
            self._views.corpus_card.choose_vocabulary(folder)

    @Slot()
    def _on_reading_changed(self) -> None:
        """Open the present text again, as the card has it now."""
        if self.corpus is None:
            return
        if self.corpus.source is not None:
            self._open(self._views.corpus_card.source_of(self.corpus.source.paths, self.corpus.source.encoding))
        elif self.corpus.bundled:
            self._on_bundled_requested(self.corpus.bundled)

    @Slot(object)
    def _on_source_requested(self, source: TextSource) -> None:
        self._views.message_bar.clear()
        self._open(source)

    @Slot()
    def _on_cancel_requested(self) -> None:
        self._post(CancelOpening())

    @Slot()
    def _on_clear_cache_requested(self) -> None:
        self._post(ClearCache())

    @Slot(object)
    def _on_cache_limit_changed(self, limit_bytes: int) -> None:
        self._preferences.setValue(_LIMIT_KEY, str(limit_bytes))
        self._post(LimitCache(limit_bytes=limit_bytes))

    @Slot(str)
    def _on_bundled_requested(self, name: str) -> None:
        self._views.corpus_card.settle()
        self._post(OpenBundledCorpus(name=name, choice=self._views.corpus_card.choice()))

    def _remembered_limit(self) -> int:
        """The limit of the cache in bytes as it was chosen last; one that cannot be read is as if there were none."""
        remembered = str(self._preferences.value(_LIMIT_KEY, ""))
        return int(remembered) if remembered.isascii() and remembered.isdigit() and int(remembered) else DEFAULT_LIMIT_BYTES
