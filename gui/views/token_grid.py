"""A table of tokens, each cell shaded by a share from 0 to 1: places across, ranks or layers down."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from gui.text_size import sized
from gui.theme import DARK, SMALL_PX, Theme, interface_font, mix, mono_font, scaled, set_role
from nanograd.text.tokenizer import visible

Index = QModelIndex | QPersistentModelIndex
SHADES: Final = 64
STRONGEST_SHADE: Final = 0.62
ROW_PX: Final = 20
NAMES_PX: Final = 58


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenRows:
    """What a grid shows: the tokens by `ids` (R, T) into `vocabulary`, `shares` (R, T), and which `are_right` (R, T)."""

    vocabulary: tuple[str, ...]
    ids: NDArray[np.int32]
    shares: NDArray[np.float32]
    are_right: NDArray[np.bool_]
    names: Sequence[str]
    columns: Sequence[str]

    def text_at(self, row: int, column: int) -> str:
        """The token of a cell as it can be shown."""
        return visible(self.vocabulary[self.ids[row, column]])


class TokenGrid(QTableView):
    """Shows TokenRows; a click or the arrow keys choose a cell."""

    cell_chosen = Signal(int, int)
    """Row and column."""

    def __init__(self, name: str, accessible_name: str, *, has_columns: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Model()
        self._delegate = _Delegate(self)
        self._cells: dict[tuple[int, int], tuple[str, int, int, bool]] = {}
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setShowGrid(False)
        self.setFrameShape(self.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # it would set the columns of two tables apart
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        set_role(self, "plain")
        across, down = self.horizontalHeader(), self.verticalHeader()
        self._has_bar = not has_columns
        across.setVisible(has_columns)
        sized(self, self._measure)
        for header in (across, down):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setSectionsClickable(False)
            header.setHighlightSections(False)
        across.setMinimumSectionSize(8)
        down.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.selectionModel().currentChanged.connect(self._on_current_changed)

    def _measure(self) -> None:
        """Rows, names and cells as high and wide as their text is large."""
        across, down = self.horizontalHeader(), self.verticalHeader()
        self._metrics, self._delegate.font = QFontMetrics(mono_font()), mono_font()
        for header, font in ((across, mono_font(SMALL_PX)), (down, interface_font(SMALL_PX))):
            header.setFont(font)
            header.viewport().setFont(font)  # which it draws with, and which does not follow
        across.setFixedHeight(scaled(ROW_PX))
        down.setFixedWidth(scaled(NAMES_PX))
        down.setDefaultSectionSize(scaled(ROW_PX))
        self._cells.clear()

    @property
    def rows(self) -> TokenRows | None:
        """What is shown."""
        return self._model.rows

    def show_rows(self, rows: TokenRows | None) -> None:
        """Show these; the chosen cell stays where it can."""
        self._cells.clear()
        self._model.show_rows(rows)
        self._fit_columns()

    def cell(self, row: int, column: int) -> tuple[str, int, int, bool]:
        """What is drawn in a cell, worked out when it is first seen: its text, how wide that is, its shade, and its mark."""
        found = self._cells.get((row, column))
        rows = self._model.rows
        if found is None and rows is not None:
            text = rows.text_at(row, column)
            share = float(rows.shares[row, column])
            level = round(min(max(share, 0.0), 1.0) * (SHADES - 1)) if share == share else 0
            found = (text, self._metrics.horizontalAdvance(text), level, bool(rows.are_right[row, column]))
            self._cells[row, column] = found
        return found or ("", 0, 0, False)

    def show_column(self, column: int, row: int | None = None) -> None:
        """Outline a column, and a cell in it, without telling anyone."""
        self._delegate.column = column
        wanted = self._model.index(self.currentIndex().row() if row is None else row, column)
        if wanted.isValid() and wanted != self.currentIndex():
            was_blocked = self.blockSignals(True)
            self.setCurrentIndex(wanted)
            self.blockSignals(was_blocked)
        self.viewport().update()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._delegate.show_theme(theme)
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """Room for all rows."""
        return QSize(320, self.height_for(self._model.rowCount()))

    def height_for(self, row_count: int) -> int:
        """How high the table is with so many rows in sight."""
        header = scaled(ROW_PX) if not self.horizontalHeader().isHidden() else 0
        is_long = self.horizontalHeader().length() > self.viewport().width()
        bar = self.horizontalScrollBar().sizeHint().height() if self._has_bar and is_long else 0
        return header + row_count * scaled(ROW_PX) + bar + 1

    def minimumSizeHint(self) -> QSize:
        """Room for one row."""
        return QSize(160, self.height_for(1))

    def _fit_columns(self) -> None:
        """One width for all: as wide as the widest token that is common, wider where there is room."""
        rows = self._model.rows
        if rows is None or not rows.ids.size:
            return
        metrics = QFontMetrics(mono_font())
        shown = np.unique(rows.ids[:, :: max(1, rows.ids.shape[1] // 64)])
        widths = [metrics.horizontalAdvance(visible(rows.vocabulary[index])) for index in shown]
        needed = min(int(np.percentile(widths, 95)) + 4, scaled(88))
        spread = (self.viewport().width() - 1) // rows.ids.shape[1]
        self.horizontalHeader().setDefaultSectionSize(max(needed, scaled(12), min(spread, scaled(34))))

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid() and not self.signalsBlocked():
            self.cell_chosen.emit(current.row(), current.column())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns to the room."""
        super().resizeEvent(event)
        self._fit_columns()


