"""How one head came to look where it looks: its three scores over the run."""

from typing import Final

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui.text_size import sized
from gui.theme import DARK, SMALL_PX, Theme, interface_font, scaled, set_role
from gui.views.plot_axis import PlotAxis, pen

SCORES: Final = (
    ("previous", "How much the head looks at the token before the present one."),
    ("first", "How much it looks at the first token, where heads rest that have nothing to say."),
    ("induction", "How much it looks at what came after the same token earlier: this is how a model copies."),
)


class HeadScoresPlot(QWidget):
    """Three small curves from 0 to 1, and their latest values in words."""

    HEIGHT_PX: Final = 62

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._scores: NDArray[np.float32] = np.empty((0, 3), np.float32)
        self._told = -1
        self._legend = QLabel()
        self._legend.setObjectName("head_scores_label")
        self._legend.setWordWrap(True)
        self._legend.setToolTip("\n".join(f"{name}: {help}" for name, help in SCORES))
        self._legend.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        set_role(self._legend, "small")
        self._left, self._bottom = PlotAxis("left"), PlotAxis("bottom")
        self._plot = pg.PlotWidget(axisItems={"left": self._left, "bottom": self._bottom}, enableMenu=False)
        self._curves = [pg.PlotCurveItem(antialias=True) for _ in SCORES]
        self._dots = pg.ScatterPlotItem(size=5, pen=None, antialias=True)
        self._prepare()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._legend)
        column.addWidget(self._plot, 1)
        self.show_theme(DARK)

    @property
    def text(self) -> str:
        """The values of the moment that is shown: previous 0.12 · first 0.40 · induction 0.05."""
        if not len(self._scores):
            return ""
        told = self._scores[self._told].tolist()
        return " · ".join(f"{name} {score:.2f}" for (name, _), score in zip(SCORES, told, strict=True))

    @property
    def scores(self) -> NDArray[np.float32]:
        """What is drawn (N, 3)."""
        return self._scores

    def show_scores(
        self, steps: NDArray[np.int64], scores: NDArray[np.float32], last_step: int, shown_step: int | None = None
    ) -> None:
        """Draw `scores` (N, 3) over `steps` (N), on an axis that reaches to `last_step`; tell those of `shown_step`, or the last."""
        self._scores = scores
        self._told = -1 if shown_step is None else max(int(np.searchsorted(steps, shown_step, side="right")) - 1, 0)
        along = steps.astype(np.float64)
        for index, curve in enumerate(self._curves):
            curve.setData(along, scores[:, index].astype(np.float64))
        colours = self._colours()
        is_short = len(along) == 1  # a line needs two points
        self._dots.setData(
            x=np.repeat(along, 3) if is_short else [],
            y=scores[-1].astype(np.float64) if is_short else [],
            brush=[pg.mkBrush(colour) for colour in colours] if is_short else None,
        )
        self._plot.plotItem.getViewBox().setRange(xRange=(0, max(last_step, 1)), yRange=(-0.12, 1.12), padding=0)
        self._write()

    def clear(self) -> None:
        """Forget the run."""
        self.show_scores(np.empty(0, np.int64), np.empty((0, 3), np.float32), 1)

    def height_for(self, width: int) -> int:
        """How high the curves and the lines of their legend are in this width."""
        return self._legend_height(width) + 2 + scaled(self.HEIGHT_PX)

    def _legend_height(self, width: int) -> int:
        """Of as many lines as the words take, whatever the figures are."""
        metrics = QFontMetrics(interface_font(SMALL_PX))
        lines, x = 1, 0
        for name, _ in SCORES:
            needed = metrics.horizontalAdvance(f"{name} 0.00")
            if x and x + needed > width:
                lines, x = lines + 1, 0
            x += needed + metrics.horizontalAdvance("   ")
        return lines * metrics.height() + 2

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self._plot.setBackground(theme.panel)
        for axis in (self._left, self._bottom):
            axis.setTextPen(theme.faint)
            axis.setPen(None)
        self._left.setTickPen(theme.hairline)
        thick = round(1.5 * self.devicePixelRatioF())
        for curve, colour in zip(self._curves, self._colours(), strict=True):
            curve.setPen(pen(colour, thick))
        self._write()

    def _colours(self) -> tuple[str, str, str]:
        return self._theme.accent, self._theme.muted, self._theme.good

    def _write(self) -> None:
        parts = self.text.split(" · ")
        self._legend.setText(
            "&nbsp; ".join(
                f"<span style='color:{colour}'>{part.replace(' ', '&nbsp;')}</span>"
                for colour, part in zip(self._colours(), parts, strict=False)
                if part
            )
        )
        self.setAccessibleDescription(self.text)

    def _prepare(self) -> None:
        self.setObjectName("head_scores_plot")
        self.setAccessibleName("Scores of the chosen head over the run")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        plot = self._plot
        plot.setFrameShape(plot.Shape.NoFrame)
        sized(plot, lambda: plot.setFixedHeight(scaled(self.HEIGHT_PX)))
        plot.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        for still in (plot, plot.viewport()):  # there is nothing to do in it
            still.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.hideButtons()
        plot.showGrid(y=True, alpha=1.0)
        plot.disableAutoRange()
        self._left.setZValue(-1)
        self._left.setWidth(22)
        self._left.setTicks([[(0.0, "0"), (0.5, "½"), (1.0, "1")]])
        self._bottom.setStyle(showValues=False)
        self._bottom.setTicks([])
        self._bottom.setHeight(4)
        sized(self, lambda: self._left.setTickFont(interface_font(SMALL_PX)))
        for item in (*self._curves, self._dots):
            plot.addItem(item, ignoreBounds=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the legend the lines that it takes."""
        super().resizeEvent(event)
        self._legend.setFixedHeight(self._legend_height(self.width()))
