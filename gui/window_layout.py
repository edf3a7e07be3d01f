"""Where the views stand in the window, and how people's arrangement of them is remembered."""

from typing import Final

from PySide6.QtCore import QByteArray, QObject, QSettings, Qt, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from gui.actions import WindowActions
from gui.text_size import sized
from gui.theme import Theme, scaled, set_role
from gui.views.attention import AttentionView
from gui.views.batch import BatchView
from gui.views.control_bar import ControlBar
from gui.views.corpus_card import CorpusCard
from gui.views.cost_card import CostCard
from gui.views.generate import GenerateView
from gui.views.inside import InsideView
from gui.views.message_bar import MessageBar
from gui.views.panel import Dock
from gui.views.probabilities import ProbabilitiesView
from gui.views.progress import ProgressView
from gui.views.runs import RunsView
from gui.views.samples import SamplesView
from gui.views.settings_form import SettingsForm
from gui.views.setup import SetupView
from gui.views.status_line import StatusLine
from gui.views.time_bar import TimeBar
from gui.views.welcome import Welcome

_DEFAULT_SIZE: Final = (1280, 800)
_SIDE_PX: Final = 280
_SCROLL_BAR_PX: Final = 12
_LAYOUT_VERSION: Final = 6
_ACROSS, _DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
_Split = tuple[str, str, Qt.Orientation]
_LAYOUTS: Final[dict[str, tuple[list[list[str]], list[_Split]]]] = {
    "watch": (
        [["progress"], ["attention", "probabilities", "inside", "setup"], ["generate", "samples", "batch", "runs"]],
        [("progress", "attention", _DOWN), ("attention", "generate", _ACROSS)],
    ),
    "inside": (
        [["attention", "generate", "samples", "batch", "setup", "runs"], ["probabilities"], ["progress"], ["inside"]],
        [("attention", "probabilities", _ACROSS), ("attention", "progress", _DOWN), ("probabilities", "inside", _DOWN)],
    ),
    "write": (
        [["generate"], ["samples", "batch", "setup", "runs"], ["progress", "attention", "probabilities", "inside"]],
        [("generate", "samples", _ACROSS), ("samples", "progress", _DOWN)],
    ),
}
"""Each layout's stacks of docks, the first of each on top, and how the room is split: a dock, the new one, and which way."""
_SIZES: Final[dict[str, list[tuple[list[str], tuple[int, int], Qt.Orientation]]]] = {
    "watch": [(["progress", "attention"], (10, 16), _DOWN), (["attention", "generate"], (11, 8), _ACROSS)],
    "inside": [
        (["attention", "probabilities"], (10, 11), _ACROSS),
        (["attention", "progress"], (14, 8), _DOWN),
        (["probabilities", "inside"], (8, 5), _DOWN),
    ],
    "write": [(["generate", "samples"], (11, 8), _ACROSS), (["samples", "progress"], (8, 10), _DOWN)],
}


