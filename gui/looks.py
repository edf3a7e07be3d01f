"""How the window looks: its theme and the size of its text, as chosen, applied to everything at once."""

from PySide6.QtCore import QObject, QSettings, Slot
from PySide6.QtWidgets import QApplication, QWidget

from gui.actions import WindowActions
from gui.text_size import TextSize, measure_anew
from gui.theme import apply_theme
from gui.theme_choice import ThemeChoice
from gui.window_layout import WindowLayout


class Looks(QObject):
    """Connects the actions for theme and size to what they change."""

    def __init__(self, preferences: QSettings, actions: WindowActions, views: WindowLayout, window: QWidget) -> None:
        super().__init__(window)
        self._actions, self._views, self._window = actions, views, window
        self._theme_choice = ThemeChoice(preferences, self)
        self.text_size = TextSize(preferences, self)
        actions.theme.triggered.connect(self._theme_choice.choose_next)
        for name, action in actions.themes.items():
            action.triggered.connect(lambda _is_checked, name=name: self._theme_choice.choose(name))
        actions.enlarge_text.triggered.connect(self.text_size.enlarge)
        actions.shrink_text.triggered.connect(self.text_size.shrink)
        actions.restore_text.triggered.connect(self.text_size.restore)
        self._theme_choice.theme_changed.connect(self._show_theme)
        self.text_size.changed.connect(self.show)

    @Slot()
    def show(self) -> None:
        """Draw the whole window as chosen."""
        self._show_theme()
        measure_anew(self._window)
        self._actions.show_text_size(self.text_size.can_grow, self.text_size.can_shrink)

    @Slot()
    def _show_theme(self) -> None:
        app, theme = QApplication.instance(), self._theme_choice.theme
        if isinstance(app, QApplication):
            apply_theme(app, theme, self.text_size.scale)
        self._views.show_theme(theme)
        self._actions.theme.setToolTip(self._theme_choice.describe())
        self._actions.themes[self._theme_choice.chosen].setChecked(True)
