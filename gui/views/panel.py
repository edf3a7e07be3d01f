"""The panel that every view sits in: a title, a place for controls beside it, and a body; fixed, or as a dock."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QDockWidget, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui.theme import PANEL_RADIUS, scaled, set_role


class PanelHeader(QFrame):
    """A title on the left, controls on the right."""

    def __init__(self, title: str, parent: QWidget | None = None, *, is_card: bool = False) -> None:
        super().__init__(parent)
        self._title = QLabel(title)
        self._title.setObjectName("panel_title")
        set_role(self._title, "card_title" if is_card else "title")
        self.row = QHBoxLayout(self)
        self.row.setSpacing(8 if is_card else 12)
        self.row.addWidget(self._title)
        self.row.addStretch(1)
        if is_card:
            self.row.setContentsMargins(0, 0, 0, 0)
            self.setMinimumHeight(scaled(18))
        else:
            self.row.setContentsMargins(12, 0, 12, 0)
            self.setMinimumHeight(scaled(38))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def title(self) -> str:
        """What the header says on its left."""
        return self._title.text()

    def show_title(self, title: str) -> None:
        """Change the title."""
        self._title.setText(title)

    def add_control(self, widget: QWidget) -> None:
        """Put a control at the right end of the header."""
        self.row.addWidget(widget)

    def sizeHint(self) -> QSize:
        """Never below the minimum: a dock gives its title bar exactly this height."""
        return super().sizeHint().expandedTo(self.minimumSize())


class Panel(QFrame):
    """A rounded panel with a header and a body, which stay where they are put.

    A card is the smaller form that the set-up column is made of: a quiet title, and no line under it.
    """

    def __init__(self, title: str, parent: QWidget | None = None, *, is_card: bool = False) -> None:
        super().__init__(parent)
        set_role(self, "panel")
        self.header = PanelHeader(title, is_card=is_card)
        self.body = QVBoxLayout()
        self._outer = outer = QVBoxLayout(self)
        outer.setSpacing(0)
        outer.addWidget(self.header)
        if is_card:
            outer.setContentsMargins(13, 10, 13, 12)
            self.body.setContentsMargins(0, 6, 0, 0)
            self.body.setSpacing(4)
        else:
            outer.setContentsMargins(1, 1, 1, 1)
            outer.addWidget(hairline())
            self.body.setContentsMargins(12, 12, 12, 12)
            self.body.setSpacing(8)
        outer.addLayout(self.body, 1)

    def add_control(self, widget: QWidget) -> None:
        """Put a control at the right end of the header."""
        self.header.add_control(widget)

    def set_bottom_margin(self, margin: int) -> None:
        """Leave so much room under the body."""
        margins = self._outer.contentsMargins()
        margins.setBottom(margin)
        self._outer.setContentsMargins(margins)


class Dock(QDockWidget):
    """A dock that looks like a panel: its header is its title bar, by which it is dragged, floated and put back.

    Its colours come from the palette: the panel's is Light, the hairline's Mid.
    """

    def __init__(self, title: str, name: str, content: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetMovable | QDockWidget.DockWidgetFeature.DockWidgetFloatable)
        self.header = PanelHeader(title)
        self.setTitleBarWidget(self.header)
        self._frame = QWidget()
        self.body = QVBoxLayout(self._frame)
        self.body.setContentsMargins(12, 12, 12, 12)
        self.body.setSpacing(8)
        self.setWidget(self._frame)
        self._has_controls = False
        if content is not None:
            self.body.addWidget(content, 1)

    def add_control(self, widget: QWidget) -> None:
        """Put a control at the right end of the header."""
        self._has_controls = True
        self.header.add_control(widget)

    def show_tabbed(self, is_tabbed: bool) -> None:
        """Leave out what the dock's tab says already: the title, and the whole header where it holds nothing else."""
        self.header.show_title("" if is_tabbed else self.windowTitle())
        self.header.setMinimumHeight(0 if is_tabbed and not self._has_controls else scaled(38))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the panel that header and body lie on."""
        painter = QPainter(self)
        colors = self.palette()
        painter.fillRect(self.rect(), colors.color(QPalette.ColorRole.Window))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colors.color(QPalette.ColorRole.Mid), 1))
        painter.setBrush(colors.color(QPalette.ColorRole.Light))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), PANEL_RADIUS, PANEL_RADIUS)
        bottom = self.header.geometry().bottom()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(QRectF(1, bottom, self.width() - 2, 1), colors.color(QPalette.ColorRole.Mid))
        painter.end()


def hairline(orientation: Qt.Orientation = Qt.Orientation.Horizontal) -> QFrame:
    """A line one pixel thin between two parts of a panel."""
    line = QFrame()
    set_role(line, "hairline")
    if orientation == Qt.Orientation.Horizontal:
        line.setFixedHeight(1)
    else:
        line.setFixedWidth(1)
    return line
