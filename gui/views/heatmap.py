"""One head's attention as a map with its tokens, and the colours that weights are drawn in."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.theme import DARK, SMALL_PX, Theme, interface_font, mono_font
from gui.views.attention_lines import paint_lines
from gui.views.picture import picture_of
from nanograd.text.tokenizer import visible

Weights = NDArray[np.float32]
NO_WEIGHTS: Final[Weights] = np.empty((0, 0), dtype=np.float32)


def colour_table(theme: Theme) -> NDArray[np.uint32]:
    """256 opaque colours (ARGB) from the theme's stops, in even steps."""
    stops = np.array([(stop.red(), stop.green(), stop.blue()) for stop in map(QColor, theme.heatmap)], dtype=np.float64)
    places = np.linspace(0, 1, len(stops))
    red, green, blue = (np.interp(np.linspace(0, 1, 256), places, stops[:, i]).round().astype(np.uint32) for i in range(3))
    return np.uint32(0xFF000000) | (red << np.uint32(16)) | (green << np.uint32(8)) | blue


def levels_of(weights: Weights) -> NDArray[np.uint8]:
    """Weights from 0 to 1 on a square-root scale from 0 to 255, so that small ones can be told apart."""
    roots = np.sqrt(np.clip(np.nan_to_num(weights), 0, 1))
    levels: NDArray[np.uint8] = np.rint(roots * 255).astype(np.uint8)
    return levels


