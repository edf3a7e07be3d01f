"""Lines from a token to the tokens that it looks at, the stronger the more it looks."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

FEWEST_SHARE: Final = 0.02
MOST_LINES: Final = 48


def paint_lines(
    painter: QPainter, start: QPointF, ends: Sequence[QPointF], corners: Sequence[QPointF], weights: Sequence[float], colour: str
) -> None:
    """A bow from `start` past each of `corners` to each of `ends`; weights too small to be seen get none."""
    strongest = sorted(range(len(weights)), key=lambda index: -weights[index])[:MOST_LINES]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for index in reversed(strongest):
        weight = weights[index]
        if not weight >= FEWEST_SHARE:
            continue
        shade = QColor(colour)
        shade.setAlphaF(min(0.12 + 0.88 * weight**0.6, 1.0))
        path = QPainterPath(start)
        path.quadTo(corners[index], ends[index])
        painter.setPen(QPen(shade, 0.8 + 3.2 * weight, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        radius = 1.5 + 3 * weight**0.5
        painter.drawEllipse(ends[index], radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
