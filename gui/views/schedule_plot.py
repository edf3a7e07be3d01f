"""The learning rate over the run that the settings describe."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.format import count_text, number_text
from gui.theme import DARK, SMALL_PX, Theme, interface_font, mix, scaled


class SchedulePlot(QWidget):
    """The rate from the first step to the last: its rise while it warms up, its fall, and where the run stands."""

    POINTS: Final = 120
    TEXT_PX: Final = 18

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._rates: Sequence[float] = ()
        self._steps: Sequence[int] = ()
        self._max_steps, self._warmup_steps, self._step = 1, 0, 0
        self.setObjectName("schedule_plot")
        self.setAccessibleName("Learning rate over the run")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(150, 64)

    def show_schedule(self, steps: Sequence[int], rates: Sequence[float], warmup_steps: int) -> None:
        """Draw `rates` (N) after so many `steps` (N), the last of which ends the run; none is no schedule."""
        self._steps, self._rates = steps, rates
        self._max_steps = max(steps[-1], 1) if steps else 1
        self._warmup_steps = min(warmup_steps, self._max_steps)
        self.setAccessibleDescription(self._describe() if steps else "")
        self.update()

    def show_step(self, step: int) -> None:
        """Mark where the run stands; 0 marks nothing."""
        self._step = step
        self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the curve and the texts above and below."""
        return QSize(220, scaled(104))

    def _ends(self) -> tuple[str, str]:
        """The highest rate and the last."""
        peak, end = (number_text(float(f"{rate:.2g}")) for rate in (max(self._rates), self._rates[-1]))
        return peak, end

    def _describe(self) -> str:
        peak, end = self._ends()
        rise = f" after {count_text(self._warmup_steps)} steps" if self._warmup_steps else " at first"
        return f"{peak}{rise}, {end} at the end"

    def _area(self) -> QRectF:
        text = scaled(self.TEXT_PX)
        return QRectF(1, text + 4, self.width() - 2, max(self.height() - 2 * text - 6, 12))

    def _point(self, step: float, rate: float) -> QPointF:
        area, peak = self._area(), max(self._rates) or 1.0
        return QPointF(area.left() + area.width() * step / self._max_steps, area.bottom() - area.height() * rate / peak)

    def _paint_texts(self, painter: QPainter) -> None:
        area, height = self._area(), scaled(self.TEXT_PX)
        painter.setFont(interface_font(SMALL_PX))
        painter.setPen(QColor(self._theme.muted))
        foot = QRectF(area.left(), area.bottom() + 2, area.width(), height)
        head = QRectF(area.left(), 0, area.width(), height)
        left, right, middle = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignVCenter
        text = self._describe()
        if painter.fontMetrics().horizontalAdvance(text) > head.width():
            text = " → ".join(self._ends())
        painter.drawText(head, left | middle, text)
        painter.drawText(foot, left | middle, "0")
        painter.drawText(foot, right | middle, count_text(self._max_steps))

    def _paint_curve(self, painter: QPainter) -> None:
        area = self._area()
        curve = [self._point(step, rate) for step, rate in zip(self._steps, self._rates, strict=True)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(mix(self._theme.panel, self._theme.accent, 0.14)))
        painter.drawPolygon(QPolygonF([QPointF(curve[0].x(), area.bottom()), *curve, QPointF(curve[-1].x(), area.bottom())]))
        painter.setPen(QPen(QColor(self._theme.accent), 1.6))
        painter.drawPolyline(QPolygonF(curve))
        painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1), QColor(self._theme.hairline))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the curve and its ends in words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._steps:
            self._paint_curve(painter)
            self._paint_texts(painter)
            if self._step:
                x = self._point(min(self._step, self._max_steps), 0.0).x()
                painter.fillRect(QRectF(x - 0.5, self._area().top(), 1, self._area().height()), QColor(self._theme.text))
        painter.end()