def shrink(weights: Weights, size: int) -> Weights:
    """A map of at most `size` a side: each cell the largest weight of those it stands for, so that thin lines stay."""
    T = len(weights)
    step = -(-T // size)
    if step <= 1:
        return weights
    padded = np.zeros((-(-T // step) * step,) * 2, dtype=weights.dtype)
    padded[:T, :T] = weights
    blocks = padded.reshape(len(padded) // step, step, len(padded) // step, step)
    shrunk: Weights = blocks.max(axis=(1, 3))
    return shrunk


def image_of(argb: NDArray[np.uint32]) -> QImage:
    """A picture (height, width) that owns its pixels."""
    pixels = np.ascontiguousarray(argb)
    height, width = pixels.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where a map lies: a square from `left`, `top`, of cells `cell` wide, labels for each `stride`-th token.

    It shows `count` tokens a side, from the token `first` on along both axes.
    """

    left: float
    top: float
    cell: float
    side: float
    stride: int
    font: QFont
    first: int
    count: int

    def cell_rect(self, query: int, key: int) -> QRectF:
        across, down = key - self.first, query - self.first
        return QRectF(self.left + across * self.cell, self.top + down * self.cell, self.cell, self.cell)

    @property
    def shown(self) -> range:
        return range(self.first, self.first + self.count)


class AttentionMap(QWidget):
    """Where one head looks: a row for each token that looks (query), a column for each it looks at (key).

    What lies after the present token stays blank. `weights` (T, T) and `tokens` are what is drawn. Pointing at a token draws
    lines to those it looks at; a click keeps them. The wheel zooms along the diagonal, a double click shows all again.
    """

    token_pinned = Signal(object)
    """The place of the token whose lines stay; None for none."""

    LABEL_GAP: Final = 5.0
    LONGEST_LABEL: Final = 84.0
    FEWEST_SHOWN: Final = 6
    EMPTY_TEXT: Final = "Attention appears here once the model has looked at the probe."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.weights: Weights = NO_WEIGHTS
        self.tokens: tuple[str, ...] = ()
        self._theme = DARK
        self._colours = colour_table(DARK)
        self._image, self._small_image = QImage(), QImage()
        self._hovered: tuple[int, int] | None = None
        self._pointed: int | None = None
        self._pinned: int | None = None
        self._first, self._count = 0, 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setObjectName("attention_map")
        self.setAccessibleName("Attention map")
        self.setMouseTracking(True)
        self.setMinimumSize(120, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Room enough to be read."""
        return QSize(320, 300)

    def show_weights(self, weights: Weights, tokens: tuple[str, ...]) -> None:
        """Draw `weights` (T, T) of one head over `tokens` (T)."""
        if len(tokens) != len(self.tokens):
            self._hovered = self._pointed = self._pinned = None
            self._first, self._count = 0, len(tokens)
        self.weights, self.tokens = weights, tokens
        self._make_image()
        self.update()

    @property
    def looking_token(self) -> int | None:
        """The place of the token whose lines are drawn: the one pointed at, otherwise the one that was pinned."""
        return self._pinned if self._pointed is None else self._pointed

    @property
    def shown_tokens(self) -> range:
        """The places that are in sight."""
        return range(self._first, self._first + self._count)

    def pin(self, place: int | None) -> None:
        """Keep the lines of the token at `place`; None lets them go."""
        if place != self._pinned:
            self._pinned = place
            self.token_pinned.emit(place)
            self.update()

    def show_part(self, first: int, count: int) -> None:
        """Show so many tokens from `first` on, as far as there are."""
        total = len(self.tokens)
        self._count = min(max(count, min(self.FEWEST_SHOWN, total)), total)
        self._first = min(max(first, 0), total - self._count)
        self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme, self._colours = theme, colour_table(theme)
        self._make_image()
        self.update()

    def picture(self) -> QImage:
        """The map as it is seen now, with twice the pixels."""
        return picture_of(self, self._theme.panel, self._paint)

    def _make_image(self) -> None:
        if self.weights.size == 0:
            self._image = self._small_image = QImage()
            return
        self._image = self._image_of(self.weights)
        self._small_image = self._image_of(shrink(self.weights, 256))

    def _image_of(self, weights: Weights) -> QImage:
        argb = self._colours[levels_of(weights)]
        argb[np.triu_indices(argb.shape[0], 1)] = 0
        return image_of(argb)

    def _layout(self) -> _Layout:
        labels = [visible(token) for token in self.tokens[self._first : self._first + self._count]]
        font = mono_font(SMALL_PX)
        widest = max(QFontMetricsF(font).horizontalAdvance(label) for label in labels)
        strip = min(widest, self.LONGEST_LABEL) + self.LABEL_GAP
        top = max(strip, 16.0)
        cell = self._cell(min(self.width() - strip - 8, self.height() - top - 8))
        font = mono_font(min(SMALL_PX, max(9.0, cell * 0.95)))
        metrics = QFontMetricsF(font)
        needed = max(metrics.ascent(), metrics.horizontalAdvance("M") + 1)
        stride = max(1, int(np.ceil(needed / max(cell, 0.1))))
        return _Layout(
            left=strip,
            top=top,
            cell=cell,
            side=cell * len(labels),
            stride=stride,
            font=font,
            first=self._first,
            count=len(labels),
        )

    def _cell(self, available: float) -> float:
        """Whole device pixels where that wastes little room."""
        ratio = self.devicePixelRatioF()
        exact = max(available, 1.0) / self._count
        whole = np.floor(exact * ratio) / ratio
        return float(whole if whole > 0.8 * exact else exact)

    def _paint(self, painter: QPainter) -> None:
        if self._image.isNull():
            self._paint_empty(painter)
            return
        layout = self._layout()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_cells(painter, layout)
        self._paint_labels(painter, layout)
        if layout.side >= 200:
            self._paint_scale(painter, layout)
        if self.looking_token is not None:
            self._paint_lines(painter, layout, self.looking_token)
        if self._hovered is not None:
            self._paint_hovered(painter, layout, *self._hovered)

    def _paint_empty(self, painter: QPainter) -> None:
        painter.setPen(QColor(self._theme.muted))
        painter.setFont(interface_font(13))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(QRectF(self.rect()).adjusted(16, 16, -16, -16), flags, self.EMPTY_TEXT)

    def _paint_cells(self, painter: QPainter, layout: _Layout) -> None:
        square = QRectF(layout.left, layout.top, layout.side, layout.side)
        radius = min(3.0, layout.cell / 2)
        outline = QPainterPath()
        outline.addRoundedRect(square, radius, radius)
        painter.save()
        painter.setClipPath(outline)
        whole = self._count == len(self.tokens)
        if whole and layout.cell * self.devicePixelRatioF() < 1:  # cells that share a pixel: the strongest is seen
            painter.drawImage(square, self._small_image)
        else:
            painter.drawImage(square, self._image, QRectF(self._first, self._first, self._count, self._count))
        painter.restore()

    def _paint_lines(self, painter: QPainter, layout: _Layout, query: int) -> None:
        if query not in layout.shown:
            return
        keys = range(layout.first, query + 1)
        middle = layout.cell_rect(query, query).center().y()
        columns = [layout.cell_rect(query, key).center().x() for key in keys]
        paint_lines(
            painter,
            QPointF(layout.left - 1, middle),
            [QPointF(x, layout.top - 1) for x in columns],
            [QPointF(x, middle) for x in columns],
            [float(weight) for weight in np.nan_to_num(self.weights[query, layout.first : query + 1])],
            self._theme.text,
        )

    def _paint_labels(self, painter: QPainter, layout: _Layout) -> None:
        painter.setFont(layout.font)
        query, key = self._hovered or (-1, -1)
        query = query if self.looking_token is None else self.looking_token
        are_wide = any(len(visible(token)) > 1 for token in self.tokens)
        for index in layout.shown:
            token = self.tokens[index]
            near_hover = abs(index - query) < layout.stride and query >= 0
            if index == query or (index % layout.stride == 0 and not near_hover):
                self._paint_query_label(painter, layout, index, visible(token), index == query)
            near_hover = abs(index - key) < layout.stride and key >= 0
            if index == key or (index % layout.stride == 0 and not near_hover):
                self._paint_key_label(painter, layout, index, visible(token), index == key, are_wide)

    def _paint_query_label(self, painter: QPainter, layout: _Layout, index: int, text: str, is_hovered: bool) -> None:
        painter.setPen(QColor(self._theme.accent if is_hovered else self._theme.muted))
        middle = layout.top + (index - layout.first + 0.5) * layout.cell
        text = QFontMetricsF(layout.font).elidedText(text, Qt.TextElideMode.ElideRight, layout.left - self.LABEL_GAP + 1)
        rect = QRectF(0, middle - 10, layout.left - self.LABEL_GAP, 20)
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_key_label(
        self, painter: QPainter, layout: _Layout, index: int, text: str, is_hovered: bool, are_wide: bool
    ) -> None:
        painter.setPen(QColor(self._theme.accent if is_hovered else self._theme.muted))
        middle = layout.left + (index - layout.first + 0.5) * layout.cell
        if not are_wide:
            painter.drawText(QRectF(middle - 10, layout.top - 18, 20, 16), Qt.AlignmentFlag.AlignCenter, text)
            return
        text = QFontMetricsF(layout.font).elidedText(text, Qt.TextElideMode.ElideRight, layout.top - self.LABEL_GAP + 1)
        painter.save()
        painter.translate(middle, layout.top - self.LABEL_GAP)
        painter.rotate(-90)
        painter.drawText(QRectF(0, -10, layout.top, 20), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()

    def _paint_scale(self, painter: QPainter, layout: _Layout) -> None:
        """The colour bar, in the corner that the future leaves blank."""
        width = min(104.0, layout.side * 0.4)
        bar = QRectF(layout.left + layout.side - width, layout.top + 20, width, 6)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        for place in np.linspace(0, 1, 17):
            gradient.setColorAt(float(place), QColor.fromRgba(int(self._colours[round(place * 255)])))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient)
        painter.drawRoundedRect(bar, 3, 3)
        painter.setFont(interface_font(10.5))
        painter.setPen(QColor(self._theme.muted))
        above = QRectF(bar.left() - 60, bar.top() - 18, bar.width() + 60, 14)
        painter.drawText(above, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "square-root scale")
        for weight, text in ((0.0, "0"), (0.25, "0.25"), (1.0, "1")):
            place = bar.left() + bar.width() * weight**0.5
            left = {0.0: place, 1.0: place - 40}.get(weight, place - 20)
            align = {0.0: Qt.AlignmentFlag.AlignLeft, 1.0: Qt.AlignmentFlag.AlignRight}.get(weight, Qt.AlignmentFlag.AlignHCenter)
            painter.drawText(QRectF(left, bar.bottom() + 3, 40, 14), align | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_hovered(self, painter: QPainter, layout: _Layout, query: int, key: int) -> None:
        cell = layout.cell_rect(query, key)
        line = QPen(QColor(self._theme.text), 1)
        line.setCosmetic(True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        faint = QColor(self._theme.text)
        faint.setAlphaF(0.45)
        painter.setPen(QPen(faint, 1))
        row = QRectF(layout.left, cell.top(), (query - layout.first + 1) * layout.cell, layout.cell)
        down = (key - layout.first) * layout.cell
        column = QRectF(cell.left(), layout.top + down, layout.cell, layout.side - down)
        painter.drawRect(row.adjusted(-0.5, -0.5, 0.5, 0.5))
        painter.drawRect(column.adjusted(-0.5, -0.5, 0.5, 0.5))
        painter.setPen(line)
        painter.drawRect(cell.adjusted(-0.5, -0.5, 0.5, 0.5))
        self._paint_card(painter, cell, self.hover_text)

    def _paint_card(self, painter: QPainter, cell: QRectF, text: str) -> None:
        font = mono_font(SMALL_PX)
        width = QFontMetricsF(font).horizontalAdvance(text) + 20
        left = min(max(cell.center().x() + 14, 2.0), self.width() - width - 2)
        top = cell.top() - 36 if cell.top() > 40 else cell.bottom() + 10
        card = QRectF(left, top, width, 26)
        painter.setPen(QPen(QColor(self._theme.hairline), 1))
        painter.setBrush(QColor(self._theme.raised))
        painter.drawRoundedRect(card, 6, 6)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.text))
        painter.drawText(card, Qt.AlignmentFlag.AlignCenter, text)

    @property
    def hover_text(self) -> str:
        """What the pointer is on, such as '"t" looks at "F": 0.31'; empty where it is on nothing."""
        if self._hovered is None:
            return ""
        query, key = self._hovered
        weight = float(self.weights[query, key])
        shown = f"{weight:.2f}" if weight >= 0.005 else "under 0.01"
        return f"“{visible(self.tokens[query])}” looks at “{visible(self.tokens[key])}”: {shown}"

    def cell_center(self, query: int, key: int) -> QPointF:
        """Where in the widget the weight of `query` on `key`, both counted from 0, is drawn."""
        return self._layout().cell_rect(query, key).center()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at the cell or the token under the mouse."""
        self._hover(self._cell_at(event.position()), self._label_at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Keep the lines of the token that was clicked, on an axis or by its row; a second click lets them go."""
        cell, label = self._cell_at(event.position()), self._label_at(event.position())
        place = label if label is not None else cell[0] if cell else None
        if event.button() == Qt.MouseButton.LeftButton:
            self.pin(None if place == self._pinned else place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all tokens again."""
        self.show_part(0, len(self.tokens))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Show fewer tokens around the one under the mouse, or more."""
        if not self.tokens:
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            delta = event.angleDelta().y() or event.angleDelta().x()
            self.show_part(self._first - round(np.sign(delta) * max(1, self._count // 10)), self._count)
            return
        layout = self._layout()
        share = min(max((event.position().y() - layout.top) / max(layout.side, 1.0), 0.0), 1.0)
        count = round(self._count * 0.8 ** (event.angleDelta().y() / 120))
        count = count if count != self._count else self._count - int(np.sign(event.angleDelta().y()))
        place = self._first + int(share * self._count)
        self.show_part(place - int(share * count), count)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down move the token whose lines are kept, Escape lets them go, + and - zoom."""
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if key in moves and self.tokens:
            start = len(self.tokens) if self._pinned is None else self._pinned
            self.pin(min(max(start + moves[key], 0), len(self.tokens) - 1))
        elif key == Qt.Key.Key_Escape and self._pinned is not None:
            self.pin(None)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus) and self.tokens:
            count = round(self._count * (0.8 if key == Qt.Key.Key_Plus else 1.25))
            middle = self._first + self._count // 2 if self._pinned is None else self._pinned
            self.show_part(middle - count // 2, count)
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        self._hover(None, None)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the map as it stands."""
        painter = QPainter(self)
        self._paint(painter)
        painter.end()

    def _hover(self, hovered: tuple[int, int] | None, pointed: int | None) -> None:
        if (hovered, pointed) != (self._hovered, self._pointed):
            self._hovered, self._pointed = hovered, pointed
            self.update()

    def _label_at(self, position: QPointF) -> int | None:
        """The place of the token whose name lies there, on either axis."""
        if not self.tokens:
            return None
        layout = self._layout()
        x, y = position.x() - layout.left, position.y() - layout.top
        along = y if x < 0 <= y else x if y < 0 <= x else -1.0
        place = layout.first + int(along // layout.cell)
        return place if along >= 0 and place in layout.shown else None

    def _cell_at(self, position: QPointF) -> tuple[int, int] | None:
        if not self.tokens:
            return None
        layout = self._layout()
        query = layout.first + int((position.y() - layout.top) // layout.cell)
        key = layout.first + int((position.x() - layout.left) // layout.cell)
        return (query, key) if layout.first <= key <= query < layout.first + layout.count else None
