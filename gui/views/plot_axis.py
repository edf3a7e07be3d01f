"""What the plots share: their axes, their pens, and how a long curve is drawn in few points."""

from collections.abc import Callable
from math import floor, log10
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from gui.theme import SMALL_PX, Theme, interface_font

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64] | NDArray[np.float64]
AXIS_WIDTH_PX: Final = 44


def nice_ticks(low: float, high: float, count: int, smallest_step: float = 0.0) -> tuple[float, list[float]]:
    """About `count` round numbers from `low` to `high`, and the step between them."""
    rough = max((high - low) / max(count, 1), smallest_step, 1e-12)
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    step = max(step, smallest_step)
    first = int(np.ceil(low / step - 1e-9))
    return step, [index * step for index in range(first, int(np.floor(high / step + 1e-9)) + 1)]


def envelope(x: Numbers, y: Floats, columns: int) -> tuple[Floats, Floats]:
    """The lowest and the highest finite `y` of each of so many groups of points, in the order of `x`: what a plot can show."""
    if len(x) <= 2 * columns:
        keep = np.isfinite(y)
        return x[keep].astype(np.float64), y[keep]
    starts = np.arange(0, len(x), -(-len(x) // columns))
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    keep = np.isfinite(low) & np.isfinite(high)
    return np.repeat(x[starts[keep]].astype(np.float64), 2), np.column_stack([low[keep], high[keep]]).ravel()


def thinned(x: Numbers, y: Floats, columns: int) -> tuple[Floats, Floats]:
    """At most about `columns` of the points of a smooth curve, the last among them."""
    step = max(1, -(-len(x) // columns))
    places = np.append(np.arange(0, len(x) - 1, step), len(x) - 1) if len(x) else np.arange(0)
    places = places[np.isfinite(y[places])]
    return x[places].astype(np.float64), y[places]


class PlotAxis(pg.AxisItem):  # type: ignore[misc]
    """Few quiet figures, in round numbers; the loss may be drawn by its logarithm."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.is_logarithmic = False
        self.write: Callable[[float], str] | None = None
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=0, tickTextOffset=8, autoExpandTextSpace=False, tickFont=interface_font(SMALL_PX))

    def show_theme(self, theme: Theme, lines: str) -> None:
        """Write in the theme's quiet colour and the present size, and draw the lines across the plot in `lines` (#RRGGBB)."""
        self.setTickFont(interface_font(SMALL_PX))
        self.picture = None
        self.setTextPen(theme.faint)
        self.setPen(None)
        self.setTickPen(lines)

    def show_figures(self, are_shown: bool) -> None:
        """Write figures under the plot, or leave them to a plot below it."""
        self.setStyle(showValues=are_shown)
        self.setHeight(32 if are_shown else 6)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Where the figures stand, by their spacing."""
        if self.orientation == "bottom":
            step, values = nice_ticks(minVal, maxVal, int(size / 105), smallest_step=1.0)
            return [(step, [value for value in values if value >= 0])]
        count = min(int(size / 24), 8)
        margin = (maxVal - minVal) * 8 / max(size, 16.0)
        minVal, maxVal = minVal + margin, maxVal - margin
        if not self.is_logarithmic:
            return [nice_ticks(minVal, maxVal, count)]
        low, high = 10.0**minVal, 10.0**maxVal
        if high / low < 8:
            step, values = nice_ticks(low, high, count)
        else:
            decades = range(floor(minVal), floor(maxVal) + 1)
            step, values = 1e-9, [10.0**decade * factor for decade in decades for factor in (1, 2, 5)]
        return [(step, [log10(value) for value in values if low <= value <= high])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """The figures, each as short as its neighbours allow."""
        if self.write is not None:
            return [self.write(float(f"{value:.9g}")) for value in values]
        if self.orientation == "bottom":
            return [f"{value:,.0f}" for value in values]
        shown = [10.0**value for value in values] if self.is_logarithmic else values
        if spacing < 1e-6 or (shown and max(shown) >= 1e4):
            return [f"{value:g}" for value in shown]
        decimals = max(1, -floor(log10(spacing) + 1e-9) + (1 if 2.4 < spacing / 10 ** floor(log10(spacing) + 1e-9) < 2.6 else 0))
        return [f"{value:.{decimals}f}" for value in shown]


def pen(colour: str, width: int, opacity: float = 1.0) -> Any:
    """A cosmetic pen of #RRGGBB, `width` device pixels wide."""
    shade = QColor(colour)
    shade.setAlphaF(opacity)
    return pg.mkPen(shade, width=width)
