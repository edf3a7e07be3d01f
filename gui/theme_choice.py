"""Which theme the window shows: the system's, or the one that was chosen."""

from typing import Final

from PySide6.QtCore import QObject, QSettings, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gui.theme import DARK, LIGHT, Theme, system_theme

_THEMES: Final = {"dark": DARK, "light": LIGHT}
_KEY: Final = "theme"


class ThemeChoice(QObject):
    """Remembers "system", "dark" or "light"; `theme_changed` carries the Theme to show."""

    theme_changed = Signal(object)

    def __init__(self, preferences: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._chosen = str(preferences.value(_KEY, "system"))
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_system_changed)

    @property
    def theme(self) -> Theme:
        """The theme to show."""
        return _THEMES.get(self._chosen) or self._system()

    def describe(self) -> str:
        """What is shown, and what the next click does."""
        shown = self._chosen if self._chosen in _THEMES else f"the system's, {self.theme.name}"
        following = self._next()
        return f"Theme: {shown}. Click for {'the system’s' if following == 'system' else following}."

    @property
    def chosen(self) -> str:
        """What was chosen: "system", "dark" or "light"."""
        return self._chosen if self._chosen in _THEMES else "system"

    @Slot()
    def choose_next(self) -> None:
        """Go on from the system's theme to the other one, then to the first, then back to the system's."""
        self.choose(self._next())

    def choose(self, name: str) -> None:
        """Show "system", "dark" or "light" from now on."""
        self._chosen = name
        self._preferences.setValue(_KEY, self._chosen)
        self.theme_changed.emit(self.theme)

    def _next(self) -> str:
        system = self._system().name
        other = "light" if system == "dark" else "dark"
        return {"system": other, other: system}.get(self._chosen, "system")

    def _system(self) -> Theme:
        app = QApplication.instance()
        return system_theme(app) if isinstance(app, QApplication) else DARK

    @Slot()
    def _on_system_changed(self) -> None:
        if self._chosen not in _THEMES:
            self.theme_changed.emit(self.theme)
