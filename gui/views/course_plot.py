"""One quantity over the steps, in a low plot whose steps are those of the plot above it."""

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QWidget

from gui.format import number_text
from gui.text_size import sized
from gui.theme import DARK, SMALL_PX, Theme, interface_font, scaled
from gui.views.plot_axis import AXIS_WIDTH_PX, Floats, Numbers, PlotAxis, envelope, pen


class CoursePlot(pg.PlotWidget):  # type: ignore[misc]
    """The extremes of each column of pixels, so that no spike is lost. Zooming and dragging move all linked plots."""

    painted = Signal(float)
    follow_requested = Signal()

    LOWEST_PX: Final = 36
    AXIS_PX: Final = 24

    def __init__(self, name: str, title: str, show: Callable[[float], str], parent: QWidget | None = None) -> None:
        self._left, self._bottom = PlotAxis("left"), PlotAxis("bottom")
        super().__init__(parent, axisItems={"left": self._left, "bottom": self._bottom}, enableMenu=False)
        self._title, self._show = title, show
        self._steps: Numbers = np.empty(0)
        self._values: Floats = np.empty(0)
        self._theme = DARK
        self._is_linking = False
        self._curve = pg.PlotCurveItem(antialias=True, skipFiniteCheck=True)
        self._hair = pg.InfiniteLine(angle=90)
        self._label = pg.LabelItem()
        for item in (self._hair, self._curve):
            self.addItem(item, ignoreBounds=True)
        self._hair.hide()
        sized(self, lambda: self._label.item.setFont(interface_font(SMALL_PX)))
        self._label.setParentItem(self.plotItem.getViewBox())
        self._label.anchor(itemPos=(0, 0), parentPos=(0, 0), offset=(6, 0))
        self._left.write = short_text
        self.setObjectName(name)
        self.setAccessibleName(f"{title} over the steps")
        self.setFrameShape(self.Shape.NoFrame)
        self.hideButtons()
        self.showGrid(y=True, alpha=1.0)
        self._left.setZValue(-1)
        self._left.setWidth(AXIS_WIDTH_PX)
        self.show_axis_below(False)
        self.disableAutoRange()
        self.plotItem.getViewBox().setMouseEnabled(x=True, y=False)
        self.plotItem.getViewBox().setDefaultPadding(0)
        for changed in (self.plotItem.getViewBox().sigXRangeChanged, self.plotItem.getViewBox().sigResized):
            changed.connect(self._on_range_changed)
        self.show_theme(DARK)

    @property
    def label_text(self) -> str:
        """The name of the quantity, and its value at the end or under the pointer."""
        return str(self._label.item.toPlainText())

    def show_course(self, steps: Numbers, values: Floats) -> None:
        """Draw `values` (N) over `steps` (N)."""
        self._steps, self._values = steps, values
        self._draw()

    def show_axis_below(self, is_shown: bool) -> None:
        """Name the steps under this plot, or not."""
        self._bottom.show_figures(is_shown)
        self.setMinimumHeight(scaled(self.LOWEST_PX + (self.AXIS_PX if is_shown else 0)))

    def point_at(self, step: float | None) -> None:
        """Tell the value at a step; None is the latest."""
        self._hair.setVisible(step is not None)
        if step is not None:
            self._hair.setPos(step)
        self._tell(step)

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.setBackground(theme.panel)
        self._left.show_theme(theme, theme.hairline)
        self._bottom.show_theme(theme, theme.panel)
        self._curve.setPen(pen(theme.muted, round(1.3 * self.devicePixelRatioF())))
        self._hair.setPen(pen(theme.faint, 1))
        self._tell(None)

    def _tell(self, step: float | None) -> None:
        value = ""
        if self._values.size:
            index = -1 if step is None else min(int(np.searchsorted(self._steps, step)), self._values.size - 1)
            value = f" <b style='color:{self._theme.text}'>{self._show(float(self._values[index]))}</b>"
        self._label.item.setHtml(f"<span style='color:{self._theme.muted}'>{self._title}{value}</span>")

    def _draw(self) -> None:
        (left, right), _ = self.plotItem.getViewBox().viewRange()
        first, past = np.searchsorted(self._steps, [left, right])
        part = slice(max(int(first) - 1, 0), int(past) + 1)
        x, y = envelope(self._steps[part], self._values[part], max(int(self.width()), 100))
        self._curve.setData(x, y)
        self._fit(y)
        self._tell(None)

    def _fit(self, values: Floats) -> None:
        """From 0 to the highest in sight, with room for the label."""
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        low = min(low, 0.0)
        box = self.plotItem.getViewBox()
        label = min(scaled(18) / max(box.height(), 1.0), 0.5)
        box.setYRange(low, high + label / (1 - label) * max(high - low, 1e-12), padding=0)

    def _on_range_changed(self, *_: Any) -> None:
        self._draw()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go back to the whole run."""
        self.follow_requested.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw, and tell how long it took."""
        started = perf_counter()
        super().paintEvent(event)
        self.painted.emit(perf_counter() - started)


def short_text(value: float) -> str:
    """A figure beside an axis: 0, 5e-4, 0.5, 20k."""
    return f"{value / 1000:g}k" if abs(value) >= 1000 else number_text(value)
