"""The line of control at the top: train, pause, step, stop; the state of the run; open, save, theme."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from gui.actions import WindowActions
from gui.events import RunState
from gui.format import count_text
from gui.icons import icon
from gui.text_size import sized
from gui.theme import Theme, scaled, set_role, set_style_property
from gui.views.main_menu import MainMenu

STATE_TITLES: Final[dict[RunState, str]] = {
    "idle": "Idle",
    "training": "Training",
    "paused": "Paused",
    "finished": "Finished",
    "failed": "Failed",
}
CONTROLS_FROM_PX: Final = 308  # where the centre of the window begins, so that edges align


class ControlBar(QFrame):
    """One primary button at a time: Pause while a run trains, otherwise Train."""

    def __init__(self, actions: WindowActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self.setObjectName("control_bar")
        set_role(self, "bar")
        self._train = ActionButton(actions.train, "primary", has_icon=False)  # its icon has another colour than the menu's
        self._pause = ActionButton(actions.pause, "primary", has_icon=False)
        self._step = ActionButton(actions.step)
        self._stop = ActionButton(actions.stop)
        self._open = _open_button(actions)
        self._save = ActionButton(actions.save_checkpoint, "flat", has_icon=False)
        self._theme = _menu_button("theme_button", "Theme and size of the text", "theme_menu", _looks(actions))
        self._layout = _menu_button("layout_button", "Arrangement of the panels", "layout_menu", [*actions.layouts.values()])
        sized(self._layout, lambda: self._layout.setIconSize(icon_size()))
        sized(self._theme, lambda: self._theme.setIconSize(QSize(scaled(16), scaled(16))))
        self.main_menu = MainMenu()
        self._pill = QFrame()
        self._dot = QFrame()
        self._state = QLabel()
        self._state.setObjectName("run_state_label")
        self._state.setAccessibleName("State of the run")
        self._step_number = QLabel()
        self._step_number.setObjectName("step_number_label")
        self._step_total = QLabel()
        self._step_word = QLabel("step")
        self._arrange()
        self.show_state("idle")
        self.show_step(0, 0)

    def _arrange(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 10, 16, 10)
        row.setSpacing(12)
        mark = _wordmark()
        mark.setMaximumWidth(CONTROLS_FROM_PX - 16 - row.spacing())
        row.addWidget(mark, 1000)  # as wide as it may be, before the room in the middle gets any
        for widget in (self._train, self._pause, self._step, self._stop, self._make_pill(), self._make_counter()):
            row.addWidget(widget)
        row.addStretch(1)
        row.addLayout(self._make_corner())

    def _make_corner(self) -> QHBoxLayout:
        """What is not part of a run; these have no frames, so they stand closer together."""
        corner = QHBoxLayout()
        corner.setSpacing(4)
        for button in (self._open, self._save, self._layout, self._theme, self.main_menu):
            corner.addWidget(button)
        return corner

    def _make_pill(self) -> QFrame:
        set_role(self._pill, "pill")
        set_role(self._dot, "dot")
        sized(self._pill, lambda: self._pill.setFixedHeight(scaled(28)))
        row = QHBoxLayout(self._pill)
        row.setContentsMargins(12, 0, 13, 0)
        row.setSpacing(8)
        row.addWidget(self._dot)
        row.addWidget(self._state)
        return self._pill

    def _make_counter(self) -> QWidget:
        counter = QWidget()
        row = QHBoxLayout(counter)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for label, role in ((self._step_word, "muted"), (self._step_number, "value"), (self._step_total, "muted")):
            set_role(label, role)
            row.addWidget(label)
        return counter

    def show_state(self, state: RunState) -> None:
        """Show what the run is doing, and the button that is next."""
        is_training = state == "training"
        self._state.setText(STATE_TITLES[state])
        set_role(self._state, "accent" if is_training else "")
        set_style_property(self._pill, "active", "true" if is_training else "false")
        set_style_property(self._dot, "state", state)
        shown, hidden = (self._pause, self._train) if is_training else (self._train, self._pause)
        shown.setVisible(True)
        if hidden.hasFocus():
            shown.setFocus()
        hidden.setVisible(False)

    def show_step(self, step: int, max_steps: int) -> None:
        """Show how far the run is; nothing before it has a length."""
        self._step_number.setText(count_text(step))
        self._step_total.setText(f"of {count_text(max_steps)}")
        for label in (self._step_word, self._step_number, self._step_total):
            label.setVisible(max_steps > 0)

    def show_theme(self, theme: Theme) -> None:
        """Draw the icons in the theme's colours."""
        for action, name, color in (
            (self._actions.train, "play", theme.text),
            (self._actions.pause, "pause", theme.text),
            (self._actions.step, "step", theme.text),
            (self._actions.stop, "stop", theme.text),
            (self._actions.open_corpus, "text", theme.muted),
            (self._actions.open_checkpoint, "open", theme.muted),
            (self._actions.save_checkpoint, "save", theme.muted),
        ):
            action.setIcon(icon(name, color))
        self._train.setIcon(icon("play", theme.on_accent))
        self._pause.setIcon(icon("pause", theme.on_accent))
        self.main_menu.show_theme(theme)
        self._theme.setIcon(icon("theme", theme.muted))
        self._layout.setIcon(icon("chevron", theme.muted))

    def show_layout(self, title: str) -> None:
        """Name the arrangement of the panels that was chosen last."""
        self._layout.setText(title)


