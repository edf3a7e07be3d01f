"""Drives the real window through its own controls, tells what it did and saw, and takes pictures of it."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final, TypeVar

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer, SignalInstance
from PySide6.QtGui import QAction, QImage, QTextDocumentFragment
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QSpinBox,
    QTextEdit,
    QTreeWidget,
    QWidget,
)

from gui.application import create_application
from gui.main_window import MainWindow
from gui.views.comparison_plot import ComparisonPlot
from gui.views.heatmap import AttentionMap

_POLL_MS: Final = 20
_PATIENCE_S: Final = 900.0
_SIZE: Final = (1280, 800)
_SMALLEST_FILE: Final = 0  # a picture of the same quality, only longer in the making
_W = TypeVar("_W", bound=QWidget)


class DemonstrationError(Exception):
    """The window did not do what was asked of it."""


def demonstrate(corpus: Path | None, steps: int, screenshots: Path | None) -> int:
    """Run the demonstration and return its exit status: 0 where everything was as it should be."""
    app = create_application(sys.argv[:1])
    with tempfile.TemporaryDirectory(prefix="nanograd-demonstration-") as folder:
        demonstration = Demonstration(app, Path(folder), screenshots)
        try:
            demonstration.play(corpus, steps)
        except DemonstrationError as error:
            print(f"The demonstration failed: {error}", file=sys.stderr)
            return 1
        finally:
            demonstration.window.close()
    return 0


class Demonstration:
    """A person who opens a text, trains, looks, writes, saves and comes back."""

    def __init__(self, app: QApplication, data_directory: Path, screenshots: Path | None) -> None:
        self._data_directory = data_directory
        self._screenshots = screenshots
        self._errors: list[str] = []
        self.window = self._open_window()

    def play(self, corpus: Path | None, steps: int) -> None:
        """Do everything once, in the order a newcomer would."""
        self._picture("welcome")
        self._open_text(corpus)
        self._set_up(steps)
        self._train(steps)
        self._look_inside()
        self._generate()
        self._trigger("layout_watch_action")
        self._look_at_batch()
        self._save_and_reopen()
        self._compare_runs(steps)
        print("Done.")

    def _open_text(self, corpus: Path | None) -> None:
        opened = self._count(self.window.corpus_opened)
        if corpus is None:
            self._click("bundled_tales_button")
        else:
            self.window.open_corpus(corpus)
        self._wait("the text to open", lambda: bool(opened))
        print(f"Opened {self._find(QLabel, 'corpus_name_label').text()}.")

    def _set_up(self, steps: int) -> None:
        self._find(QComboBox, "preset_combo").setCurrentText("Small")
        self._find(QSpinBox, "setting_max_steps").setValue(steps)
        self._find(QSpinBox, "setting_eval_interval").setValue(max(1, steps // 6))
        print(f"Chose the preset Small: {self._find(QLabel, 'parameter_count_label').text()} parameters, {steps} steps.")
        self._find(QSpinBox, "setting_n_embd").setFocus()
        picture = self._find(QWidget, "model_picture").accessibleDescription()
        print(f"The model: {picture}. Its learning rate: {self._find(QWidget, 'schedule_plot').accessibleDescription()}.")
        self._picture("text")

    def _train(self, steps: int) -> None:
        began = monotonic()
        self._trigger("train_action")
        self._wait("half the steps", lambda: self._steps_done() >= steps // 2 or self.window.run_state == "finished")
        self._look_around()
        self._wait("the run to finish", lambda: self.window.run_state == "finished")
        history = self.window.history
        print(
            f"Trained {self._steps_done()} steps in {monotonic() - began:.1f} s, "
            f"{np.median(history.tokens_per_second):,.0f} tokens per second; training loss {history.train_loss[0]:.3f} to "
            f"{history.train_loss[-1]:.3f}, validation loss {history.validation_loss[0]:.3f} to {history.validation_loss[-1]:.3f}."
        )

    def _look_around(self) -> None:
        """Another probe, another layer and head, while it trains."""
        attention = self._find(AttentionMap, "attention_map")
        probe = self._find(QLineEdit, "probe_edit")
        before = attention.tokens
        probe.setText(probe.text()[:12])
        self._wait("the new probe to be looked at", lambda: attention.tokens != before and len(attention.tokens) == 12)
        self._find(QComboBox, "attention_layer").setCurrentIndex(1)
        self._find(QComboBox, "attention_head").setCurrentIndex(1)
        rows = attention.weights.sum(axis=-1)
        print(f"Looked at layer 2, head 2 over {''.join(attention.tokens)!r}; each row of weights sums to {rows.mean():.3f}.")
        self._picture("training")

    def _look_inside(self) -> None:
        """The probe's probabilities, the model's own numbers, and how they were earlier."""
        self._trigger("layout_inside_action")
        place, grid = self._find(QLabel, "place_label"), self._find(QWidget, "histogram_grid")
        self._wait("the inside", lambda: place.text().startswith("After") and "updates" in grid.accessibleDescription())
        print(f"{place.text().splitlines()[0]} it expects {self._find(QWidget, 'place_rivals').accessibleDescription()}.")
        print(f"Inside: {grid.accessibleDescription()}.")
        self._picture("inside")
        slider, moment = self._find(QSlider, "time_slider"), self._find(QLabel, "inside_step_label")
        chosen = self._find(QLabel, "moment_label")  # which may go on, after its step
        slider.setValue(slider.maximum() // 4)
        self._wait("a moment of the past", lambda: moment.text() == chosen.text().split(" · ")[0])
        print(f"Went back to {moment.text()}, one of {slider.maximum() + 1} moments.")
        self._picture("moment")
        self._click("live_button")
        self._trigger("layout_watch_action")

    def _generate(self) -> None:
        finished = self._count(self.window.generation_finished)
        prompt = "Once upon a time" if self._find(QLabel, "corpus_name_label").text() == "Tales" else ""
        self._find(QPlainTextEdit, "prompt_edit").setPlainText(prompt)
        self._find(QSpinBox, "max_new_tokens_setting").setValue(240)
        self._find(QSpinBox, "generation_seed_setting").setValue(7)
        self._find(QDoubleSpinBox, "temperature_setting").setValue(0.8)
        self._trigger("layout_write_action")
        beside = self._find(QComboBox, "beside_setting")
        beside.setCurrentIndex(1)
        self._click("generate_button")
        self._wait("the text to be written", lambda: bool(finished))
        earlier = self._find(QTextEdit, "beside_text")
        self._wait("the earlier text", lambda: len(earlier.toPlainText()) >= 240)
        print(f"At {beside.currentText().removeprefix('beside ')} it wrote:\n{prompt}{earlier.toPlainText()}\n")
        print(f"It wrote:\n{prompt}{self._find(QTextEdit, 'generated_text').toPlainText()}\n")
        self._picture("written")
        self._trigger("theme_action")
        self._picture("written-other-theme")
        self._trigger("theme_action")

    def _look_at_batch(self) -> None:
        """The texts of the step that the slider stands at."""
        slider, header = self._find(QSlider, "time_slider"), self._find(QLabel, "batch_step_label")
        slider.setValue(slider.maximum() // 2)
        self._trigger("show_batch_action")
        self._wait("the texts of a step", lambda: "text" in header.text())
        worst = self._find(QTextEdit, "batch_texts").toPlainText().splitlines()[:2]
        print(f"The worst text of {header.text()}: {' · '.join(worst)}")
        self._picture("batch")
        self._click("live_button")

    def _save_and_reopen(self) -> None:
        path = self._data_directory / "demonstration.safetensors"
        saved = self._count(self.window.checkpoint_saved)
        self.window.save_checkpoint(path)
        self._wait("the checkpoint to be saved", lambda: bool(saved))
        losses = self.window.history.train_loss.copy()
        self.window.close()
        self.window = self._open_window()
        opened = self._count(self.window.checkpoint_opened)
        self.window.open_checkpoint(path)
        self._wait("the checkpoint to open", lambda: bool(opened))
        if not np.array_equal(losses, self.window.history.train_loss):
            raise DemonstrationError("the reopened run has another curve")
        print(f"Saved {path.stat().st_size / 1e6:.1f} MB, closed the window, opened it again: the same curve is there.")
        self._picture("reopened")

    def _compare_runs(self, steps: int) -> None:
        """A second run with other settings, beside the first in the library, and over it."""
        self._trigger("close_run_action")
        self._wait("the run to be closed", lambda: self.window.run_state == "idle")
        self._find(QSpinBox, "setting_n_layer").setValue(1)
        self._find(QSpinBox, "setting_n_head").setValue(4)
        self._find(QSpinBox, "setting_max_steps").setValue(max(2, 2 * steps // 3))
        self._trigger("train_action")
        self._wait("the second run to finish", lambda: self.window.run_state == "finished")
        self._trigger("runs_action")
        library = self._find(QTreeWidget, "run_library")
        self._wait("the library", lambda: library.topLevelItemCount() == 2)
        self._picture("runs")
        library.selectAll()
        self._trigger("compare_runs_action")
        legend, plot = self._find(QLabel, "comparison_legend"), self._find(ComparisonPlot, "comparison_plot")
        self._wait("the curves of both", lambda: len(plot.drawn) == 4)
        lines = QTextDocumentFragment.fromHtml(legend.text()).toPlainText().splitlines()
        print(f"Compared {len(lines)} runs: {'; '.join(line.split(maxsplit=1)[-1] for line in lines)}.")
        self._picture("comparison")

    # ---- hands and eyes -----------------------------------------------------------------------------------------------

    def _open_window(self) -> MainWindow:
        window = MainWindow(data_directory=self._data_directory)
        window.resize(*_SIZE)
        window.error_shown.connect(self._errors.append)
        window.show()
        return window

    def _find(self, kind: type[_W], name: str) -> _W:
        widget = self.window.findChild(kind, name)
        if not isinstance(widget, kind):
            raise DemonstrationError(f"there is no {name}")
        return widget

    def _click(self, name: str) -> None:
        self._find(QAbstractButton, name).click()

    def _trigger(self, name: str) -> None:
        action = self.window.findChild(QAction, name)
        if action is None:
            raise DemonstrationError(f"there is no {name}")
        action.trigger()

    def _steps_done(self) -> int:
        return len(self.window.history.steps)

    @staticmethod
    def _count(signal: SignalInstance) -> list[object]:
        happened: list[object] = []
        signal.connect(lambda *values: happened.append(values))
        return happened

    def _wait(self, what: str, is_done: Callable[[], bool]) -> None:
        """Let the window live until `is_done`; raises DemonstrationError where an error is shown, or after much too long."""
        self._live_until(lambda: is_done() or bool(self._errors), _PATIENCE_S)
        if self._errors:
            raise DemonstrationError(f"while waiting for {what}: {self._errors[0]}")
        if not is_done():
            raise DemonstrationError(f"{what} took more than {_PATIENCE_S:.0f} s")

    def _live_until(self, is_done: Callable[[], bool], longest_s: float) -> None:
        loop, ends = QEventLoop(), monotonic() + longest_s
        clock = QTimer(interval=_POLL_MS)
        clock.timeout.connect(lambda: loop.quit() if is_done() or monotonic() > ends else None)
        clock.start()
        loop.exec()

    def _picture(self, name: str) -> None:
        if self._screenshots is None:
            return
        settled = monotonic() + 0.6
        self._live_until(lambda: monotonic() > settled, 1.0)
        self._screenshots.mkdir(parents=True, exist_ok=True)
        path = self._screenshots / f"{name}.png"
        picture = self.window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)  # nothing in it is transparent
        if not picture.save(str(path), quality=_SMALLEST_FILE):
            raise DemonstrationError(f"the picture {path} could not be written")
        print(f"Took {path}.")
