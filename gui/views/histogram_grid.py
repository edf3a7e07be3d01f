"""How the numbers of each part of the model are spread: a row for each part, a column for each kind."""

from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.format import figure_text
from gui.theme import DARK, SMALL_PX, Theme, interface_font, scaled
from nanograd.training.events import Inside


class HistogramGrid(QWidget):
    """All parts of a column share one scale, so that layers can be compared.

    A figure stands at the right of its hill where the columns are broad and the rows low, otherwise above it.
    """

    ROW_PX: Final = 26
    TWO_LINES_PX: Final = 32
    TALLEST_PX: Final = 52
    NARROW_PX: Final = 100
    HEAD_PX: Final = 18
    GAP_PX: Final = 10
    WORDS: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
    FIGURES: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._inside: Inside | None = None
        self.setObjectName("histogram_grid")
        self.setAccessibleName("Histograms of weights, gradients and updates by layer")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        """Room for all parts."""
        rows = len(self._inside.parts) if self._inside else 1
        return QSize(300, self._least_row() * rows + 2 * scaled(self.HEAD_PX))

    def minimumSizeHint(self) -> QSize:
        """The same height: it stands in an area that scrolls."""
        return QSize(200, self.sizeHint().height())

    def show_inside(self, inside: Inside | None) -> None:
        """Draw these numbers."""
        are_new_rows = (inside and inside.parts) != (self._inside and self._inside.parts)
        self._inside = inside
        if are_new_rows:
            self.updateGeometry()
        self.setAccessibleDescription(self.describe())
        self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.update()

    def describe(self) -> str:
        """The deviations in words: Layer 1: weights 0.02, gradients 1.3e-4; and so on."""
        if self._inside is None:
            return ""
        rows = []
        for row, part in enumerate(self._inside.parts):
            spread = [
                f"{kind} {figure_text(float(value))}"
                for kind, value in zip(self._inside.kinds, self._inside.deviations[:, row], strict=True)
            ]
            rows.append(f"{part}: {', '.join(spread)}")
        return "; ".join(rows)

    def _row_height(self, inside: Inside) -> float:
        """Rows grow with the room there is."""
        room = (self.height() - 2 * scaled(self.HEAD_PX)) / len(inside.parts)
        return min(max(room, self._least_row()), scaled(self.TALLEST_PX))

    def _least_row(self) -> int:
        return scaled(self.TWO_LINES_PX if self._column_width() < scaled(self.NARROW_PX) else self.ROW_PX)

    def _names_width(self) -> int:
        metrics = QFontMetrics(interface_font(SMALL_PX))
        return max((metrics.horizontalAdvance(part) for part in self._inside.parts), default=0) if self._inside else 0

    def _column_width(self) -> float:
        columns = len(self._inside.kinds) if self._inside else 3
        return (self.width() - self._names_width()) / columns - self.GAP_PX

    def _paint_hill(self, painter: QPainter, rect: QRectF, counts: list[int], colour: str) -> None:
        highest = max([*counts, 1])
        step = rect.width() / len(counts)
        outline = [
            QPointF(rect.left() + (index + 0.5) * step, rect.bottom() - count / highest * rect.height())
            for index, count in enumerate(counts)
        ]
        painter.setPen(Qt.PenStyle.NoPen)
        fill = QColor(colour)
        fill.setAlphaF(0.25)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF([rect.bottomLeft(), *outline, rect.bottomRight()]))
        painter.setPen(QPen(QColor(colour), 1.2))
        painter.drawPolyline(QPolygonF(outline))

    def _paint_column(self, painter: QPainter, inside: Inside, index: int, left: float, width: float) -> None:
        height, top = self._row_height(inside), scaled(self.HEAD_PX)
        kind = inside.kinds[index]
        colour = {"weights": self._theme.muted, "gradients": self._theme.validation}.get(kind, self._theme.accent)
        painter.setPen(QColor(self._theme.muted))
        painter.drawText(QRectF(left, 0, width, top), self.WORDS, kind)
        is_tall = height >= scaled(self.TWO_LINES_PX)
        figure_width = 0 if is_tall else painter.fontMetrics().horizontalAdvance("9.9e-9") + 6
        across = max(width - figure_width, 20)
        line = painter.fontMetrics().ascent()
        for row, (counts, deviation) in enumerate(zip(inside.counts[index], inside.deviations[index].tolist(), strict=True)):
            cell = QRectF(left, top + row * height, width, height)
            above = line + 3 if is_tall else 4
            hill = QRectF(left, cell.top() + above, across, height - above - (5 if is_tall else 2))
            self._paint_hill(painter, hill, np.sqrt(counts).tolist(), colour)
            painter.setPen(QColor(self._theme.text))
            cell.setHeight(line if is_tall else height)
            painter.drawText(cell, self.FIGURES, figure_text(deviation))
        foot = QRectF(left, top + len(inside.parts) * height, across, scaled(self.HEAD_PX))
        painter.setPen(QColor(self._theme.muted))
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, f"±{figure_text(float(inside.widths[index]))}")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the hills."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(interface_font(SMALL_PX))
        inside = self._inside
        if inside is not None:
            height, names = self._row_height(inside), self._names_width() + self.GAP_PX
            for row, part in enumerate(inside.parts):
                painter.setPen(QColor(self._theme.muted))
                name = QRectF(0, scaled(self.HEAD_PX) + row * height, names, height)
                painter.drawText(name, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, part)
            width = self._column_width()
            for index in range(len(inside.kinds)):
                self._paint_column(painter, inside, index, names + index * (width + self.GAP_PX), width)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Rows are higher where the columns are narrow."""
        super().resizeEvent(event)
        self.updateGeometry()