class ActionButton(QPushButton):
    """A push button that shows an action and triggers it; a tool button would not centre its icon and text."""

    def __init__(self, action: QAction, role: str = "", *, has_icon: bool = True, has_text: bool = True) -> None:
        super().__init__()
        self._action = action
        self._has_icon = has_icon
        self._has_text = has_text
        self.setObjectName(action.objectName().replace("_action", "_button"))
        sized(self, lambda: self.setIconSize(icon_size()))
        sized(self, lambda: self.setFixedHeight(scaled(32)))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if role:
            set_role(self, role)
        action.changed.connect(self._on_action_changed)
        self.clicked.connect(self._on_clicked)
        self._on_action_changed()

    def _on_action_changed(self) -> None:
        self.setAccessibleName(self._action.text().replace("&", ""))
        self.setToolTip(self._action.toolTip())
        self.setEnabled(self._action.isEnabled())
        if self._has_text:
            self.setText(self._action.text())
        if self._has_icon:
            self.setIcon(self._action.icon())

    def _on_clicked(self) -> None:
        self._action.trigger()


def icon_size() -> QSize:
    """Broader than the icon is high: so it keeps its distance from the text."""
    return QSize(scaled(20), scaled(16))


def _looks(actions: WindowActions) -> list[QAction | None]:
    sizes = [actions.enlarge_text, actions.shrink_text, actions.restore_text]
    return [*actions.themes.values(), None, actions.theme, None, *sizes]


def _menu_button(name: str, label: str, menu_name: str, actions: Sequence[QAction | None]) -> QPushButton:
    """A quiet button that opens a menu; None parts it."""
    button = QPushButton()
    button.setObjectName(name)
    button.setAccessibleName(label)
    button.setToolTip(label)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    sized(button, lambda: button.setFixedHeight(scaled(32)))
    button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the icon stands after the text
    menu = QMenu(button)
    menu.setObjectName(menu_name)
    for action in actions:
        if action is None:
            menu.addSeparator()
        else:
            menu.addAction(action)
    menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    button.setMenu(menu)
    set_role(button, "flat")
    return button


def _open_button(actions: WindowActions) -> QPushButton:
    button = QPushButton("Open")
    button.setObjectName("open_button")
    button.setAccessibleName("Open")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    sized(button, lambda: button.setFixedHeight(scaled(32)))
    menu = QMenu(button)
    menu.addAction(actions.open_corpus)
    menu.addAction(actions.open_checkpoint)
    menu.addAction(actions.runs)
    menu.addSeparator()
    menu.addAction(actions.verify)
    menu.addAction(actions.close_run)
    button.setMenu(menu)
    set_role(button, "flat")
    return button


def _wordmark() -> QWidget:
    mark = QWidget()
    mark.setAccessibleName("nanograd")
    row = QHBoxLayout(mark)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(0)
    for text, role in (("nano", "wordmark_accent"), ("grad", "wordmark")):
        label = QLabel(text)
        set_role(label, role)
        row.addWidget(label)
    row.addStretch(1)
    return mark
