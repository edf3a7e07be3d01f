"""The losses of several runs over each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from gui.theme import DARK, Theme
from gui.views.plot_axis import AXIS_WIDTH_PX, Floats, PlotAxis, envelope, pen

MARKS: Final = ("o", "s", "t1", "d", "t", "p", "star")
"""The shapes of the evaluations' points, beside the colour, one for each colour of Theme.runs."""
_MOST_MARKS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedCurve:
    """A run's losses (nats per token) over its steps, and the number of its look."""

    look: int
    steps: Floats
    train_loss: Floats
    validation_steps: Floats
    validation_loss: Floats


class ComparisonPlot(pg.PlotWidget):  # type: ignore[misc]
    """Validation losses as lines with marks, training losses thin behind them. A double click shows all again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._left, self._bottom = PlotAxis("left"), PlotAxis("bottom")
        super().__init__(parent, axisItems={"left": self._left, "bottom": self._bottom})
        self._curves: Sequence[ComparedCurve] = ()
        self._has_training = True
        self._lines: list[Any] = []
        self._theme = DARK
        self.setObjectName("comparison_plot")
        self.setAccessibleName("Losses of the compared runs over the steps")
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumSize(160, 110)
        self.setMenuEnabled(False)
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
        return [(item.name(), item.opts["pen"].color().name().upper(), len(item.xData)) for item in self._lines]

    def show_curves(self, curves: Sequence[ComparedCurve], *, has_training: bool) -> None:
        """Draw these runs, their training losses too where it `has_training`."""
        self._curves, self._has_training = curves, has_training
        self._draw()
        self.show_all()

    def show_all(self) -> None:
        """Show all steps and all losses that are drawn."""
        drawn = [item for item in self._lines if len(item.xData)]
        if drawn:
            right = max(float(item.xData.max()) for item in drawn)
            low, high = min(float(item.yData.min()) for item in drawn), max(float(item.yData.max()) for item in drawn)
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
        self._draw()

    def _draw(self) -> None:
        self.plotItem.clear()
        self._lines.clear()
        columns = max(int(self.width()), 100)
        thick = round(2 * self.devicePixelRatioF())
        for curve in self._curves if self._has_training else ():
            x, y = envelope(curve.steps, curve.train_loss, columns)
            self._add("training", x, y, pen=pen(self._colour(curve.look), 1, 0.35))
        for curve in self._curves:
            keep = np.isfinite(curve.validation_loss)
            x, y = curve.validation_steps[keep], curve.validation_loss[keep]
            line = pen(self._colour(curve.look), thick)
            if curve.look // len(self._theme.runs) % 2:
                line.setStyle(Qt.PenStyle.DashLine)
            self._add("validation", x, y, pen=line)
            places = np.unique(np.linspace(0, len(x) - 1, _MOST_MARKS).astype(int)) if len(x) > _MOST_MARKS else slice(None)
            self.addItem(
                pg.ScatterPlotItem(
                    x[places], y[places], symbol=MARKS[curve.look % len(MARKS)], size=8, pen=None, brush=self._colour(curve.look)
                ),
                ignoreBounds=True,
            )

    def _add(self, name: str, x: Floats, y: Floats, **looks: Any) -> None:
        line = pg.PlotCurveItem(x, y, name=name, antialias=name == "validation", skipFiniteCheck=True, **looks)
        self._lines.append(line)
        self.addItem(line, ignoreBounds=True)

    def _colour(self, look: int) -> str:
        return self._theme.runs[look % len(self._theme.runs)]

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go back to all of the runs."""
        self.show_all()
