import gc
import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before any Qt is loaded: the windows of the tests need no screen
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: two threads that wait for each other crawl on a busy machine

import hypothesis
import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QComboBox, QWidget

from gui.application import create_application
from gui.main_window import MainWindow
from nanograd.random import manual_seed
from nanograd.text.corpus import Corpus
from nanograd.training.run_directory import RunDirectory
from nanograd.training.settings import RunSettings

hypothesis.settings.register_profile("unhurried", deadline=None)  # how long an example takes tells more of the machine
hypothesis.settings.load_profile("unhurried")

TEXT = "the cat sat on the mat; the dog dug in the fog.\n" * 40


@pytest.fixture(autouse=True)
def _seeded():
    """Every test draws the same numbers, whatever ran before it."""
    manual_seed(0)


@pytest.fixture
def generator():
    """numpy's generator, seeded."""
    return np.random.default_rng(0)


@pytest.fixture
def small_corpus():
    """1,920 characters of 16 or so kinds."""
    return Corpus.from_text(TEXT, name="cats.txt")


@pytest.fixture
def small_settings():
    """A run of six steps that takes a fraction of a second, with dropout, an evaluation every second step, and a sample."""
    return RunSettings(
        n_layer=2, n_head=2, n_embd=16, block_size=8, batch_size=4, dropout=0.2, lr=1e-2, min_lr=1e-3, warmup_steps=2,
        max_steps=6, eval_interval=2, eval_windows=50, sample_tokens=20, probe_interval=3, seed=7,
    )  # fmt: skip


@pytest.fixture(scope="session")
def qapp():
    """The application as the program makes it, in place of pytest-qt's plain one."""
    return create_application(["nanograd"])


@pytest.fixture
def move_mouse():
    """Tell a widget that the pointer is at a place in it, wherever the real one is."""

    def move(widget, place):
        none = Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        position = QPointF(place)
        QApplication.sendEvent(widget, QMouseEvent(QEvent.Type.MouseMove, position, widget.mapToGlobal(position), *none))

    return move


@pytest.fixture
def text_file(tmp_path):
    """A text of 1,920 characters."""
    path = tmp_path / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def runs(tmp_path):
    """The runs in the window's data folder, the one saved last first."""
    return lambda: RunDirectory.all(tmp_path / "data" / "runs")


@pytest.fixture
def open_window(qtbot, tmp_path):
    """Opens a window with a Person before it. All share a data folder, and are closed at the end."""
    people = []

    def open_one():
        people.append(Person(qtbot, tmp_path / "data"))
        return people[-1]

    yield open_one
    for person in people:
        person.leave()
    gc.collect()  # here, in the interface's thread


@pytest.fixture
def person(open_window):
    """A Person before a new window."""
    return open_window()


SMALL_RUN = {  # settings of a run that takes a moment
    "n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 8, "batch_size": 4, "max_steps": 12, "eval_interval": 4,
    "eval_windows": 8, "sample_tokens": 6, "warmup_steps": 2, "probe_interval": 1, "seed": 3,
}  # fmt: skip


class Person:
    """Sits before a window: finds its controls by their names, uses them, and waits for what comes of it."""

    PATIENCE_MS = 30_000
    ENDLESS = 1_000_000

    def __init__(self, qtbot, data_directory):
        self._qtbot = qtbot
        self.window = MainWindow(data_directory=data_directory)
        self.states, self.errors = [], []
        self._is_gone = False
        self.window.run_state_changed.connect(self.states.append)
        self.window.error_shown.connect(self.errors.append)
        self.window.show()

    def find(self, name):
        widget = self.window.findChild(QWidget, name)
        assert widget is not None, name
        return widget

    def action(self, name):
        action = self.window.findChild(QAction, name)
        assert action is not None, name
        return action

    def do(self, name):
        """Trigger an action, which must be possible, or click a button."""
        action = self.window.findChild(QAction, name)
        possible = self.find(name) if action is None else action
        self.wait(possible.isEnabled)
        possible.click() if isinstance(possible, QAbstractButton) else possible.trigger()

    def wait(self, is_so):
        def check():
            assert is_so(), f"state {self.window.run_state}, shown {self.message()!r}, errors {self.errors}"

        self._qtbot.waitUntil(check, timeout=self.PATIENCE_MS)

    def wait_for(self, signal):
        return self._qtbot.waitSignal(signal, timeout=self.PATIENCE_MS)

    def wait_for_state(self, state):
        self.wait(lambda: self.window.run_state == state)

    def wait_for_error(self):
        """The next message that is shown."""
        known = len(self.errors)
        self.wait(lambda: len(self.errors) > known)
        return self.errors[known]

    def message(self):
        return self.find("message_bar").text()

    def open(self, path):
        with self.wait_for(self.window.corpus_opened):
            self.window.open_corpus(path)

    def open_checkpoint(self, path):
        with self.wait_for(self.window.checkpoint_opened):
            self.window.open_checkpoint(path)
        self.wait(lambda: self.window.run_state in ("paused", "finished"))

    def save(self, path):
        with self.wait_for(self.window.checkpoint_saved):
            self.window.save_checkpoint(path)

    def set_up(self, **settings):
        """Fill in a small run, with these settings in place of its own."""
        for name, value in (SMALL_RUN | settings).items():
            self.set(f"setting_{name}", value)

    def set(self, name, value):
        field = self.find(name)
        match field:
            case QComboBox():
                field.setCurrentText(value)
            case QCheckBox():
                field.setChecked(value)
            case _:
                field.setValue(value)

    def train(self, path, **settings):
        """Open a text and let a small run end."""
        self.open(path)
        self.set_up(**settings)
        self.do("train_action")
        self.wait_for_state("finished")

    def train_to(self, path, step, **settings):
        """Open a text and let a run without end come to a step at least, then pause it."""
        self.train_past(path, step, **settings)
        self.do("pause_action")
        self.wait_for_state("paused")

    def train_past(self, path, step, **settings):
        """Open a text and let a run without end come to a step at least; it goes on."""
        self.open(path)
        self.set_up(**({"max_steps": self.ENDLESS} | settings))
        self.do("train_action")
        self.wait(lambda: len(self.window.history.steps) >= step)

    def generate(self, prompt="the ", tokens=8, seed=1, temperature=0.8):
        """Have a text written, to its end, and return it."""
        with self.wait_for(self.window.generation_finished):
            self.begin_generating(prompt, tokens, seed, temperature)
        return self.find("generated_text").toPlainText()

    def begin_generating(self, prompt="the ", tokens=8, seed=1, temperature=0.8):
        self.find("prompt_edit").setPlainText(prompt)
        self.set("max_new_tokens_setting", tokens)
        self.set("generation_seed_setting", seed)
        self.set("temperature_setting", temperature)
        self.do("generate_button")

    def leave(self):
        """Close the window for good: a second time where it asks for that."""
        if self._is_gone:
            return
        self._is_gone = True
        if not self.window.close():
            self.window.close()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
