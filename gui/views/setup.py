"""What the settings mean: a picture of the model, the course of the learning rate, and each setting in plain words."""

from collections.abc import Sequence
from html import escape
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from gui.text_size import sized
from gui.theme import DARK, SMALL_PX, Theme, scaled, set_role
from gui.views.model_picture import ModelPicture
from gui.views.schedule_plot import SchedulePlot
from nanograd.training.model_parts import ModelPart
from nanograd.training.settings import Setting


class SetupView(QWidget):
    """The model's picture above or beside the schedule and the words on the setting that was pointed at last."""

    EMPTY_TEXT: Final = "Point at a setting on the left, or move to it with the Tab key, to read what it does and what it costs."
    SIDE_BY_SIDE: Final = 1.7
    """From this ratio of width to height on, the words stand beside the picture."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._told: tuple[Setting, str, Sequence[str]] | None = None
        self.model_picture = ModelPicture()
        self.schedule_plot = SchedulePlot()
        self._words = QLabel(self.EMPTY_TEXT)
        self._words.setObjectName("setting_explanation")
        self._words.setAccessibleName("What the setting does")
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._words.setTextFormat(Qt.TextFormat.RichText)
        self._problem = QLabel()
        self._problem.setObjectName("setup_problem_label")
        self._problem.setWordWrap(True)
        self._problem.hide()
        set_role(self._problem, "problem")
        self._layout = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._arrange()

    def _arrange(self) -> None:
        scroll = QScrollArea()
        scroll.setWidget(self._words)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        schedule = QWidget()
        column = QVBoxLayout(schedule)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(_title("Learning rate"))
        column.addWidget(self.schedule_plot, 1)
        self._lower = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._lower.setSpacing(20)
        self._lower.addWidget(schedule, 2)
        self._lower.addWidget(scroll, 5)
        upper = QVBoxLayout()
        upper.setSpacing(4)
        upper.addWidget(_title("The model, to scale: area is parameters, height the numbers for each token"))
        upper.addWidget(self._problem)
        upper.addWidget(self.model_picture, 1)
        sized(self.model_picture, lambda: self.model_picture.setMinimumHeight(scaled(100)))
        self.model_picture.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)  # the words need their share
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        sized(self, lambda: self.setMinimumSize(scaled(210), scaled(130)))
        self._layout.setSpacing(12)
        self._layout.addLayout(upper, 4)
        self._layout.addLayout(self._lower, 5)

    def show_model(self, parts: Sequence[ModelPart], n_head: int) -> None:
        """Draw the model that the settings describe."""
        self._problem.hide()
        self.model_picture.show_parts(parts, n_head)

    def show_problem(self, message: str) -> None:
        """The settings describe no model: say why."""
        self.model_picture.show_parts((), 1)
        self.schedule_plot.show_schedule((), (), 0)
        self._problem.setText(message)
        self._problem.show()

    def explain(self, setting: Setting, value: str, effects: Sequence[str]) -> None:
        """Tell what a setting does, what it is now, and what another value would cost, a line each."""
        self._told = setting, value, effects
        self._write()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.model_picture.show_theme(theme)
        self.schedule_plot.show_theme(theme)
        self._write()

    def _write(self) -> None:
        if self._told is None:
            self._words.setText(f"<span style='color:{self._theme.muted}'>{self.EMPTY_TEXT}</span>")
            return
        setting, value, effects = self._told
        lines = [f"<b>{escape(setting.label)} {escape(value)}</b>", escape(setting.help)]
        for name, text in (("More", setting.up), ("Less", setting.down)):
            if text:
                lines.append(f"<b style='color:{self._theme.accent_text}'>{name}:</b> {escape(text)}.")
        if effects:
            lines.append(f"<span style='color:{self._theme.muted}'>{'<br>'.join(map(escape, effects))}</span>")
        style = f"margin:0 0 3px 0; font-size:{scaled(SMALL_PX)}px"
        self._words.setText("".join(f"<p style='{style}'>{line}</p>" for line in lines))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stand side by side where there is more width than height."""
        super().resizeEvent(event)
        is_wide = self.width() > self.SIDE_BY_SIDE * self.height()
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._layout.setDirection(across if is_wide else down)
        self._lower.setDirection(down if is_wide or self.width() < 420 else across)


def _title(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    set_role(label, "small")
    return label
