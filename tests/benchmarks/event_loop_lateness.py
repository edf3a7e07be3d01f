"""How late the interface's event loop is while a model trains under the open window.

A timer asks to be called every few milliseconds; lateness is how much longer the next call took. `--preset` and `--seconds`.
"""

import argparse
import os
import tempfile
from pathlib import Path
from time import perf_counter

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QComboBox

from gui.application import create_application
from gui.main_window import MainWindow
from resources import corpus_text

TICK_MS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="Medium")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    app = create_application(["benchmark"])
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "tales.txt"
        text.write_text(corpus_text("tales"), encoding="utf-8")
        window = MainWindow(data_directory=Path(folder) / "data")
        window.resize(1280, 800)
        window.show()
        start_training(app, window, text, arguments.preset)
        lateness = measure(arguments.seconds)
        steps = len(window.history.steps)
        window.close()
    p50, p99, p999 = np.percentile(lateness, [50, 99, 99.9])
    print(f"{arguments.preset}: {steps} steps while {len(lateness):,} ticks were measured")
    print(f"late by {p50:.1f} ms in the median, {p99:.1f} ms at the 99th percentile, {p999:.1f} ms at the 99.9th")


def start_training(app: QApplication, window: MainWindow, text: Path, preset: str) -> None:
    """Open the text, choose the preset, press Train, and wait for the first steps."""
    opened: list[int] = []
    window.corpus_opened.connect(lambda: opened.append(1))
    window.open_corpus(text)
    while not opened:
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    combo = window.findChild(QComboBox, "preset_combo")
    assert combo is not None
    combo.setCurrentText(preset)
    train = window.findChild(QAction, "train_action")
    assert train is not None
    train.trigger()
    while len(window.history.steps) < 3:
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def measure(seconds: float) -> np.ndarray:
    """Milliseconds by which each tick came later than it was due."""
    late: list[float] = []
    ends = perf_counter() + seconds
    due = perf_counter() + TICK_MS / 1000
    loop = QEventLoop()
    timer = QTimer(interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)

    def tick() -> None:
        nonlocal due
        now = perf_counter()
        late.append(1000 * max(now - due, 0.0))
        due = now + TICK_MS / 1000
        if now > ends:
            loop.quit()

    timer.timeout.connect(tick)
    timer.start()
    loop.exec()
    return np.array(late)


if __name__ == "__main__":
    main()
