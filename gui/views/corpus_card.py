"""The card of the open text: its name, its size, how often each token occurs, and the bundled texts one click away."""

from fractions import Fraction
from math import sqrt
from typing import Final

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolTip, QWidget

from gui.events import CorpusOpened
from gui.format import bytes_text, count_text, tooltip_text
from gui.theme import SMALL_PX, mono_font, scaled, set_role
from gui.views.elided_label import ElidedLabel
from gui.views.panel import Card
from resources import BUNDLED_CORPORA

INVITATION: Final = "Open a text of your own, or drop one anywhere on the window."
MISSING: Final = "This text cannot be found any more. The model can still write; to train it, open the text again."
PREVIEW_LINES, PREVIEW_CHARACTERS = 4, 48


class CorpusCard(Card):
    """What the model learns from. Without a text it is an invitation."""

    open_requested = Signal()
    bundled_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Text", parent)
        self._corpus: CorpusOpened | None = None
        self._details = _button("Details", "corpus_details_button", "Show size, split and the first lines", "small_link")
        self._details.setCheckable(True)
        self._open = _button("Open…", "replace_corpus_button", "Open a text", "small_link")
        self._name = ElidedLabel()
        self._name.setObjectName("corpus_name_label")
        self._name.setAccessibleName("Name of the text")
        set_role(self._name, "value")
        self._size = _label("corpus_size_label", "muted")
        self._hint = _label("corpus_hint_label", "muted")
        self._hint.setWordWrap(True)
        self._frequencies = FrequencyBars()
        self._split = _label("corpus_split_label", "small")
        self._split.setWordWrap(True)
        self._preview = _label("corpus_preview_label", "muted")
        self._preview.setFont(mono_font(SMALL_PX))
        self._preview.setTextFormat(Qt.TextFormat.PlainText)
        self._preview.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._bundled = {text.key: _bundled_button(text.key, text.title) for text in BUNDLED_CORPORA}
        self._arrange()
        self._connect()
        self.show_nothing()

    def _arrange(self) -> None:
        self.add_control(self._details)
        self.add_control(self._open)
        self.body.setSpacing(3)
        for widget in (self._name, self._size, self._hint, self._frequencies, self._split, self._preview):
            self.body.addWidget(widget)
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
        self._details.toggled.connect(self._on_details_toggled)
        for button in self._bundled.values():
            button.clicked.connect(self._on_bundled_clicked)

    def show_nothing(self) -> None:
        """Invite the reader to open a text."""
        self._show_hint("No text yet", INVITATION)

    def show_missing(self, name: str) -> None:
        """Say that the text of an opened run is gone."""
        self._show_hint(name, MISSING)

    def show_corpus(self, event: CorpusOpened, validation_fraction: float) -> None:
        """Show a text that was opened, and how it is split."""
        self._corpus = event
        self._name.setText(event.name)
        self._size.setText(f"{count_text(event.character_count)} characters · {count_text(len(event.vocabulary))} distinct")
        self._frequencies.show_counts(event.token_counts)
        lines = event.preview.splitlines()[:PREVIEW_LINES]
        self._preview.setText("\n".join(line[:PREVIEW_CHARACTERS] for line in lines))
        self._open.setText("Replace…")
        self.show_split(validation_fraction)
        self._show_parts(is_open=True)

    def show_split(self, validation_fraction: float) -> None:
        """Show how much of the text is kept for validation."""
        if self._corpus is not None:
            learnt = int(self._corpus.character_count * (1 - Fraction(str(validation_fraction))))
            kept = self._corpus.character_count - learnt
            size = bytes_text(self._corpus.byte_count)
            self._split.setText(f"{size} · {count_text(learnt)} to learn from · {count_text(kept)} kept for validation")
            self._size.setToolTip(tooltip_text(f"{self._split.text()}\n\n{self._preview.text()}"))

    def _show_hint(self, name: str, hint: str) -> None:
        self._corpus = None
        self._name.setText(name)
        self._hint.setText(hint)
        self._open.setText("Open…")
        self._show_parts(is_open=False)

    def _show_parts(self, *, is_open: bool) -> None:
        self._hint.setVisible(not is_open)
        for widget in (self._size, self._frequencies, self._details):
            widget.setVisible(is_open)
        for widget in (self._split, self._preview):
            widget.setVisible(is_open and self._details.isChecked())

    def _on_open_clicked(self) -> None:
        self.open_requested.emit()

    def _on_details_toggled(self, is_shown: bool) -> None:
        for widget in (self._split, self._preview):
            widget.setVisible(is_shown and self._corpus is not None)

    def _on_bundled_clicked(self) -> None:
        for name, button in self._bundled.items():
            if button is self.sender():
                self.bundled_requested.emit(name)


class FrequencyBars(QWidget):
    """How often each of the most frequent tokens occurs, as bars that pale with their rank, on a square-root scale."""

    PITCH_PX, GAP_PX, HEIGHT_PX = 6.35, 1.6, 24

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: tuple[tuple[str, int], ...] = ()
        self.setObjectName("token_frequencies")
        self.setAccessibleName("How often each token occurs")
        self.setFixedHeight(self.HEIGHT_PX + 4)

    def show_counts(self, counts: tuple[tuple[str, int], ...]) -> None:
        """Show tokens and how often they occur, most frequent first."""
        self._counts = counts
        self.update()

    def sizeHint(self) -> QSize:
        """The bars take what width there is."""
        return QSize(200, self.HEIGHT_PX + 4)

    def event(self, event: QEvent) -> bool:
        """Tell the token under the mouse and its count."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            rank = int(event.pos().x() / self._pitch())
            if rank < len(self._counts):
                token, count = self._counts[rank]
                QToolTip.showText(
                    event.globalPos(), f"{_visible(token)}  {count_text(count)} times (bars on a square-root scale)", self
                )
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as many bars as there is room for."""
        if not self._counts:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        pitch, most = self._pitch(), self._counts[0][1]
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        visible = self._counts[: int((self.width() + self.GAP_PX) / pitch)]
        for rank, (_, count) in enumerate(visible):
            color = QColor(accent)
            color.setAlphaF(max(0.35, 1.0 - 1.6 * rank / max(len(visible), 24)))
            painter.setBrush(color)
            height = max(1.5, self.HEIGHT_PX * sqrt(count / most))
            painter.drawRoundedRect(QRectF(rank * pitch, self.height() - height, pitch - self.GAP_PX, height), 1, 1)
        painter.end()

    def _pitch(self) -> float:
        """A few tokens spread over the whole width, within reason."""
        return max(self.PITCH_PX, min(24.0, (self.width() + self.GAP_PX) / max(1, len(self._counts))))


def _visible(token: str) -> str:
    names = {" ": "space", "\n": "line end", "\t": "tab", "\r": "carriage return"}
    return names.get(token, repr(token)[1:-1])


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
    label.setMinimumHeight(scaled(18))
    set_role(label, role)
    return label
