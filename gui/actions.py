"""What the window can be told to do: each action with its name, its shortcut and when it makes sense."""

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from gui.events import RunState


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
        self.theme = self._make("theme", "Theme", "Light, dark, or as the system", "Ctrl+Shift+L")

    def show_state(self, state: RunState, has_run: bool) -> None:
        """Enable what can be done in this state."""
        is_training = state == "training"
        self.train.setEnabled(not is_training)
        self.step.setEnabled(not is_training)
        self.pause.setEnabled(is_training)
        self.stop.setEnabled(state in ("training", "paused"))
        self.save_checkpoint.setEnabled(has_run)
        self.close_run.setEnabled(has_run)

    def _make(self, name: str, text: str, help: str, shortcut: QKeySequence.StandardKey | str) -> QAction:
        action = QAction(text, self._window)
        action.setObjectName(f"{name}_action")
        action.setShortcut(QKeySequence(shortcut))
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{help} ({keys})" if keys else help)
        action.setStatusTip(help)
        self._window.addAction(action)
        return action
