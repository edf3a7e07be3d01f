"""The card of the text: its name, its size, how often each token occurs, how it is read, and the bundled texts one click away."""

from fractions import Fraction
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui.events import CorpusAdvanced, CorpusOpened, EncodingAsked
from gui.format import bytes_text, count_text, tooltip_text
from gui.text_size import sized
from gui.theme import SMALL_PX, mono_font, scaled, set_role
from gui.views.cache_row import CacheRow
from gui.views.elided_label import ElidedLabel
from gui.views.encoding_question import EncodingQuestion
from gui.views.opening_progress import OpeningProgress
from gui.views.panel import Card
from gui.views.text_reading import TextReading
from gui.views.text_warning import TextWarning
from gui.views.token_bars import FrequencyBars
from nanograd.text.choice import TokenizerChoice
from nanograd.text.source import TextSource
from nanograd.text.tokenizer import visible
from nanograd.training.settings import RunSettings
from resources import BUNDLED_CORPORA

INVITATION: Final = "Open texts of your own, or drop files and folders anywhere on the window."
MISSING: Final = "This text cannot be found any more. The model can still write; to train it, open the text again."
PREVIEW_LINES, PREVIEW_CHARACTERS = 4, 34  # as many as there is room for
_NAMED_TOKENS: Final = 5


