"""The model that the settings describe, drawn to scale: what a token passes, from the table of tokens to the head."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gui.format import count_text, short_count_text
from gui.theme import DARK, SMALL_PX, Theme, interface_font, mix, scaled
from nanograd.training.model_parts import ModelPart

TITLES: Final = {
    "tokens": "Token table",
    "positions": "Positions",
    "attention": "Attention",
    "mlp": "MLP",
    "norm": "Norms",
    "head": "Head",
}


class ModelPicture(QWidget):
    """Each part as a rectangle: its height is the numbers it has for each token, its area its parameters.

    The two directions have scales of their own, so that every model fills the picture; within one all is to scale, but for
    what would be thinner than a line.
    """

    THINNEST_PX: Final = 1.5
    WIDEST_GAP_PX: Final = 12.0
    FOOT_PX: Final = 22

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._parts: Sequence[ModelPart] = ()
        self._n_head = 1
        self._is_tied = False
        self.setObjectName("model_picture")
        self.setAccessibleName("Picture of the model, to scale")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 100)

    @property
    def counts(self) -> dict[str, int]:
        """The parameters of each kind of part, in the order that a token passes them."""
        found: dict[str, int] = dict.fromkeys(TITLES, 0)
        for part in self._parts:
            found[part.kind] += part.parameter_count
        return {kind: count for kind, count in found.items() if count}

    def show_parts(self, parts: Sequence[ModelPart], n_head: int) -> None:
        """Draw a model of these parts; no parts are no model."""
        self._parts, self._n_head = parts, n_head
        self._is_tied = bool(parts) and parts[-1].kind != "head"
        self.setAccessibleDescription(", ".join(self._legend()))
        self.update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.update()

    def part_rects(self) -> list[QRectF]:
        """Where each part is drawn."""
        if not self._parts:
            return []
        area = self._picture_area()
        layers = max((part.layer + 1 for part in self._parts if part.layer is not None), default=0)
        gap = min(self.WIDEST_GAP_PX, 0.12 * area.width() / (layers + 1))
        room = area.width() - gap * sum(self._is_apart(one, other) for one, other in pairwise(self._parts))
        lengths = _lengths([part.parameter_count / part.width for part in self._parts], room, self.THINNEST_PX)
        tallest = max(part.width for part in self._parts)
        rects, x = [], area.left()
        for index, (part, length) in enumerate(zip(self._parts, lengths, strict=True)):
            x += gap if index and self._is_apart(self._parts[index - 1], part) else 0.0
            height = area.height() * part.width / tallest
            rects.append(QRectF(x, area.center().y() - height / 2, length, height))
            x += length
        return rects

    def sizeHint(self) -> QSize:
        """Room to tell the parts apart."""
        return QSize(420, scaled(190))

    @staticmethod
    def _is_apart(one: ModelPart, other: ModelPart) -> bool:
        return one.layer != other.layer

    def _picture_area(self) -> QRectF:
        legend = len(self._legend_lines()) * scaled(18)
        return QRectF(1, 2, self.width() - 2, max(self.height() - legend - scaled(self.FOOT_PX) - 6, 24))

    def _legend(self) -> list[str]:
        total = sum(self.counts.values())
        return [f"{TITLES[kind]} {short_count_text(count)} · {_share(count, total)}" for kind, count in self.counts.items()]

    def _legend_lines(self) -> list[list[tuple[str, str]]]:
        """The legend's entries, a kind and a text each, in as many lines as they need."""
        metrics = QFontMetrics(interface_font(SMALL_PX))
        lines: list[list[tuple[str, str]]] = [[]]
        x = 0
        for kind, text in zip(self.counts, self._legend(), strict=True):
            width = metrics.horizontalAdvance(text) + 34
            if lines[-1] and x + width > self.width():
                lines.append([])
                x = 0
            lines[-1].append((kind, text))
            x += width
        return lines

    def _colour(self, kind: str) -> QColor:
        theme = self._theme
        shades = {
            "tokens": (theme.text, 0.42), "positions": (theme.text, 0.22), "attention": (theme.accent, 0.8),
            "mlp": (theme.accent, 0.42), "norm": (theme.text, 0.6), "head": (theme.text, 0.42),
        }  # fmt: skip
        return QColor(mix(theme.panel, *shades[kind]))

    def _paint_stream(self, painter: QPainter, rects: Sequence[QRectF]) -> None:
        """What flows from part to part, as high as it has numbers."""
        first = rects[0]
        area = self._picture_area()
        painter.fillRect(
            QRectF(area.left(), first.top(), area.width(), first.height()), QColor(mix(self._theme.panel, self._theme.text, 0.07))
        )

    def _paint_heads(self, painter: QPainter, rect: QRectF) -> None:
        """The heads of a layer, where there is room to tell them apart."""
        height = rect.height() / self._n_head
        if height >= 3 and rect.width() >= 3:
            for head in range(1, self._n_head):
                painter.fillRect(
                    QRectF(rect.left(), rect.top() + head * height - 0.5, rect.width(), 1), QColor(self._theme.panel)
                )

    def _paint_foot(self, painter: QPainter, rects: Sequence[QRectF]) -> None:
        """Under the blocks, how many there are; at the right, where the head's table comes from."""
        painter.setFont(interface_font(SMALL_PX))
        painter.setPen(QColor(self._theme.muted))
        area, height = self._picture_area(), scaled(self.FOOT_PX)
        inside = [rect for part, rect in zip(self._parts, rects, strict=True) if part.layer is not None]
        layers = max((part.layer + 1 for part in self._parts if part.layer is not None), default=0)
        left, right = inside[0].left(), inside[-1].right()
        y = area.bottom() + 4
        painter.fillRect(QRectF(left, y, right - left, 1), QColor(self._theme.faint))
        heads = f"{self._n_head} head{'s' if self._n_head > 1 else ''} of {self._parts[0].width // self._n_head}"
        text = f"{layers} layer{'s' if layers > 1 else ''}, each {heads}"
        whole = f"{text} · the token table is the head, too"
        if self._is_tied and painter.fontMetrics().horizontalAdvance(whole) <= self.width():
            text = whole
        width = painter.fontMetrics().horizontalAdvance(text)
        x = min(max((left + right - width) / 2, 1.0), max(self.width() - width - 1.0, 1.0))
        painter.drawText(
            QRectF(x, y + 3, self.width() - x, height - 4), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, text
        )

    def _paint_legend(self, painter: QPainter) -> None:
        lines = self._legend_lines()
        height = scaled(18)
        for row, line in enumerate(lines):
            x, y = 1.0, self.height() - (len(lines) - row) * height
            for kind, text in line:
                painter.fillRect(QRectF(x, y + height / 2 - 4, 9, 9), self._colour(kind))
                painter.drawText(QPointF(x + 15, y + height / 2 + painter.fontMetrics().ascent() / 2 - 1), text)
                x += painter.fontMetrics().horizontalAdvance(text) + 34

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the stream, the parts on it, and what they are."""
        rects = self.part_rects()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if rects:
            self._paint_stream(painter, rects)
            for part, rect in zip(self._parts, rects, strict=True):
                painter.fillRect(rect, self._colour(part.kind))
                if part.kind == "attention":
                    self._paint_heads(painter, rect)
            self._paint_foot(painter, rects)
            self._paint_legend(painter)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Name the part under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            under = [
                part for part, rect in zip(self._parts, self.part_rects(), strict=True) if rect.contains(QPointF(event.pos()))
            ]
            QToolTip.showText(event.globalPos(), _describe(under[0]) if under else "", self)
            return True
        return super().event(event)


def _lengths(wanted: Sequence[float], room: float, thinnest: float) -> list[float]:
    """`room` shared out in proportion, none below `thinnest`: what those get more, the others give."""
    thinnest = min(thinnest, room / (3 * len(wanted)))  # of so many parts, what is left is to scale all the same
    thin = {index for index, length in enumerate(wanted) if length * room < thinnest * sum(wanted)}
    rest = sum(length for index, length in enumerate(wanted) if index not in thin)
    scale = max(room - thinnest * len(thin), 0.0) / rest if rest else 0.0
    return [thinnest if index in thin else length * scale for index, length in enumerate(wanted)]


def _share(count: int, total: int) -> str:
    share = count / total
    return f"{share:.0%}" if share >= 0.005 else "<1%"


def _describe(part: ModelPart) -> str:
    where = "" if part.layer is None else f" of layer {part.layer + 1}"
    title = TITLES[part.kind] if part.kind != "norm" else "Norm"
    return f"{title}{where}: {count_text(part.parameter_count)} parameters, {count_text(part.width)} numbers for each token"
