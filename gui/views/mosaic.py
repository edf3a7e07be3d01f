"""All heads of all layers side by side, as one picture."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.theme import DARK, Theme
from gui.views.heatmap import Weights, colour_table, image_of, levels_of, shrink


class AttentionMosaic(QWidget):
    """All heads of all layers as one picture: a row for each layer. A click or the arrow keys choose one."""

    head_chosen = Signal(int, int)

    GAPS: Final = ((8, 4), (12, 2), (1_000, 1))
    """Up to so many heads in a row or a column, so many pixels between them."""
    LARGEST_TILE: Final = 128

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._weights: Weights = np.empty((0, 0, 0, 0), dtype=np.float32)
        self._n_layer, self._n_head = 1, 1
        self._chosen = (0, 0)
        self._theme, self._colours = DARK, colour_table(DARK)
        self._image: QImage | None = None
        self.setObjectName("attention_mosaic")
        self.setAccessibleName("All heads")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Room enough to be read."""
        return QSize(self._n_head * 52, self._n_layer * 52)

    def minimumSizeHint(self) -> QSize:
        """It can shrink to almost nothing."""
        return QSize(40, 40)

    def show_layout(self, n_layer: int, n_head: int) -> None:
        """Make room for so many heads; they are blank until weights come."""
        self._n_layer, self._n_head = n_layer, n_head
        self._weights = np.empty((0, 0, 0, 0), dtype=np.float32)
        self._forget_image()
        self.updateGeometry()

    def show_weights(self, weights: Weights) -> None:
        """Draw `weights` (n_layer, n_head, T, T)."""
        self._weights = weights
        self._n_layer, self._n_head = weights.shape[:2]
        self._forget_image()

    def show_chosen(self, layer: int, head: int) -> None:
        """Outline a head; both count from 0."""
        self._chosen = (layer, head)
        self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme, self._colours = theme, colour_table(theme)
        self._forget_image()

    @property
    def _gap(self) -> int:
        return next(gap for most, gap in self.GAPS if max(self._n_layer, self._n_head) <= most)

    def size_within(self, width: int, height: int) -> QSize:
        """How large the picture gets where there is so much room."""
        pitch = self._tile_for(width, height) + self._gap
        return QSize(self._n_head * pitch - self._gap + 2, self._n_layer * pitch - self._gap + 2)

    def tile_rect(self, layer: int, head: int) -> QRect:
        """Where in the widget a head is drawn."""
        tile = self._tile()
        pitch = tile + self._gap
        return QRect(1 + head * pitch, 1 + layer * pitch, tile, tile)

    def _tile(self) -> int:
        return self._tile_for(self.width(), self.height())

    def _tile_for(self, width: int, height: int) -> int:
        across = (width - 2 + self._gap) // self._n_head - self._gap
        down = (height - 2 + self._gap) // self._n_layer - self._gap
        return max(2, min(across, down, self.LARGEST_TILE))

    def _forget_image(self) -> None:
        self._image = None
        self.update()

    def _make_image(self) -> QImage:
        ratio = self.devicePixelRatioF()
        tile, gap = round(self._tile() * ratio), round(self._gap * ratio)
        blank = np.uint32(QColor(self._theme.raised).rgba())
        canvas = np.zeros((self._n_layer * (tile + gap), self._n_head * (tile + gap)), dtype=np.uint32)
        for layer in range(self._n_layer):
            for head in range(self._n_head):
                y, x = layer * (tile + gap), head * (tile + gap)
                canvas[y : y + tile, x : x + tile] = blank
                if self._weights.size:
                    canvas[y : y + tile, x : x + tile] = self._tile_pixels(self._weights[layer, head], tile, blank)
        image = image_of(canvas)
        image.setDevicePixelRatio(ratio)
        return image

    def _tile_pixels(self, weights: Weights, tile: int, blank: np.uint32) -> NDArray[np.uint32]:
        shrunk = shrink(weights, tile)
        pixels = self._colours[levels_of(shrunk)]
        pixels[np.triu_indices(len(pixels), 1)] = blank
        places = np.arange(tile) * len(pixels) // tile
        return pixels[places[:, None], places]

    def _paint_tiles(self, painter: QPainter) -> None:
        if self._image is None or self._image.devicePixelRatio() != self.devicePixelRatioF():
            self._image = self._make_image()
        painter.drawImage(QPointF(1, 1), self._image)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw all heads and the outline of the chosen one."""
        painter = QPainter(self)
        self._paint_tiles(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.accent), 2 if self.hasFocus() else 1.5))
        painter.drawRoundedRect(QRectF(self.tile_rect(*self._chosen)), 3, 3)
        painter.end()

    def resizeEvent(self, event: QEvent) -> None:
        """Fit what is shown to the new size."""
        self._image = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the head under the mouse."""
        chosen = self._head_at(event.position())
        if chosen is not None and event.button() == Qt.MouseButton.LeftButton:
            self.head_chosen.emit(*chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the choice by the arrow keys."""
        moves = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
        move = moves.get(Qt.Key(event.key()))
        if move is None:
            super().keyPressEvent(event)
            return
        layer = min(max(self._chosen[0] + move[0], 0), self._n_layer - 1)
        head = min(max(self._chosen[1] + move[1], 0), self._n_head - 1)
        self.head_chosen.emit(layer, head)

    def event(self, event: QEvent) -> bool:
        """Name the head under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            under = self._head_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), f"Layer {under[0] + 1} · Head {under[1] + 1}" if under else "", self)
            return True
        return super().event(event)

    def _head_at(self, position: QPointF) -> tuple[int, int] | None:
        pitch = self._tile() + self._gap
        layer, head = int((position.y() - 1) // pitch), int((position.x() - 1) // pitch)
        return (layer, head) if 0 <= layer < self._n_layer and 0 <= head < self._n_head else None
