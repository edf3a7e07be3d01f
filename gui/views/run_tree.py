"""The list of runs: a tree that can be searched and sorted, with a colour for each run."""

from collections.abc import Callable, Iterable
from math import inf
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSettings, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from gui.events import KeptRun, RunsListed
from gui.format import bytes_text, count_text, loss_text
from gui.text_size import sized
from gui.theme import DARK, Theme, scaled
from gui.views.run_lines import colour_of
from gui.views.run_looks import RunLooks
from gui.views.run_names import title_of

_PLACE: Final = Qt.ItemDataRole.UserRole
_SHARE: Final = Qt.ItemDataRole.UserRole + 1
_LOOK: Final = Qt.ItemDataRole.UserRole + 2
_NAME, _STEP, _BEST, _DISK = range(4)
_SWATCH_PX: Final = 9
_INDICATOR: Final = QStyle.SubElement.SE_ItemViewItemCheckIndicator
_FORK_MARK: Final = "↳ "
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
Place = tuple[Path, int | None]
"""A run's folder, and the step of one of its checkpoints or None."""


class RunTree(QTreeWidget):
    """A row for each run, and below it its checkpoints, with bars for what they take.

    A run's disc in its colour is its tick: filled where its curve is shown beside the present run's, which is filled always.
    """

    shown_changed = Signal()
    """Other runs are ticked now, or have another colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars, self._names = _DiskBars(self), _NameCells(self)
        self._theme = DARK
        self._event = RunsListed(runs=(), loaded=None, texts_byte_count=0, trash_byte_count=0)
        self._looks = RunLooks()
        self._ticked: set[str] = set()
        self._wanted: list[str] = []
        self._prepare()

    @property
    def runs(self) -> dict[Path, KeptRun]:
        """The runs that are listed, by their folders."""
        return {run.path: run for run in self._event.runs}

    def look_of(self, path: Path) -> int:
        """The number of a run's colour and mark."""
        return self._looks.of(path.name)

    @property
    def loaded_run(self) -> KeptRun | None:
        """The present run; None where there is none, or it is not listed yet."""
        return None if self._event.loaded is None else self.runs.get(self._event.loaded)

    @property
    def shown(self) -> list[KeptRun]:
        """The runs whose curves are to be shown beside the present one's."""
        return [run for run in self.runs.values() if run.path.name in self._ticked and run.path != self._event.loaded]

    def tick(self, paths: Iterable[Path], is_shown: bool) -> None:
        """Show the curves of these runs beside the present one's, or not."""
        for item in self._items():
            path = item.data(_NAME, _PLACE)[0]
            if path in set(paths) and path != self._event.loaded:
                item.setCheckState(_NAME, Qt.CheckState.Checked if is_shown else Qt.CheckState.Unchecked)

    def give_look(self, paths: Iterable[Path], look: int) -> None:
        """Give these runs this colour and mark from now on."""
        for path in paths:
            self._looks.choose(path.name, look)
        self.show_runs(self._event)
        self.shown_changed.emit()

    def recall(self, preferences: QSettings) -> None:
        """Give the runs the looks that were written down, and write down what changes."""
        self._looks.recall(preferences)

    def show_runs(self, event: RunsListed) -> None:
        """Show these runs; the rows that were chosen stay so, otherwise the loaded run is."""
        blocker = QSignalBlocker(self)  # for a moment nothing is chosen
        chosen, opened = self.chosen_places(), self._opened()
        self._event = event
        self._looks.give(sorted(run.path.name for run in event.runs))
        largest = max((run.byte_count for run in event.runs), default=1) or 1
        self.clear()
        self.addTopLevelItems([self._row_of(run, largest) for run in self._sorted(event.runs)])
        for item in self._items():
            item.setExpanded(item.data(_NAME, _PLACE)[0] in opened)
        self.search(" ".join(self._wanted))
        self.choose(chosen or ([] if event.loaded is None else [(event.loaded, None)]))
        blocker.unblock()

    def search(self, text: str) -> bool:
        """Show only the runs whose name, text, notes or problem have each word of `text`; whether there are any."""
        self._wanted = text.casefold().split()
        is_any = False
        for item in self._items():
            run = self.runs[item.data(_NAME, _PLACE)[0]]
            told = " ".join([title_of(run), run.path.name, run.corpus_name, run.notes, run.problem]).casefold()
            is_found = all(word in told for word in self._wanted)
            is_any |= is_found
            item.setHidden(not is_found)
            if not is_found:
                for row in (item, *_children(item)):
                    row.setSelected(False)
        return is_any or not self._event.runs

    def chosen_places(self) -> list[Place]:
        """What is chosen, in the order of the rows."""
        rows = (row for item in self._items() for row in (item, *_children(item)))
        return [row.data(_NAME, _PLACE) for row in rows if row.isSelected()]

    def choose(self, places: Iterable[Place]) -> None:
        """Choose these rows, as far as they are here."""
        wanted = set(places)
        found = [
            row
            for item in self._items()
            if not item.isHidden()
            for row in (item, *_children(item))
            if row.data(_NAME, _PLACE) in wanted
        ]
        if found:
            self.setCurrentItem(found[0])
        for row in found:
            row.setSelected(True)

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._theme = theme
        self._bars.show_theme(theme)
        self._names.show_theme(theme)
        self.viewport().update()

    def _prepare(self) -> None:
        self.setObjectName("run_library")
        self.setAccessibleName("Runs and their checkpoints")
        self.setHeaderLabels(["Run", "Step", "Best", "Disk"])
        self.setItemDelegateForColumn(_DISK, self._bars)
        self.setItemDelegateForColumn(_NAME, self._names)
        self.itemChanged.connect(self._on_item_changed)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setUniformRowHeights(True)
        sized(self, lambda: self.setIndentation(scaled(14)))
        self.setAllColumnsShowFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.header()
        header.setStretchLastSection(False)
        sized(header, lambda: header.setMinimumSectionSize(scaled(40)))
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_STEP, _BEST):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_DISK, QHeaderView.ResizeMode.Fixed)
        sized(header, lambda: header.resizeSection(_DISK, scaled(72)))
        header.setToolTip("Sort by this; the third click goes back to the run saved last first")
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.sortIndicatorChanged.connect(self._on_sorting_changed)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        for column in (_STEP, _BEST, _DISK):
            self.headerItem().setTextAlignment(column, _RIGHT)

    def _row_of(self, run: KeptRun, largest: int) -> QTreeWidgetItem:
        title = title_of(run)
        best = "–" if run.best_loss is None else loss_text(run.best_loss)
        item = _row(
            [_FORK_MARK + title if run.parent else title, count_text(run.step), best, bytes_text(run.byte_count)],
            (run.path, None),
            run.byte_count / largest,
        )
        item.setData(_NAME, _LOOK, self.look_of(run.path))
        is_loaded = run.path == self._event.loaded
        is_filled = is_loaded or run.path.name in self._ticked
        item.setCheckState(_NAME, Qt.CheckState.Checked if is_filled else Qt.CheckState.Unchecked)
        if is_loaded:
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsUserCheckable)
        state = "open in this window" if is_loaded else "open elsewhere" if run.is_open else ""
        parent = f"a copy of {run.parent[0]} from step {count_text(run.parent[1])}" if run.parent else ""
        length = f"step {count_text(run.step)} of {count_text(run.max_steps)}"
        told = ", ".join(filter(None, [run.path.name, length, state, parent]))
        tick = "" if is_loaded else "Click the disc, or press Space, to see its curve beside the present run's."
        item.setToolTip(_NAME, "\n".join(filter(None, [told, run.problem, run.notes.strip(), tick])))
        font = item.font(_NAME)
        font.setBold(is_loaded)
        font.setItalic(bool(run.problem))
        item.setFont(_NAME, font)
        for at, byte_count in reversed(run.checkpoints):
            texts = ["checkpoint", count_text(at), "", bytes_text(byte_count)]
            item.addChild(_row(texts, (run.path, at), byte_count / largest))
        return item

    def _opened(self) -> set[Path]:
        return {item.data(_NAME, _PLACE)[0] for item in self._items() if item.isExpanded()}

    def _items(self) -> list[QTreeWidgetItem]:
        items = (self.topLevelItem(index) for index in range(self.topLevelItemCount()))
        return [item for item in items if item is not None]

    def _sorted(self, runs: Iterable[KeptRun]) -> list[KeptRun]:
        """The runs in the order of the column that was chosen, as they come where none is."""
        column, order = self.header().sortIndicatorSection(), self.header().sortIndicatorOrder()
        keys: dict[int, Callable[[KeptRun], Any]] = {
            _NAME: lambda run: run.path.name,
            _STEP: lambda run: run.step,
            _BEST: lambda run: inf if run.best_loss is None else run.best_loss,
            _DISK: lambda run: run.byte_count,
        }
        return sorted(runs, key=keys[column], reverse=order == Qt.SortOrder.DescendingOrder) if column in keys else list(runs)

    @Slot()
    def _on_sorting_changed(self) -> None:
        self.show_runs(self._event)

    @Slot(QTreeWidgetItem, int)
    def _on_item_changed(self, item: QTreeWidgetItem, column: int) -> None:
        name, is_run = item.data(_NAME, _PLACE)[0].name, item.parent() is None
        is_ticked = item.checkState(_NAME) == Qt.CheckState.Checked
        if column == _NAME and is_run and is_ticked != (name in self._ticked):
            (self._ticked.add if is_ticked else self._ticked.discard)(name)
            self.shown_changed.emit()


