"""Small icons, drawn once as SVG in one colour and tinted to the theme, sharp at any pixel density."""

from importlib.resources import files
from typing import Final

from PySide6.QtCore import QByteArray, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

DISABLED_OPACITY: Final = 0.6


def icon(name: str, color: str | None = None) -> QIcon:
    """The icon `resources/icons/NAME.svg` in one colour (#RRGGBB); a pale grey where its control is disabled.

    Without a colour it keeps the one it was drawn in: a grey that can be seen on light and dark.
    """
    return QIcon(_TintedEngine(_read(name), None if color is None else QColor(color)))


def logo() -> QIcon:
    """The program's own icon, in its own colours."""
    return icon("nanograd")


def icon_file(name: str) -> str:
    """Where an icon lies, as style sheets want it; such an icon keeps the colour it was drawn in."""
    return str(files("resources") / "icons" / f"{name}.svg").replace("\\", "/")


def _read(name: str) -> bytes:
    return (files("resources") / "icons" / f"{name}.svg").read_bytes()


class _TintedEngine(QIconEngine):
    """Draws an SVG at whatever size and density is asked for, then lays the colour over what was drawn."""

    def __init__(self, svg: bytes, color: QColor | None) -> None:
        super().__init__()
        self._svg = svg
        self._color = color
        self._renderer = QSvgRenderer(QByteArray(svg))
        self._renderer.setAspectRatioMode(Qt.AspectRatioMode.KeepAspectRatio)  # in a broad place it keeps its distance

    def clone(self) -> QIconEngine:
        return _TintedEngine(self._svg, self._color)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatio()
        pixmap = self.scaledPixmap(rect.size(), mode, state, ratio)
        painter.drawPixmap(QPointF(rect.topLeft()), pixmap)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        """`size` is in pixels of the layout; `scale` is how many of the device's make one of them."""
        pixmap = QPixmap(size * scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setOpacity(DISABLED_OPACITY if mode == QIcon.Mode.Disabled else 1.0)
        self._renderer.render(painter, QRectF(pixmap.rect()))
        if self._color is not None and mode != QIcon.Mode.Disabled:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
            painter.fillRect(pixmap.rect(), self._color)
        painter.end()
        pixmap.setDevicePixelRatio(scale)
        return pixmap