class WindowLayout(QObject):
    """Builds every view: the line of control on top, the set-up on the left, docks in the centre, the status below."""

    def __init__(self, actions: WindowActions, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.control_bar = ControlBar(actions)
        self.message_bar = MessageBar()
        self.corpus_card = CorpusCard()
        self.settings_form = SettingsForm()
        self.cost_card = CostCard()
        self.welcome = Welcome()
        self.progress = ProgressView()
        self.attention = AttentionView()
        self.probabilities = ProbabilitiesView()
        self.inside = InsideView()
        self.generate = GenerateView()
        self.samples = SamplesView()
        self.batch = BatchView()
        self.setup = SetupView()
        self.runs = RunsView()
        self.time_bar = TimeBar()
        self.time_bar.hide()
        self.status_line = StatusLine()
        self._docks = {
            "progress": _dock("Progress", "progress_dock", self.progress, self.progress.header),
            "attention": _dock("Attention", "attention_dock", self.attention, self.attention.header),
            "probabilities": _dock("Probabilities", "probabilities_dock", self.probabilities, self.probabilities.header),
            "inside": _dock("Inside", "inside_dock", self.inside, self.inside.header),
            "generate": _dock("Write", "generate_dock", self.generate, self.generate.header),
            "samples": _dock("Samples", "samples_dock", self.samples, None),
            "batch": _dock("Batch", "batch_dock", self.batch, self.batch.header),
            "setup": _dock("Set-up", "setup_dock", self.setup, None),
            "runs": _dock("Runs", "runs_dock", self.runs, None),
        }
        for number, dock in enumerate(self._docks.values(), 1):
            dock.show_action.setShortcut(QKeySequence(f"Alt+{number}"))
            window.addAction(dock.show_action)
        self._is_arranged = False
        self._saved_docks: object = None
        self._layout_name = "watch"
        self._layouts = actions.layouts
        self._laboratory = self._make_laboratory()
        self._place("watch")
        self._on_docks_changed()
        self._centre = QStackedWidget()
        self._centre.addWidget(self.welcome)
        self._centre.addWidget(self._laboratory)
        self._arrange()
        for name, action in actions.layouts.items():
            action.triggered.connect(lambda _is_checked, name=name: self.choose_layout(name))
        self._show_layout_name("watch")
        self.control_bar.main_menu.show_actions(self._everything(actions))

    def _make_laboratory(self) -> QMainWindow:
        """A window within the window: docks can be moved within the centre, and out of it."""
        laboratory = QMainWindow()
        laboratory.setWindowFlags(Qt.WindowType.Widget)
        laboratory.setObjectName("laboratory")
        laboratory.setDockNestingEnabled(True)
        laboratory.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        for dock in self._docks.values():
            dock.visibilityChanged.connect(self._on_docks_changed)
            dock.dockLocationChanged.connect(self._on_docks_changed)
            dock.topLevelChanged.connect(self._on_docks_changed)
        return laboratory

    def _arrange(self) -> None:
        middle = QHBoxLayout()
        middle.setContentsMargins(12, 0, 12, 0)
        middle.setSpacing(16 - _SCROLL_BAR_PX)
        middle.addWidget(self._make_side())
        centre = QVBoxLayout()
        centre.setContentsMargins(0, 12, 0, 12)
        centre.addWidget(self._centre)
        middle.addLayout(centre, 1)
        root = QWidget()
        column = QVBoxLayout(root)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.control_bar)
        column.addWidget(self.message_bar)
        column.addLayout(middle, 1)
        column.addWidget(self.time_bar)
        column.addWidget(self.status_line)
        self._window.setCentralWidget(root)
        root.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        root.setFocus()

    def _everything(self, actions: WindowActions) -> dict[str, list[QAction]]:
        """All that can be done, by what it is done to."""
        progress, generate = self.progress, self.generate
        looks = [*actions.themes.values(), actions.theme, actions.enlarge_text, actions.shrink_text, actions.restore_text]
        return {
            "File": [actions.open_corpus, actions.open_checkpoint, actions.save_checkpoint, actions.close_run],
            "Run": [
                actions.train,
                actions.pause,
                actions.step,
                actions.stop,
                actions.verify,
                actions.runs,
                self.runs.compare_action,
                self.runs.show_beside_action,
            ],
            "Curves": [
                progress.log_axis_action,
                *progress.course_actions.values(),
                progress.show_batch_action,
                progress.export_csv_action,
                progress.export_image_action,
            ],
            "Moments": list(self.time_bar.moment_actions),
            "Write": list(generate.write_actions),
            "Panels": [*actions.layouts.values(), *(dock.show_action for dock in self._docks.values())],
            "Looks": looks,
        }

    def _make_side(self) -> QScrollArea:
        side = QWidget()
        set_role(side, "plain")
        sized(side, lambda: side.setFixedWidth(scaled(_SIDE_PX)))
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 12, 0, 8)
        column.setSpacing(8)
        for card in (self.corpus_card, self.settings_form, self.cost_card):
            column.addWidget(card)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("setup_scroll_area")
        scroll.setAccessibleName("Text, settings and costs")
        scroll.setWidget(side)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        sized(scroll, lambda: scroll.setFixedWidth(scaled(_SIDE_PX) + _SCROLL_BAR_PX))
        return scroll

    @Slot()
    def _on_docks_changed(self) -> None:
        """A dock among tabs is named by its tab, and needs no title of its own."""
        for dock in self._docks.values():
            dock.show_tabbed(bool(self._laboratory.tabifiedDockWidgets(dock)))
        for tabs in self._laboratory.findChildren(QTabBar):
            tabs.setAccessibleName("Panels that share this place")
            tabs.setElideMode(Qt.TextElideMode.ElideNone)  # where they are too many, arrows go through them
            tabs.setUsesScrollButtons(True)

    def show_laboratory(self) -> None:
        """Show the docks in place of the invitation."""
        self._centre.setCurrentWidget(self._laboratory)
        self.time_bar.show()
        if self._is_arranged:
            return
        self._is_arranged = True  # only now: docks that are not shown take no sizes
        saved = self._saved_docks
        if not (isinstance(saved, QByteArray) and self._laboratory.restoreState(saved, _LAYOUT_VERSION)):
            self._set_sizes(self._layout_name)

    def show_first(self, has_run: bool) -> None:
        """Bring up attention where there is a run, and what the settings mean where not, if the other one is in its place."""
        setup, attention = self._docks["setup"], self._docks["attention"]
        up, down = (attention, setup) if has_run else (setup, attention)
        if up in self._laboratory.tabifiedDockWidgets(down) and not down.visibleRegion().isEmpty():
            up.raise_()

    def show_batch(self) -> None:
        """Bring up the texts of a step."""
        self._docks["batch"].show()
        self._docks["batch"].raise_()

    def show_runs(self) -> None:
        """Bring the panel of the runs before the others."""
        self.show_laboratory()
        self._docks["runs"].raise_()
        self.runs.setFocus()

    def choose_layout(self, name: str) -> None:
        """Arrange the docks in one of the layouts that the window has, whatever was moved before."""
        self._show_layout_name(name)
        if self._is_arranged:
            self._place(name)
            self._set_sizes(name)
            self._on_docks_changed()

    def _place(self, name: str) -> None:
        """Put every dock where the layout has it; the first of each stack is on top."""
        laboratory, docks = self._laboratory, self._docks
        for dock in docks.values():
            laboratory.removeDockWidget(dock)
            dock.setFloating(False)
        stacks, splits = _LAYOUTS[name]
        heads = [docks[stack[0]] for stack in stacks]
        laboratory.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, heads[0])
        for first, second, orientation in splits:
            laboratory.splitDockWidget(docks[first], docks[second], orientation)
        for head, stack in zip(heads, stacks, strict=True):
            for other in stack[1:]:
                laboratory.tabifyDockWidget(head, docks[other])
        for dock in docks.values():
            dock.show()
        for head in heads:
            head.raise_()

    def _set_sizes(self, name: str) -> None:
        for names, sizes, orientation in _SIZES[name]:
            self._laboratory.resizeDocks([self._docks[dock] for dock in names], list(sizes), orientation)
        inner = self._laboratory.layout()
        if inner is not None:
            inner.activate()  # at once, not when the window next comes to it

    def _show_layout_name(self, name: str) -> None:
        self._layout_name = name
        self._layouts[name].setChecked(True)
        self.control_bar.show_layout(self._layouts[name].text())

    def show_theme(self, theme: Theme) -> None:
        """Draw everything in this theme's colours."""
        for view in (
            self.control_bar,
            self.message_bar,
            self.progress,
            self.attention,
            self.probabilities,
            self.inside,
            self.generate,
            self.samples,
            self.batch,
            self.setup,
            self.runs,
            self.time_bar,
        ):
            view.show_theme(theme)

    def save(self, preferences: QSettings) -> None:
        """Remember the window's place and the arrangement of the docks."""
        preferences.setValue("geometry", self._window.saveGeometry())
        if self._is_arranged:
            preferences.setValue("docks", self._laboratory.saveState(_LAYOUT_VERSION))
        preferences.setValue("layout", self._layout_name)
        self.progress.remember(preferences)
        preferences.sync()

    def restore(self, preferences: QSettings) -> None:
        """Bring back what was remembered; the docks follow when they are shown."""
        self._window.resize(*_DEFAULT_SIZE)
        geometry = preferences.value("geometry")
        if geometry is not None:
            self._window.restoreGeometry(geometry)
        self.progress.recall(preferences)
        self.runs.tree.recall(preferences)
        self._saved_docks = preferences.value("docks")
        name = str(preferences.value("layout"))
        if name in _LAYOUTS:
            self._show_layout_name(name)
            self._place(name)


def _dock(title: str, name: str, content: QWidget, header: QWidget | None) -> Dock:
    dock = Dock(title, name, content)
    if header is not None:
        dock.add_control(header)
    return dock
