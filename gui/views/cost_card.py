"""The card that tells what a run will take: parameters, memory, the time of a step and of the whole."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from gui.events import CostEstimated
from gui.format import UNKNOWN, bytes_text, count_text, duration_text, rough_duration_text, short_count_text
from gui.theme import set_role
from gui.views.panel import Card


class CostCard(Card):
    """Four figures; an en dash stands for what is not known yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("What this will take", parent)
        self._parameters = _value("parameter_count_label", "figure")
        self._memory = _value("memory_label", "")
        self._step = _value("step_time_label", "")
        self._run = _value("time_label", "")
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        rows = {"Parameters": self._parameters, "Memory": self._memory, "Each step": self._step, "Whole run": self._run}
        for index, (title, value) in enumerate(rows.items()):
            label = QLabel(title)
            set_role(label, "muted")
            value.setAccessibleName(title)
            grid.addWidget(label, index, 0)
            grid.addWidget(value, index, 1)
        self.body.addLayout(grid)
        self.set_bottom_margin(10)

    def show_unknown(self) -> None:
        """Show that nothing is known, as where the settings make no model."""
        for label in (self._parameters, self._memory, self._step, self._run):
            label.setText(UNKNOWN)
        self._parameters.setToolTip("")

    def show_parameter_count(self, count: int) -> None:
        """Show how many numbers the model learns."""
        self._parameters.setText(short_count_text(count))
        self._parameters.setToolTip(f"{count_text(count)} parameters")

    def show_memory(self, event: CostEstimated) -> None:
        """Show how much memory the run takes."""
        self._memory.setText(bytes_text(event.memory_bytes))

    def show_cost(self, event: CostEstimated) -> None:
        """Show an estimate of the whole run."""
        self.show_parameter_count(event.parameter_count)
        self.show_memory(event)
        step = duration_text(event.step_s)
        self._step.setText(f"{step}, measured" if event.is_measured else f"about {step}")
        self._run.setText(rough_duration_text(event.run_s))

    def show_measured_step(self, step_s: float, seconds_left: float) -> None:
        """Show the time of real steps, and what the rest of the run takes, evaluations included."""
        self._step.setText(f"{duration_text(step_s)}, measured")
        self._run.setText(f"{rough_duration_text(seconds_left)} left" if seconds_left > 0 else "done")


def _value(name: str, role: str) -> QLabel:
    label = QLabel(UNKNOWN)
    label.setObjectName(name)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    if role:
        set_role(label, role)
    return label
