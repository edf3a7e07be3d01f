"""The model's own numbers: its tokens in a plane, and how weights, gradients and updates are spread."""

from typing import Final

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QLabel, QScrollArea, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from gui.redraw import RedrawClock
from gui.theme import Theme, scaled, set_role
from gui.views.elided_label import ElidedLabel
from gui.views.header_row import HeaderRow
from gui.views.histogram_grid import HistogramGrid
from gui.views.token_map import TokenMap
from nanograd.training.events import ProbeTaken


class InsideView(QWidget):
    """Token embeddings in two dimensions beside the histograms by layer. `header` is for the panel's title bar."""

    EMPTY_TEXT: Final = "The model's own numbers appear here once there is a model: press Train."
    HINT: Final = "Tokens: point at one"
    NARROW: Final = 400
    LEAST_PLANE: Final = 178

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._event: ProbeTaken | None = None
        self.embedding_map = TokenMap()
        self.histogram_grid = HistogramGrid()
        self._hint = ElidedLabel()
        self._hint.setText(self.HINT)
        self._spread = QLabel()
        self._step = QLabel()
        self._pages = QStackedLayout(self)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._clock = RedrawClock(self, self._redraw)
        self.header = HeaderRow()
        self._step.setObjectName("inside_step_label")
        set_role(self._step, "muted")
        self.header.add(self._step, 1)
        self._arrange()
        self.embedding_map.token_pointed.connect(self._on_token_pointed)

    def show_probe(self, event: ProbeTaken) -> None:
        """Show the numbers that were looked at, at the next turn of the view's clock."""
        self._event = event
        self._clock.request()

    def clear(self) -> None:
        """Forget what was shown."""
        self._event = None
        self._clock.request()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self.embedding_map.show_theme(theme)
        self.histogram_grid.show_theme(theme)

    def _arrange(self) -> None:
        empty = QLabel(self.EMPTY_TEXT)
        empty.setObjectName("inside_empty_label")
        set_role(empty, "muted")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        for label in (self._hint, self._spread):
            set_role(label, "small")
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._hint.setObjectName("neighbours_label")
        self._spread.setObjectName("spread_label")
        scroll = QScrollArea()
        scroll.setAccessibleName("Histograms by layer")
        scroll.setWidget(self.histogram_grid)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.histogram_grid.setAutoFillBackground(False)
        scroll.viewport().setAutoFillBackground(False)
        body = QWidget()
        body.setLayout(self._row)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(16)
        for title, content, stretch in ((self._hint, self.embedding_map, 4), (self._spread, scroll, 5)):
            column = QVBoxLayout()
            column.setSpacing(4)
            column.addWidget(title)
            column.addWidget(content, 1)
            self._row.addLayout(column, stretch)
        self._pages.addWidget(empty)
        self._pages.addWidget(body)

    def _redraw(self) -> None:
        event = self._event
        inside = event.inside if event else None
        self._pages.setCurrentIndex(0 if inside is None else 1)
        self._step.setText(f"step {event.step:,}" if event and inside else "")
        self.header.arrange()
        self.histogram_grid.show_inside(inside)
        if event is None or inside is None or event.predictions is None:
            return
        tokens = event.predictions.vocabulary[: len(inside.points)]
        self.embedding_map.show_tokens(tokens, inside.points, inside.neighbours)
        at = "" if inside.changed_at is None else f", step {inside.changed_at:,}"
        self._spread.setText(f"Spread by layer{at}")
        self.histogram_grid.setToolTip(
            "Each hill is the square root of how many numbers lie where; beside it their root mean square."
        )

    @Slot(object)
    def _on_token_pointed(self, _index: int | None) -> None:
        self._hint.setText(self.embedding_map.pointed_text or self.HINT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One above the other where it is narrow; otherwise the plane is as wide as it is high, where that leaves the most."""
        super().resizeEvent(event)
        directions, is_narrow = QBoxLayout.Direction, self.width() < self.NARROW
        self._row.setDirection(directions.TopToBottom if is_narrow else directions.LeftToRight)
        plane = self.height() - self._hint.height() - scaled(TokenMap.FOOT_PX)
        width = 4 * self.width() // 9 if is_narrow else min(max(plane, scaled(self.LEAST_PLANE)), 4 * self.width() // 9)
        self._row.setStretch(0, width)
        self._row.setStretch(1, self.width() - self._row.spacing() - width)
