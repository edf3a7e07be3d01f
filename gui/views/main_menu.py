"""The button that holds everything the window can do, each with its keys."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from gui.icons import icon
from gui.text_size import sized
from gui.theme import Theme, scaled, set_role


class MainMenu(QPushButton):
    """A quiet button; its menu has one menu for each group of actions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("main_menu_button")
        self.setAccessibleName("Everything, with its keys")
        self.setToolTip("Everything that can be done, with its keys (F10)")
        self.setShortcut("F10")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        sized(self, lambda: self.setIconSize(QSize(scaled(16), scaled(16))))
        sized(self, lambda: self.setFixedHeight(scaled(32)))
        set_role(self, "flat")
        self._menu = QMenu(self)
        self._menu.setObjectName("main_menu")
        self.setMenu(self._menu)

    def show_actions(self, groups: Mapping[str, Sequence[QAction]]) -> None:
        """Offer these actions: the title of each group -> what is in it."""
        self._menu.clear()
        for title, actions in groups.items():
            self._menu.addMenu(title).addActions(list(actions))

    def show_theme(self, theme: Theme) -> None:
        """Draw the icon in the theme's colours."""
        self.setIcon(icon("menu", theme.muted))
