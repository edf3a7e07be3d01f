"""Asks which encoding a file has that is not Unicode: each guess with how the text would read."""

from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui.events import EncodingAsked
from gui.text_size import sized
from gui.theme import SMALL_PX, interface_font, mono_font, scaled, set_role
from gui.views.setting_row import ChoiceField
from nanograd.text.encodings import ENCODINGS
from nanograd.text.source import TextSource

_OTHER = "another…"
_PREVIEW_CHARACTERS = 60
_LINE_CHARACTERS = 30


class EncodingQuestion(QWidget):
    """A button for each guess, a list of all other encodings, and a way to leave it at that."""

    answered = Signal(object)
    """Carries the TextSource with the encoding that was chosen."""
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("encoding_question")
        self.setAccessibleName("Which encoding does the text have?")
        self._source: TextSource | None = None
        self._title = QLabel()
        self._title.setObjectName("encoding_question_label")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        self._guesses = QVBoxLayout()
        self._guesses.setSpacing(6)
        self._other = ChoiceField((_OTHER, *ENCODINGS))
        self._other.setObjectName("encoding_setting")
        self._other.setAccessibleName("Another encoding")
        sized(self._other, lambda: self._other.setFixedHeight(scaled(26)))
        self._dismiss = QPushButton("Cancel")
        self._dismiss.setObjectName("dismiss_encoding_button")
        self._dismiss.setAccessibleName("Leave the text closed")
        set_role(self._dismiss, "link")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addLayout(self._guesses)
        row = QHBoxLayout()
        row.addWidget(self._other, 1)
        row.addWidget(self._dismiss)
        column.addLayout(row)
        self._other.currentIndexChanged.connect(self._on_other_chosen)
        self._dismiss.clicked.connect(self._on_dismissed)

    def ask(self, event: EncodingAsked) -> None:
        """Ask for the encoding of a file."""
        self._source = event.source
        self._title.setText(f"{event.name} is not Unicode. Which of these reads right?")
        self.clear()
        for encoding, preview in event.guesses:
            button = GuessButton(encoding, preview)
            button.clicked.connect(self._on_guess_clicked)
            self._guesses.addWidget(button)
        self._other.setCurrentText(_OTHER)

    def clear(self) -> None:
        """Take the guesses away."""
        while (item := self._guesses.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()

    def _answer(self, encoding: str) -> None:
        if self._source is not None:
            self.answered.emit(replace(self._source, encoding=encoding))

    def _on_guess_clicked(self) -> None:
        button = self.sender()
        if isinstance(button, GuessButton):
            self._answer(button.encoding)

    def _on_other_chosen(self) -> None:
        if self._other.currentText() != _OTHER:
            self._answer(self._other.currentText())

    def _on_dismissed(self) -> None:
        self.dismissed.emit()


class GuessButton(QPushButton):
    """An encoding, and how the text reads in it."""

    def __init__(self, encoding: str, preview: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.encoding = encoding
        self.setObjectName(f"guess_{encoding}_button")
        self.setAccessibleName(f"{encoding}: {preview}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        set_role(self, "card")
        name = QLabel(encoding)
        set_role(name, "small")
        text = preview[:_PREVIEW_CHARACTERS]
        lines = [text[begin : begin + _LINE_CHARACTERS].strip() for begin in range(0, len(text), _LINE_CHARACTERS)]
        sample = QLabel("\n".join(lines))
        sample.setObjectName("guess_preview_label")
        sample.setTextFormat(Qt.TextFormat.PlainText)
        sized(sample, lambda: sample.setFont(mono_font(SMALL_PX)))
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 8)
        column.setSpacing(2)
        for label in (name, sample):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(label)
        small, mono = QFontMetrics(interface_font(SMALL_PX)), QFontMetrics(mono_font(SMALL_PX))
        self._height = small.lineSpacing() + mono.lineSpacing() * max(1, len(lines)) + 20

    def sizeHint(self) -> QSize:
        """Room for the name and for every line: a button counts its own text alone."""
        return QSize(super().sizeHint().width(), self._height)
