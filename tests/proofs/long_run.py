"""Trains the smallest model for very many steps through the window, off the screen.

    python tests/proofs/long_run.py --steps 200000

Memory grows by the curve alone, which is complete and drawn within 30 ms, and the checkpoints stay within their budget.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from time import monotonic, sleep, thread_time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from gui.application import create_application
from gui.main_window import MainWindow
from nanograd.training.run_directory import RunDirectory

TEXT = "the cat sat on the mat; the dog dug in the fog.\n" * 40
SETTINGS = {
    "n_layer": 1, "n_head": 1, "n_embd": 2, "block_size": 2, "batch_size": 1, "eval_interval": 2000, "eval_windows": 10,
    "sample_tokens": 0, "parts": 1, "keep_every": 20_000, "disk_budget": 60,
}  # fmt: skip
REDRAW_S = 0.030
BYTES_PER_STEP = (
    120  # the curve itself: five numbers a step in the trainer and in the history, a smoothed one, and what drawing takes
)
GROWTH_BYTES = 25_000_000  # the looks at the model, of which so many are kept and no more


def resident_bytes() -> int:
    """What this process takes of the memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def prove(steps: int, folder: Path) -> None:
    """Train, and raise AssertionError where something grows, is missing or is slow."""
    app = create_application(["nanograd"])
    text = folder / "cats.txt"
    text.write_text(TEXT)
    window = MainWindow(data_directory=folder / "data")
    window.show()

    def wait(is_so, most_s: float) -> None:
        until = monotonic() + most_s
        while not is_so():
            app.processEvents()
            sleep(0.005)
            assert monotonic() < until, f"state {window.run_state} at step {len(window.history.steps)}"

    def find(name: str) -> QWidget:
        widget = window.findChild(QWidget, name)
        assert widget is not None, name
        return widget

    opened: list[bool] = []
    window.corpus_opened.connect(lambda: opened.append(True))
    window.open_corpus(text)
    wait(lambda: opened, 30)
    for name, value in (SETTINGS | {"max_steps": steps}).items():
        find(f"setting_{name}").setValue(value)
    memory: list[tuple[int, int]] = []
    window.findChild(QAction, "train_action").trigger()
    began = monotonic()
    for part in range(1, 11):
        wait(lambda part=part: len(window.history.steps) >= steps * part // 10, 3600)
        memory.append((len(window.history.steps), resident_bytes()))
    wait(lambda: window.run_state == "finished", 120)
    took_s = monotonic() - began
    assert np.array_equal(window.history.steps, np.arange(1, steps + 1))
    assert np.isfinite(window.history.train_loss).all()
    assert len(window.history.validation_steps) == steps // SETTINGS["eval_interval"] + 1
    progress = window._views.progress
    redraws = []
    for _ in range(20):
        start = thread_time()  # the time of computing, whatever else the machine does
        progress._redraw()
        find("loss_plot").repaint()
        redraws.append(thread_time() - start)
    (run,) = RunDirectory.all(folder / "data" / "runs")
    checkpoints = run.checkpoints.byte_count()
    lines = sum(1 for _ in (run.path / "metrics.jsonl").open())
    assert lines == steps + len(window.history.validation_steps)
    window.close()
    growth = memory[-1][1] - memory[0][1]
    print(
        f"{steps:,} steps in {took_s:.0f} s; memory {memory[0][1] / 1e6:.0f} MB at step {memory[0][0]:,}, "
        f"{memory[-1][1] / 1e6:.0f} MB at step {memory[-1][0]:,}; the whole curve redrawn in {np.median(redraws) * 1e3:.1f} ms "
        f"(slowest {max(redraws) * 1e3:.1f}); "
        f"checkpoints {checkpoints / 1e6:.1f} of {SETTINGS['disk_budget']} MB, the whole run {run.byte_count() / 1e6:.1f} MB."
    )
    assert growth < GROWTH_BYTES + BYTES_PER_STEP * steps, memory
    assert np.median(redraws) < REDRAW_S, redraws
    assert checkpoints <= SETTINGS["disk_budget"] * 1_000_000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prove(arguments.steps, Path(folder))
