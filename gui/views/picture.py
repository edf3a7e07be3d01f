"""What a widget shows, as a picture that can be kept."""

from collections.abc import Callable

from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget


def picture_of(widget: QWidget, background: str, paint: Callable[[QPainter], None]) -> QImage:
    """What `paint` draws in the size of `widget`, with twice the pixels, on `background` (#RRGGBB)."""
    image = QImage(widget.size() * 2, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(2)
    image.fill(QColor(background))
    painter = QPainter(image)
    paint(painter)
    painter.end()
    return image
