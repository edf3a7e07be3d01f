"""The text that the model of an earlier moment makes of the same prompt and seed, and the choice of that moment."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QSizePolicy, QStyledItemDelegate, QVBoxLayout, QWidget

from gui.events import GenerationFinished, GenerationStarted, TextGenerated
from gui.format import count_text
from gui.theme import Theme, set_role
from gui.views.written_text import WrittenText


class MomentChoice(QComboBox):
    """Nothing, or one of the moments that the model is kept from."""

    ALONE: Final = "Compare…"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("beside_setting")
        self.setAccessibleName("Moment to write beside the present")
        self.setToolTip("Write a second text, with the model as it was at this step, from the same prompt and seed")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setItemDelegate(QStyledItemDelegate(self))
        self.view().setMinimumWidth(130)
        set_role(self, "link")
        self.show_moments(())

    def sizeHint(self) -> QSize:
        """As wide as the text that is shown."""
        return QSize(self.fontMetrics().horizontalAdvance(self.currentText()) + 26, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """The same: a step is never cut."""
        return self.sizeHint()

    @property
    def step(self) -> int | None:
        """The step chosen; None for a text alone."""
        step: int | None = self.currentData()
        return step

    def show_moments(self, steps: Sequence[int]) -> None:
        """Offer the moments after these steps; the one chosen stays where it can."""
        chosen = self.step
        self.blockSignals(True)
        self.clear()
        self.addItem(self.ALONE, None)
        for step in steps:
            self.addItem(f"beside step {count_text(step)}", step)
        self.setCurrentIndex(steps.index(chosen) + 1 if chosen in steps else 0)
        self.blockSignals(False)
        self.setEnabled(bool(steps))


class BesideText(QWidget):
    """A heading with the moment, and its text."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = QLabel()
        self.heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        set_role(self.heading, "small")
        self.written = WrittenText()
        self.written.setObjectName(name)
        self.written.setAccessibleName("Text of the earlier moment")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.heading)
        column.addWidget(self.written, 1)
        self.hide()

    def show_event(self, event: GenerationStarted | TextGenerated | GenerationFinished) -> None:
        """The text begins, grows, or is complete."""
        match event:
            case GenerationStarted():
                self.written.begin()
                self.show()
            case TextGenerated():
                self.written.append_tokens([event])
            case GenerationFinished():
                self.written.end()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self.written.show_theme(theme)