class _ThemedCells(QStyledItemDelegate):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = DARK

    def show_theme(self, theme: Theme) -> None:
        self._theme = theme


class _NameCells(_ThemedCells):
    """Draws the tick of a run as a disc in its colour, and as a ring where it is not ticked."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().paint(painter, option, index)
        look = index.data(_LOOK)
        if look is None:
            return
        cell = QStyleOptionViewItem(option)
        self.initStyleOption(cell, index)
        box: QRectF = QRectF(cell.widget.style().subElementRect(_INDICATOR, cell, cell.widget))
        colour = QColor(colour_of(look, self._theme))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(colour if cell.checkState == Qt.CheckState.Checked else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(box.center(), scaled(8) / 2, scaled(8) / 2)
        painter.restore()


class _DiskBars(_ThemedCells):
    """Writes a size, and under it a bar as long as its share of the largest run."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().paint(painter, option, index)
        rect: QRectF = QRectF(option.rect).adjusted(8, 0, -3, 0)
        width = rect.width() * float(index.data(_SHARE) or 0)
        bar = QRectF(rect.right() - width, rect.bottom() - 3, width, 2)
        painter.fillRect(bar, QColor(self._theme.accent if not index.parent().isValid() else self._theme.faint))


def swatch(theme: Theme, look: int) -> QIcon:
    """A disc in a run's colour."""
    picture = QPixmap(4 * _SWATCH_PX, 4 * _SWATCH_PX)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour_of(look, theme)))
    painter.drawEllipse(picture.rect().adjusted(2, 2, -2, -2))
    painter.end()
    disc = QIcon(picture)
    disc.addPixmap(picture, QIcon.Mode.Selected)  # of a chosen run it would be tinted otherwise
    return disc


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    children = (item.child(index) for index in range(item.childCount()))
    return [child for child in children if child is not None]


def _row(texts: list[str], place: Place, share: float) -> QTreeWidgetItem:
    item = QTreeWidgetItem(texts)
    item.setData(_NAME, _PLACE, place)
    item.setData(_DISK, _SHARE, share)
    for column in (_STEP, _BEST, _DISK):
        item.setTextAlignment(column, _RIGHT)
    return item
