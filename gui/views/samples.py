"""The texts that the model wrote along the way: how far it has come."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QLabel, QStackedLayout, QTextEdit, QWidget

from gui.run_history import SAMPLES_KEPT
from gui.theme import DARK, SMALL_PX, Theme, interface_font, mono_font, set_role
from nanograd.training.events import SampleWritten


class SamplesView(QWidget):
    """The last samples, the newest on top, each under its step and validation loss."""

    EMPTY_TEXT: Final = "While it trains, the model writes a short text at each evaluation. They appear here, the newest on top."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: list[tuple[SampleWritten, float | None]] = []
        self._theme = DARK
        self._moment: int | None = None
        self.samples_view = QTextEdit()
        self.samples_view.setObjectName("samples_view")
        self.samples_view.setAccessibleName("Samples written while training")
        self.samples_view.setReadOnly(True)
        self.samples_view.setUndoRedoEnabled(False)
        self.samples_view.setTabChangesFocus(True)
        self.samples_view.document().setDocumentMargin(1)
        set_role(self.samples_view, "plain")
        empty = QLabel(self.EMPTY_TEXT)
        empty.setObjectName("samples_empty_label")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        set_role(empty, "muted")
        self._pages = QStackedLayout(self)
        self._pages.addWidget(empty)
        self._pages.addWidget(self.samples_view)

    def add(self, event: SampleWritten, validation_loss: float | None = None) -> None:
        """Put a sample on top; who reads an older one keeps it before the eyes."""
        self._samples.insert(0, (event, validation_loss))
        del self._samples[SAMPLES_KEPT:]
        self._write()

    def show_samples(self, samples: Sequence[tuple[SampleWritten, float | None]]) -> None:
        """Show these samples, oldest first, each with its validation loss, in place of all others."""
        self._samples = list(reversed(samples))[:SAMPLES_KEPT]
        self._write()

    def show_moment(self, step: int | None) -> None:
        """Show only what was written up to a step; None shows all."""
        if step != self._moment:
            self._moment = step
            self._write()

    def clear(self) -> None:
        """Forget all samples."""
        self._samples.clear()
        self._write()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self._write()

    def _write(self) -> None:
        self._pages.setCurrentIndex(1 if self._samples else 0)
        bar = self.samples_view.verticalScrollBar()
        from_end = bar.maximum() - bar.value()
        was_on_top = bar.value() <= 4
        self.samples_view.clear()
        cursor = QTextCursor(self.samples_view.document())
        cursor.beginEditBlock()
        written = [sample for sample in self._samples if self._moment is None or sample[0].step <= self._moment]
        for index, (event, validation_loss) in enumerate(written):
            self._write_sample(cursor, event, validation_loss, is_first=index == 0)
        cursor.endEditBlock()
        bar.setValue(0 if was_on_top else bar.maximum() - from_end)

    def _write_sample(self, cursor: QTextCursor, event: SampleWritten, validation_loss: float | None, *, is_first: bool) -> None:
        heading = QTextBlockFormat()
        heading.setTopMargin(0 if is_first else 18)
        heading.setBottomMargin(4)
        if is_first:
            cursor.setBlockFormat(heading)
        else:
            cursor.insertBlock(heading)
        loss = "" if validation_loss is None else f" · validation {validation_loss:.2f}"
        cursor.insertText(f"step {event.step:,}{loss}", self._format(self._theme.muted, is_heading=True))
        body = QTextBlockFormat()
        body.setLineHeight(135.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.insertBlock(body)
        if event.prompt.strip():
            cursor.insertText(event.prompt, self._format(self._theme.muted))
        cursor.insertText(event.text, self._format(self._theme.text))

    def _format(self, colour: str, *, is_heading: bool = False) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setFont(interface_font(SMALL_PX) if is_heading else mono_font())
        made.setForeground(QColor(colour))
        return made
