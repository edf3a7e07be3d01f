import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication


@pytest.fixture
def move_mouse():
    """Tell a widget that the pointer is at a place in it, wherever the real one is."""

    def move(widget, place):
        none = Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        position = QPointF(place)
        QApplication.sendEvent(widget, QMouseEvent(QEvent.Type.MouseMove, position, widget.mapToGlobal(position), *none))

    return move
