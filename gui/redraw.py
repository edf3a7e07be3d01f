"""When a view draws: no more often than pays, and never unseen."""

from collections.abc import Callable
from time import perf_counter
from typing import Final

from PySide6.QtCore import QEvent, QObject, QTimer, Slot
from PySide6.QtWidgets import QWidget


class RedrawClock(QObject):
    """Calls `redraw` when it was requested and its turn has come.

    Each redraw is measured, together with the painting that follows it where the view reports that (`note_painting`), and the
    next one is put off until drawing has kept to its share of the time. After a rest a request is served at once. While
    `widget` is hidden nothing is drawn; what was asked for in the meantime is drawn when it appears.
    """

    SHARE: Final = 0.06
    LONGEST_INTERVAL_S: Final = 2.0

    def __init__(self, widget: QWidget, redraw: Callable[[], None], shortest_interval_s: float = 0.1) -> None:
        super().__init__(widget)
        self._widget = widget
        self._redraw = redraw
        self._shortest_interval_s = shortest_interval_s
        self._is_requested = False
        self._is_painting_due = False
        self._started_s = -self.LONGEST_INTERVAL_S
        self._cost_s = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_timeout)
        widget.installEventFilter(self)

    @property
    def interval_s(self) -> float:
        """Seconds from the last redraw to the earliest next one."""
        return min(max(self._cost_s / self.SHARE, self._shortest_interval_s), self.LONGEST_INTERVAL_S)

    def request(self) -> None:
        """There is something new to draw."""
        self._is_requested = True
        if self._widget.isVisible() and not self._timer.isActive():
            wait_s = self._started_s + self.interval_s - perf_counter()
            self._timer.start(round(1000 * max(wait_s, 0.0)))

    def note_painting(self, seconds: float) -> None:
        """The widget took `seconds` to paint; the first painting after a redraw counts as part of it."""
        if self._is_painting_due:
            self._is_painting_due = False
            self._cost_s += seconds

    @Slot()
    def _on_timeout(self) -> None:
        if not (self._is_requested and self._widget.isVisible()):
            return
        self._is_requested = False
        self._started_s = perf_counter()
        self._redraw()
        self._cost_s = perf_counter() - self._started_s
        self._is_painting_due = True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Catch up on what was requested while the widget was hidden."""
        if event.type() == QEvent.Type.Show and self._is_requested:
            self.request()
        return False
