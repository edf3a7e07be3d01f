"""The text that an earlier moment or another run makes of the same prompt and seed, and the choice of that."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QSizePolicy, QStyledItemDelegate, QVBoxLayout, QWidget

from gui.events import GenerationFinished, GenerationStarted, KeptRun, ProblemFound, RunsListed, TextGenerated, WrittenBeside
from gui.format import count_text
from gui.theme import Theme, scaled, set_role
from gui.views.elided_label import ElidedLabel
from gui.views.run_names import legend_names, titles
from gui.views.written_text import WrittenText

Beside = int | Path | None
"""What writes beside the present: it itself after a step, the run in a folder, or nothing."""


class BesideChoice(QComboBox):
    """Nothing, one of the moments that the model is kept from, or another run."""

    ALONE: Final = "Compare…"
    WIDEST_PX: Final = 190

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: Sequence[int] = ()
        self._runs: Mapping[Path | None, KeptRun] = {}
        self._loaded: Path | None = None
        self._is_available = False
        self.setObjectName("beside_setting")
        self.setAccessibleName("Moment or run to write beside the present")
        self.setToolTip(
            "Write a second text from the same prompt and seed, with the model as it was at a step, or with another run"
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setItemDelegate(QStyledItemDelegate(self))
        self.view().setMinimumWidth(scaled(self.WIDEST_PX))
        self.view().setTextElideMode(Qt.TextElideMode.ElideRight)
        set_role(self, "link")
        self._offer()

    def sizeHint(self) -> QSize:
        """As wide as the text that is shown."""
        return QSize(self.fontMetrics().horizontalAdvance(self.currentText()) + 26, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """The same: a step is never cut."""
        return self.sizeHint()

    @property
    def beside(self) -> Beside:
        """What is chosen; None for a text alone."""
        chosen: Beside = self.currentData()
        return chosen

    def set_available(self, is_available: bool) -> None:
        """Whether there is a present run, beside which another can write."""
        if is_available != self._is_available:
            self._is_available = is_available
            self._offer()

    def show_moments(self, steps: Sequence[int]) -> None:
        """Offer the moments after these steps; what is chosen stays where it can."""
        self._steps = steps
        self._offer()

    def show_runs(self, event: RunsListed) -> None:
        """Offer these runs, as far as they can write; what is chosen stays where it can."""
        if self._loaded != event.loaded or list(self._runs.values()) != list(event.runs):
            self._loaded, self._runs = event.loaded, {run.path: run for run in event.runs}
            self._offer()

    def headings(self, beside: Path, step: int, step_beside: int) -> tuple[str, str]:
        """What to write over the present text and over that of another run: which it is, its step, and what differs."""
        titled = self._titles()
        both = [self._runs[path] for path in (self._loaded, beside) if path in self._runs]
        named = zip(both, legend_names(both), titles(both), strict=True)
        differing: Mapping[Path | None, str] = {run.path: name for run, name, title in named if title not in name}

        def heading(path: Path | None, fallback: str, step: int) -> str:
            return " · ".join(filter(None, [f"step {count_text(step)}", titled.get(path, fallback), differing.get(path, "")]))

        return heading(self._loaded, "this run", step), heading(beside, beside.name, step_beside)

    def _titles(self) -> Mapping[Path | None, str]:
        return dict(zip(self._runs, titles(list(self._runs.values())), strict=True))

    def _offer(self) -> None:
        chosen = self.beside
        runs = self._runs.values() if self._is_available else ()
        others = [run for run in runs if run.path != self._loaded and run.checkpoints]
        titled = self._titles()
        self.blockSignals(True)
        self.clear()
        self.addItem(self.ALONE, None)
        for step in self._steps:
            self.addItem(f"beside step {count_text(step)}", step)
        if others and self._steps:
            self.insertSeparator(self.count())
        for run in others:
            text = self.fontMetrics().elidedText(
                f"beside {titled[run.path]}", Qt.TextElideMode.ElideRight, scaled(self.WIDEST_PX)
            )
            self.addItem(text, run.path)
            self.setItemData(self.count() - 1, titled[run.path], Qt.ItemDataRole.ToolTipRole)
        places = [place for place in range(1, self.count()) if chosen is not None and self.itemData(place) == chosen]
        self.setCurrentIndex(places[0] if places else 0)
        self.blockSignals(False)
        self.setEnabled(self.count() > 1)


class BesideText(QWidget):
    """A heading that tells whose text it is, and the text; or why there is none."""

    OTHER_TOKENS: Final = "other tokens, so the seed draws otherwise"

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.is_writing = False
        self.heading = ElidedLabel()
        self.heading.setObjectName("beside_heading")
        self.heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        set_role(self.heading, "small")
        self._problem = QLabel()
        self._problem.setObjectName("beside_problem_label")
        self._problem.setWordWrap(True)
        set_role(self._problem, "problem")
        self.written = WrittenText()
        self.written.setObjectName(name)
        self.written.setAccessibleName("Text of the earlier moment or the other run")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.heading)
        column.addWidget(self._problem)
        column.addWidget(self.written, 1)
        self.hide()

    def begin(self, heading: str) -> None:
        """Make room for a text, which is under way."""
        self.is_writing = True
        self.heading.setText(heading)
        self.written.begin()
        self._show_problem("")
        self.show()

    def end(self) -> None:
        """There is no second text any more."""
        self.is_writing = False
        self.hide()

    def show_event(self, event: WrittenBeside, heading: str = "") -> None:
        """The text begins under its `heading`, grows, is complete, or cannot be written."""
        match event.event:
            case GenerationStarted():
                self.begin(f"{heading} · {self.OTHER_TOKENS}" if event.has_other_tokens else heading)
            case TextGenerated():
                self.written.append_tokens([event.event])
            case GenerationFinished():
                self.is_writing = False
                self.written.end()
            case ProblemFound():
                self.is_writing = False
                self.written.end()
                self._show_problem(event.event.message)

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self.written.show_theme(theme)

    def _show_problem(self, message: str) -> None:
        self._problem.setText(message)
        self._problem.setVisible(bool(message))
