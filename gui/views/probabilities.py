"""What the model expects at each place of the probe, layer by layer, and how surprised it was by what came."""

from math import log
from typing import Final

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from gui.redraw import RedrawClock
from gui.text_size import sized
from gui.theme import DARK, SMALL_PX, Theme, interface_font, mix, scaled, set_role
from gui.views.header_row import HeaderRow
from gui.views.rival_bars import RivalBars
from gui.views.surprise_text import SurpriseText
from gui.views.token_grid import TokenGrid, TokenRows
from nanograd.text.tokenizer import visible
from nanograd.training.events import Predictions, ProbeTaken

RANKS: Final = 5


class ProbabilitiesView(QWidget):
    """The probe shaded by its losses, a table of rivals, the same after every layer, and one place in full.

    Places are counted by the token that the model has read last. `header` is for the panel's title bar.
    """

    EMPTY_TEXT: Final = "What the model expects after each token of the probe appears here once it has been looked at."
    TITLES: Final = (
        "Surprise by token",
        "What comes next, likeliest on top",
        "The likeliest, read off after each layer",
    )
    NARROW: Final = 420
    SPACING: Final = 4

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._event: ProbeTaken | None = None
        self._place = -1
        self._layer = -1
        self.probe_losses = SurpriseText("probe_losses_view", "The probe, shaded by the loss of each token")
        self.probabilities_view = TokenGrid("probabilities_view", "Likeliest tokens after each token", has_columns=True)
        self.logit_lens_view = TokenGrid("logit_lens_view", "Likeliest token after each layer", has_columns=False)
        self.rival_bars = RivalBars()
        self._bars_title = QLabel()
        self._step = QLabel()
        self._mean = QLabel()
        self._scale = _Scale()
        self._titles = [_small(title) for title in self.TITLES]
        self._side = QWidget()
        self._pages = QStackedLayout(self)
        self._clock = RedrawClock(self, self._redraw)
        self.header = self._build_header()
        self._arrange()
        self._connect()

    def show_probe(self, event: ProbeTaken) -> None:
        """Show what is expected there, at the next turn of the view's clock."""
        before = self._event
        self._event = event
        if before is None or len(before.tokens) != len(event.tokens) or before.weights.shape[0] != event.weights.shape[0]:
            self._place, self._layer = len(event.tokens) - 1, event.weights.shape[0]
        self._clock.request()

    def clear(self) -> None:
        """Forget what was shown."""
        self._event = None
        self._clock.request()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        for view in (self.probe_losses, self.probabilities_view, self.logit_lens_view, self.rival_bars, self._scale):
            view.show_theme(theme)

    def _build_header(self) -> HeaderRow:
        header = HeaderRow()
        self._step.setObjectName("probabilities_step_label")
        self._mean.setObjectName("probe_loss_label")
        self._mean.setToolTip("The mean loss over the probe, in nats per token")
        for label in (self._step, self._mean):
            set_role(label, "muted")
        header.add(self._step, 2)
        header.add(self._mean, 1)
        return header

    def _arrange(self) -> None:
        self._scale.setAccessibleName("Scale of the loss")
        self.rival_bars.setObjectName("place_rivals")
        self.rival_bars.setAccessibleName("Likeliest tokens at the chosen place")
        self._bars_title.setObjectName("place_label")
        self._bars_title.setWordWrap(True)
        empty = QLabel(self.EMPTY_TEXT)
        empty.setObjectName("probabilities_empty_label")
        set_role(empty, "muted")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addLayout(self._build_tables(), 1)
        row.addWidget(self._build_side())
        self._pages.addWidget(empty)
        self._pages.addWidget(body)
        self._pages.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        sized(self, lambda: self.setMinimumSize(scaled(240), scaled(160)))  # what does not fit is scrolled, or left out

    def _build_tables(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(self.SPACING)
        head = QHBoxLayout()
        head.addWidget(self._titles[0])
        head.addStretch(1)
        head.addWidget(self._scale)
        column.addLayout(head)
        for title, content in zip(
            (None, *self._titles[1:]), (self.probe_losses, self.probabilities_view, self.logit_lens_view), strict=True
        ):
            if title is not None:
                column.addWidget(title)
            column.addWidget(content)
        column.addStretch(1)
        return column

    def _build_side(self) -> QWidget:
        sized(self._side, lambda: self._side.setFixedWidth(scaled(150)))
        column = QVBoxLayout(self._side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        set_role(self._bars_title, "small")
        column.addWidget(self._bars_title)
        column.addWidget(self.rival_bars, 1)
        return self._side

    def _connect(self) -> None:
        for grid, other in (
            (self.probabilities_view, self.logit_lens_view),
            (self.logit_lens_view, self.probabilities_view),
        ):
            grid.horizontalScrollBar().valueChanged.connect(other.horizontalScrollBar().setValue)
        self.probabilities_view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.probabilities_view.cell_chosen.connect(self._on_rival_chosen)
        self.logit_lens_view.cell_chosen.connect(self._on_layer_chosen)
        self.probe_losses.token_chosen.connect(self._on_token_chosen)

    def _redraw(self) -> None:
        event = self._event
        predictions = event.predictions if event else None
        self._pages.setCurrentIndex(0 if predictions is None else 1)
        self._step.setText(f"step {event.step:,}" if event and predictions else "")
        self._mean.setText(self._mean_text(predictions))
        self.header.arrange()
        if event is None or predictions is None:
            return
        self._show_losses(event, predictions)
        self._show_tables(predictions, [visible(token) for token in event.tokens])
        self._show_place()

    def _mean_text(self, predictions: Predictions | None) -> str:
        return f"loss {predictions.losses[-1].mean():.3f}" if predictions is not None and predictions.losses.size else ""

    def _show_losses(self, event: ProbeTaken, predictions: Predictions) -> None:
        highest = max(log(max(len(predictions.vocabulary), 2)), 1.0)
        self._scale.show_highest(highest)
        self.probe_losses.show_losses(event.tokens, np.append(np.float32(np.nan), predictions.losses[-1]), highest)

    def _show_tables(self, predictions: Predictions, columns: list[str]) -> None:
        following = np.append(predictions.ids[1:], -1)
        ranked = predictions.rivals[-1, :, :RANKS].T
        layers = predictions.rivals[:, :, 0]
        for grid, ids, shares, names in (
            (self.probabilities_view, ranked, predictions.probabilities[-1, :, :RANKS].T, _ranks(len(ranked))),
            (self.logit_lens_view, layers, predictions.probabilities[:, :, 0], _layers(len(layers))),
        ):
            grid.show_rows(
                TokenRows(
                    vocabulary=predictions.vocabulary,
                    ids=ids,
                    shares=shares,
                    are_right=ids == following,
                    names=names,
                    columns=columns,
                )
            )
        self._fit_tables()

    def _fit_tables(self) -> None:
        """Whole rows only: where there is no room for all, both tables give some up, and are scrolled."""
        lines = min(max(self.probe_losses.document().size().height(), scaled(26)), scaled(76))
        self.probe_losses.setFixedHeight(round(lines))
        room = self.height() - round(lines) - sum(title.sizeHint().height() + 2 * self.SPACING for title in self._titles)
        rivals, layers = self.probabilities_view, self.logit_lens_view
        rows = (room - rivals.height_for(0) - layers.height_for(0)) // (rivals.height_for(1) - rivals.height_for(0))
        ranks, depth = rivals.model().rowCount(), layers.model().rowCount()
        ranks = max(1, min(ranks, max(rows // 2, rows - depth)))
        rivals.setFixedHeight(rivals.height_for(ranks))
        layers.setFixedHeight(layers.height_for(max(1, min(depth, rows - ranks))))

    def _show_place(self) -> None:
        event = self._event
        predictions = event.predictions if event else None
        if event is None or predictions is None:
            return
        place = min(max(self._place, 0), len(event.tokens) - 1)
        layer = min(max(self._layer, 0), len(predictions.rivals) - 1)
        is_last = place == len(event.tokens) - 1
        following = None if is_last else event.tokens[place + 1]
        ids, shares = predictions.rivals[layer, place], predictions.probabilities[layer, place]
        rivals = [
            (predictions.vocabulary[index], float(share)) for index, share in zip(ids.tolist(), shares.tolist(), strict=True)
        ]
        self.rival_bars.show_rivals(rivals, following)
        before = "".join(visible(token) for token in event.tokens[max(0, place - 11) : place + 1])
        where = "" if layer == len(predictions.rivals) - 1 else f", {_layers(len(predictions.rivals))[layer].lower()}"
        came = "" if is_last else f"\n“{visible(event.tokens[place + 1])}” came: {predictions.losses[layer, place]:.2f} nats"
        self._bars_title.setText(f"After “{before}”{where}{came}")
        self.probe_losses.show_chosen(place + 1)
        self.probabilities_view.show_column(place)
        self.logit_lens_view.show_column(place, layer)

    @Slot(int, int)
    def _on_rival_chosen(self, _rank: int, column: int) -> None:
        self._place, self._layer = column, -1
        if self._event is not None:
            self._layer = self._event.weights.shape[0]
        self._show_place()

    @Slot(int, int)
    def _on_layer_chosen(self, layer: int, column: int) -> None:
        self._place, self._layer = column, layer
        self._show_place()

    @Slot(int)
    def _on_token_chosen(self, index: int) -> None:
        self._place = max(index - 1, 0)
        self._show_place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the single place out where there is no room for it."""
        super().resizeEvent(event)
        self._side.setVisible(self.width() >= self.NARROW)
        self._fit_tables()


class _Scale(QWidget):
    """How strong which loss is shaded."""

    def __init__(self) -> None:
        super().__init__()
        self._theme = DARK
        self._highest = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(scaled(124), scaled(16))

    def show_highest(self, highest: float) -> None:
        self._highest = highest
        self.update()

    def show_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(interface_font(SMALL_PX))
        painter.setPen(QColor(self._theme.muted))
        text = f"{self._highest:.1f} nats"
        width = painter.fontMetrics().horizontalAdvance(text) + 6
        bar = QRectF(16, self.height() / 2 - 3, self.width() - 16 - width, 6)
        shades = QLinearGradient(bar.topLeft(), bar.topRight())
        shades.setColorAt(0, QColor(mix(self._theme.panel, self._theme.validation, 0.06)))
        shades.setColorAt(1, QColor(mix(self._theme.panel, self._theme.validation, SurpriseText.STRONGEST_SHADE)))
        painter.drawText(QRectF(0, 0, 12, self.height()), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, "0")
        painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shades)
        painter.drawRoundedRect(bar, 3, 3)
        painter.end()


def _small(text: str) -> QLabel:
    label = QLabel(text)
    set_role(label, "small")
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return label


def _ranks(count: int) -> list[str]:
    return [f"{rank}." for rank in range(1, count + 1)]


def _layers(count: int) -> list[str]:
    return ["Tokens", *[f"Layer {layer}" for layer in range(1, count)]]
