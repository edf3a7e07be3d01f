"""The panels that the views sit in, each with a title, a place for controls beside it, and a body: cards and docks."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QDockWidget, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui.text_size import sized
from gui.theme import PANEL_RADIUS, scaled, set_role


class Card(QFrame):
    """A rounded panel of the set-up column: a quiet title, controls at its right, and a body."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "panel")
        label = QLabel(title)
        sized(label, lambda: label.setMinimumHeight(scaled(18)))
        set_role(label, "card_title")
        self._header = QHBoxLayout()
        self._header.setSpacing(8)
        self._header.addWidget(label)
        self._header.addStretch(1)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 6, 0, 0)
        self.body.setSpacing(4)
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(13, 10, 13, 12)
        self._outer.setSpacing(0)
        self._outer.addLayout(self._header)
        self._outer.addLayout(self.body, 1)

    def add_control(self, widget: QWidget) -> None:
        """Put a control at the right end of the header."""
        self._header.addWidget(widget)

    def set_bottom_margin(self, margin: int) -> None:
        """Leave so much room under the body."""
        margins = self._outer.contentsMargins()
        margins.setBottom(margin)
        self._outer.setContentsMargins(margins)


class DockHeader(QFrame):
    """The title bar of a dock: its title on the left, controls on the right."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = QLabel(title)
        self._title.setObjectName("panel_title")
        set_role(self._title, "title")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 0, 12, 0)
        self._row.setSpacing(12)
        self._row.addWidget(self._title)
        self._row.addStretch(1)
        sized(self, self.updateGeometry)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_title(self, title: str) -> None:
        """Change the title; an empty one takes no room."""
        self._title.setText(title)
        self._title.setVisible(bool(title))

    def add_control(self, widget: QWidget) -> None:
        """Put a control at the right end of the header."""
        self._row.addWidget(widget)

    def sizeHint(self) -> QSize:
        """As high as a title at least; nothing where there is nothing in it: a dock gives its title bar exactly this height."""
        hint = super().sizeHint()
        parts = self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        is_empty = all(part.isHidden() for part in parts)
        return QSize(hint.width(), 0) if is_empty else hint.expandedTo(QSize(0, scaled(38)))


class Dock(QDockWidget):
    """A dock that looks like a panel: its header is its title bar, by which it is dragged, floated and put back.

    Its colours come from the palette: the panel's is Light, the hairline's Mid.
    """

    def __init__(self, title: str, name: str, content: QWidget) -> None:
        super().__init__(title)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetFloatable)
        self.header = DockHeader(title)
        self.setTitleBarWidget(self.header)
        frame = QWidget()
        body = QVBoxLayout(frame)
        body.setContentsMargins(12, 12, 12, 12)
        body.addWidget(content)
        self.setWidget(frame)
        self.show_action = QAction(f"To {title}", self)
        self.show_action.setObjectName(f"show_{name}_action")
        self.show_action.triggered.connect(self.come_forward)

    def come_forward(self) -> None:
        """Lie on top of its tabs, with the keyboard at its first control."""
        self.show()
        self.raise_()
        if self.isFloating():
            self.activateWindow()
        content = self.widget()
        stops = [child for child in content.findChildren(QWidget) if child.focusPolicy() & Qt.FocusPolicy.TabFocus]
        ready = [child for child in stops if child.isVisibleTo(content) and child.isEnabled()]
        if ready:
            ready[0].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def add_control(self, widget: QWidget) -> None:
        """Put a control at the right end of the header."""
        self.header.add_control(widget)

    def show_tabbed(self, is_tabbed: bool) -> None:
        """Leave out what the dock's tab says already: its title."""
        self.header.show_title("" if is_tabbed else self.windowTitle())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the panel that header and body lie on."""
        painter = QPainter(self)
        colors = self.palette()
        painter.fillRect(self.rect(), colors.color(QPalette.ColorRole.Window))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colors.color(QPalette.ColorRole.Mid), 1))
        painter.setBrush(colors.color(QPalette.ColorRole.Light))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), PANEL_RADIUS, PANEL_RADIUS)
        if self.header.height():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            bottom = self.header.geometry().bottom()
            painter.fillRect(QRectF(1, bottom, self.width() - 2, 1), colors.color(QPalette.ColorRole.Mid))
        painter.end()


def hairline() -> QFrame:
    """A level line one pixel thin between two parts of a panel."""
    line = QFrame()
    set_role(line, "hairline")
    line.setFixedHeight(1)
    return line
