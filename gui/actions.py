"""What the window can be told to do: each action with its name, its shortcut and when it makes sense."""

from typing import Final

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from gui.events import RunState

LAYOUTS: Final = (
    ("watch", "Watch", "The curve above, attention and writing below"),
    ("inside", "Look inside", "Attention, probabilities and the inside side by side"),
    ("write", "Write", "Writing large, the rest beside it"),
)
"""Each arrangement of the docks: its name, its title, and what it is good for."""


class WindowActions:
    """The window's actions, registered with it so that their shortcuts work everywhere."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        standard = QKeySequence.StandardKey
        self.open_corpus = self._make("open_corpus", "Open text…", "Choose a text to learn from", standard.Open)
        self.open_checkpoint = self._make(
            "open_checkpoint", "Open checkpoint…", "Go on with a run that was saved", "Ctrl+Shift+O"
        )
        self.save_checkpoint = self._make("save_checkpoint", "Save", "Save the run to a file", standard.Save)
        self.close_run = self._make("close_run", "Close the run", "Save this run and begin anew", "Ctrl+N")
        self.train = self._make("train", "Train", "Start training, or go on", "Ctrl+T")
        self.pause = self._make("pause", "Pause", "Rest after the current step", "Ctrl+P")
        self.step = self._make("step", "Step", "Do one step, then rest", "Ctrl+.")
        self.stop = self._make("stop", "Stop", "Save the run and end it", "Ctrl+Shift+T")
        self.runs = self._make("runs", "Runs", "Every run that is kept: open, copy, verify, delete", "Ctrl+R")
        self.verify = self._make(
            "verify", "Verify", "Replay the run, and see whether its weights come out the same", "Ctrl+Shift+V"
        )
        self.theme = self._make("theme", "Next theme", "Light, dark, or as the system", "Ctrl+Shift+L")
        self.themes = {
            name: self._make_choice(f"theme_{name}", text, f"Draw the window {help}")
            for name, text, help in (
                ("system", "As the system", "as the system asks for"),
                ("light", "Light", "light"),
                ("dark", "Dark", "dark"),
            )
        }
        self.enlarge_text = self._make("enlarge_text", "Larger text", "Draw all text larger", "Ctrl++")
        self.shrink_text = self._make("shrink_text", "Smaller text", "Draw all text smaller", "Ctrl+-")
        self.restore_text = self._make("restore_text", "Normal text", "Draw all text as large as the system's", "Ctrl+0")
        self.enlarge_text.setShortcuts([QKeySequence("Ctrl++"), QKeySequence("Ctrl+=")])  # one key on many keyboards
        self.layouts = {
            name: self._make_choice(f"layout_{name}", text, help, f"Ctrl+{number}")
            for number, (name, text, help) in enumerate(LAYOUTS, 1)
        }
        for choices in (self.themes, self.layouts):
            group = QActionGroup(window)
            for action in choices.values():
                group.addAction(action)

    def show_state(self, state: RunState, has_run: bool) -> None:
        """Enable what can be done in this state."""
        is_training = state == "training"
        self.train.setEnabled(not is_training)
        self.step.setEnabled(not is_training)
        self.pause.setEnabled(is_training)
        self.stop.setEnabled(state in ("training", "paused"))
        self.save_checkpoint.setEnabled(has_run)
        self.close_run.setEnabled(has_run)
        self.verify.setEnabled(has_run and not is_training)

    def show_text_size(self, can_grow: bool, can_shrink: bool) -> None:
        """Enable what can be done to the size of the text."""
        self.enlarge_text.setEnabled(can_grow)
        self.shrink_text.setEnabled(can_shrink)

    def _make_choice(self, name: str, text: str, help: str, shortcut: str = "") -> QAction:
        """One of several of which one is chosen."""
        action = self._make(name, text, help, shortcut)
        action.setCheckable(True)
        return action

    def _make(self, name: str, text: str, help: str, shortcut: QKeySequence.StandardKey | str) -> QAction:
        action = QAction(text, self._window)
        action.setObjectName(f"{name}_action")
        action.setShortcut(QKeySequence(shortcut))
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{help} ({keys})" if keys else help)
        action.setStatusTip(help)
        self._window.addAction(action)
        return action
