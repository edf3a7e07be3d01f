"""The slider through the run: every panel shows the moment that it stands at."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QColor, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from gui.format import count_text, tooltip_text
from gui.icons import icon
from gui.text_size import sized
from gui.theme import DARK, Theme, scaled, set_role, set_style_property


class TimeBar(QFrame):
    """Play, a slider over the moments that are kept, the step of the one shown, and back to live.

    `moment_chosen` carries the place of a moment, counted from 0, and None for live: whatever comes is shown.
    """

    moment_chosen = Signal(object)

    FRAME_MS: Final = 140
    EMPTY_TEXT: Final = "Moments to look back at gather here while the model trains."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._steps: Sequence[int] = ()
        self._is_live = True
        self._is_of_another_probe = False
        self.setObjectName("time_bar")
        set_role(self, "time")
        self.play_button = QPushButton()
        self.time_slider = _MarkedSlider()
        self.live_button = QPushButton("Live")
        self._step = QLabel(self.EMPTY_TEXT)
        self._clock = QTimer(self, interval=self.FRAME_MS)
        self.moment_actions = (
            self._action("play_action", "Play the run, or rest", "Ctrl+Space", self.play_button),
            self._action("earlier_action", "The moment before", "Ctrl+Alt+Left", None),
            self._action("later_action", "The moment after", "Ctrl+Alt+Right", None),
            self._action("live_action", "Back to live", "Ctrl+Alt+End", self.live_button),
        )
        self._prepare()
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 16, 6)
        row.setSpacing(12)
        row.addWidget(self.play_button)
        row.addWidget(self.time_slider, 1)
        row.addWidget(self._step)
        row.addWidget(self.live_button)
        self._clock.timeout.connect(self._on_frame_due)
        self.play_button.clicked.connect(self._on_play_clicked)
        self.live_button.clicked.connect(self.go_live)
        self.time_slider.valueChanged.connect(self._on_value_changed)
        self._show_possible()

    @property
    def is_live(self) -> bool:
        """Whether what comes is shown at once."""
        return self._is_live

    def show_moments(self, steps: Sequence[int], marked: Sequence[int]) -> None:
        """Offer the moments at these steps, those `marked` as of an evaluation; the one shown stays where it can."""
        shown = self._steps[self.time_slider.value()] if not self._is_live and self._steps else None
        self._steps = list(steps)
        last = max(len(steps) - 1, 0)
        place = last if shown is None else max((i for i, step in enumerate(steps) if step <= shown), default=last)
        was_blocked = self.time_slider.blockSignals(True)
        self.time_slider.setRange(-1 if len(steps) == 1 else 0, last)  # a moment alone is the latest, at the right end
        self.time_slider.setValue(place)
        self.time_slider.blockSignals(was_blocked)
        self.time_slider.show_marks(marked)
        if not steps:
            self._is_live = True
        self._show_possible()

    def show_probe_differs(self, text: str) -> None:
        """The moment shown looked at `text`, which is not what the probe is now; empty where it is."""
        self._is_of_another_probe = bool(text)
        self._step.setToolTip(tooltip_text(f"It looked at “{text}”") if text else "")
        self._show_possible()

    @Slot()
    def go_live(self) -> None:
        """Show the latest again, and whatever comes."""
        self._clock.stop()
        was_live, self._is_live = self._is_live, True
        was_blocked = self.time_slider.blockSignals(True)
        self.time_slider.setValue(self.time_slider.maximum())
        self.time_slider.blockSignals(was_blocked)
        self._show_possible()
        if not was_live:
            self.moment_chosen.emit(None)

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.time_slider.show_theme(theme)
        self._show_possible()

    def _prepare(self) -> None:
        self.play_button.setObjectName("play_button")
        self.play_button.setAccessibleName("Play the run")
        self.play_button.setToolTip("Play the run from where the slider stands")
        sized(self.play_button, lambda: self.play_button.setFixedSize(scaled(28), scaled(28)))
        self.play_button.setIconSize(QSize(14, 14))
        set_role(self.play_button, "icon")
        self.time_slider.setObjectName("time_slider")
        self.time_slider.setAccessibleName("Moment of the run that all panels show")
        self.time_slider.setToolTip("Drag, or use the arrow keys, to see every panel as it was then")
        self.live_button.setObjectName("live_button")
        self.live_button.setAccessibleName("Back to live")
        self.live_button.setToolTip("Show the latest again, and whatever comes")
        set_role(self.live_button, "pill")
        self._step.setObjectName("moment_label")
        self._step.setAccessibleName("Step of the moment shown")
        set_role(self._step, "muted")

    def _action(self, name: str, text: str, keys: str, button: QPushButton | None) -> QAction:
        """An action that presses a button, or else moves the slider."""
        action = QAction(text, self)
        action.setObjectName(name)
        action.setShortcut(QKeySequence(keys))
        self.addAction(action)
        if button is not None:
            action.triggered.connect(button.click)
        else:
            way = (
                QSlider.SliderAction.SliderSingleStepSub if name == "earlier_action" else QSlider.SliderAction.SliderSingleStepAdd
            )
            action.triggered.connect(lambda: self.time_slider.triggerAction(way))
        return action

    def _show_possible(self) -> None:
        can_travel = len(self._steps) > 1
        for control in (self.play_button, self.time_slider):
            control.setEnabled(can_travel)
        for action in self.moment_actions:
            action.setEnabled(can_travel)
        self.live_button.setEnabled(bool(self._steps))
        set_style_property(self.live_button, "active", "true" if self._is_live and self._steps else "false")
        self._step.setText(self._describe())
        colour = self._theme.muted if can_travel else self._theme.faint
        self.play_button.setIcon(icon("pause" if self._clock.isActive() else "play", colour))

    def _describe(self) -> str:
        """The moment shown, in words."""
        if not self._steps:
            return self.EMPTY_TEXT
        notes = ["the only moment so far"] if len(self._steps) == 1 else ["of another probe"] if self._is_of_another_probe else []
        return " · ".join([f"step {count_text(self._steps[self.time_slider.value()])}", *notes])

    @Slot()
    def _on_play_clicked(self) -> None:
        if self._clock.isActive():
            self._clock.stop()
        else:
            if self.time_slider.value() == self.time_slider.maximum():
                self.time_slider.setValue(0)
            self._clock.start()
        self._show_possible()

    @Slot()
    def _on_frame_due(self) -> None:
        if self.time_slider.value() + 1 >= self.time_slider.maximum():
            self.go_live()
        else:
            self.time_slider.setValue(self.time_slider.value() + 1)

    @Slot(int)
    def _on_value_changed(self, place: int) -> None:
        self._is_live = False
        self._show_possible()
        self.moment_chosen.emit(place)


class _MarkedSlider(QSlider):
    """A level slider with a small line under each marked place."""

    HANDLE_PX: Final = 16

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._theme = DARK
        self._marks: Sequence[int] = ()
        sized(self, lambda: self.setFixedHeight(scaled(28)))
        self.setPageStep(5)

    def show_marks(self, marks: Sequence[int]) -> None:
        self._marks = marks
        self.update()

    def show_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setPen(QColor(self._theme.faint))
        span = self.width() - self.HANDLE_PX
        first, count = self.minimum(), max(self.maximum() - self.minimum(), 1)
        places = {round(self.HANDLE_PX / 2 + span * (mark - first) / count) for mark in self._marks}
        if len(places) <= span / 5:
            for x in places:
                painter.drawLine(x, self.height() - 5, x, self.height() - 2)
        painter.end()
