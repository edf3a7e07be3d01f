"""A label that gives way: where there is no room for its text it leaves the middle out and keeps the whole in its tooltip."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QStyle, QWidget

from gui.format import tooltip_text


class ElidedLabel(QLabel):
    """One line of plain text, elided in the middle. `text` is always the whole of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def minimumSizeHint(self) -> QSize:
        """As narrow as need be."""
        return QSize(self.fontMetrics().horizontalAdvance("m…m"), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what there is room for."""
        painter = QPainter(self)
        area = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, area.width())
        alignment = QStyle.visualAlignment(self.layoutDirection(), self.alignment()).value
        self.style().drawItemText(painter, area, alignment, self.palette(), self.isEnabled(), shown, self.foregroundRole())
        painter.end()
        whole = tooltip_text(self.text()) if shown != self.text() else ""
        if self.toolTip() != whole:
            self.setToolTip(whole)
