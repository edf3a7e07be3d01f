"""The loss over the steps, and below it, on the same steps, whatever else of the run is wanted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyqtgraph as pg
from PySide6.QtCore import QBuffer, QPoint, QRect, QRectF, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QResizeEvent
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gui.format import figure_text, scientific_text
from gui.run_history import RunHistory
from gui.theme import DARK, SMALL_PX, Theme, interface_font, scaled
from gui.views.course_plot import CoursePlot
from gui.views.loss_plot import LossPlot
from gui.views.picture import picture_of
from gui.views.plot_axis import AXIS_WIDTH_PX

COURSES: Final = {
    "lr": ("Learning rate", scientific_text),
    "gradient_norm": ("Gradient norm", figure_text),
    "tokens_per_second": ("Tokens per second", lambda value: f"{value:,.0f}"),
}
"""An attribute of RunHistory -> its title, and how a value is written."""


class Curves(QWidget):
    """The plots are linked: zooming or pointing at one moves all. Those below the loss can be shown or hidden.

    Where they are wanted but there is no room, the lowest of them wait until there is.
    """

    courses_changed = Signal()
    """Other courses are below the loss now than before."""

    LOWEST_LOSS_PX: Final = 80
    courses: dict[str, CoursePlot]

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._history = RunHistory()
        self._wanted: set[str] = set()
        self.loss_plot = LossPlot()
        self.loss_plot.setMinimumHeight(self.LOWEST_LOSS_PX)
        self.courses = {name: CoursePlot(f"{name}_plot", title, show) for name, (title, show) in COURSES.items()}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.loss_plot, 5)
        for course in self.courses.values():
            course.setXLink(self.loss_plot.plotItem)
            course.hide()
            course.follow_requested.connect(self.loss_plot.follow)
            course.plotItem.sigRangeChangedManually.connect(self.loss_plot.plotItem.sigRangeChangedManually)
            column.addWidget(course, 2)
        self.loss_plot.pointed_at.connect(self._on_pointed_at)

    def show_history(self, history: RunHistory, max_steps: int, vocabulary_size: int, smoothing: float) -> None:
        """Draw the run as it stands now."""
        self._history = history
        self.loss_plot.show_history(history, max_steps, vocabulary_size, smoothing)
        for name in self.courses:
            self._draw_course(name)

    def show_course(self, name: str, is_shown: bool) -> None:
        """Show or hide one of COURSES below the loss; the lowest plot names the steps."""
        (self._wanted.add if is_shown else self._wanted.discard)(name)
        self._fit()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        for plot in self._plots():
            plot.show_theme(theme)

    def save(self, path: str) -> bool:
        """Write what is seen as PNG with twice the pixels, or as SVG, by the ending; tells whether it could be."""
        if not path.casefold().endswith(".svg"):
            return picture_of(self, self._theme.panel, self._paint).save(path)
        try:
            Path(path).write_bytes(self._drawing())
        except OSError:
            return False
        return True

    def _drawing(self) -> bytes:
        """What is seen as SVG."""
        kept, drawing = QBuffer(), QSvgGenerator()
        drawing.setOutputDevice(kept)
        drawing.setTitle("The course of a run")
        drawing.setResolution(self.logicalDpiX())  # another one would scale the axes, which are kept as pictures
        drawing.setSize(self.size())
        drawing.setViewBox(self.rect())
        painter = QPainter(drawing)
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        self._paint(painter)
        painter.end()
        return bytes(kept.data().data())

    def _plots(self) -> Iterator[pg.PlotWidget]:
        yield self.loss_plot
        yield from self.courses.values()

    def _paint(self, painter: QPainter) -> None:
        """The scenes themselves, so that a vector drawing stays one."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for plot in self._plots():
            if not plot.isHidden():
                source = QRect(QPoint(0, 0), plot.viewport().size())
                plot.render(painter, QRectF(source.translated(plot.pos())), source)
        self._paint_legend(painter)

    def _paint_legend(self, painter: QPainter) -> None:
        """What the window says in the panel's header."""
        painter.setFont(interface_font(SMALL_PX))
        x, y = AXIS_WIDTH_PX + 10, 9
        own = (("training", self._theme.training), ("validation", self._theme.validation))
        for name, colour in (*own, *self.loss_plot.others.named(self._theme)):
            width = 36 + painter.fontMetrics().horizontalAdvance(name)
            if x + width > self.width():
                x, y = AXIS_WIDTH_PX + 10, y + painter.fontMetrics().height()
            painter.fillRect(QRectF(x, y, 14, 3), QColor(colour))
            painter.setPen(QColor(self._theme.muted))
            painter.drawText(QPoint(x + 20, y + 6), name)
            x += width

    def shows(self, name: str) -> bool:
        """Whether one of COURSES is below the loss."""
        return not self.courses[name].isHidden()

    def _fit(self) -> None:
        """As many of the courses that are wanted as there is room for."""
        room = self.height() - self.LOWEST_LOSS_PX - scaled(CoursePlot.AXIS_PX)
        wanted = [name for name in self.courses if name in self._wanted]
        fitting = wanted[: max(room // scaled(CoursePlot.LOWEST_PX), 0)]
        if [name for name in self.courses if self.shows(name)] == fitting:
            return
        for name, course in self.courses.items():
            course.setVisible(name in fitting)
            course.show_axis_below(bool(fitting) and name == fitting[-1])
            self._draw_course(name)
        self.loss_plot.show_axis_below(not fitting)
        self.courses_changed.emit()

    def _draw_course(self, name: str) -> None:
        if not self.courses[name].isHidden():
            values = getattr(self._history, name)
            self.courses[name].show_course(self._history.steps, values)

    @Slot(object)
    def _on_pointed_at(self, step: float | None) -> None:
        for course in self.courses.values():
            if not course.isHidden():
                course.point_at(step)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many courses as there is room for."""
        super().resizeEvent(event)
        self._fit()
