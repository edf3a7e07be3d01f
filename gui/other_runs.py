"""The curves of other runs beside the present one's: which were asked for, and what is known of them."""

from collections.abc import Callable
from pathlib import Path

from gui.commands import Command, ReadCurves
from gui.events import CurvesRead
from gui.run_history import RunHistory
from gui.window_layout import WindowLayout


class OtherRuns:
    """Has the runs that are ticked in the library read, again where they have gone on, and drawn in the plot of the loss."""

    def __init__(self, views: WindowLayout, post: Callable[[Command], None]) -> None:
        self._views = views
        self._post = post
        self._read_at: dict[Path, int] = {}
        self._histories: dict[Path, RunHistory] = {}
        views.runs.tree.shown_changed.connect(self.show)

    def show(self) -> None:
        """Show what is ticked now, as far as it is known, and have the rest read."""
        tree = self._views.runs.tree
        shown = [run for run in tree.shown if run.path in self._histories]
        wanted = {run.path: run.step for run in tree.shown}
        if any(self._read_at.get(path) != step for path, step in wanted.items()):
            self._post(ReadCurves(paths=tuple(wanted)))
        self._read_at = wanted
        others = [(run, tree.look_of(run.path), self._histories[run.path]) for run in shown]
        self._views.progress.show_others(others, tree.loaded_run)

    def take(self, event: CurvesRead) -> None:
        """The numbers of runs were read, perhaps for somebody else."""
        for path in self._read_at.keys() & event.curves.keys():
            self._histories[path] = RunHistory()
            self._histories[path].reset(event.curves[path])
        self._histories = {path: history for path, history in self._histories.items() if path in self._read_at}
        self.show()
