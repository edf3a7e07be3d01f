"""What could come next: as the model thinks, and as the settings of drawing change it."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.theme import DARK, SMALL_PX, Theme, interface_font, mono_font, scaled
from nanograd.text.tokenizer import visible

Rivals = Sequence[tuple[str, float, float]]


class NextDistribution(QWidget):
    """A column for each token: pale the model's own probability, strong the one it is drawn by. A click goes on with it."""

    token_clicked = Signal(object)

    HEIGHT_PX: Final = 62
    COLUMN_PX: Final = 23
    EMPTY_TEXT: Final = "What could come next shows here."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._rivals: Rivals = ()
        self.setObjectName("next_distribution")
        self.setAccessibleName("What could come next")
        self.setFixedHeight(scaled(self.HEIGHT_PX))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)

    @property
    def rivals(self) -> Rivals:
        """What is drawn: each token's text, the model's own probability, and that of being drawn."""
        return self._rivals

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(240, scaled(self.HEIGHT_PX))

    def show_rivals(self, rivals: Rivals) -> None:
        """Draw these, likeliest first."""
        self._rivals = tuple(rivals)
        self.setCursor(Qt.CursorShape.PointingHandCursor if rivals else Qt.CursorShape.ArrowCursor)
        self.setAccessibleDescription(", ".join(self._describe(index) for index in range(len(self._rivals))))
        self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.update()

    def column_center(self, index: int) -> QPointF:
        """Where a token is drawn."""
        return QPointF((index + 0.5) * scaled(self.COLUMN_PX), self.height() / 2)

    def _column_at(self, position: QPointF) -> int:
        index = int(position.x() // scaled(self.COLUMN_PX))
        return index if 0 <= index < len(self._rivals) else -1

    def _describe(self, index: int) -> str:
        text, own, drawn = self._rivals[index]
        return f"“{visible(text)}” {own:.1%}, drawn with {drawn:.1%}"

    def _paint_column(self, painter: QPainter, index: int, tallest: float) -> None:
        text, own, drawn = self._rivals[index]
        pitch, foot = scaled(self.COLUMN_PX), self.height() - scaled(17)
        for share, left, width, opacity in ((own, 2, pitch - 6, 0.28), (drawn, 6, pitch - 14, 1.0)):
            height = max(share / tallest * (foot - 2), 1.0 if share else 0.0)
            colour = QColor(self._theme.muted if opacity < 1 else self._theme.accent)
            colour.setAlphaF(opacity)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(index * pitch + left, foot - height, width, height), 2, 2)
        painter.setFont(mono_font(SMALL_PX))
        painter.setPen(QColor(self._theme.text if drawn > 0 else self._theme.muted))
        shown = painter.fontMetrics().elidedText(visible(text), Qt.TextElideMode.ElideRight, pitch)
        painter.drawText(QRectF(index * pitch, foot + 2, pitch - 2, scaled(15)), Qt.AlignmentFlag.AlignCenter, shown)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the columns that fit."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._rivals:
            painter.setFont(interface_font(SMALL_PX))
            painter.setPen(QColor(self._theme.muted))
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.EMPTY_TEXT)
            painter.end()
            return
        tallest = max(max(own, drawn) for _, own, drawn in self._rivals) or 1.0
        for index in range(min(len(self._rivals), max(1, self.width() // scaled(self.COLUMN_PX)))):
            self._paint_column(painter, index, tallest)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go on with the token under the mouse."""
        index = self._column_at(event.position())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.token_clicked.emit(self._rivals[index][0])

    def event(self, event: QEvent) -> bool:
        """Tell both probabilities of the token under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self._column_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._describe(index) if index >= 0 else "", self)
            return True
        return super().event(event)
