"""Where each head looks over the probe, the text that the user watches the model read."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.redraw import RedrawClock
from gui.run_history import RunHistory
from gui.text_size import sized
from gui.theme import BODY_PX, Theme, mono_font, scaled, set_role, set_style_property
from gui.views.head_scores import HeadScoresPlot
from gui.views.header_row import HeaderRow
from gui.views.heatmap import AttentionMap
from gui.views.mosaic import AttentionMosaic
from nanograd.text.tokenizer import visible
from nanograd.training.events import ProbeTaken

NEW_LINE: Final = visible("\n")


class AttentionView(QWidget):
    """All heads as a mosaic, one head as a map with its tokens and its scores over the run, and the probe to edit.

    `header` holds the choice of layer and head, counted from 1, for the panel's title bar.
    """

    probe_changed = Signal(str)
    problem_found = Signal(str)

    TYPING_PAUSE_MS: Final = 300
    NARROW: Final = 400
    LEAST_SIDE: Final = 150
    SPACING: Final = 16
    EMPTY_PROBE: Final = "Write at least one character for the model to look at."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._event: ProbeTaken | None = None
        self._history = RunHistory()
        self._last_step = 1
        self._probe = ""
        self.attention_map = AttentionMap()
        self.attention_mosaic = AttentionMosaic()
        self.attention_layer = _number_combo("attention_layer", "Layer")
        self.attention_head = _number_combo("attention_head", "Head")
        self.mean_heads_button = _mean_button()
        self.head_scores_plot = HeadScoresPlot()
        self.probe_edit = _probe_edit()
        self._problem = QLabel()
        self._step = QLabel()
        self._side = QWidget()
        self._mosaic_title = QLabel("All heads")
        self._upper = QHBoxLayout()
        self._heads = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._typing = QTimer(self)
        self._clock = RedrawClock(self, self._redraw)
        self.header = self._build_header()
        self._arrange()
        self._connect()
        self.set_layout(1, 1)

    def set_layout(self, n_layer: int, n_head: int) -> None:
        """Offer so many layers and heads; what was drawn of another model is forgotten."""
        if self._event is not None and self._event.weights.shape[:2] != (n_layer, n_head):
            self.clear()
        is_new = (self.attention_layer.count(), self.attention_head.count()) != (n_layer, n_head)
        _offer(self.attention_layer, n_layer)
        _offer(self.attention_head, n_head)
        if is_new:
            self.attention_mosaic.show_layout(n_layer, n_head)
            self._clock.request()
        self._show_choice()
        self._fit()

    def show_history(self, history: RunHistory, max_steps: int) -> None:
        """Draw the scores of this run from now on."""
        self._history, self._last_step = history, max_steps
        self._clock.request()

    def show_probe(self, event: ProbeTaken) -> None:
        """Draw where the heads look, at the next turn of the view's clock."""
        n_layer, n_head = event.weights.shape[:2]
        self._event = event
        if (self.attention_layer.count(), self.attention_head.count()) != (n_layer, n_head):
            self.set_layout(n_layer, n_head)
        self._clock.request()

    def show_probe_text(self, text: str) -> None:
        """Put `text` into the field, unless the user is typing there."""
        if not self._typing.isActive():
            self._probe = text
            self.probe_edit.setText(text.replace("\n", NEW_LINE))
            self.probe_edit.setCursorPosition(0)
            self._typing.stop()

    def show_probe_problem(self, message: str) -> None:
        """Say under the field what is wrong with the probe; an empty message takes that back."""
        self._problem.setText(message)
        self._problem.setVisible(bool(message))
        set_style_property(self.probe_edit, "invalid", bool(message))
        self._fit()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self.attention_map.show_theme(theme)
        self.attention_mosaic.show_theme(theme)
        self.head_scores_plot.show_theme(theme)
        for combo in (self.attention_layer, self.attention_head):
            combo.setStyleSheet(
                f"QComboBox {{ color: {theme.text}; font-size: {scaled(BODY_PX)}px; }} QComboBox:disabled {{ color: {theme.faint}; }}"
            )

    def clear(self) -> None:
        """Forget what was drawn."""
        self._event = None
        self._step.clear()
        self.attention_map.show_weights(self.attention_map.weights[:0, :0], ())
        self.attention_mosaic.show_layout(self.attention_layer.count(), self.attention_head.count())
        self.head_scores_plot.clear()
        self._fit()

    def save_picture(self, path: str) -> None:
        """Write the map as PNG."""
        if not self.attention_map.picture().save(path):
            self.problem_found.emit(f"The picture could not be written to {path}. Choose another place.")

    def _build_header(self) -> HeaderRow:
        header = HeaderRow()
        self._step.setObjectName("attention_step_label")
        set_role(self._step, "muted")
        picture = QPushButton("PNG")
        picture.setObjectName("attention_png_button")
        picture.setAccessibleName("Save the attention map as a picture")
        picture.setToolTip("Save the map as a picture")
        set_role(picture, "link")
        picture.clicked.connect(self._on_picture_clicked)
        header.add(self._step, 2)
        header.add(_muted("Layer"))
        header.add(self.attention_layer)
        header.add(_muted("Head"))
        header.add(self.attention_head)
        header.add(self.mean_heads_button, 2)
        header.add(picture, 1)
        return header

    def _arrange(self) -> None:
        set_role(self._mosaic_title, "small")
        probe_title = QLabel("Probe")
        set_role(probe_title, "small")
        probe_title.setBuddy(self.probe_edit)
        set_role(self._problem, "problem")
        self._problem.setObjectName("probe_problem_label")
        self._problem.setWordWrap(True)
        self._problem.hide()
        self._heads.setSpacing(12)
        self._heads.addWidget(self.attention_mosaic, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._heads.addWidget(self.head_scores_plot, 1, Qt.AlignmentFlag.AlignTop)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(6)
        side.addWidget(self._mosaic_title)
        side.addLayout(self._heads)
        side.addStretch(1)
        self._side.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)  # it is fitted in
        self._upper.setSpacing(self.SPACING)
        self._upper.addWidget(self._side)
        self._upper.addWidget(self.attention_map, 1)
        lower = QHBoxLayout()
        lower.setSpacing(8)
        lower.addWidget(probe_title)
        lower.addWidget(self.probe_edit, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._upper, 1)
        column.addLayout(lower)
        column.addWidget(self._problem)

    def _connect(self) -> None:
        self._typing.setSingleShot(True)
        self._typing.setInterval(self.TYPING_PAUSE_MS)
        self._typing.timeout.connect(self._on_typing_paused)
        self.probe_edit.textChanged.connect(self._on_probe_text_changed)
        self.probe_edit.returnPressed.connect(self._on_typing_paused)
        self.probe_edit.installEventFilter(self)
        self.attention_layer.currentIndexChanged.connect(self._on_choice_changed)
        self.attention_head.currentIndexChanged.connect(self._on_choice_changed)
        self.attention_mosaic.head_chosen.connect(self._on_head_chosen)
        self.mean_heads_button.toggled.connect(self._on_mean_toggled)

    def _redraw(self) -> None:
        if self._event is None:
            return
        if self._side.isHidden():
            self._fit()
        self._step.setText(f"step {self._event.step:,}")
        self.header.arrange()
        self.attention_mosaic.show_weights(self._event.weights)
        self._show_choice()

    def _show_choice(self) -> None:
        layer, head = max(self.attention_layer.currentIndex(), 0), max(self.attention_head.currentIndex(), 0)
        self.attention_mosaic.show_chosen(layer, head)
        if self._event is None:
            return
        is_mean = self.mean_heads_button.isChecked()
        weights = self._event.weights[layer].mean(axis=0) if is_mean else self._event.weights[layer, head]
        self.attention_map.show_weights(weights, self._event.tokens)
        self._show_scores(layer, head)

    def _show_scores(self, layer: int, head: int) -> None:
        steps = self._history.score_steps
        if len(steps) and self._event is not None and self._event.scores is not None:
            last = max(self._last_step, int(steps[-1]))
            was_empty = not len(self.head_scores_plot.scores)
            self.head_scores_plot.show_scores(steps, self._history.head_scores(layer, head), last, self._event.step)
            if was_empty:
                self._fit()

    def _fit(self) -> None:
        """All heads beside the map once there is something to see, and where there is room; the probe always."""
        has_heads = self._event is not None and self.width() >= self.NARROW
        if has_heads:
            self._fit_side()
        self._side.setVisible(has_heads)

    def _fit_side(self) -> None:
        """The map is about as wide as it is high; what that leaves is for the mosaic, and the scores below or beside it."""
        problem = self._problem.heightForWidth(self.width()) + 8 if self._problem.text() else 0
        height = self.height() - self.probe_edit.sizeHint().height() - 8 - problem
        width = min(max(self.width() - self.SPACING - height, self.LEAST_SIDE), self.width() // 2)
        height -= self._mosaic_title.sizeHint().height() + 6
        mosaic, scores, gap = self.attention_mosaic, self.head_scores_plot, self._heads.spacing()
        has_scores, lower, left = len(scores.scores) > 0, height - gap - scores.height_for(width), width - gap - scaled(96)
        above, beside = mosaic.size_within(width, lower), mosaic.size_within(left, height)
        is_beside = has_scores and beside.width() > above.width() and height >= scores.height_for(scaled(96))
        is_below = has_scores and not is_beside and lower >= 90
        size = beside if is_beside else above if is_below else mosaic.size_within(width, height)
        mosaic.setFixedSize(size.boundedTo(QSize(width, max(height, 40))))
        left = width - gap - size.width()
        directions = QBoxLayout.Direction
        self._heads.setDirection(directions.LeftToRight if is_beside else directions.TopToBottom)
        scores.setFixedSize(left if is_beside else width, scores.height_for(left if is_beside else width))
        scores.setVisible(is_beside or is_below)
        self._upper.setStretch(0, width)
        self._upper.setStretch(1, self.width() - self.SPACING - width)

    @Slot()
    def _on_probe_text_changed(self) -> None:
        text = self.probe_edit.text()
        if "\n" in text:
            self.probe_edit.setText(text.replace("\n", NEW_LINE))
            self.probe_edit.setCursorPosition(0)
        else:
            self._typing.start()

    @Slot()
    def _on_typing_paused(self) -> None:
        self._typing.stop()
        text = self.probe_edit.text().replace(NEW_LINE, "\n")
        if not text:
            self.show_probe_problem(self.EMPTY_PROBE)
        elif text != self._probe:
            self._probe = text
            self.show_probe_problem("")
            self.probe_changed.emit(text)

    @Slot()
    def _on_choice_changed(self) -> None:
        self._show_choice()

    @Slot(bool)
    def _on_mean_toggled(self, is_mean: bool) -> None:
        self.attention_head.setEnabled(not is_mean)
        self._show_choice()

    @Slot(int, int)
    def _on_head_chosen(self, layer: int, head: int) -> None:
        self.mean_heads_button.setChecked(False)
        self.attention_layer.setCurrentIndex(layer)
        self.attention_head.setCurrentIndex(head)

    @Slot()
    def _on_picture_clicked(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the attention map", "attention.png", "Pictures (*.png)")
        if path:
            self.save_picture(path)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Shift and Return in the probe is a new line; Return alone applies at once."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if is_return and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.probe_edit.insert(NEW_LINE)
                return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit what is shown to the new size."""
        super().resizeEvent(event)
        self._fit()


def _muted(text: str) -> QLabel:
    label = QLabel(text)
    set_role(label, "muted")
    return label


def _number_combo(name: str, label: str) -> QComboBox:
    combo = QComboBox()
    combo.setObjectName(name)
    combo.setAccessibleName(f"{label} of the attention map")
    set_role(combo, "link")
    return combo


def _offer(combo: QComboBox, count: int) -> None:
    """Numbers from 1 to `count`; the choice stays where it can."""
    if combo.count() == count:
        return
    chosen = min(max(combo.currentIndex(), 0), count - 1)
    was_blocked = combo.blockSignals(True)
    combo.clear()
    combo.addItems([str(number) for number in range(1, count + 1)])
    combo.setCurrentIndex(chosen)
    combo.blockSignals(was_blocked)


def _mean_button() -> QPushButton:
    button = QPushButton("Mean")
    button.setObjectName("mean_heads_button")
    button.setAccessibleName("Mean over the heads of the layer")
    button.setToolTip("Show the mean over all heads of the layer")
    button.setCheckable(True)
    set_role(button, "link")
    return button


def _probe_edit() -> QLineEdit:
    edit = QLineEdit()
    edit.setObjectName("probe_edit")
    edit.setAccessibleName("Probe: the text whose attention is shown")
    edit.setPlaceholderText("A text to look at")
    edit.setToolTip("The text that the attention is shown for. Shift and Return is a new line.")
    sized(edit, lambda: edit.setFont(mono_font(12.5)))
    return edit
