"""A text with each token shaded by its loss: where the model was surprised."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit, QToolTip, QWidget

from gui.theme import DARK, Theme, mix, mono_font, set_role
from nanograd.text.tokenizer import visible


class SurpriseText(QTextEdit):
    """The tokens of a text in one paragraph, shaded from nothing at a loss of 0 to full at `highest`, in nats.

    A token without a loss is not shaded. A click or the arrow keys choose a token.
    """

    token_chosen = Signal(int)

    STRONGEST_SHADE: Final = 0.6
    SHADES: Final = 24
    LINE_HEIGHT: Final = 135.0

    def __init__(self, name: str, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._tokens: tuple[str, ...] = ()
        self._losses: NDArray[np.float32] = np.empty(0, np.float32)
        self._highest = 1.0
        self._chosen = -1
        self._ends: list[int] = []
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.setFont(mono_font())
        self.document().setDocumentMargin(1)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        set_role(self, "plain")

    def show_losses(self, tokens: Sequence[str], losses: NDArray[np.float32], highest: float) -> None:
        """Show `tokens` (T), each with its own of `losses` (T), nan for none."""
        are_new = tuple(tokens) != self._tokens
        self._tokens, self._losses, self._highest = tuple(tokens), losses, max(highest, 1e-3)
        if are_new:
            self._write()
        self._shade_all()

    def show_chosen(self, index: int) -> None:
        """Outline a token by a line under it."""
        if index != self._chosen:
            self._chosen = index
            self._shade_all()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self._shade_all()

    def loss_of(self, index: int) -> float:
        """The loss of a token; nan where it has none."""
        return float(self._losses[index])

    def token_at(self, position: QPointF) -> int | None:
        """Which token lies at a place in the viewport."""
        scrolled = QPointF(position.x() + self.horizontalScrollBar().value(), position.y() + self.verticalScrollBar().value())
        place = self.document().documentLayout().hitTest(scrolled, Qt.HitTestAccuracy.ExactHit)
        if place < 0:
            return None
        cursor = QTextCursor(self.document())
        cursor.setPosition(place)
        if position.x() < self.cursorRect(cursor).left():  # the hit is the nearest gap between characters
            place -= 1
        index = bisect_right(self._ends, place)
        return index if index < len(self._tokens) else None

    def _write(self) -> None:
        shown = [visible(token) for token in self._tokens]
        self._ends = np.cumsum([len(text) for text in shown]).tolist()
        self.setPlainText("".join(shown))
        cursor = QTextCursor(self.document())
        spaced = QTextBlockFormat()
        spaced.setLineHeight(self.LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(spaced)

    def _shade_all(self) -> None:
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        start = 0
        for index, end in enumerate(self._ends):
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(self._format(index))
            start = end
        cursor.endEditBlock()

    def _format(self, index: int) -> QTextCharFormat:
        made = QTextCharFormat()
        loss = self.loss_of(index)
        share = 0.0 if np.isnan(loss) else min(max(loss / self._highest, 0.0), 1.0)
        level = round(share * self.SHADES) / self.SHADES
        made.setBackground(QColor(mix(self._theme.panel, self._theme.validation, self.STRONGEST_SHADE * level)))
        made.setForeground(QColor(self._theme.text))
        if index == self._chosen:
            made.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
            made.setUnderlineColor(QColor(self._theme.accent))
            made.setFontUnderline(True)
        return made

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the token under the mouse."""
        super().mousePressEvent(event)
        index = self.token_at(event.position())
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self.token_chosen.emit(index)

    def viewportEvent(self, event: QEvent) -> bool:
        """Tell the loss of the token under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self.token_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if index is None else self._describe(index), self)
            return True
        return super().viewportEvent(event)

    def _describe(self, index: int) -> str:
        loss, token = self.loss_of(index), visible(self._tokens[index])
        if np.isnan(loss):
            return f"“{token}”: nothing came before it to predict it by"
        return f"“{token}”: {loss:.2f} nats, {np.exp(-loss):.1%} likely"
