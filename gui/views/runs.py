"""Every run that is kept: what it has come to, what it takes on the disk, and what can be done with it."""

from datetime import datetime
from pathlib import Path
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedLayout,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.events import KeptRun, RunsListed
from gui.format import bytes_text, count_text, loss_text
from gui.theme import DARK, Theme, scaled, set_role
from gui.views.elided_label import ElidedLabel

_PLACE: Final = Qt.ItemDataRole.UserRole
_SHARE: Final = Qt.ItemDataRole.UserRole + 1
_NAME, _STEP, _BEST, _DISK = range(4)
_Place = tuple[Path, int | None]


class RunsView(QWidget):
    """A tree: each run, and below it the checkpoints that are kept, with bars for what they take.

    What is asked for concerns the chosen row; `fork_requested` and `verify_requested` may be about one checkpoint.
    """

    open_requested = Signal(object)
    fork_requested = Signal(object, object)
    """The run's folder, and the step of a checkpoint or None."""
    verify_requested = Signal(object, object)
    stop_requested = Signal()
    delete_requested = Signal(object)
    undo_requested = Signal()
    empty_trash_requested = Signal()

    EMPTY_TEXT: Final = "Every run is kept here from its first step on: to open again, to copy, to verify, to delete."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loaded: Path | None = None
        self._open: set[Path] = set()
        self._is_training = False
        self._is_verifying = False
        self.tree = QTreeWidget()
        self._bars = _DiskBars(self.tree)
        self.open_button = _button("open_run_button", "Open", "Go on with this run")
        self.fork_button = _button("fork_button", "Copy", "Go on from here in a new run, with other settings")
        self.verify_button = _button("verify_button", "Verify", "Replay this run, and see whether its weights come out the same")
        self.delete_button = _button("delete_run_button", "Delete", "Move this run to the trash, from where it can be put back")
        self.undo_button = _button("undo_delete_button", "Undo", "Put the run that was deleted last back")
        self.empty_button = _button("empty_trash_button", "Empty trash", "Remove the deleted runs for good")
        self._total = ElidedLabel()
        self._total.setObjectName("disk_use_label")
        self._progress = ElidedLabel()
        self._progress.setObjectName("verify_progress_label")
        self._pages = QStackedLayout(self)
        self._arrange()
        self._connect()
        self.undo_button.hide()
        self.empty_button.hide()
        self._show_possible()

    def show_runs(self, event: RunsListed) -> None:
        """Show these runs; the row that was chosen stays so, otherwise the loaded run is."""
        chosen, opened = self._chosen(), self._opened()
        self._loaded = event.loaded
        self._open = {run.path for run in event.runs if run.is_open and run.path != event.loaded}
        largest = max((run.byte_count for run in event.runs), default=1) or 1
        self.tree.clear()
        for run in event.runs:
            item = self._add(run, largest)
            item.setExpanded(run.path in opened)
        self._choose(chosen or (None if event.loaded is None else (event.loaded, None)))
        self._pages.setCurrentIndex(1 if event.runs or event.trash_byte_count else 0)
        total = sum(run.byte_count for run in event.runs)
        trash = f", trash {bytes_text(event.trash_byte_count)}" if event.trash_byte_count else ""
        self._total.setText(f"Runs {bytes_text(total)}, texts {bytes_text(event.texts_byte_count)}{trash}")
        self.empty_button.setVisible(bool(event.trash_byte_count))
        self._show_possible()

    def show_training(self, is_training: bool) -> None:
        """A run trains now, or none does."""
        self._is_training = is_training
        self._show_possible()

    def show_undo(self, can_undo: bool) -> None:
        """Offer to put back what was deleted last, or not."""
        self.undo_button.setVisible(can_undo)

    def show_verification(self, text: str, is_under_way: bool) -> None:
        """Tell how far a replay is, or what came of it."""
        self._progress.setText(text)
        self._progress.setVisible(bool(text))
        self._is_verifying = is_under_way
        self.verify_button.setText("Stop" if is_under_way else "Verify")
        self._show_possible()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self._bars.show_theme(theme)
        self.tree.viewport().update()

    def _arrange(self) -> None:
        empty = QLabel(self.EMPTY_TEXT)
        empty.setObjectName("runs_empty_label")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        set_role(empty, "muted")
        self._prepare_tree()
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.open_button, self.fork_button, self.verify_button, self.delete_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.undo_button)
        foot = QHBoxLayout()
        foot.setSpacing(6)
        foot.addWidget(self._total, 1)
        foot.addWidget(self.empty_button)
        for label in (self._total, self._progress):
            set_role(label, "small")
        self._progress.hide()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.tree, 1)
        column.addWidget(self._progress)
        column.addLayout(buttons)
        column.addLayout(foot)
        self._pages.addWidget(empty)
        self._pages.addWidget(body)

    def _prepare_tree(self) -> None:
        tree = self.tree
        tree.setObjectName("runs_tree")
        tree.setAccessibleName("Runs and their checkpoints")
        tree.setHeaderLabels(["Run", "Step", "Best", "Disk"])
        tree.setItemDelegateForColumn(_DISK, self._bars)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        tree.setUniformRowHeights(True)
        tree.setIndentation(scaled(14))
        tree.setAllColumnsShowFocus(True)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(scaled(40))
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        for column in (_STEP, _BEST):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_DISK, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(_DISK, scaled(86))
        for column in (_STEP, _BEST, _DISK):
            tree.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def _connect(self) -> None:
        self.tree.itemSelectionChanged.connect(self._show_possible)
        self.tree.itemActivated.connect(self._on_open_clicked)
        self.open_button.clicked.connect(self._on_open_clicked)
        self.fork_button.clicked.connect(self._on_fork_clicked)
        self.verify_button.clicked.connect(self._on_verify_clicked)
        self.delete_button.clicked.connect(self._on_delete_clicked)
        self.undo_button.clicked.connect(self.undo_requested)
        self.empty_button.clicked.connect(self.empty_trash_requested)

    def _add(self, run: KeptRun, largest: int) -> QTreeWidgetItem:
        best = "–" if run.best_loss is None else loss_text(run.best_loss)
        item = _row(
            [_title(run), count_text(run.step), best, bytes_text(run.byte_count)],
            (run.path, None),
            run.byte_count / largest,
        )
        state = "open in this window" if run.path == self._loaded else "open elsewhere" if run.is_open else ""
        parent = f"a copy of {run.parent[0]} from step {count_text(run.parent[1])}" if run.parent else ""
        length = f"step {count_text(run.step)} of {count_text(run.max_steps)}"
        item.setToolTip(_NAME, ", ".join(filter(None, [run.path.name, length, state, parent])))
        if run.path == self._loaded:
            font = item.font(_NAME)
            font.setBold(True)
            item.setFont(_NAME, font)
        for at, byte_count in reversed(run.checkpoints):
            item.addChild(_row(["checkpoint", count_text(at), "", bytes_text(byte_count)], (run.path, at), byte_count / largest))
        self.tree.addTopLevelItem(item)
        return item

    def _chosen(self) -> _Place | None:
        """The chosen row: the run's folder, and the checkpoint's step where it is one."""
        items = self.tree.selectedItems()
        place: _Place | None = items[0].data(_NAME, _PLACE) if items else None
        return place

    def _opened(self) -> set[Path]:
        return {item.data(_NAME, _PLACE)[0] for item in self._items() if item.isExpanded()}

    def _items(self) -> list[QTreeWidgetItem]:
        items = (self.tree.topLevelItem(index) for index in range(self.tree.topLevelItemCount()))
        return [item for item in items if item is not None]

    def _choose(self, wanted: _Place | None) -> None:
        rows = [row for item in self._items() for row in (item, *map(item.child, range(item.childCount()))) if row is not None]
        for row in rows:
            if wanted == row.data(_NAME, _PLACE):
                self.tree.setCurrentItem(row)
                return

    @Slot()
    def _show_possible(self) -> None:
        chosen = self._chosen()
        is_free = chosen is not None and chosen[0] not in self._open
        is_loaded = chosen is not None and chosen[0] == self._loaded
        is_run = chosen is not None and chosen[1] is None
        self.open_button.setEnabled(is_run and not self._is_training)
        self.fork_button.setEnabled(chosen is not None and not self._is_training)
        self.verify_button.setEnabled(self._is_verifying or (chosen is not None and not self._is_training))
        self.delete_button.setEnabled(is_free and is_run and not is_loaded)

    @Slot()
    def _on_open_clicked(self) -> None:
        chosen = self._chosen()
        if chosen is not None and chosen[1] is None and not self._is_training:
            self.open_requested.emit(chosen[0])

    @Slot()
    def _on_fork_clicked(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self.fork_requested.emit(*chosen)

    @Slot()
    def _on_verify_clicked(self) -> None:
        chosen = self._chosen()
        if self._is_verifying:
            self.stop_requested.emit()
        elif chosen is not None:
            self.verify_requested.emit(*chosen)

    @Slot()
    def _on_delete_clicked(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self.delete_requested.emit(chosen[0])


class _DiskBars(QStyledItemDelegate):
    """Writes a size, and under it a bar as long as its share of the largest run."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = DARK

    def show_theme(self, theme: Theme) -> None:
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().paint(painter, option, index)
        rect: QRectF = QRectF(option.rect).adjusted(8, 0, -3, 0)
        width = rect.width() * float(index.data(_SHARE) or 0)
        bar = QRectF(rect.right() - width, rect.bottom() - 3, width, 2)
        painter.fillRect(bar, QColor(self._theme.accent if not index.parent().isValid() else self._theme.faint))


def _title(run: KeptRun) -> str:
    """The text's name and when the run began, which its folder's name begins with."""
    try:
        began = datetime.strptime(run.path.name[:17], "%Y-%m-%d-%H%M%S")
    except ValueError:
        return run.path.name
    return f"{Path(run.corpus_name).stem} · {began.day} {began:%b %H:%M}"


def _row(texts: list[str], place: _Place, share: float) -> QTreeWidgetItem:
    item = QTreeWidgetItem(texts)
    item.setData(_NAME, _PLACE, place)
    item.setData(_DISK, _SHARE, share)
    for column in (_STEP, _BEST, _DISK):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item


def _button(name: str, text: str, help: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(help)
    button.setToolTip(help)
    set_role(button, "chip")
    return button
