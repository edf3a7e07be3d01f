"""The loss over the steps: a plot that can be zoomed, dragged and read off."""

from collections.abc import Sequence
from functools import partial
from math import floor, isfinite, log, log10
from time import perf_counter
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from gui.format import loss_text
from gui.run_history import RunHistory
from gui.text_size import sized
from gui.theme import DARK, SMALL_PX, Theme, interface_font
from gui.views.change_text import name_change
from gui.views.loss_readout import describe_step
from gui.views.plot_axis import AXIS_WIDTH_PX, Floats, PlotAxis, envelope, nice_ticks, pen, thinned
from gui.views.run_lines import RunCurve, RunLines

MOST_DOTS: Final = 120


class LossPlot(pg.PlotWidget):  # type: ignore[misc]
    """Training loss raw and smoothed, validation loss, and the loss of a uniform guess, over 0 to `max_steps`.

    The wheel zooms, dragging pans, a double click goes back to following the run; a click chooses a step.
    """

    painted = Signal(float)
    following_changed = Signal(bool)
    pointed_at = Signal(object)
    """The place along the steps that the pointer is over; None where it is over none."""
    step_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._left, self._bottom = PlotAxis("left"), PlotAxis("bottom")
        super().__init__(parent, axisItems={"left": self._left, "bottom": self._bottom}, enableMenu=False)
        self._history = RunHistory()
        self._max_steps, self._vocabulary_size, self._weight = 1, 0, 0.0
        self._is_logarithmic = False
        self._is_following = True
        self._moment: int | None = None
        self._pressed_at: QPointF | None = None
        self._theme = DARK
        self._y_range = (0.0, 1.0)
        self.others = RunLines(self)
        self._add_curves()
        self._hair = QWidget(self.viewport())
        self._readout = QLabel(self.viewport())
        self._prepare()
        self.show_theme(DARK)

    @property
    def is_following(self) -> bool:
        """Whether the plot shows the whole run and moves with it."""
        return self._is_following

    @property
    def failure_text(self) -> str:
        """The word at the place where the run failed; empty where it did not."""
        return str(self._failure_label.toPlainText()) if self._failure_label.isVisible() else ""

    @property
    def change_text(self) -> str:
        """The word at the newest place where something was changed; empty where nothing was."""
        return str(self._change_label.toPlainText()) if self._change_label.isVisible() else ""

    @property
    def overfitting_text(self) -> str:
        """The words over the part of the run that overfits; empty where none does."""
        return str(self._overfitting_label.toPlainText()) if self._overfitting_label.isVisible() else ""

    @property
    def batch_step(self) -> int | None:
        """The step that is marked as the one whose texts are read."""
        return int(self._batch.value()) if self._batch.isVisible() else None

    def show_moment(self, step: int | None) -> None:
        """Mark the step that the other views show; None is the latest."""
        self._moment = step
        self._draw_marks()

    def show_batch(self, step: int | None) -> None:
        """Mark the step whose texts are read; None marks nothing."""
        self._batch.setVisible(step is not None)
        if step is not None:
            self._batch.setPos(step)

    def show_axis_below(self, is_shown: bool) -> None:
        """Name the steps under this plot, or leave that to a plot below it."""
        self._bottom.show_figures(is_shown)

    def show_history(self, history: RunHistory, max_steps: int, vocabulary_size: int, smoothing: float) -> None:
        """Draw the run as it stands now."""
        self._history, self._max_steps, self._vocabulary_size = history, max(max_steps, 1), vocabulary_size
        self._weight = smoothing
        if self._is_following:
            self._fit_range()
        self._draw()

    def show_others(self, curves: Sequence[RunCurve]) -> None:
        """Draw these runs behind this one, from the next time it is drawn."""
        self.others.show_curves(curves)

    def show_logarithmic(self, is_logarithmic: bool) -> None:
        """Draw losses by their logarithm, or plainly."""
        self._is_logarithmic = self._left.is_logarithmic = is_logarithmic
        self._left.picture = None
        self.follow()

    def follow(self) -> None:
        """Show the whole run again, and move with it."""
        if not self._is_following:
            self._is_following = True
            self.following_changed.emit(True)
        self._y_range = (0.0, 0.0)
        self._fit_range()
        self._draw()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.setBackground(theme.panel)
        self._left.show_theme(theme, theme.hairline)
        self._bottom.show_theme(theme, theme.panel)
        self._ratio = self.devicePixelRatioF()
        thick = round(2 * self._ratio)
        self._raw.setPen(pen(theme.training, 1, 0.3))
        self._smooth.setPen(pen(theme.training, thick))
        self._validation.setPen(pen(theme.validation, thick))
        self._dots.setBrush(theme.validation)
        self._uniform.setPen(pg.mkPen(theme.faint, width=1, dash=[4, 4]))
        self._uniform_label.setColor(theme.muted)
        self._now.setPen(pen(theme.training, 1, 0.55))
        self._batch.setPen(pg.mkPen(theme.validation, width=1, dash=[2, 4]))
        self._best.setPen(pen(theme.text, thick))
        self._best.setBrush(pg.mkBrush(theme.validation))
        self._best_label.setColor(theme.validation)
        shade = QColor(theme.validation)
        shade.setAlphaF(0.08)
        self._overfitting.setBrush(shade)
        self._overfitting_label.setColor(theme.validation)
        self._failure.setPen(pen(theme.bad, 1))
        self._failure_label.setColor(theme.bad)
        self._changes.setPen(pg.mkPen(theme.muted, width=1, dash=[2, 3]))
        self._change_label.setColor(theme.muted)
        self._hair.setStyleSheet(f"background: {theme.faint};")
        self._readout.setStyleSheet(
            f"background: {theme.raised}; border: 1px solid {theme.hairline}; border-radius: 6px; padding: 5px 8px;"
            f" color: {theme.muted};"
        )

    def readout_at(self, step: int) -> str:
        """What the run told at `step`, or at the step nearest to it that is there, as rich text; empty where there is none."""
        return describe_step(self._history, step, self._weight, self._theme, self.others.validation_at(step, self._theme))

    def _add_curves(self) -> None:
        self._raw = pg.PlotCurveItem(antialias=False, skipFiniteCheck=True)
        self._smooth = pg.PlotCurveItem(antialias=True, skipFiniteCheck=True)
        self._validation = pg.PlotCurveItem(antialias=True, skipFiniteCheck=True)
        self._dots = pg.ScatterPlotItem(size=6, pen=None, antialias=True)
        self._uniform = pg.InfiniteLine(angle=0)
        self._uniform_label = pg.TextItem(anchor=(1, 1))
        self._now = pg.InfiniteLine(angle=90)
        self._batch = pg.InfiniteLine(angle=90)
        self._batch.hide()
        self._best = pg.ScatterPlotItem(size=10, antialias=True)
        self._best_label = pg.TextItem(anchor=(0.5, 1.15))
        self._overfitting = pg.LinearRegionItem(movable=False, pen=pg.mkPen(None))
        self._overfitting_label = pg.TextItem(anchor=(0, 0))
        self._changes = pg.PlotCurveItem(connect="pairs", skipFiniteCheck=True)
        self._change_label = pg.TextItem(anchor=(0, 1))
        self._failure = pg.InfiniteLine(angle=90)
        self._failure_label = pg.TextItem(anchor=(0, 0))
        for label in (self._uniform_label, self._best_label, self._overfitting_label, self._failure_label, self._change_label):
            sized(self, partial(_write_small, label))
        for item in (
            self._overfitting,
            self._uniform,
            self._uniform_label,
            self._changes,
            self._change_label,
            self._now,
            self._batch,
            self._raw,
            self._validation,
            self._dots,
            self._smooth,
            self._best,
            self._best_label,
            self._overfitting_label,
            self._failure,
            self._failure_label,
        ):
            self.addItem(item, ignoreBounds=True)

    def _prepare(self) -> None:
        self.setObjectName("loss_plot")
        self.setAccessibleName("Loss over the steps")
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumSize(160, 110)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.hideButtons()
        self.showGrid(y=True, alpha=1.0)
        self._left.setZValue(-1)
        self._bottom.setHeight(32)
        self._left.setWidth(AXIS_WIDTH_PX)
        self.disableAutoRange()
        self.plotItem.getViewBox().setDefaultPadding(0)
        self.plotItem.sigRangeChangedManually.connect(self._on_range_changed_by_hand)
        self.plotItem.getViewBox().sigResized.connect(self._on_resized)
        for widget in (self._hair, self._readout):
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            widget.hide()
        sized(self._readout, lambda: self._readout.setFont(interface_font(SMALL_PX)))
        self._readout.setObjectName("loss_readout")

    def _scaled(self, loss: Floats) -> Floats:
        if not self._is_logarithmic:
            return loss
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled: Floats = np.log10(loss)
        return scaled

    def _fit_range(self) -> None:
        """All steps from 0 to the last, and all losses that are finite."""
        last = max([self._max_steps, *self._history.steps[-1:].tolist(), *(self.others.extent or ())[:1]])
        self._y_range = self._needed_range()
        box = self.plotItem.getViewBox()
        margin = last * 14 / max(box.width() - 28, 50)
        box.setRange(xRange=(-margin * 0.4, last + margin * 1.3), yRange=self._y_range, padding=0)

    def _needed_range(self) -> tuple[float, float]:
        """A range in round numbers, kept while it fits, so that the axes need not be drawn anew at each redraw."""
        parts = [self._history.train_loss, self._history.validation_loss]
        if self._vocabulary_size > 1:
            parts.append(np.array([log(self._vocabulary_size)]))
        parts += [np.array((self.others.extent or ())[1:])]
        ends = [[float(np.nanmin(part)), float(np.nanmax(part))] for part in parts if np.isfinite(part).any()]
        losses = self._scaled(np.array(ends).ravel())
        losses = losses[np.isfinite(losses)]
        low, high = (float(losses.min()), float(losses.max())) if losses.size else (0.0, 1.0)
        pixel = max(high - low, 1e-3) / max(self.plotItem.getViewBox().height() - 34, 40)
        step, _ = nice_ticks(low, high, 40)
        low, high = floor((low - 10 * pixel) / step) * step, -floor(-(high + 22 * pixel) / step) * step
        kept_low, kept_high = self._y_range
        still_fits = kept_low <= low and kept_high >= high and kept_high - kept_low < 1.3 * (high - low)
        return self._y_range if still_fits else (low, high)

    def _draw(self) -> None:
        if self._ratio != self.devicePixelRatioF():
            self.show_theme(self._theme)
        history = self._history
        (left, right), _ = self.plotItem.getViewBox().viewRange()
        columns = max(int(self.plotItem.getViewBox().width()), 100)
        steps = history.steps
        first, past = np.searchsorted(steps, [left, right])
        part = slice(max(int(first) - 1, 0), int(past) + 1)
        x = steps[part]
        raw_x, raw_y = envelope(x, history.train_loss[part], columns)
        self._raw.setVisible(self._weight > 0)
        self._raw.setData(raw_x, self._scaled(raw_y))
        smooth_x, smooth_y = thinned(x, history.smoothed(self._weight)[part], columns) if self._weight else (raw_x, raw_y)
        self._smooth.setData(smooth_x, self._scaled(smooth_y))
        self.others.draw(self._theme, self._scaled, (left, right))
        self._draw_validation()
        self._draw_marks()

    def _draw_validation(self) -> None:
        keep = np.isfinite(self._history.validation_loss)
        x = self._history.validation_steps[keep].astype(np.float64)
        y = self._scaled(self._history.validation_loss[keep])
        self._validation.setData(x, y)
        self._dots.setData(x[-MOST_DOTS:], y[-MOST_DOTS:])

    def _draw_marks(self) -> None:
        steps = self._history.steps
        (_, right), (bottom, top) = self.plotItem.getViewBox().viewRange()
        self._now.setVisible(bool(steps.size))
        if steps.size:
            self._now.setPos(float(steps[-1] if self._moment is None else self._moment))
        self._draw_best()
        self._draw_changes(right, bottom, top, top - 0.52 * (top - bottom))
        self._draw_overfitting(top - 0.2 * (top - bottom))  # below the uniform guess, above what has been learned
        self._uniform.setVisible(self._vocabulary_size > 1)
        self._uniform_label.setVisible(self._vocabulary_size > 1)
        if self._vocabulary_size > 1:
            loss = log(self._vocabulary_size)
            height = log10(loss) if self._is_logarithmic else loss
            self._uniform.setPos(height)
            self._uniform_label.setText(f"uniform guess, ln {self._vocabulary_size:,}")
            self._uniform_label.setPos(min(right, self._max_steps), height)  # beside the line of the last step, not across it
        failed = self._failed_step()
        self._failure.setVisible(failed is not None)
        self._failure_label.setVisible(failed is not None)
        if failed is not None:
            self._failure.setPos(failed)
            is_right = failed > right / 2
            self._failure_label.setText(f"not a number at step {failed:,}")
            self._failure_label.setAnchor((1 if is_right else 0, 0))
            self._failure_label.setPos(failed, top - 0.3 * (top - bottom))

    def _draw_best(self) -> None:
        """The lowest validation loss; in words too once there are later ones."""
        best = self._history.best_evaluation
        self._best.setVisible(best is not None)
        self._best_label.setVisible(False)
        if best is None:
            return
        step, loss = best
        height = log10(loss) if self._is_logarithmic and loss > 0 else loss
        self._best.setData([step], [height])
        if step != self._history.validation_steps[-1] and isfinite(height):
            self._best_label.setText(f"best {loss_text(loss)}")
            self._best_label.setPos(step, height)
            self._best_label.setVisible(True)

    def _draw_changes(self, right: float, bottom: float, top: float, height: float) -> None:
        """A line at each step where something was changed, and in words what it was the last time."""
        changes = self._history.changes
        places = np.repeat(np.array([change.step for change in changes], np.float64), 2)
        self._changes.setData(places, np.tile([bottom, top], len(changes)))
        self._change_label.setVisible(bool(changes))
        if changes:
            is_right = changes[-1].step > right / 2
            self._change_label.setText(name_change(changes[-1]))
            self._change_label.setAnchor((1 if is_right else 0, 1))
            self._change_label.setPos(changes[-1].step, height)

    def _draw_overfitting(self, height: float) -> None:
        since = self._history.overfitting_since
        self._overfitting.setVisible(since is not None)
        self._overfitting_label.setVisible(since is not None)
        if since is not None:
            self._overfitting.setRegion((since, max(self._max_steps, int(self._history.steps[-1]))))
            self._overfitting_label.setText(f"overfitting since step {since:,}")
            self._overfitting_label.setPos(since, height)

    def _failed_step(self) -> int | None:
        if self._history.failure is not None:
            return self._history.failure.step
        wrong = np.flatnonzero(~np.isfinite(self._history.train_loss))
        return int(self._history.steps[wrong[0]]) if wrong.size else None

    def _show_readout(self, position: QPointF) -> None:
        box = self.plotItem.getViewBox()
        rect = box.sceneBoundingRect()
        if not rect.contains(self.mapToScene(position.toPoint())):
            self._hide_readout()
            return
        step = round(box.mapSceneToView(self.mapToScene(position.toPoint())).x())
        steps = self._history.steps
        last = int(steps[-1]) if steps.size else 0
        text = self.readout_at(step) if 0 <= step <= last else ""
        if not text:
            self._hide_readout()
            return
        self._hair.setGeometry(round(position.x()), int(rect.top()), 1, int(rect.height()))
        self._readout.setText(text)
        self._readout.adjustSize()
        x = int(position.x()) + 14
        x = x if x + self._readout.width() < self.viewport().width() else int(position.x()) - 14 - self._readout.width()
        y = min(max(int(position.y()) - self._readout.height() - 10, 4), self.viewport().height() - self._readout.height() - 4)
        self._readout.move(x, y)
        self._hair.show()
        self._readout.show()
        self.pointed_at.emit(float(step))

    def _hide_readout(self) -> None:
        self._hair.hide()
        self._readout.hide()
        self.pointed_at.emit(None)

    @Slot(object)
    def _on_range_changed_by_hand(self, _axes: Any) -> None:
        if self._is_following:
            self._is_following = False
            self.following_changed.emit(False)
        self._draw()

    @Slot(object)
    def _on_resized(self, _box: Any) -> None:
        if self._is_following:
            self._fit_range()
        self._draw()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go back to the whole run."""
        self.follow()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click begins, or a drag."""
        super().mousePressEvent(event)
        self._pressed_at = event.position() if event.button() == Qt.MouseButton.LeftButton else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose the step under the mouse where it was not dragged."""
        super().mouseReleaseEvent(event)
        began, self._pressed_at = self._pressed_at, None
        step = self._step_at(event.position())
        if (
            began is not None
            and step is not None
            and (event.position() - began).manhattanLength() < QApplication.startDragDistance()
        ):
            self.step_clicked.emit(step)

    def _step_at(self, position: QPointF) -> int | None:
        """The finished step nearest to a place; None where there is none, or the place is outside the axes."""
        box = self.plotItem.getViewBox()
        if not box.sceneBoundingRect().contains(self.mapToScene(position.toPoint())) or not self._history.steps.size:
            return None
        x = round(box.mapSceneToView(self.mapToScene(position.toPoint())).x())
        steps = self._history.steps
        return int(steps[min(int(np.searchsorted(steps, x)), len(steps) - 1)]) if x <= steps[-1] + 1 else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Zoom and drag as ever, and read off the step under the mouse."""
        super().mouseMoveEvent(event)
        self._show_readout(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        super().leaveEvent(event)
        self._hide_readout()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw, and tell how long it took."""
        started = perf_counter()
        super().paintEvent(event)
        self.painted.emit(perf_counter() - started)


def _write_small(label: Any) -> None:
    label.setFont(interface_font(SMALL_PX))
