"""The line at the bottom: loss, validation loss, speed, time left, and when the run was last saved."""

from time import monotonic
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from gui.format import age_text, count_text, duration_text, loss_text
from gui.theme import set_role

READING_INTERVAL_MS: Final = 250
AGE_INTERVAL_MS: Final = 1000


class StatusLine(QFrame):
    """What it shows changes at most four times a second, however often it is told."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status_line")
        set_role(self, "foot")
        self._saved_at_s: float | None = None
        self._waiting: dict[str, str] = {}
        self._figures = {
            "loss": _Figure("status_loss_label", before="Loss"),
            "validation": _Figure("status_validation_label", before="Validation"),
            "rate": _Figure("status_rate_label", after="tokens/s"),
            "time_left": _Figure("status_time_left_label", after="left"),
            "evaluation": _Figure("status_evaluation_label", before="Evaluating"),
        }
        self._saved = QLabel()
        self._saved.setObjectName("status_saved_label")
        set_role(self._saved, "small")
        self._reading_clock = QTimer(self, singleShot=True, interval=READING_INTERVAL_MS)
        self._reading_clock.timeout.connect(self._on_reading_due)
        self._age_clock = QTimer(self, interval=AGE_INTERVAL_MS)
        self._age_clock.timeout.connect(self._on_age_due)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 16, 6)
        row.setSpacing(20)
        for figure in self._figures.values():
            row.addWidget(figure)
        row.addStretch(1)
        row.addWidget(self._saved)
        self.clear()

    def show_step(self, loss: float, tokens_per_second: float, seconds_left: float) -> None:
        """Show where training stands: nats per token, its speed, and how long it will take yet (nan where unknown)."""
        self._tell(
            loss=loss_text(loss),
            rate=count_text(round(tokens_per_second)),
            time_left=duration_text(seconds_left) if seconds_left == seconds_left else "",
        )

    def show_validation(self, loss: float) -> None:
        """Show the latest validation loss, in nats per token."""
        self._tell(validation=loss_text(loss), evaluation="")

    def show_evaluation(self, done: int, total: int) -> None:
        """Show how far an evaluation is."""
        self._tell(evaluation="" if done >= total else f"{100 * done // max(total, 1)} %")

    def show_idle(self, loss: float | None = None) -> None:
        """Hide what holds only while a run trains; losses and the time of saving stay. `loss` is that of the last step."""
        last = {} if loss is None else {"loss": loss_text(loss)}
        self._tell(rate="", time_left="", evaluation="", **last)

    def show_saved(self) -> None:
        """Show that the run was saved just now; the line counts on from here."""
        self._saved_at_s = monotonic()
        self._age_clock.start()
        self._on_age_due()

    def clear(self) -> None:
        """Forget the run."""
        self._saved_at_s = None
        self._age_clock.stop()
        self._saved.setText("")
        self._waiting = dict.fromkeys(self._figures, "")
        self._write()

    def _tell(self, **texts: str) -> None:
        self._waiting |= texts
        if not self._reading_clock.isActive():
            self._write()
            self._reading_clock.start()

    def _write(self) -> None:
        for name, text in self._waiting.items():
            self._figures[name].show_text(text)
        self._waiting = {}

    def _on_reading_due(self) -> None:
        if self._waiting:
            self._write()
            self._reading_clock.start()

    def _on_age_due(self) -> None:
        if self._saved_at_s is not None:
            self._saved.setText(f"saved {age_text(monotonic() - self._saved_at_s)}")


class _Figure(QWidget):
    """A value in bold with a word before or after it; hidden while it has none."""

    def __init__(self, name: str, *, before: str = "", after: str = "") -> None:
        super().__init__()
        self._value = QLabel()
        self._value.setObjectName(name)
        self._value.setAccessibleName(before or after)
        set_role(self._value, "small_value")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for text in (before, None, after):
            if text is None:
                row.addWidget(self._value)
            elif text:
                label = QLabel(text)
                set_role(label, "small")
                row.addWidget(label)

    def show_text(self, text: str) -> None:
        self._value.setText(text)
        self.setVisible(bool(text))
