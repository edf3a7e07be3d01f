"""A text of the model, each token shaded by how sure the model was, with its rivals on a card."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from gui.events import TextGenerated
from gui.theme import DARK, SMALL_PX, Theme, interface_font, mono_font, set_role
from nanograd.text.tokenizer import visible


class WrittenText(QTextEdit):
    """Shows tokens as they come and stays at the end of the text, unless the user scrolled up.

    Pointing at a token shows its rivals; a click keeps them there, so that one of them can be clicked.
    """

    rival_chosen = Signal(int, object)
    """The place of a token, counted from 0, and the text to go on with in its stead."""

    LINE_HEIGHT: Final = 140.0
    STRONGEST_SHADE: Final = 0.42
    EMPTY_TEXT: Final = "What the model writes appears here. The stronger a token is shaded, the surer the model was of it."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._tokens: list[TextGenerated] = []
        self._ends: list[int] = []
        self._is_writing = False
        self._pinned: int | None = None
        self._card = RivalsCard(self)
        self._card.hide()
        self._card.rival_clicked.connect(self._on_rival_clicked)
        self.setObjectName("generated_text")
        self.setAccessibleName("Generated text")
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setFont(mono_font())
        self.setMinimumHeight(60)
        self.document().setDocumentMargin(1)
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().valueChanged.connect(self._unpin)
        set_role(self, "plain")

    @property
    def text(self) -> str:
        """The text to the letter: a document has but one kind of space and of line end."""
        return "".join(token.text for token in self._tokens)

    @property
    def tokens(self) -> tuple[TextGenerated, ...]:
        """The tokens so far."""
        return tuple(self._tokens)

    def begin(self) -> None:
        """An empty page; what follows is marked as being written."""
        self._tokens.clear()
        self._ends.clear()
        self._unpin()
        self.clear()
        self._is_writing = True

    def append_tokens(self, tokens: Sequence[TextGenerated]) -> None:
        """Put `tokens` at the end."""
        bar = self.verticalScrollBar()
        is_at_end = bar.value() >= bar.maximum() - 4
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        if not self._tokens:
            spaced = QTextBlockFormat()
            spaced.setLineHeight(self.LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
            cursor.setBlockFormat(spaced)
        for token in tokens:
            cursor.insertText(token.text, self._format(token))
            self._tokens.append(token)
            self._ends.append(cursor.position())
        cursor.endEditBlock()
        if is_at_end:
            bar.setValue(bar.maximum())

    def end(self) -> None:
        """The text is complete."""
        self._is_writing = False
        self.viewport().update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self._card.show_theme(theme)
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        start = 0
        for token, end in zip(self._tokens, self._ends, strict=True):
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(self._format(token))
            start = end
        cursor.endEditBlock()

    def token_at(self, position: QPoint) -> int | None:
        """Which token lies at a place in the viewport, counted from 0."""
        place = self.document().documentLayout().hitTest(self._to_document(position), Qt.HitTestAccuracy.ExactHit)
        if place < 0:
            return None
        cursor = QTextCursor(self.document())
        cursor.setPosition(place)
        caret = self.cursorRect(cursor)  # the hit is the gap between characters nearest to the place: it may lie to its right
        if position.x() < caret.left() or position.y() < caret.top():
            place -= 1
        index = bisect_right(self._ends, place)
        return index if index < len(self._tokens) else None

    def _to_document(self, position: QPoint) -> QPointF:
        return QPointF(position.x() + self.horizontalScrollBar().value(), position.y() + self.verticalScrollBar().value())

    def _format(self, token: TextGenerated) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setBackground(self._shade(token.probability))
        made.setForeground(QColor(self._theme.text))
        return made

    def _shade(self, probability: float) -> QColor:
        """The accent thinned on the panel, and opaque: where neighbours overlap by a part of a pixel no seam shows."""
        share = self.STRONGEST_SHADE * min(max(probability, 0.0), 1.0)
        ground, accent = QColor(self._theme.panel), QColor(self._theme.accent)
        pairs = ((ground.red(), accent.red()), (ground.green(), accent.green()), (ground.blue(), accent.blue()))
        red, green, blue = (round(below + share * (above - below)) for below, above in pairs)
        return QColor(red, green, blue)

    def _paint_empty(self, painter: QPainter) -> None:
        """Qt's own placeholder does not wrap."""
        painter.setFont(interface_font())
        painter.setPen(QColor(self._theme.muted))
        painter.drawText(QRectF(self.viewport().rect()), Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap, self.EMPTY_TEXT)

    def _paint_line_ends(self, painter: QPainter) -> None:
        """A sign where a new line was written, shaded like any token."""
        metrics = QFontMetricsF(self.font())
        sign = visible("\n")
        block = self.cursorForPosition(QPoint(0, 0)).block()
        while block.isValid() and block.next().isValid():
            end = self._end_of(block)
            if end.y() > self.viewport().height():
                break
            index = bisect_right(self._ends, block.position() + block.length() - 1)
            if index < len(self._tokens):
                place = QRectF(end.x(), end.y() - metrics.ascent(), metrics.horizontalAdvance(sign), metrics.height())
                painter.fillRect(place, self._shade(self._tokens[index].probability))
                painter.setPen(QColor(self._theme.muted))
                painter.drawText(end, sign)
            block = block.next()

    def _end_of(self, block: QTextBlock) -> QPointF:
        """Where the base line of a block's last line ends, in the viewport."""
        line = block.layout().lineAt(block.layout().lineCount() - 1)
        origin = self.document().documentLayout().blockBoundingRect(block).topLeft()
        x = origin.x() + line.x() + line.naturalTextWidth() - self.horizontalScrollBar().value()
        return QPointF(x, origin.y() + line.y() + line.ascent() - self.verticalScrollBar().value())

    def _show_card(self, index: int, position: QPoint) -> None:
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._ends[index])
        window = self.window()
        if self._card.parentWidget() is not window:
            self._card.setParent(window)
        rect = self.cursorRect(cursor)
        corner = self.viewport().mapTo(window, QPoint(min(rect.left(), position.x()), rect.bottom() + 6))
        self._card.show_token(self._tokens[index])
        x = min(corner.x(), window.width() - self._card.width() - 4)
        y = corner.y()
        if y + self._card.height() > window.height() - 4:
            y = self.viewport().mapTo(window, QPoint(0, rect.top() - 6)).y() - self._card.height()
        self._card.move(max(x, 4), max(y, 4))
        self._card.show()
        self._card.raise_()

    def _unpin(self) -> None:
        self._pinned = None
        self._card.set_clickable(False)
        self._card.hide()

    @Slot(object)
    def _on_rival_clicked(self, text: str) -> None:
        place = self._pinned
        self._unpin()
        if place is not None and text != self._tokens[place].token:
            self.rival_chosen.emit(place, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Keep the card of the token under the mouse, or put a kept one away."""
        super().mousePressEvent(event)
        index = self.token_at(event.position().toPoint())
        was_pinned = self._pinned
        self._unpin()
        if index is not None and index != was_pinned and event.button() == Qt.MouseButton.LeftButton:
            self._show_card(index, event.position().toPoint())
            self._card.set_clickable(True)
            self._pinned = index

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape puts a kept card away."""
        if event.key() == Qt.Key.Key_Escape and self._pinned is not None:
            self._unpin()
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the rivals of the token under the mouse."""
        super().mouseMoveEvent(event)
        if self._pinned is not None:
            return
        index = self.token_at(event.position().toPoint())
        if index is None or event.buttons() != Qt.MouseButton.NoButton:
            self._card.hide()
        else:
            self._show_card(index, event.position().toPoint())

    def viewportEvent(self, event: QEvent) -> bool:
        """Put the card away when the pointer leaves."""
        if event.type() == QEvent.Type.Leave and self._pinned is None:
            self._card.hide()
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text, its line ends, and where it is being written."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        if not self._tokens and not self._is_writing:
            self._paint_empty(painter)
            return
        painter.setFont(self.font())
        self._paint_line_ends(painter)
        if self._is_writing:
            end = self._end_of(self.document().lastBlock())
            painter.fillRect(
                QRectF(end.x() + 1, end.y() - QFontMetricsF(self.font()).ascent() - 1, 2, 17), QColor(self._theme.accent)
            )
        painter.end()


class RivalsCard(QWidget):
    """The likeliest tokens at one place, with their probabilities as bars."""

    rival_clicked = Signal(object)

    ROW: Final = 20
    MARGIN: Final = 10
    WIDTH: Final = 142
    TOKEN_WIDTHS: Final = (30, 110)
    SHADOW: Final = 6

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._token: TextGenerated | None = None
        self._token_width = self.TOKEN_WIDTHS[0]
        self.setObjectName("rivals_card")
        self.setAccessibleName("Likeliest tokens at this place")
        self._hovered = -1
        self.setMouseTracking(True)
        self.set_clickable(False)

    def set_clickable(self, is_clickable: bool) -> None:
        """Whether its rows can be clicked; otherwise the pointer goes through it."""
        self._hovered = -1
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not is_clickable)
        self.setCursor(Qt.CursorShape.PointingHandCursor if is_clickable else Qt.CursorShape.ArrowCursor)
        self.update()

    def row_center(self, index: int) -> QPoint:
        """Where a row is drawn."""
        return QPoint(self.width() // 2, self.SHADOW + self.MARGIN + self.ROW * index + self.ROW // 2)

    def _row_at(self, y: float) -> int:
        index = int((y - self.SHADOW - self.MARGIN) // self.ROW)
        return index if 0 <= index < len(self._rivals()) else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Bring out the row under the mouse."""
        self._hovered = self._row_at(event.position().y())
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the token under the mouse."""
        index = self._row_at(event.position().y())
        if index >= 0:
            self.rival_clicked.emit(self._rivals()[index][0])

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.update()

    def show_token(self, token: TextGenerated) -> None:
        """Show the rivals of `token`, itself included."""
        self._token = token
        rivals = self._rivals()
        widest = max(QFontMetricsF(mono_font()).horizontalAdvance(visible(text)) for text, _ in rivals)
        self._token_width = min(max(int(widest) + 6, self.TOKEN_WIDTHS[0]), self.TOKEN_WIDTHS[1])
        height = self.ROW * len(rivals) + 2 * self.MARGIN
        self.resize(self.WIDTH + self._token_width + 2 * self.SHADOW, height + 2 * self.SHADOW)
        lines = [f"{visible(text)} {probability:.0%}" for text, probability in self._rivals()]
        self.setAccessibleDescription(", ".join(lines))
        self.update()

    def _rivals(self) -> tuple[tuple[str, float], ...]:
        """The rivals, and the token itself where it is not among them."""
        if self._token is None:
            return ()
        rivals = dict(self._token.rivals) | {self._token.token: self._token.probability}
        return tuple(sorted(rivals.items(), key=lambda rival: -rival[1]))

    def _paint_ground(self, painter: QPainter) -> QRectF:
        card = QRectF(self.rect()).adjusted(self.SHADOW, self.SHADOW, -self.SHADOW, -self.SHADOW)
        painter.setPen(Qt.PenStyle.NoPen)
        for spread in range(self.SHADOW, 0, -1):
            painter.setBrush(QColor(0, 0, 0, (9 if self._theme.is_dark else 4)))
            painter.drawRoundedRect(card.adjusted(-spread, -spread + 2, spread, spread), 8 + spread, 8 + spread)
        painter.setPen(QPen(QColor(self._theme.hairline), 1))
        painter.setBrush(QColor(self._theme.raised))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        return card

    def _paint_row(self, painter: QPainter, row: QRectF, rival: tuple[str, float], largest: float) -> None:
        text, probability = rival
        is_chosen = self._token is not None and text == self._token.token
        share = probability / max(largest, 1e-9)
        painter.setFont(mono_font())
        painter.setPen(QColor(self._theme.accent_text if is_chosen else self._theme.text))
        shown = painter.fontMetrics().elidedText(visible(text), Qt.TextElideMode.ElideRight, self._token_width)
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        bar = QRectF(row.left() + self._token_width + 2, row.center().y() - 3, 0, 6)
        bar.setWidth(max(6.0, (row.right() - 44 - bar.left()) * share))
        colour = QColor(self._theme.accent)
        colour.setAlphaF(0.45 + 0.45 * min(1.0, share))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(bar, 3, 3)
        painter.setFont(interface_font(SMALL_PX))
        painter.setPen(QColor(self._theme.text if is_chosen else self._theme.muted))
        percent = f"{probability:.0%}" if probability >= 0.01 else "<1%"
        painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, percent)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card."""
        if self._token is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = self._paint_ground(painter).adjusted(12, self.MARGIN, -12, -self.MARGIN)
        rivals = self._rivals()
        for index, rival in enumerate(rivals):
            row = QRectF(card.left(), card.top() + index * self.ROW, card.width(), self.ROW)
            if index == self._hovered:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(self._theme.accent_ground))
                painter.drawRoundedRect(row.adjusted(-6, 0, 6, 0), 4, 4)
            self._paint_row(painter, row, rival, rivals[0][1])
        painter.end()
