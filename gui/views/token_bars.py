"""How often each of the most frequent tokens occurs, as a picture."""

from math import sqrt

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QToolTip, QWidget

from gui.format import count_text
from nanograd.text.tokenizer import visible


class FrequencyBars(QWidget):
    """How often each of the most frequent tokens occurs, as bars that pale with their rank, on a square-root scale."""

    PITCH_PX, GAP_PX, HEIGHT_PX = 6.35, 1.6, 24

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: tuple[tuple[str, int], ...] = ()
        self.setObjectName("token_frequencies")
        self.setAccessibleName("How often each token occurs")
        self.setFixedHeight(self.HEIGHT_PX + 4)

    def show_counts(self, counts: tuple[tuple[str, int], ...]) -> None:
        """Show tokens and how often they occur, most frequent first."""
        self._counts = counts
        self.update()

    def sizeHint(self) -> QSize:
        """The bars take what width there is."""
        return QSize(200, self.HEIGHT_PX + 4)

    def event(self, event: QEvent) -> bool:
        """Tell the token under the mouse and its count."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            rank = int(event.pos().x() / self._pitch())
            if rank < len(self._counts):
                token, count = self._counts[rank]
                QToolTip.showText(
                    event.globalPos(), f"{_named(token)}  {count_text(count)} times (bars on a square-root scale)", self
                )
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as many bars as there is room for."""
        if not self._counts:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        pitch, most = self._pitch(), self._counts[0][1]
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        visible = self._counts[: int((self.width() + self.GAP_PX) / pitch)]
        for rank, (_, count) in enumerate(visible):
            color = QColor(accent)
            color.setAlphaF(max(0.35, 1.0 - 1.6 * rank / max(len(visible), 24)))
            painter.setBrush(color)
            height = max(1.5, self.HEIGHT_PX * sqrt(count / most))
            painter.drawRoundedRect(QRectF(rank * pitch, self.height() - height, pitch - self.GAP_PX, height), 1, 1)
        painter.end()

    def _pitch(self) -> float:
        """A few tokens spread over the whole width, within reason."""
        return max(self.PITCH_PX, min(24.0, (self.width() + self.GAP_PX) / max(1, len(self._counts))))


def _named(token: str) -> str:
    names = {" ": "space", "\n": "line end", "\t": "tab", "\r": "carriage return"}
    return names.get(token, visible(token))