class _Model(QAbstractTableModel):
    """TokenRows as Qt's tables ask for them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: TokenRows | None = None

    def show_rows(self, rows: TokenRows | None) -> None:
        before, after = (None if each is None else each.ids.shape for each in (self.rows, rows))
        if before == after and rows is not None:
            self.rows = rows
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self.columnCount() - 1)
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if self.rows is None or (parent is not None and parent.isValid()) else self.rows.ids.shape[0]

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if self.rows is None or (parent is not None and parent.isValid()) else self.rows.ids.shape[1]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        rows = self.rows
        if rows is None or not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return rows.text_at(index.row(), index.column())
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            share = float(rows.shares[index.row(), index.column()])
            right = ", which did follow" if rows.are_right[index.row(), index.column()] else ""
            token, name = rows.text_at(index.row(), index.column()), rows.names[index.row()]
            return f"{name}, after “{rows.columns[index.column()]}”: “{token}” {share:.1%}{right}"
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.rows is None or role != Qt.ItemDataRole.DisplayRole:
            return None
        return self.rows.columns[section] if orientation == Qt.Orientation.Horizontal else self.rows.names[section]


class _Delegate(QStyledItemDelegate):
    """Draws a cell: its shade, its token, a line under the one that did follow, and the outline of the chosen column."""

    def __init__(self, grid: TokenGrid) -> None:
        super().__init__(grid)
        self._grid = grid
        self.column = -1
        self.font = mono_font()
        self.show_theme(DARK)

    def show_theme(self, theme: Theme) -> None:
        self._shades = [QColor(mix(theme.panel, theme.accent, STRONGEST_SHADE * i / (SHADES - 1))) for i in range(SHADES)]
        self._text, self._good, self._accent = QColor(theme.text), QColor(theme.good), QColor(theme.accent)
        self._panel = QColor(theme.panel)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row, column = index.row(), index.column()
        cell: Any = option.rect
        text, width, level, is_right = self._grid.cell(row, column)
        painter.fillRect(cell.adjusted(0, 0, -1, -1), self._shades[level])
        painter.setFont(self.font)
        painter.setPen(self._text)
        if width > cell.width() - 2:
            text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, cell.width() - 2)
        painter.drawText(cell.adjusted(0, 0, -1, -2), Qt.AlignmentFlag.AlignCenter, text)
        if is_right:
            painter.fillRect(cell.adjusted(2, cell.height() - 3, -3, -1), self._good)
        if column == self.column:
            painter.setPen(QPen(self._accent, 1))
            painter.drawLine(cell.left() - 1, cell.top(), cell.left() - 1, cell.bottom())
            painter.drawLine(cell.right(), cell.top(), cell.right(), cell.bottom())
        if index == self._grid.currentIndex() and self._grid.hasFocus():
            painter.drawRect(cell.adjusted(0, 0, -1, -1))
