"""How large the text is: chosen by people, remembered, and what has to be measured anew when it changes."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QSettings, Signal, Slot
from PySide6.QtWidgets import QWidget

SCALES: Final = (0.85, 1.0, 1.15, 1.3)
_KEY: Final = "text_size"


class TextSize(QObject):
    """One of SCALES, as a multiple of the system's own size; `changed` follows each choice."""

    changed = Signal()

    def __init__(self, preferences: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        try:
            kept = float(str(preferences.value(_KEY, 1.0)))
        except ValueError:
            kept = 1.0
        self.scale = min(SCALES, key=lambda scale: abs(scale - kept))

    @Slot()
    def enlarge(self) -> None:
        """The next larger size, where there is one."""
        self._choose(SCALES.index(self.scale) + 1)

    @Slot()
    def shrink(self) -> None:
        """The next smaller size, where there is one."""
        self._choose(SCALES.index(self.scale) - 1)

    @Slot()
    def restore(self) -> None:
        """The system's own size."""
        self._choose(SCALES.index(1.0))

    @property
    def can_grow(self) -> bool:
        """Whether there is a larger size."""
        return self.scale < SCALES[-1]

    @property
    def can_shrink(self) -> bool:
        """Whether there is a smaller size."""
        return self.scale > SCALES[0]

    def _choose(self, place: int) -> None:
        scale = SCALES[min(max(place, 0), len(SCALES) - 1)]
        if scale != self.scale:
            self.scale = scale
            self._preferences.setValue(_KEY, scale)
            self.changed.emit()


class _Rule(QObject):
    """What gives a widget a size or a font that follows the size of the text."""

    def __init__(self, widget: QWidget, apply: Callable[[], object]) -> None:
        super().__init__(widget)
        self.apply = apply


def sized(widget: QWidget, apply: Callable[[], object]) -> None:
    """Call `apply`, which sets a size or a font of `widget`, now and whenever the size of the text has changed."""
    _Rule(widget, apply)
    apply()


def measure_anew(root: QWidget) -> None:
    """Apply what was given to `sized` for every widget in `root`."""
    for rule in root.findChildren(_Rule):
        rule.apply()
