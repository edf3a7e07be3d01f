"""What the open window costs the training, and how late its event loop is while a model trains.

The rate under the window, with the loss and attention showing (or with a layout of the window, such as `--layout inside` at
1920x1080, which shows everything), is compared with that of the same run without one, each in a
process of its own and in turns. A timer of the window asks to be called every few milliseconds; lateness is how much longer
the next call took.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from comparison import parse_arguments, report

from nanograd.text.corpus import load_corpus
from nanograd.training.events import StepFinished
from nanograd.training.run import Run
from nanograd.training.settings import PRESETS
from resources import corpus_text

SUBJECTS = ("Medium", "nanoGPT CPU")
NO_EVALUATION = 10_000_000
STEPS_BEFORE = 3
TICK_MS = 5


def main() -> None:
    """Measure and print, or be one of the processes that measure."""
    arguments = parse_arguments(__doc__, rounds=5, seconds=20.0, child="", preset="", layout="")
    if arguments.child:
        if arguments.child == "headless":
            print(json.dumps(measure_headless(arguments.preset, arguments.seconds)))
        else:
            print(json.dumps(measure_window(arguments.preset, arguments.seconds, arguments.layout)))
        return
    rows = [
        compare(preset, arguments.rounds, arguments.seconds, arguments.layout)
        for preset in ([arguments.preset] if arguments.preset else SUBJECTS)
    ]
    report("training under the open window", rows, arguments.json)


def compare(preset: str, rounds: int, seconds: float, layout: str) -> dict[str, Any]:
    """A row of the table."""
    found: dict[str, list[dict[str, Any]]] = {"headless": [], "window": []}
    for _ in range(rounds):
        for kind, results in found.items():
            command = [
                sys.executable,
                __file__,
                "--child",
                kind,
                "--preset",
                preset,
                "--seconds",
                str(seconds),
                "--layout",
                layout,
            ]
            outcome = subprocess.run(command, capture_output=True, text=True, check=True)
            results.append(json.loads(outcome.stdout.splitlines()[-1]))
    headless, window = (float(np.median([result["rate"] for result in results])) for results in found.values())
    late = np.concatenate([result["late"] for result in found["window"]])
    p50, p99, p999 = (float(value) for value in np.percentile(late, [50, 99, 99.9]))
    return {
        "preset": preset, "headless tokens/s": headless, "window tokens/s": window, "share": window / headless,
        "late p50 ms": p50, "p99 ms": p99, "p99.9 ms": p999, "ticks": len(late),
    }  # fmt: skip


def text_in(folder: str) -> Path:
    """The bundled tales as a file."""
    text = Path(folder) / "tales.txt"
    text.write_text(corpus_text("tales"), encoding="utf-8")
    return text


def measure_headless(preset: str, seconds: float) -> dict[str, Any]:
    """The rate of the run without a window."""
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(PRESETS[preset], eval_interval=NO_EVALUATION, max_steps=NO_EVALUATION, eval_windows=1)
        run = Run.start(settings, load_corpus(text_in(folder)), data_directory=Path(folder) / "data")
        steps = 0
        for event in run.events():
            if not isinstance(event, StepFinished):
                continue
            steps += 1
            if steps == STEPS_BEFORE:
                began = perf_counter()
            if steps > STEPS_BEFORE and perf_counter() - began >= seconds:
                break
        tokens = (steps - STEPS_BEFORE) * settings.batch_size * settings.block_size
        return {"rate": tokens / (perf_counter() - began)}


def wait_until(is_so: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    from PySide6.QtCore import QCoreApplication, QEventLoop

    while not is_so():
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def open_window(data_directory: Path, text: Path, preset: str, layout: str = "") -> tuple[Any, Any]:
    """The application, which is to be kept, and a window with a text and a preset; one with a `layout` is large."""
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QComboBox

    from gui.application import create_application
    from gui.main_window import MainWindow

    application = create_application(["benchmark"])
    window = MainWindow(data_directory=data_directory)
    window.resize(*((1920, 1080) if layout else (1280, 800)))
    window.show()
    opened: list[int] = []
    window.corpus_opened.connect(lambda: opened.append(1))
    window.open_corpus(text)
    wait_until(lambda: bool(opened))
    if layout:
        action = window.findChild(QAction, f"layout_{layout}_action")
        assert action is not None
        action.trigger()
    presets = window.findChild(QComboBox, "preset_combo")
    assert presets is not None
    presets.setCurrentText(preset)
    return application, window


def measure_window(preset: str, seconds: float, layout: str) -> dict[str, Any]:
    """The rate under the window, and by how many milliseconds each tick came later than it was due."""
    from PySide6.QtGui import QAction

    from gui.views.number_field import IntegerField

    with tempfile.TemporaryDirectory() as folder:
        _application, window = open_window(Path(folder) / "data", text_in(folder), preset, layout)
        for name, value in (("eval_interval", NO_EVALUATION), ("max_steps", NO_EVALUATION), ("eval_windows", 1)):
            field = window.findChild(IntegerField, f"setting_{name}")
            assert field is not None
            field.setValue(value)
        train = window.findChild(QAction, "train_action")
        assert train is not None
        train.trigger()
        wait_until(lambda: len(window.history.steps) >= STEPS_BEFORE)
        before, began = len(window.history.steps), perf_counter()
        late = lateness(seconds)
        steps, took = len(window.history.steps) - before, perf_counter() - began
        window.close()
    settings = PRESETS[preset]
    return {"rate": steps * settings.batch_size * settings.block_size / took, "late": late}


def lateness(seconds: float) -> list[float]:
    """Milliseconds by which each tick of a timer came later than it was due."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer

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
    return late


if __name__ == "__main__":
    main()