class CorpusCard(Card):
    """What the model learns from. Without a text it is an invitation."""

    open_requested = Signal()
    folder_requested = Signal()
    vocabulary_requested = Signal()
    """The files of a vocabulary are to be chosen: see `choose_vocabulary`."""
    bundled_requested = Signal(str)
    reading_changed = Signal()
    """The open text is to be read in another way: see `source_of` and `choice`."""
    source_requested = Signal(object)
    """Carries a TextSource to open."""
    question_dismissed = Signal()
    cancel_requested = Signal()
    clear_cache_requested = Signal()
    cache_limit_changed = Signal(object)
    """Carries the limit in bytes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Text", parent)
        self._corpus: CorpusOpened | None = None
        self._details = _button(
            "Details", "corpus_details_button", "Show size, split, the first lines, and how it is read", "small_link"
        )
        self._details.setCheckable(True)
        self._folder = _button("Folder…", "open_folder_button", "Open all texts of a folder", "small_link")
        self._open = _button("Open…", "replace_corpus_button", "Open texts", "small_link")
        self._name = ElidedLabel()
        self._name.setObjectName("corpus_name_label")
        self._name.setAccessibleName("Name of the text")
        set_role(self._name, "value")
        self._size = _label("corpus_size_label", "muted")
        self._hint = _label("corpus_hint_label", "muted")
        self._hint.setWordWrap(True)
        self._frequencies = FrequencyBars()
        self._warning = TextWarning()
        self._progress = OpeningProgress()
        self._question = EncodingQuestion()
        self._frequent = _label("frequent_tokens_label", "small")
        self._frequent.setTextFormat(Qt.TextFormat.PlainText)
        self._split = _label("corpus_split_label", "small")
        self._preview = _label("corpus_preview_label", "muted")
        sized(self._preview, lambda: self._preview.setFont(mono_font(SMALL_PX)))
        self._preview.setTextFormat(Qt.TextFormat.PlainText)
        self._preview.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        for label in (self._frequent, self._split):
            label.setWordWrap(True)
        self._reading = TextReading()
        self._cache = CacheRow()
        self._more = QWidget()
        self._bundled = {text.key: _bundled_button(text.key, text.title) for text in BUNDLED_CORPORA}
        self._arrange()
        self._connect()
        self.show_nothing()

    def _arrange(self) -> None:
        for control in (self._details, self._folder, self._open):
            self.add_control(control)
        self.body.setSpacing(3)
        more = QVBoxLayout(self._more)
        more.setContentsMargins(0, 0, 0, 0)
        more.setSpacing(3)
        for detail in (self._frequent, self._split, self._preview, self._reading, self._cache):
            more.addWidget(detail)
        for widget in (
            self._progress,
            self._question,
            self._name,
            self._size,
            self._hint,
            self._frequencies,
            self._warning,
            self._more,
        ):
            self.body.addWidget(widget)
        self._progress.hide()
        self._question.hide()
        row = QHBoxLayout()
        row.setContentsMargins(0, 4, 0, 0)
        row.setSpacing(6)
        row.addWidget(_label("bundled_label", "small", "Bundled"))
        row.addStretch(1)
        for button in self._bundled.values():
            row.addWidget(button)
        self.body.addLayout(row)
        self.set_bottom_margin(10)

    def _connect(self) -> None:
        self._open.clicked.connect(self._on_open_clicked)
        self._folder.clicked.connect(self._on_folder_clicked)
        self._details.toggled.connect(self._on_details_toggled)
        for button in self._bundled.values():
            button.clicked.connect(self._on_bundled_clicked)
        self._warning.tokenizer_chosen.connect(self._reading.choose)
        self._progress.cancel_requested.connect(self.cancel_requested)
        self._question.answered.connect(self._on_encoding_chosen)
        self._question.dismissed.connect(self._on_question_dismissed)
        self._reading.changed.connect(self.reading_changed)
        self._reading.files_requested.connect(self.vocabulary_requested)
        self._cache.clear_requested.connect(self.clear_cache_requested)
        self._cache.limit_changed.connect(self.cache_limit_changed)

    def choice(self) -> TokenizerChoice:
        """The tokenizer that the next text is told in."""
        return self._reading.choice()

    def source_of(self, paths: tuple[Path, ...], encoding: str = "") -> TextSource:
        """These files, read as the card has it."""
        return self._reading.source_of(paths, encoding)

    def choose_vocabulary(self, folder: Path) -> None:
        """Tell the text in the tokens of the files in `folder`."""
        self._reading.choose_files(folder)

    def settle(self) -> None:
        """A text is being opened as the card has it now."""
        self._reading.settle()

    def show_nothing(self) -> None:
        """Invite the reader to open a text."""
        self._show_hint("No text yet", INVITATION)

    def show_missing(self, name: str) -> None:
        """Say that the text of an opened run is gone."""
        self._show_hint(name, MISSING)

    def show_corpus(self, event: CorpusOpened, validation_fraction: float) -> None:
        """Show a text that was opened, and how it is split."""
        self._corpus = event
        self._question.hide()
        self._name.setText(event.name)
        distinct = count_text(len(event.vocabulary))
        if event.choice.kind == "character":
            self._size.setText(f"{count_text(event.character_count)} characters · {distinct} distinct")
        else:
            self._size.setText(f"{count_text(event.token_count)} tokens · {distinct} distinct")
        self._frequencies.show_counts(event.token_counts)
        self._frequent.setText(_most_frequent(event))
        lines = event.preview.splitlines()[:PREVIEW_LINES]
        self._preview.setText("\n".join(_shortened(line) for line in lines))
        self._reading.show_reading(event.choice, event.source, event.fields)
        self._cache.show_size(event.cache_bytes)
        self._open.setText("Replace…")
        self.show_split(validation_fraction)
        self._show_parts(is_open=True)

    def show_split(self, validation_fraction: float) -> None:
        """Show how much of the text is kept for validation."""
        if self._corpus is not None:
            learnt = self._learnt(self._corpus.token_count, validation_fraction)
            kept = self._corpus.token_count - learnt
            size, characters = bytes_text(self._corpus.byte_count), count_text(self._corpus.character_count)
            whole = size if self._corpus.choice.kind == "character" else f"{size} · {characters} characters"
            self._split.setText(f"{whole} · {count_text(learnt)} to learn from · {count_text(kept)} kept for validation")
            self._size.setToolTip(tooltip_text(f"{self._split.text()}\n\n{self._preview.text()}"))

    def show_fit(self, settings: RunSettings, parameter_count: int) -> None:
        """Warn where the text does not suit the model that these settings describe."""
        if self._corpus is not None:
            learnt = self._learnt(self._corpus.token_count, settings.validation_fraction)
            self._warning.show_fit(self._corpus, learnt, settings, parameter_count)

    def show_progress(self, event: CorpusAdvanced | None) -> None:
        """Show how far a text is that is being opened; None where none is."""
        if event is not None:
            self._question.hide()
            self._progress.show_progress(event)
        elif self._corpus is not None:  # what was chosen and could not be, or was given up, is so no more
            self._reading.show_reading(self._corpus.choice, self._corpus.source, self._corpus.fields)
        self._progress.setVisible(event is not None)

    def show_vocabulary_problem(self, message: str) -> None:
        """Say beside the choice of tokens why the files that were chosen do not do."""
        self._details.setChecked(True)
        self._reading.show_files_problem(message)

    def show_question(self, event: EncodingAsked) -> None:
        """Ask which encoding a file has."""
        self._question.ask(event)
        self._question.show()

    def show_cache(self, size_bytes: int) -> None:
        """Show what the encoded texts take on the disk."""
        self._cache.show_size(size_bytes)

    def show_cache_limit(self, limit_bytes: int) -> None:
        """Show how much they may take."""
        self._cache.show_limit(limit_bytes)

    def _learnt(self, count: int, validation_fraction: float) -> int:
        return int(count * (1 - Fraction(str(validation_fraction))))

    def _show_hint(self, name: str, hint: str) -> None:
        self._corpus = None
        self._name.setText(name)
        self._hint.setText(hint)
        self._open.setText("Open…")
        self._warning.hide()
        self._show_parts(is_open=False)

    def _show_parts(self, *, is_open: bool) -> None:
        self._hint.setVisible(not is_open)
        for widget in (self._size, self._frequencies, self._details):
            widget.setVisible(is_open)
        self._more.setVisible(is_open and self._details.isChecked())

    def _on_open_clicked(self) -> None:
        self.open_requested.emit()

    def _on_folder_clicked(self) -> None:
        self.folder_requested.emit()

    def _on_details_toggled(self, is_shown: bool) -> None:
        self._more.setVisible(is_shown and self._corpus is not None)

    def _on_bundled_clicked(self) -> None:
        for name, button in self._bundled.items():
            if button is self.sender():
                self.bundled_requested.emit(name)

    def _on_question_dismissed(self) -> None:
        self._question.hide()
        self.question_dismissed.emit()

    def _on_encoding_chosen(self, source: TextSource) -> None:
        self._question.hide()
        self.source_requested.emit(source)


def _most_frequent(event: CorpusOpened) -> str:
    """The most frequent tokens by name, each with its share of the text."""
    most = [(token, count / event.token_count) for token, count in event.token_counts[:_NAMED_TOKENS] if count]
    shares = (f"“{visible(token)}” {share:.1%}" for token, share in most)
    return f"Most frequent: {'  '.join(shares)}"


def _shortened(line: str) -> str:
    return line if len(line) <= PREVIEW_CHARACTERS else f"{line[: PREVIEW_CHARACTERS - 1]}…"


def _bundled_button(name: str, title: str) -> QPushButton:
    return _button(title, f"bundled_{name}_button", f"Open the bundled text {title}", "chip")


def _button(text: str, name: str, accessible_name: str, role: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(accessible_name)
    set_role(button, role)
    return button


def _label(name: str, role: str, text: str = "") -> QLabel:
    label = QLabel(text)
    label.setObjectName(name)
    sized(label, lambda: label.setMinimumHeight(scaled(18)))
    set_role(label, role)
    return label
