"""Controls for a panel's header that make room: the least important ones go first where it is narrow."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from gui.theme import scaled


class HeaderRow(QWidget):
    """A row of controls, aligned at its right end. Each has a rank; the highest are hidden first where there is no room."""

    SPACING_PX = 8

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controls: list[tuple[QWidget, int]] = []
        self._shown: set[QWidget] = set()
        self._room = (QSize(), QSize())
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def add(self, control: QWidget, rank: int = 0) -> None:
        """Put a control at the right end; `rank` 0 stays always."""
        control.setParent(self)
        control.show()
        self._controls.append((control, rank))
        self._shown.add(control)

    def show_control(self, control: QWidget, is_shown: bool) -> None:
        """Have a control in the row or not."""
        (self._shown.add if is_shown else self._shown.discard)(control)
        self.arrange()

    def arrange(self) -> None:
        """Place the controls anew, after the text of one has changed."""
        room = (self.sizeHint(), self.minimumSizeHint())
        if room != self._room:  # otherwise the window would lay all its docks out anew
            self._room = room
            self.updateGeometry()
        if self.parentWidget() is not None:
            self.setVisible(not self._is_blank())
        fitting = self._fitting()
        x = self.width()
        for control, _ in reversed(self._controls):
            control.setVisible(control in fitting)
            if control in fitting:
                size = control.sizeHint().expandedTo(control.minimumSize()).boundedTo(control.maximumSize())
                x -= size.width()
                control.setGeometry(x, (self.height() - size.height()) // 2, size.width(), size.height())
                x -= self.SPACING_PX

    def sizeHint(self) -> QSize:
        """Room for all."""
        return QSize(self._width_of({control for control in self._shown if not _is_empty(control)}), scaled(28))

    def minimumSizeHint(self) -> QSize:
        """Room for those that always stay."""
        return QSize(self._width_of({control for control, rank in self._controls if rank == 0} & self._shown), scaled(28))

    def _is_blank(self) -> bool:
        return all(_is_empty(control) for control in self._shown)

    def _fitting(self) -> set[QWidget]:
        fitting = {control for control in self._shown if not _is_empty(control)}
        for control, rank in sorted(self._controls, key=lambda entry: -entry[1]):
            if rank and self._width_of(fitting) > self.width():
                fitting.discard(control)
        return fitting

    def _width_of(self, controls: set[QWidget]) -> int:
        widths = [max(control.sizeHint().width(), control.minimumWidth()) for control in controls]
        widths = [min(width, control.maximumWidth()) for width, control in zip(widths, controls, strict=True)]
        return sum(widths) + self.SPACING_PX * max(len(widths) - 1, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many as there is room for."""
        self.arrange()


def _is_empty(control: QWidget) -> bool:
    return isinstance(control, QLabel) and not control.text()
