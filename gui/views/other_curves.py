"""Other runs behind the present one in the plot of its loss."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from gui.events import KeptRun
from gui.run_history import RunHistory
from gui.theme import DARK, Theme, set_role
from gui.views.loss_plot import LossPlot
from gui.views.plot_axis import AXIS_WIDTH_PX
from gui.views.run_lines import RunCurve, legend_text
from gui.views.run_names import legend_names

OtherRun = tuple[KeptRun, int, RunHistory]
"""A run beside the present one, the number of its look, and its numbers."""


class OtherCurves(QLabel):
    """The legend of the other runs, which names only what differs; it keeps their curves in the plot, smoothed as the run's own."""

    def __init__(self, plot: LossPlot, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plot = plot
        self._theme = DARK
        self._others: Sequence[OtherRun] = ()
        self._names: list[str] = []
        self._present_name = ""
        self._drawn_at: float | None = None
        self.setObjectName("other_runs_legend")
        self.setAccessibleName("Runs beside the present one, and what differs")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setWordWrap(True)
        self.setContentsMargins(AXIS_WIDTH_PX, 6, 0, 0)
        set_role(self, "small")
        self.hide()

    def show_others(self, others: Sequence[OtherRun], present: KeptRun | None) -> None:
        """Show these runs from the next `draw` on, and name what differs from the `present` one too, where that is known."""
        told = [] if present is None else [present]
        names = legend_names([*told, *(run for run, *_ in others)])
        self._others, self._drawn_at = others, None
        self._present_name, self._names = "".join(names[: len(told)]), names[len(told) :]
        self._show_legend()

    def draw(self, smoothing: float) -> None:
        """Have the plot draw the runs with so much smoothing."""
        if smoothing == self._drawn_at:
            return
        self._drawn_at = smoothing
        self._plot.show_others(
            [
                RunCurve(
                    look=look,
                    name=name,
                    steps=history.steps.astype(np.float64),
                    train_loss=history.smoothed(smoothing),
                    validation_steps=history.validation_steps.astype(np.float64),
                    validation_loss=history.validation_loss,
                )
                for name, (_, look, history) in zip(self._names, self._others, strict=True)
            ]
        )

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self._show_legend()

    def _show_legend(self) -> None:
        looks = [look for _, look, _ in self._others]
        self.setVisible(bool(looks))
        self.setText(legend_text(self._names, looks, self._theme, self._present_name) if looks else "")
