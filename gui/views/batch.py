"""The texts that one step learned from, worst first, each token shaded by its loss."""

from bisect import bisect_right
from math import isfinite
from typing import Final

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QLabel, QStackedLayout, QTextEdit, QToolTip, QWidget

from gui.events import ReplayStarted
from gui.format import count_text, loss_text
from gui.text_size import sized
from gui.theme import DARK, SMALL_PX, Theme, interface_font, mono_font, set_role
from gui.views.header_row import HeaderRow
from gui.views.surprise_text import loss_words, shade_of
from nanograd.text.tokenizer import visible
from nanograd.training.events import BatchSeen, ReplayAdvanced


class BatchView(QWidget):
    """What a click on a point of the loss leads to. `header` holds the step and its loss for the panel's title bar."""

    MOST_TOKENS: Final = 12_000
    TOLERANCE: Final = 1e-3
    EMPTY_TEXT: Final = "Click a point of the loss to read the texts that this step learned from, the worst first."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._seen: BatchSeen | None = None
        self._step = QLabel()
        self._step.setObjectName("batch_step_label")
        set_role(self._step, "muted")
        self.header = HeaderRow()
        self.header.add(self._step, 1)
        self.batch_texts = _Texts()
        self._message = QLabel(self.EMPTY_TEXT)
        self._message.setObjectName("batch_message_label")
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setWordWrap(True)
        set_role(self._message, "muted")
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._message)
        self._pages.addWidget(self.batch_texts)

    def show_started(self, event: ReplayStarted) -> None:
        """Say how many steps are gone through again, and from where."""
        self._seen = None
        self._tell(f"step {count_text(event.step)}")
        start = f"the checkpoint at step {count_text(event.replayed_from)}" if event.replayed_from else "the start of the run"
        steps = f"{count_text(event.replayed_steps)} step{'' if event.replayed_steps == 1 else 's'}"
        self._message.setText(f"Going through {steps} again, from {start}…")
        self._pages.setCurrentIndex(0)

    def show_advance(self, event: ReplayAdvanced) -> None:
        """Say how far that is."""
        self._message.setText(f"Going through step {count_text(event.done)} of {count_text(event.total)} again…")

    def show_batch(self, event: BatchSeen) -> None:
        """Show the texts of a step."""
        self._seen = event
        self._write()
        self._pages.setCurrentIndex(1)

    def clear(self) -> None:
        """Forget what was shown."""
        self._seen = None
        self._tell("")
        self._message.setText(self.EMPTY_TEXT)
        self._pages.setCurrentIndex(0)

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self._write()

    def _write(self) -> None:
        event = self._seen
        if event is None:
            return
        count = max(1, min(len(event.ids), self.MOST_TOKENS // event.ids.shape[1]))
        shown = f"{count} of {len(event.ids)} texts" if count < len(event.ids) else f"{count} text{'' if count == 1 else 's'}"
        self._tell(f"step {count_text(event.step)} · loss {loss_text(event.loss)} · {shown}")
        self.batch_texts.show_texts(event, count, self._theme, self._remark(event))

    def _remark(self, event: BatchSeen) -> str:
        """Where the replay came out elsewhere than the run did."""
        told = event.told_loss
        if told is None or not isfinite(told) or abs(told - event.loss) <= self.TOLERANCE * max(1.0, abs(told)):
            return ""
        return (
            f"The run itself had a loss of {loss_text(told)} here: a setting was changed on the way, "
            "so these are the texts of this step, but not quite the losses."
        )

    def _tell(self, text: str) -> None:
        self._step.setText(text)
        self.header.arrange()


class _Texts(QTextEdit):
    """A heading and a paragraph for each text."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[int] = []
        self._losses: list[float] = []
        self._tokens: list[str] = []
        self.setObjectName("batch_texts")
        self.setAccessibleName("Texts of the batch, worst first")
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        self.document().setDocumentMargin(1)
        sized(self, lambda: self.setFont(mono_font()))
        set_role(self, "plain")

    def show_texts(self, event: BatchSeen, count: int, theme: Theme, remark: str) -> None:
        """Write the first `count` texts of a batch, after a remark."""
        self._ends, self._losses, self._tokens = [], [], []
        highest = max(float(np.log(max(len(event.vocabulary), 2))), 1.0)
        self.clear()
        cursor = QTextCursor(self.document())
        cursor.beginEditBlock()
        if remark:
            cursor.insertText(remark, _format(theme.validation))
            cursor.insertBlock()
        for index in range(count):
            if index:
                cursor.insertBlock()
            _space(cursor, top=12 if index else 0)
            mean = float(event.losses[index].mean())
            cursor.insertText(f"{index + 1} · loss {loss_text(mean)}", _format(theme.muted))
            cursor.insertBlock()
            _space(cursor, top=0)
            self._write_tokens(cursor, event, index, theme, highest)
        cursor.endEditBlock()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        self.verticalScrollBar().setValue(0)

    def _write_tokens(self, cursor: QTextCursor, event: BatchSeen, index: int, theme: Theme, highest: float) -> None:
        losses = [float("nan"), *event.losses[index].tolist()]
        for token_id, loss in zip(event.ids[index].tolist(), losses, strict=True):
            shown = visible(event.vocabulary[token_id])
            made = QTextCharFormat()
            made.setFont(mono_font())
            made.setForeground(QColor(theme.text))
            made.setBackground(shade_of(theme, loss, highest))
            cursor.insertText(shown, made)
            self._ends.append(cursor.position())
            self._losses.append(loss)
            self._tokens.append(shown)

    def token_at(self, position: QPointF) -> int | None:
        """Which of the tokens lies at a place in the viewport, counted from 0 over all texts."""
        cursor = self.cursorForPosition(position.toPoint())
        place = cursor.position() - (1 if position.x() < self.cursorRect(cursor).left() else 0)
        index = bisect_right(self._ends, place)
        if index >= len(self._ends) or place < self._ends[index] - len(self._tokens[index]):
            return None
        return index

    def viewportEvent(self, event: QEvent) -> bool:
        """Tell the loss of the token under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self.token_at(QPointF(event.pos()))
            text = "" if index is None else loss_words(self._tokens[index], self._losses[index])
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)


def _format(colour: str) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setFont(interface_font(SMALL_PX))
    made.setForeground(QColor(colour))
    return made


def _space(cursor: QTextCursor, top: int) -> None:
    block = QTextBlockFormat()
    block.setTopMargin(top)
    block.setLineHeight(130.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    cursor.setBlockFormat(block)
