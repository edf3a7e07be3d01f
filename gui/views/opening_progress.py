"""How far a text is that is being opened, how long it will take, and a way to give it up."""

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui.events import CorpusAdvanced
from gui.format import bytes_text, count_text, rough_duration_text
from gui.theme import set_role
from gui.views.elided_label import ElidedLabel

_STAGES: Final = {"reading": "Reading", "learning": "Learning tokens of", "encoding": "Encoding"}
_PARTS: Final = 1000


class OpeningProgress(QWidget):
    """A name, a bar, figures, and Cancel."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ElidedLabel()
        self._title.setObjectName("opening_label")
        self._figures = ElidedLabel()
        self._figures.setObjectName("opening_figures_label")
        set_role(self._figures, "small")
        self._bar = QProgressBar()
        self._bar.setObjectName("opening_bar")
        self._bar.setAccessibleName("How far the text is opened")
        self._bar.setRange(0, _PARTS)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        self._cancel = QPushButton("Cancel")
        self._cancel.setObjectName("cancel_opening_button")
        self._cancel.setAccessibleName("Stop opening the text")
        set_role(self._cancel, "small_link")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(self._title, 1)
        row.addWidget(self._cancel)
        column.addLayout(row)
        column.addWidget(self._bar)
        column.addWidget(self._figures)
        self._cancel.clicked.connect(self._on_cancel_clicked)

    def show_progress(self, event: CorpusAdvanced) -> None:
        """Show how far it is."""
        self._title.setText(f"{_STAGES[event.stage]} {event.name}")
        self._bar.setValue(round(_PARTS * min(1.0, event.done / max(event.total, 1))))
        if event.stage == "learning":
            done = f"{count_text(event.done)} of {count_text(event.total)}"
        else:
            done = f"{bytes_text(event.done)} of {bytes_text(event.total)}"
        self._figures.setText(f"{done} · {rough_duration_text(event.seconds_left)} left")

    def _on_cancel_clicked(self) -> None:
        self.cancel_requested.emit()
