"""The library of all runs: what each has come to, what it takes on the disk, and what can be done with it."""

from html import escape
from pathlib import Path
from typing import Final

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from gui.events import CurvesRead, KeptRun, RunsListed
from gui.format import bytes_text, count_text
from gui.theme import DARK, Theme, set_role, set_style_property
from gui.views.comparison import Comparison
from gui.views.elided_label import ElidedLabel
from gui.views.run_lines import MARK_TEXTS
from gui.views.run_names import began_text
from gui.views.run_notes import RunNotes
from gui.views.run_tree import Place, RunTree, swatch

_EMPTY, _LIST, _COMPARISON = range(3)


class RunsView(QWidget):
    """The list with its search and the notes of the chosen run; or, in its place, the comparison of those chosen.

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
    compare_requested = Signal(object)
    """The folders of the runs, which are shown side by side from now on and whose curves are wanted."""
    notes_written = Signal(object, str)

    EMPTY_TEXT: Final = "Every run is kept here from its first step on: to open again, to copy, to compare, to verify, to delete."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._loaded: Path | None = None
        self._open: set[Path] = set()
        self._is_training = False
        self._is_verifying = False
        self._theme = DARK
        self.tree = RunTree()
        self.comparison = Comparison()
        self.notes = RunNotes()
        self.search_field = QLineEdit()
        self.open_button = _button("open_run_button", "Open", "Go on with this run")
        self.fork_button = _button("fork_button", "Copy", "Go on from here in a new run, with other settings")
        self.compare_button = _button(
            "compare_button", "Compare", "Only what differs between two or more runs, their curves over each other"
        )
        self.verify_button = _button("verify_button", "Verify", "Replay this run, and see whether its weights come out the same")
        self.delete_button = _button("delete_run_button", "Delete", "Move this run to the trash, from where it can be put back")
        self.undo_button = _button("undo_delete_button", "Undo", "Put the run that was deleted last back")
        self.empty_button = _button("empty_trash_button", "Empty trash", "Remove the deleted runs for good")
        self.more_button = _button("more_run_button", "⋯", "Its curve beside the present run's, and its colour")
        self.compare_action = QAction("Compare the chosen runs", self)
        self.show_beside_action = QAction("Curve beside the present run's", self)
        self._menu = QMenu(self.more_button)
        self._colours = self._menu.addMenu("Colour")
        self._family, self._problem = QLabel(), QLabel()
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
        """Show these runs; the rows that were chosen stay so, otherwise the loaded run is."""
        self._loaded = event.loaded
        self._open = {run.path for run in event.runs if run.is_open and run.path != event.loaded}
        self.tree.show_runs(event)
        if self._pages.currentIndex() != _COMPARISON or not set(self.comparison.paths) <= set(self.tree.runs):
            self._pages.setCurrentIndex(_LIST if event.runs or event.trash_byte_count else _EMPTY)
        total = sum(run.byte_count for run in event.runs)
        trash = f", trash {bytes_text(event.trash_byte_count)}" if event.trash_byte_count else ""
        self._total.setText(f"Runs {bytes_text(total)}, texts {bytes_text(event.texts_byte_count)}{trash}")
        self.empty_button.setVisible(bool(event.trash_byte_count))
        self._on_choice_changed()

    def show_curves(self, event: CurvesRead) -> None:
        """Draw the curves of the runs that are compared."""
        self.comparison.show_curves(event)

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
        self._theme = theme
        self.tree.show_theme(theme)
        for look, action in enumerate(self._colours.actions()):
            action.setIcon(swatch(theme, look))
        self.comparison.show_theme(theme)
        self._show_family()

    def _arrange(self) -> None:
        empty = QLabel(self.EMPTY_TEXT)
        empty.setObjectName("runs_empty_label")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        set_role(empty, "muted")
        self.search_field.setObjectName("run_search_field")
        self.search_field.setAccessibleName("Search the runs")
        self.search_field.setPlaceholderText("Search names, texts and notes")
        self.search_field.setClearButtonEnabled(True)
        self.compare_action.setObjectName("compare_runs_action")
        self.compare_action.setShortcut("Ctrl+Shift+R")
        self.addAction(self.compare_action)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (
            self.open_button,
            self.fork_button,
            self.compare_button,
            self.verify_button,
            self.delete_button,
            self.more_button,
        ):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._build_menu()
        foot = QHBoxLayout()
        foot.setSpacing(6)
        foot.addWidget(self._total, 1)
        foot.addWidget(self.undo_button)
        foot.addWidget(self.empty_button)
        for label, role in (
            (self._total, "small"),
            (self._progress, "small"),
            (self._family, "small"),
            (self._problem, "warning"),
        ):
            set_role(label, role)
        for label, name in ((self._family, "run_family_label"), (self._problem, "run_problem_label")):
            label.setObjectName(name)
            label.setWordWrap(True)
            label.hide()
        self._family.setAccessibleName("What this run was copied from, and its copies")
        self._progress.hide()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.search_field)
        column.addWidget(self.tree, 1)
        for widget in (self._problem, self._family, self.notes, self._progress):
            column.addWidget(widget)
        column.addLayout(buttons)
        column.addLayout(foot)
        scroll = QScrollArea()
        scroll.setObjectName("comparison_scroll_area")
        scroll.setAccessibleName("Comparison of the chosen runs")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.comparison)
        set_role(self.comparison, "plain")
        for page in (empty, body, scroll):
            self._pages.addWidget(page)

    def _build_menu(self) -> None:
        """What else can be done with the chosen runs, for the button and for the right mouse button."""
        self.show_beside_action.setObjectName("show_beside_action")
        self.show_beside_action.setShortcut("Ctrl+Shift+B")
        self.show_beside_action.setCheckable(True)
        self.addAction(self.show_beside_action)
        self._menu.setObjectName("more_run_menu")
        self._menu.insertAction(self._colours.menuAction(), self.show_beside_action)
        for look, mark in enumerate(MARK_TEXTS):
            action = self._colours.addAction(f"Colour {look + 1}, mark {mark}")
            action.setObjectName(f"run_look_{look + 1}")
            action.triggered.connect(lambda _is_checked, look=look: self.tree.give_look(self._chosen_paths(), look))
        self.more_button.setMenu(self._menu)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    def _connect(self) -> None:
        self.tree.itemSelectionChanged.connect(self._on_choice_changed)
        self.tree.itemActivated.connect(self._on_open_clicked)
        self.search_field.textChanged.connect(self._on_search_changed)
        self.notes.written.connect(self.notes_written)
        self.open_button.clicked.connect(self._on_open_clicked)
        self.fork_button.clicked.connect(self._on_fork_clicked)
        self.compare_button.clicked.connect(self.compare_action.trigger)
        self.compare_action.triggered.connect(self._on_compare_requested)
        self.show_beside_action.triggered.connect(self._on_show_beside_requested)
        self.tree.shown_changed.connect(self._on_shown_changed)
        self.tree.customContextMenuRequested.connect(self._on_menu_requested)
        self.comparison.back_requested.connect(self._on_back_requested)
        self.verify_button.clicked.connect(self._on_verify_clicked)
        self.delete_button.clicked.connect(self._on_delete_clicked)
        self.undo_button.clicked.connect(self.undo_requested)
        self.empty_button.clicked.connect(self.empty_trash_requested)
        self._family.linkActivated.connect(self._on_relative_clicked)

    def _chosen(self) -> Place | None:
        """The chosen row: the run's folder, and the checkpoint's step where it is one; None where there is not one alone."""
        places = self.tree.chosen_places()
        return places[0] if len(places) == 1 else None

    def _chosen_paths(self) -> list[Path]:
        return list(dict.fromkeys(path for path, _ in self.tree.chosen_places()))

    def _chosen_runs(self) -> list[KeptRun]:
        return [self.tree.runs[path] for path in self._chosen_paths()]

    @Slot()
    def _on_choice_changed(self) -> None:
        chosen = self._chosen_runs()
        alone = chosen[0] if len(chosen) == 1 else None
        self.notes.show_notes(alone.path if alone else None, alone.notes if alone else "")
        self._problem.setText(alone.problem if alone else "")
        self._problem.setVisible(bool(alone and alone.problem))
        self._show_family()
        self._show_possible()

    def _show_family(self) -> None:
        """What the chosen run was copied from, and what was copied from it; a click goes there."""
        chosen = self._chosen_runs()
        parts = []
        if len(chosen) == 1:
            run, runs = chosen[0], self.tree.runs.values()
            copies = [other for other in runs if other.parent and other.parent[0] == run.path.name]
            if run.parent:
                parts.append(f"Copy of {self._link(run.parent[0])} from step {count_text(run.parent[1])}.")
            if copies:
                parts.append(f"Copied as {', '.join(self._link(copy.path.name) for copy in copies)}.")
        self._family.setText(" ".join(parts))
        self._family.setVisible(bool(parts))

    def _link(self, name: str) -> str:
        """A run's name as a link, where it is still here."""
        title = escape(began_text(Path(name)))
        if not any(path.name == name for path in self.tree.runs):
            return f"{title} (not here any more)"
        return f"<a href='{escape(name, quote=True)}' style='color: {self._theme.accent_text}'>{title}</a>"

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
        self.compare_action.setEnabled(len(self._chosen_runs()) > 1)
        self.compare_button.setEnabled(self.compare_action.isEnabled())
        shown, others = self.tree.shown, [run for run in self._chosen_runs() if run.path != self._loaded]
        self.show_beside_action.setEnabled(bool(others))
        self.show_beside_action.setChecked(bool(others) and all(run in shown for run in others))
        self.more_button.setEnabled(bool(self._chosen_paths()))

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

    @Slot(str)
    def _on_search_changed(self, text: str) -> None:
        is_any = self.tree.search(text)
        self.search_field.setToolTip("" if is_any else "No run has all of these words")
        set_style_property(self.search_field, "invalid", not is_any)

    @Slot()
    def _on_compare_requested(self) -> None:
        runs = self._chosen_runs()
        self.comparison.show_runs(runs, {run.path: self.tree.look_of(run.path) for run in runs})
        self._pages.setCurrentIndex(_COMPARISON)
        self.compare_requested.emit(self.comparison.paths)

    @Slot(bool)
    def _on_show_beside_requested(self, is_shown: bool) -> None:
        self.tree.tick(self._chosen_paths(), is_shown)

    @Slot()
    def _on_shown_changed(self) -> None:
        self._show_possible()
        self.comparison.show_looks({path: self.tree.look_of(path) for path in self.comparison.paths if path in self.tree.runs})

    @Slot(QPoint)
    def _on_menu_requested(self, place: QPoint) -> None:
        if self._chosen_paths():
            self._menu.popup(self.tree.viewport().mapToGlobal(place))

    @Slot()
    def _on_back_requested(self) -> None:
        self._pages.setCurrentIndex(_LIST)
        self.tree.setFocus()

    @Slot(str)
    def _on_relative_clicked(self, name: str) -> None:
        self.search_field.clear()
        self.tree.choose((path, None) for path in self.tree.runs if path.name == name)


def _button(name: str, text: str, help: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(help)
    button.setToolTip(help)
    set_role(button, "chip")
    return button
