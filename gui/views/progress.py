"""How the run goes: the loss, the learning rate, the gradient norm and the speed."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSettings, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QFont, QKeySequence, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from gui.events import KeptRun
from gui.format import loss_text, tooltip_text
from gui.redraw import RedrawClock
from gui.run_history import RunHistory
from gui.text_size import sized
from gui.theme import DARK, TITLE_PX, Theme, interface_font, scaled, set_role
from gui.views.curves import COURSES, Curves
from gui.views.header_row import HeaderRow
from gui.views.number_field import NumberField
from gui.views.other_curves import OtherCurves, OtherRun
from gui.views.panel import hairline


class ProgressView(QWidget):
    """The loss as a plot, and beside it three small figures with their course, each of which can lie below the loss instead.

    `header` holds the legend and the plot's settings for the panel's title bar.
    """

    csv_requested = Signal(str)
    """Carries the path that was chosen for the table."""
    problem_found = Signal(str)
    step_chosen = Signal(int)
    """Carries the step whose texts are to be shown."""

    NARROW: Final = 640
    CURVE_INTERVAL_S: Final = 0.2
    TEXT_INTERVAL_S: Final = 0.25
    SMOOTHING: Final = 0.9
    EMPTY_TEXT: Final = "Press Train to see the loss fall."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = RunHistory()
        self._max_steps, self._vocabulary_size = 1, 0
        self._moment: int | None = None
        self.curves = Curves()
        self.loss_plot = self.curves.loss_plot
        self._others = OtherCurves(self.loss_plot)
        self.smoothing_setting = NumberField()
        self.log_axis_button = _flat_button("log_axis_button", "log", "Logarithmic axis", "Draw the loss by its logarithm")
        self.latest_button = _flat_button(
            "latest_button", "Latest", "Follow the run", "Show the whole run again, and move with it"
        )
        self.csv_button = _flat_button(
            "progress_csv_button", "CSV", "Save the numbers as CSV", "Save all numbers of the run as a table"
        )
        self.png_button = _flat_button(
            "progress_png_button", "Image", "Save the plot as a picture", "Save the plots as PNG or SVG"
        )
        self.course_actions: dict[str, QAction] = {}
        self.show_batch_action = QAction("Texts of the step shown", self)
        self.show_batch_action.setObjectName("show_batch_action")
        self.show_batch_action.setShortcut("Ctrl+B")
        self.addAction(self.show_batch_action)
        self._training_legend = _Legend("training", "training_loss_label")
        self._validation_legend = _Legend("validation", "validation_loss_label")
        self.log_axis_action = _action(self, "log_axis_action", self.log_axis_button, "Ctrl+L", is_checkable=True)
        self.export_csv_action = _action(self, "export_csv_action", self.csv_button, "Ctrl+E")
        self.export_image_action = _action(self, "export_image_action", self.png_button, "Ctrl+Shift+E")
        self.curves_button = _flat_button("curves_button", "Curves", "Further curves", "Which curves lie below the loss")
        self._figures = {name: _Figure(title, f"{name}_label") for name, (title, _) in COURSES.items()}
        self._column = QWidget()
        self._pages = QStackedLayout(self)
        self._clock = RedrawClock(self, self._redraw, shortest_interval_s=self.CURVE_INTERVAL_S)
        self._text_clock = RedrawClock(self, self._show_texts, shortest_interval_s=self.TEXT_INTERVAL_S)
        self.header = self._build_header()
        self._arrange()
        self._connect()
        self.show_theme(DARK)

    def show_history(self, history: RunHistory, max_steps: int, vocabulary_size: int) -> None:
        """Draw this run from now on; `vocabulary_size` tells the loss of a uniform guess."""
        if history is not self._history or max_steps != self._max_steps or not history.steps.size:
            self.loss_plot.follow()
        self._history, self._max_steps, self._vocabulary_size = history, max_steps, vocabulary_size
        self.request_redraw()

    def show_others(self, others: Sequence[OtherRun], present: KeptRun | None) -> None:
        """Draw these runs behind the present one, and name what differs."""
        self._others.show_others(others, present)
        self.request_redraw()

    def request_redraw(self) -> None:
        """There is something new in the history: it is drawn at the next turn of the view's clock."""
        self._clock.request()
        self._text_clock.request()

    def show_moment(self, step: int | None) -> None:
        """Mark the step that the other views show; None is the latest."""
        self._moment = step
        self.loss_plot.show_moment(step)

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self.curves.show_theme(theme)
        self._others.show_theme(theme)
        self._training_legend.show_colour(theme.training)
        self._validation_legend.show_colour(theme.validation)
        for figure in self._figures.values():
            figure.show_theme(theme)

    def clear(self) -> None:
        """Forget the run."""
        self.show_history(RunHistory(), 1, 0)

    def remember(self, preferences: QSettings) -> None:
        """Write down how the curves are shown."""
        preferences.setValue("curves/smoothing", self.smoothing_setting.value())
        preferences.setValue("curves/is_logarithmic", self.log_axis_action.isChecked())
        preferences.setValue("curves/shown", " ".join(name for name, action in self.course_actions.items() if action.isChecked()))

    def recall(self, preferences: QSettings) -> None:
        """Show the curves as was written down."""
        with suppress(ValueError):
            self.smoothing_setting.setValue(float(str(preferences.value("curves/smoothing", self.SMOOTHING))))
        self.log_axis_action.setChecked(str(preferences.value("curves/is_logarithmic")).casefold() == "true")
        shown = str(preferences.value("curves/shown", "")).split()
        for name, action in self.course_actions.items():
            action.setChecked(name in shown)

    def save_picture(self, path: str) -> None:
        """Write the plots as PNG or, by the ending, as SVG."""
        if not self.curves.save(path):
            self.problem_found.emit(f"The picture could not be written to {path}. Choose another place.")

    def _build_header(self) -> HeaderRow:
        header = HeaderRow()
        setting = self.smoothing_setting
        setting.setObjectName("smoothing_setting")
        setting.setAccessibleName("Smoothing of the training loss")
        setting.setToolTip("How much of the smoothed curve is past: 0 is the loss itself, 0.99 about a hundred steps.")
        setting.setRange(0.0, 0.999)
        setting.setValue(self.SMOOTHING)
        sized(setting, lambda: setting.setFixedWidth(scaled(56)))
        label = QLabel("Smoothing")
        set_role(label, "muted")
        label.setBuddy(setting)
        self.curves_button.setMenu(self._build_menu())
        header.add(self._training_legend, 1)
        header.add(self._validation_legend, 1)
        header.add(self.latest_button)
        header.add(label, 4)
        header.add(setting, 3)
        header.add(self.log_axis_button, 2)
        header.add(self.curves_button, 2)
        header.add(self.csv_button, 2)
        header.add(self.png_button, 2)
        header.show_control(self.latest_button, False)
        return header

    def _arrange(self) -> None:
        empty = QLabel(self.EMPTY_TEXT)
        empty.setObjectName("progress_empty_label")
        set_role(empty, "muted")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 4, 0)
        row.setSpacing(12)
        plots = QVBoxLayout()
        plots.setSpacing(0)
        plots.addWidget(self._others)
        plots.addWidget(self.curves, 1)
        row.addLayout(plots, 2)
        column = QVBoxLayout(self._column)
        column.setContentsMargins(0, 4, 0, 8)
        column.setSpacing(0)
        for index, figure in enumerate(self._figures.values()):
            figure.line_above.setVisible(index > 0)
            column.addWidget(figure, 1)
            sized(figure, figure.measure)
        column.addStretch(0)
        row.addWidget(self._column, 1)
        self._column.setMaximumWidth(340)
        self._pages.addWidget(empty)
        self._pages.addWidget(body)
        self._pages.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.setMinimumSize(240, 112)

    def _build_menu(self) -> QMenu:
        """Each further curve, to be shown below the loss or not."""
        menu = QMenu(self.curves_button)
        menu.setObjectName("curves_menu")
        for name, (title, _) in COURSES.items():
            action = menu.addAction(f"{title} below the loss")
            action.setObjectName(f"show_{name}_action")
            action.setCheckable(True)
            action.setShortcut(QKeySequence(f"Ctrl+Alt+{len(self.course_actions) + 1}"))
            self.addAction(action)
            action.toggled.connect(lambda is_shown, name=name: self._show_course(name, is_shown))
            self.course_actions[name] = action
        return menu

    def _show_course(self, name: str, is_shown: bool) -> None:
        self.curves.show_course(name, is_shown)
        self._on_courses_changed()

    @Slot()
    def _on_courses_changed(self) -> None:
        """What is not below the loss stands beside it."""
        for name, figure in self._figures.items():
            figure.setVisible(not self.curves.shows(name))
        shown = [figure for figure in self._figures.values() if not figure.isHidden()]
        for figure in shown:
            figure.line_above.setVisible(figure is not shown[0])
        self._fit()
        self.request_redraw()

    def _connect(self) -> None:
        self.loss_plot.step_clicked.connect(self.step_chosen)
        self.show_batch_action.triggered.connect(self._on_batch_asked_for)
        self.loss_plot.painted.connect(self._clock.note_painting)
        for course in self.curves.courses.values():
            course.painted.connect(self._clock.note_painting)
        self.curves.courses_changed.connect(self._on_courses_changed)
        self.loss_plot.following_changed.connect(self._on_following_changed)
        self.latest_button.clicked.connect(self.loss_plot.follow)
        self.log_axis_action.toggled.connect(self.loss_plot.show_logarithmic)
        self.smoothing_setting.valueChanged.connect(self._on_smoothing_changed)
        self.export_csv_action.triggered.connect(self._on_csv_requested)
        self.export_image_action.triggered.connect(self._on_image_requested)

    def _redraw(self) -> None:
        history = self._history
        self._pages.setCurrentIndex(1 if history.steps.size or history.validation_steps.size else 0)
        self._others.draw(self.smoothing_setting.value())
        self.curves.show_history(history, self._max_steps, self._vocabulary_size, self.smoothing_setting.value())
        for name, figure in self._figures.items():
            if figure.isVisible():
                figure.show_course(getattr(history, name))

    def _show_texts(self) -> None:
        history = self._history
        loss = history.smoothed(self.smoothing_setting.value())
        self._training_legend.show_loss(float(loss[-1]) if loss.size else None)
        validation = history.validation_loss
        self._validation_legend.show_loss(float(validation[-1]) if validation.size else None)
        self.header.arrange()
        if history.steps.size:
            for name, figure in self._figures.items():
                _, show = COURSES[name]
                figure.show_value(show(float(getattr(history, name)[-1])))

    @Slot()
    def _on_batch_asked_for(self) -> None:
        steps = self._history.steps
        if steps.size:
            self.step_chosen.emit(min(max(self._moment or int(steps[-1]), 1), int(steps[-1])))

    @Slot(bool)
    def _on_following_changed(self, is_following: bool) -> None:
        self.header.show_control(self.latest_button, not is_following)

    @Slot(float)
    def _on_smoothing_changed(self, _weight: float) -> None:
        self.request_redraw()

    @Slot()
    def _on_csv_requested(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the numbers", "progress.csv", "Tables (*.csv)")
        if path:
            self.csv_requested.emit(path)

    @Slot()
    def _on_image_requested(self) -> None:
        kinds = "Pictures (*.png);;Vector drawings (*.svg)"
        path, _ = QFileDialog.getSaveFileName(self, "Save the plots", "loss.png", kinds)
        if path:
            self.save_picture(path)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit what is shown to the new size."""
        super().resizeEvent(event)
        self._fit()
        self._clock.request()

    def _fit(self) -> None:
        """The small figures stay where there is room for them, and any of them is left."""
        has_figures = any(not figure.isHidden() for figure in self._figures.values())
        is_room = self.width() >= self.NARROW and self.height() >= self._column.minimumSizeHint().height()
        self._column.setVisible(is_room and has_figures)


class _Legend(QWidget):
    """A coloured dash, a name, and the latest value."""

    def __init__(self, name: str, object_name: str) -> None:
        super().__init__()
        self._name = name
        self._dash = QFrame()
        self._dash.setFixedSize(14, 3)
        self._label = QLabel(name)
        self._label.setObjectName(object_name)
        set_role(self._label, "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 4, 0)
        row.setSpacing(6)
        row.addWidget(self._dash)
        row.addWidget(self._label)

    def show_loss(self, loss: float | None) -> None:
        self._label.setText(self._name if loss is None else f"{self._name} {loss_text(loss)}")

    def show_colour(self, colour: str) -> None:
        self._dash.setStyleSheet(f"background: {colour}; border-radius: 1px;")


class _Figure(QWidget):
    """One quantity: its name, its latest value, and its course as a small line."""

    def __init__(self, name: str, object_name: str) -> None:
        super().__init__()
        title = QLabel(name)
        set_role(title, "small")
        self._value = QLabel("–")
        self._value.setObjectName(object_name)
        self._value.setAccessibleName(name)
        sized(self._value, lambda: self._value.setFont(interface_font(TITLE_PX, QFont.Weight.DemiBold)))
        self._line = _Sparkline()
        self.line_above = hairline()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 4)
        grid.addWidget(self.line_above, 0, 0, 1, 2)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.setColumnMinimumWidth(0, 106)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(1, 1)
        grid.setRowStretch(4, 1)
        grid.addWidget(title, 2, 0)
        grid.addWidget(self._value, 3, 0)
        grid.addWidget(self._line, 1, 1, 4, 1)

    def measure(self) -> None:
        self.setMaximumHeight(scaled(96))

    def show_value(self, text: str) -> None:
        self._value.setText(text)

    def show_course(self, values: NDArray[np.float64]) -> None:
        self._line.show_values(values)

    def show_theme(self, theme: Theme) -> None:
        self._line.show_colour(theme.muted)


class _Sparkline(QWidget):
    """A course without axes; what hardly changes looks level."""

    TALLEST: Final = 40
    LEAST_SPAN: Final = 0.3

    def __init__(self) -> None:
        super().__init__()
        self._values = np.empty(0)
        self._colour = DARK.muted
        self.setMinimumSize(40, 20)

    def sizeHint(self) -> QSize:
        return QSize(116, 40)

    def show_values(self, values: NDArray[np.float64]) -> None:
        self._values = values
        self.update()

    def show_colour(self, colour: str) -> None:
        self._colour = colour
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        margin = max(3.0, (self.height() - self.TALLEST) / 2)
        rect = QRectF(self.rect()).adjusted(1, margin, -1, -margin)
        values = _means(self._values, max(int(rect.width() / 2.5), 2))
        if values.size < 2:
            return
        middle, span = (values.max() + values.min()) / 2, np.ptp(values)
        span = max(span, self.LEAST_SPAN * abs(middle), 1e-30)
        heights = rect.center().y() - (values - middle) / span * rect.height()
        across = np.linspace(rect.left(), rect.right(), values.size)
        points = QPolygonF([QPointF(x, y) for x, y in zip(across.tolist(), heights.tolist(), strict=True)])
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._colour), 1.3))
        painter.drawPolyline(points)
        painter.end()


def _means(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most `most` means of the finite values, of groups of one size."""
    finite = values[np.isfinite(values)]
    size = max(1, -(-finite.size // most))
    if size == 1 or not finite.size:
        return finite
    starts = np.arange(0, finite.size, size)
    means: NDArray[np.float64] = np.add.reduceat(finite, starts) / np.diff(np.append(starts, finite.size))
    return means


def _action(view: QWidget, name: str, button: QPushButton, shortcut: str, *, is_checkable: bool = False) -> QAction:
    """What a button of the header does, as an action with a shortcut: whichever is used, both show it."""
    action = QAction(button.accessibleName(), view)
    action.setObjectName(name)
    action.setShortcut(QKeySequence(shortcut))
    keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    button.setToolTip(tooltip_text(f"{button.toolTip()} ({keys})"))
    view.addAction(action)
    if is_checkable:
        action.setCheckable(True)
        button.setCheckable(True)
        button.toggled.connect(action.setChecked)
        action.toggled.connect(button.setChecked)
    else:
        button.clicked.connect(action.trigger)
    return action


def _flat_button(name: str, text: str, accessible_name: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(accessible_name)
    button.setToolTip(tip)
    set_role(button, "link")
    return button
