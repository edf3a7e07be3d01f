"""How fast a run trains with every panel showing, against the same run without a window.

Both take turns, since the machine may have other work. `--preset`, `--seconds` of each turn, `--turns`.
"""

import argparse
import os
import tempfile
from pathlib import Path
from time import perf_counter

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox

from gui.application import create_application
from gui.main_window import MainWindow
from nanograd.text.corpus import Corpus
from nanograd.training.events import StepFinished
from nanograd.training.run import Run
from nanograd.training.settings import PRESETS
from resources import corpus_text

WARM_UP_STEPS = 2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="Medium")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    alone, shown = [], []
    for turn in range(arguments.turns):
        alone.append(rate_alone(arguments.preset, arguments.seconds))
        shown.append(rate_shown(arguments.preset, arguments.seconds))
        print(f"turn {turn + 1}: {alone[-1]:.2f} steps/s without a window, {shown[-1]:.2f} with everything showing")
    print(f"{arguments.preset}: {100 * np.median(shown) / np.median(alone):.0f} % of the rate without a window")


def rate_alone(preset: str, seconds: float) -> float:
    """Steps per second of a run that nobody looks at."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run.start(PRESETS[preset], Corpus.from_text(corpus_text("tales"), name="Tales"), Path(folder))
        began, first = 0.0, 0
        for event in run.events():
            if not isinstance(event, StepFinished):
                continue
            if event.step == WARM_UP_STEPS:
                began, first = perf_counter(), event.step
            if began and perf_counter() - began > seconds:
                return (event.step - first) / (perf_counter() - began)
    raise RuntimeError("the run is too short for that")


def rate_shown(preset: str, seconds: float) -> float:
    """Steps per second of the same run in the window, with attention, probabilities, curves and the inside before the eyes."""
    create_application(["benchmark"])
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "tales.txt"
        text.write_text(corpus_text("tales"), encoding="utf-8")
        window = MainWindow(data_directory=Path(folder) / "data")
        window.resize(1920, 1080)
        window.show()
        opened: list[int] = []
        window.corpus_opened.connect(lambda: opened.append(1))
        window.open_corpus(text)
        live_until(lambda: bool(opened))
        find(window, "layout_inside_action").trigger()
        combo = window.findChild(QComboBox, "preset_combo")
        assert combo is not None
        combo.setCurrentText(preset)
        find(window, "train_action").trigger()
        live_until(lambda: len(window.history.steps) >= WARM_UP_STEPS)
        began, first = perf_counter(), len(window.history.steps)
        live_until(lambda: perf_counter() - began > seconds)
        last = len(window.history.steps)
        live_until(lambda: len(window.history.steps) > last)  # to the end of a step
        rate = (len(window.history.steps) - first) / (perf_counter() - began)
        window.close()
        return rate


def find(window: MainWindow, name: str) -> QAction:
    """An action of the window."""
    action = window.findChild(QAction, name)
    assert action is not None
    return action


def live_until(is_done: object) -> None:
    """Let the window live as it does in the hands of a person."""
    loop, clock = QEventLoop(), QTimer(interval=20)
    assert callable(is_done)
    clock.timeout.connect(lambda: loop.quit() if is_done() else None)
    clock.start()
    loop.exec()


if __name__ == "__main__":
    main()
