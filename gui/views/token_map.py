"""The tokens of the vocabulary in a plane: those that the model treats alike lie together."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import DARK, SMALL_PX, Theme, interface_font, mono_font, scaled
from nanograd.text.tokenizer import visible

Points = NDArray[np.float32]


class TokenMap(QWidget):
    """Each token as its own sign; where they would lie on each other, as dots. Pointing at one shows its neighbours."""

    token_pointed = Signal(object)
    """The place of the token in the vocabulary; None for none."""

    MARGIN: Final = 16
    FOOT_PX: Final = 20
    CELL_PX: Final = 3
    REACH_PX: Final = 14

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._tokens: tuple[str, ...] = ()
        self._points: Points = np.empty((0, 2), np.float32)
        self._neighbours: NDArray[np.int32] = np.empty((0, 0), np.int32)
        self._reach = 0.0
        self._pointed: int | None = None
        self.setObjectName("embedding_map")
        self.setAccessibleName("Tokens in a plane")
        self.setMouseTracking(True)
        self.setMinimumSize(140, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def pointed_text(self) -> str:
        """The token pointed at and its neighbours; empty where none is."""
        if self._pointed is None:
            return ""
        near = " ".join(visible(self._tokens[index]) for index in self._neighbours[self._pointed])
        return f"“{visible(self._tokens[self._pointed])}” is nearest to {near}"

    def sizeHint(self) -> QSize:
        """Room enough to be read."""
        return QSize(280, 260)

    def show_tokens(self, tokens: tuple[str, ...], points: Points, neighbours: NDArray[np.int32]) -> None:
        """Draw `tokens` (V) at `points` (V, 2), each with its `neighbours` (V, N). The scale changes only where it must."""
        if len(tokens) != len(self._tokens):
            self._pointed = None
            self._reach = 0.0
        self._tokens, self._points, self._neighbours = tokens, points, neighbours
        needed = float(np.abs(points).max(initial=1e-6))
        if not 0.6 * self._reach <= needed <= self._reach:
            self._reach = 1.05 * needed
        self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.update()

    def place_of(self, index: int) -> QPointF:
        """Where a token is drawn."""
        x, y = self._points[index].tolist()
        middle = self._middle()
        half = min(middle.x(), middle.y()) - self.MARGIN  # one scale for both axes: distances mean something
        return QPointF(middle.x() + x / self._reach * half, middle.y() - y / self._reach * half)

    def _middle(self) -> QPointF:
        return QPointF(self.width() / 2, (self.height() - scaled(self.FOOT_PX)) / 2)

    def point_at(self, index: int | None) -> None:
        """Show the neighbours of a token; None for none."""
        if index != self._pointed:
            self._pointed = index
            self.token_pointed.emit(index)
            self.update()

    def _colour_of(self, token: str) -> str:
        sign = token.strip()[:1]
        if sign.isdigit():
            return self._theme.good
        if sign.isalpha():
            return self._theme.accent if sign.isupper() else self._theme.text
        return self._theme.validation

    def _paint_tokens(self, painter: QPainter) -> None:
        """The tokens in their order, those near the one pointed at first: a sign where there is room, otherwise a dot."""
        metrics = QFontMetricsF(painter.font())
        taken: set[tuple[int, int]] = set()
        signs: list[tuple[QPointF, str, QColor]] = []
        near = [] if self._pointed is None else [self._pointed, *self._neighbours[self._pointed].tolist()]
        for index in dict.fromkeys([*near, *range(len(self._tokens))]):
            place, text = self.place_of(index), visible(self._tokens[index])
            colour = QColor(self._colour_of(self._tokens[index]))
            colour.setAlphaF(1.0 if not near or index in near else 0.35)
            size = QSizeF(metrics.horizontalAdvance(text), metrics.capHeight() + 1)
            cells = self._cells(place, size)
            if cells & taken:
                colour.setAlphaF(0.6 * colour.alphaF())
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                painter.drawEllipse(place, 1.5, 1.5)
                continue
            taken |= cells
            signs.append((QPointF(place.x() - size.width() / 2, place.y() + metrics.xHeight() / 2), text, colour))
        for corner, text, colour in signs:  # over the dots
            painter.setPen(colour)
            painter.drawText(corner, text)

    def _cells(self, place: QPointF, size: QSizeF) -> set[tuple[int, int]]:
        """The squares of a fine grid that a sign covers, and a little around it."""
        x, y, across, down, cell = place.x(), place.y(), size.width() / 2 + 1, size.height() / 2 + 1, self.CELL_PX
        rows = range(int((y - down) // cell), int((y + down) // cell) + 1)
        columns = range(int((x - across) // cell), int((x + across) // cell) + 1)
        return {(row, column) for row in rows for column in columns}

    def _paint_neighbours(self, painter: QPainter, index: int) -> None:
        place = self.place_of(index)
        for rank, other in enumerate(self._neighbours[index].tolist()):
            colour = QColor(self._theme.accent)
            colour.setAlphaF(0.8 - 0.13 * rank)
            painter.setPen(QPen(colour, 1.6 - 0.2 * rank))
            painter.drawLine(place, self.place_of(other))

    def _paint_kinds(self, painter: QPainter) -> None:
        painter.setFont(interface_font(SMALL_PX))
        x = 0.0
        for name, colour in (
            ("letters", self._theme.text),
            ("capitals", self._theme.accent),
            ("digits", self._theme.good),
            ("other", self._theme.validation),
        ):
            painter.setPen(QColor(colour))
            painter.drawText(QPointF(x, self.height() - painter.fontMetrics().descent() - 1), name)
            x += painter.fontMetrics().horizontalAdvance(name) + 7

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the plane as it stands."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._tokens:
            painter.setPen(QPen(QColor(self._theme.hairline), 1))
            middle, bottom = self._middle(), self.height() - scaled(self.FOOT_PX)
            painter.drawLine(QPointF(0, middle.y()), QPointF(self.width(), middle.y()))
            painter.drawLine(QPointF(middle.x(), 0), QPointF(middle.x(), bottom))
            if self._pointed is not None:
                self._paint_neighbours(painter, self._pointed)
            painter.setFont(mono_font())
            self._paint_tokens(painter)
            self._paint_kinds(painter)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at the token nearest to the mouse."""
        if not self._tokens:
            return
        places = np.array([(place.x(), place.y()) for place in map(self.place_of, range(len(self._tokens)))])
        away = np.hypot(*(places - [event.position().x(), event.position().y()]).T)
        nearest = int(away.argmin())
        self.point_at(nearest if away[nearest] <= self.REACH_PX else None)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        self.point_at(None)
