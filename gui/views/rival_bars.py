"""Tokens with their probabilities as bars, the likeliest on top."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import DARK, SMALL_PX, Theme, interface_font, mono_font, scaled
from nanograd.text.tokenizer import visible

Rivals = Sequence[tuple[str, float]]


class RivalBars(QWidget):
    """A row for each token: the token, a bar, its share in percent. The one that did follow is in the accent."""

    token_clicked = Signal(object)

    ROW_PX: Final = 20
    MOST_LABEL_PX: Final = 64

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._rivals: Rivals = ()
        self._following: str | None = None
        self._hovered = -1
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Room for all rows."""
        return QSize(scaled(160), scaled(self.ROW_PX) * max(len(self._rivals), 1))

    def minimumSizeHint(self) -> QSize:
        """Room for a few rows."""
        return QSize(scaled(110), scaled(self.ROW_PX) * 3)

    def show_rivals(self, rivals: Rivals, following: str | None = None) -> None:
        """Draw these, likeliest first; `following` is the token that did come, where one did."""
        self._rivals, self._following = tuple(rivals), following
        lines = [f"{visible(text)} {percent_text(probability)}" for text, probability in self._rivals]
        self.setAccessibleDescription(", ".join(lines))
        self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.update()

    def set_clickable(self, is_clickable: bool) -> None:
        """Whether a click on a row means anything."""
        self.setCursor(Qt.CursorShape.PointingHandCursor if is_clickable else Qt.CursorShape.ArrowCursor)

    def row_rect(self, index: int) -> QRectF:
        """Where a row is drawn."""
        height = scaled(self.ROW_PX)
        return QRectF(0, index * height, self.width(), height)

    def _row_at(self, position: QPointF) -> int:
        index = int(position.y() // scaled(self.ROW_PX))
        return index if 0 <= index < len(self._rivals) else -1

    def _label_width(self, painter: QPainter) -> int:
        widths = [painter.fontMetrics().horizontalAdvance(visible(text)) for text, _ in self._rivals]
        return min(max([*widths, 14]), self.MOST_LABEL_PX)

    def _paint_row(self, painter: QPainter, index: int, label_width: int, percent_width: int, largest: float) -> None:
        text, probability = self._rivals[index]
        row, is_following = self.row_rect(index), text == self._following
        painter.setFont(mono_font())
        painter.setPen(QColor(self._theme.accent if is_following else self._theme.text))
        shown = painter.fontMetrics().elidedText(visible(text), Qt.TextElideMode.ElideRight, label_width)
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        left, most = label_width + 10.0, max(row.width() - label_width - percent_width - 20, 8.0)
        bar = QRectF(left, row.center().y() - 3, max(2.0, most * probability / largest), 6)
        colour = QColor(self._theme.accent if is_following or self._hovered == index else self._theme.muted)
        colour.setAlphaF(0.9 if is_following or self._hovered == index else 0.55)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(bar, min(3.0, bar.width() / 2), 3)
        painter.setFont(interface_font(SMALL_PX))
        painter.setPen(QColor(self._theme.text if is_following else self._theme.muted))
        painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, percent_text(probability))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows that fit."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(interface_font(SMALL_PX))
        percent_width = painter.fontMetrics().horizontalAdvance("100 %")
        painter.setFont(mono_font())
        label_width = self._label_width(painter)
        largest = max([*(probability for _, probability in self._rivals), 1e-9])
        for index in range(min(len(self._rivals), self.height() // scaled(self.ROW_PX))):
            self._paint_row(painter, index, label_width, percent_width, largest)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Bring out the row under the mouse where it can be clicked."""
        if self.cursor().shape() == Qt.CursorShape.PointingHandCursor:
            self._hovered = self._row_at(event.position())
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the token under the mouse."""
        index = self._row_at(event.position())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.token_clicked.emit(self._rivals[index][0])

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        self._hovered = -1
        self.update()


def percent_text(probability: float) -> str:
    """A probability in percent, as far as it can be told: 41 %, 0.3 %, under 0.1 %."""
    if probability >= 0.0995:
        return f"{probability:.0%}".replace("%", " %")
    return f"{100 * probability:.1f} %" if probability >= 0.0005 else "<0.1 %"
