"""The losses of several runs over each other."""

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from gui.theme import DARK, Theme
from gui.views.plot_axis import AXIS_WIDTH_PX, PlotAxis
from gui.views.run_lines import RunCurve, RunLines


class ComparisonPlot(pg.PlotWidget):  # type: ignore[misc]
    """Validation losses as lines with marks, training losses thin behind them. A double click shows all again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._left, self._bottom = PlotAxis("left"), PlotAxis("bottom")
        super().__init__(parent, axisItems={"left": self._left, "bottom": self._bottom}, enableMenu=False)
        self._lines = RunLines(self)
        self._theme = DARK
        self.setObjectName("comparison_plot")
        self.setAccessibleName("Losses of the compared runs over the steps")
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumSize(160, 110)
        self.hideButtons()
        self.showGrid(y=True, alpha=1.0)
        self._left.setZValue(-1)
        self._left.setWidth(AXIS_WIDTH_PX)
        self._bottom.setHeight(24)
        self.disableAutoRange()
        self.show_theme(DARK)

    @property
    def drawn(self) -> list[tuple[str, str, int]]:
        """What is drawn: "training" or "validation", its colour, and how many points it has."""
        return self._lines.drawn

    def show_curves(self, curves: Sequence[RunCurve], *, has_training: bool) -> None:
        """Draw these runs, their training losses too where it `has_training`."""
        self._lines.show_curves(curves, has_training=has_training)
        self._lines.draw(self._theme)
        self.show_all()

    def show_all(self) -> None:
        """Show all steps and all losses that are drawn."""
        if self._lines.extent is not None:
            right, low, high = self._lines.extent
            margin = 0.06 * max(high - low, 1e-3)
            self.plotItem.getViewBox().setRange(
                xRange=(-0.01 * right, 1.03 * max(right, 1.0)), yRange=(low - margin, high + margin), padding=0
            )

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.setBackground(theme.panel)
        self._left.show_theme(theme, theme.hairline)
        self._bottom.show_theme(theme, theme.panel)
        self._lines.draw(theme)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go back to all of the runs."""
        self.show_all()
