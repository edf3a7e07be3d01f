"""How right the time left is that the window tells after 50 steps and later: over what it took, for short runs of the presets.

The machine should be quiet: what else it does changes the pace, which nobody can foresee.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from comparison import parse_arguments, report
from interface import open_window, text_in, wait_until

LENGTHS = {"Fast": 220, "Small": 400, "nanoGPT CPU": 400}
MARKS = (50, 100, 150)


def main() -> None:
    """Measure and print, or be one of the processes that measure."""
    arguments = parse_arguments(__doc__, rounds=3, child="")
    if arguments.child:
        print(json.dumps(measure(arguments.child, LENGTHS[arguments.child])))
        return
    rows = []
    for preset in LENGTHS:
        for _ in range(arguments.rounds):
            command = [sys.executable, __file__, "--child", preset]
            outcome = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append(json.loads(outcome.stdout.splitlines()[-1]))
    report("time left, told over true", rows, arguments.json)


def measure(preset: str, length: int) -> dict[str, Any]:
    """A row of the table."""
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QAbstractSpinBox

    with tempfile.TemporaryDirectory() as folder:
        _application, window = open_window(Path(folder) / "data", text_in(folder), preset)
        field: Any = window.findChild(QAbstractSpinBox, "setting_max_steps")
        field.setValue(length)
        train = window.findChild(QAction, "train_action")
        assert train is not None
        began = perf_counter()
        train.trigger()
        told = []
        for mark in MARKS:
            wait_until(lambda mark=mark: len(window.history.steps) >= mark)
            told.append((window._run.seconds_left, perf_counter()))
        wait_until(lambda: window.run_state == "finished")
        ended = perf_counter()
        window.close()
    shares = {f"after {mark}": left / (ended - at) for mark, (left, at) in zip(MARKS, told, strict=True)}
    return {"preset": preset, "steps": length, "took s": ended - began, "left after 50 s": ended - told[0][1], **shares}


if __name__ == "__main__":
    main()
