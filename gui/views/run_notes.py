"""The notes of one run, written down as they are typed."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QFocusEvent, QHideEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from gui.text_size import sized
from gui.theme import scaled

_REST_MS: Final = 500


class RunNotes(QPlainTextEdit):
    """Tells what was written once typing rests, or the run, the keyboard or the window goes elsewhere."""

    written = Signal(object, str)
    """The run's folder, and all of its notes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path: Path | None = None
        self._known = self._shown = ""
        self._awaited: str | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.flush)
        self.setObjectName("run_notes_edit")
        self.setAccessibleName("Notes on the chosen run")
        self.setPlaceholderText("Notes on this run")
        self.setTabChangesFocus(True)
        sized(self, lambda: self.setFixedHeight(scaled(44)))
        self.textChanged.connect(self._rest.start)
        self.setEnabled(False)

    def show_notes(self, path: Path | None, text: str) -> None:
        """Edit this run's notes; what is being typed is not replaced."""
        if path == self._path:
            if self.toPlainText() != self._known or self._awaited not in (None, text):
                return  # the list does not know yet what was written
            self._awaited = None
        self.flush()
        if path != self._path or text != self._shown:
            self._path, self._shown, self._awaited = path, text, None
            self.setPlainText(text)
            self._known = self.toPlainText()
            self._rest.stop()
        self.setEnabled(path is not None)

    @Slot()
    def flush(self) -> None:
        """Tell what was written since it was told last."""
        self._rest.stop()
        text = self.toPlainText()
        if self._path is not None and text != self._known:
            self._known = self._shown = self._awaited = text
            self.written.emit(self._path, text)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The keyboard goes elsewhere."""
        super().focusOutEvent(event)
        self.flush()

    def hideEvent(self, event: QHideEvent) -> None:
        """The panel or the window goes."""
        super().hideEvent(event)
        self.flush()
