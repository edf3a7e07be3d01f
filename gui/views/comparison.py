"""Runs side by side: the settings that differ, and their losses over each other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.events import CurvesRead, KeptRun
from gui.text_size import sized
from gui.theme import DARK, SMALL_PX, Theme, interface_font, scaled, set_role
from gui.views.comparison_plot import ComparisonPlot
from gui.views.run_lines import RunCurve, legend_text
from gui.views.run_names import began_text, differences, legend_names, title_of
from gui.views.run_tree import swatch


class Comparison(QWidget):
    """A legend that names only what differs, the plot, and a table with a column for each run; what is missing is told."""

    back_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = DARK
        self._runs: Sequence[KeptRun] = ()
        self._looks: Mapping[Path, int] = {}
        self._curves: list[RunCurve] = []
        self.plot = ComparisonPlot()
        self.table = QTableWidget()
        self._parts = QSplitter(Qt.Orientation.Vertical)
        self.training_setting = QCheckBox("Training")
        self.back_button = QPushButton("All runs")
        self._legend, self._same, self._missing = QLabel(), QLabel("All settings are the same."), QLabel()
        self._arrange()
        self.back_button.clicked.connect(self.back_requested)
        self.training_setting.toggled.connect(self._on_training_toggled)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders of the runs that are compared."""
        return tuple(run.path for run in self._runs)

    def show_runs(self, runs: Sequence[KeptRun], looks: Mapping[Path, int]) -> None:
        """Compare these runs, each with the number of its look; their curves follow."""
        self._runs, self._looks = runs, looks
        self._curves = []
        self._show_table()
        self._show_legend()
        self._show_curves()

    def show_looks(self, looks: Mapping[Path, int]) -> None:
        """The compared runs have these looks now."""
        if looks != self._looks:
            self._looks = dict(self._looks) | dict(looks)
            self._curves = [
                replace(curve, look=self._looks[path]) for path, curve in zip(self.paths, self._curves, strict=bool(self._curves))
            ]
            self.show_theme(self._theme)
            self._show_curves()

    def show_curves(self, event: CurvesRead) -> None:
        """Draw the curves of the runs that are compared."""
        told = [run for run in self._runs if run.path in event.curves]
        if len(told) < len(self._runs):
            return  # of an earlier choice
        metrics = {run.path: event.curves[run.path] for run in told}
        self._curves = [
            RunCurve(
                look=self._looks[path],
                steps=numbers.steps.astype(np.float64),
                train_loss=numbers.train_loss,
                validation_steps=numbers.validation_steps.astype(np.float64),
                validation_loss=numbers.validation_loss,
            )
            for path, numbers in metrics.items()
        ]
        without = [run for run in told if not metrics[run.path].steps.size and not metrics[run.path].validation_steps.size]
        self._show_missing([run for run in told if run.problem or run in without], without)
        self._show_curves()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self.plot.show_theme(theme)
        self._show_table()
        self._show_legend()

    def _arrange(self) -> None:
        self.table.setObjectName("differences_table")
        self.table.setAccessibleName("The settings that differ")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setIconSize(QSize(9, 9))
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setSectionsClickable(False)
        self.table.verticalHeader().setSectionsClickable(False)
        self.table.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._legend.setObjectName("comparison_legend")
        self._same.setObjectName("same_settings_label")
        self._missing.setObjectName("comparison_problem_label")
        for label, role in ((self._legend, "small"), (self._same, "small"), (self._missing, "warning")):
            label.setWordWrap(True)
            set_role(label, role)
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self.training_setting.setObjectName("compare_training_setting")
        self.training_setting.setAccessibleName("Draw the training losses too")
        self.training_setting.setToolTip("Draw the training losses too, thin")
        self.training_setting.setChecked(True)
        self.back_button.setObjectName("end_comparison_button")
        self.back_button.setAccessibleName("Back to the list of all runs")
        set_role(self.back_button, "chip")
        head = QHBoxLayout()
        head.addWidget(self.back_button)
        head.addStretch(1)
        head.addWidget(self.training_setting)
        self._parts.setChildrenCollapsible(False)
        self._parts.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)  # as low as its parts may be
        self._parts.addWidget(self.plot)
        self._parts.addWidget(self.table)
        self._parts.setStretchFactor(0, 1)
        self._parts.setStretchFactor(1, 0)
        sized(self.table, self._measure_table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._legend)
        column.addWidget(self._parts, 1)
        column.addWidget(self._same)
        column.addWidget(self._missing)
        self._missing.hide()

    def _show_table(self) -> None:
        rows = differences(self._runs)
        self.table.setVisible(bool(rows))
        self._same.setVisible(not rows)
        self.table.clear()
        self.table.setColumnCount(len(self._runs))
        self.table.setRowCount(len(rows))
        self.table.setVerticalHeaderLabels(list(rows))
        for column, run in enumerate(self._runs):
            day, _, hour = began_text(run.path).rpartition(" ")
            disc = swatch(self._theme, self._looks[run.path]).pixmap(self.table.iconSize(), self.devicePixelRatioF())
            head = QTableWidgetItem(QIcon(disc), f"{day}\n{hour}" if day else hour)
            head.setToolTip(run.path.name)
            self.table.setHorizontalHeaderItem(column, head)
        for row, values in enumerate(rows.values()):
            for column, value in enumerate(values):
                item = QTableWidgetItem(value)
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                self.table.setItem(row, column, item)
        self._measure_table()

    def _measure_table(self) -> None:
        """As high as its rows at most, and as three of them at least: what is left is the plot's."""
        font = interface_font(SMALL_PX)
        for widget in (self.table, self.table.horizontalHeader(), self.table.verticalHeader()):
            widget.setFont(font)
            widget.viewport().setFont(font)  # which heads are drawn with, and which does not follow
        self.table.verticalHeader().setMinimumSectionSize(scaled(18))
        self.table.verticalHeader().setDefaultSectionSize(scaled(18))
        head = 2 * QFontMetrics(font).height() + 4
        self.table.horizontalHeader().setFixedHeight(head)
        self.table.horizontalHeader().setMinimumSectionSize(QFontMetrics(font).horizontalAdvance("00 May") + 24)
        rows = self.table.rowCount()
        least, most = (head + scaled(18) * count + 4 for count in (min(rows, 3), rows))
        self.table.setMinimumHeight(least)
        self.table.setMaximumHeight(most)
        below = least + self._parts.handleWidth() if rows else 0
        self._parts.setMinimumHeight(self.plot.minimumHeight() + below)
        self._parts.setSizes([self.plot.minimumHeight(), most] if self.height() > 2 * most else [10_000, least])

    def _show_legend(self) -> None:
        looks = [self._looks[run.path] for run in self._runs]
        self._legend.setText(legend_text(legend_names(self._runs), looks, self._theme))

    def _show_missing(self, runs: Sequence[KeptRun], without: Sequence[KeptRun]) -> None:
        texts = []
        for run in runs:
            curves = "" if run not in without or "metrics.jsonl" in run.problem else "It has no curves."
            texts.append(f"{title_of(run)}: {' '.join(filter(None, [run.problem, curves]))}")
        self._missing.setText("\n".join(texts))
        self._missing.setVisible(bool(texts))

    def _show_curves(self) -> None:
        self.plot.show_curves(self._curves, has_training=self.training_setting.isChecked())

    @Slot()
    def _on_training_toggled(self) -> None:
        self._show_curves()
