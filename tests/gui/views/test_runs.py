from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon

from gui.events import CurvesRead, KeptRun, RunsListed
from gui.theme import DARK, LIGHT
from gui.views.run_names import differences, legend_names
from gui.views.run_tree import swatch
from gui.views.runs import RunsView
from nanograd.training.metrics import MetricsArrays

FIRST, SECOND = Path("/runs/2026-01-02-030405-cats"), Path("/runs/dogs")


def kept(path, byte_count=1000, is_open=False, **changes):
    values = {
        "corpus_name": "cats.txt", "step": 40, "max_steps": 2000, "best_loss": 1.25, "parent": None,
        "settings": {"lr": 1e-3, "n_layer": 2}, "notes": "", "problem": "",
        "checkpoints": ((20, 300), (40, 400)),
    }  # fmt: skip
    return KeptRun(path=path, byte_count=byte_count, is_open=is_open, **(values | changes))


def listed(*runs, loaded=None, trash=0):
    return RunsListed(runs=runs, loaded=loaded, texts_byte_count=2000, trash_byte_count=trash)


@pytest.fixture
def view(qtbot):
    view = RunsView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    return view


def texts(item):
    return [item.text(column) for column in range(4)]


def choose(view, row, checkpoint=None):
    item = view.tree.topLevelItem(row)
    view.tree.setCurrentItem(item if checkpoint is None else item.child(checkpoint))


def test_a_run_is_named_by_its_text_and_its_beginning_with_its_checkpoints_below_the_newest_first(view):
    view.show_runs(listed(kept(FIRST), kept(SECOND, best_loss=None)))
    first, second = view.tree.topLevelItem(0), view.tree.topLevelItem(1)
    assert texts(first) == ["2 Jan 03:04 · cats", "40", "1.250", "1 kB"]
    assert texts(second)[:3] == ["dogs", "40", "–"]
    assert [texts(first.child(index))[1::2] for index in range(2)] == [["40", "400 B"], ["20", "300 B"]]
    assert FIRST.name in first.toolTip(0)
    assert "step 40 of 2,000" in first.toolTip(0)


def test_bars_show_the_share_of_the_largest_run(view):
    view.show_runs(listed(kept(FIRST, 1000), kept(SECOND, 4000)))
    shares = [view.tree.topLevelItem(row).data(3, Qt.ItemDataRole.UserRole + 1) for row in range(2)]
    assert shares == [0.25, 1.0]
    assert view.tree.topLevelItem(0).child(0).data(3, Qt.ItemDataRole.UserRole + 1) == 0.1


def test_what_takes_room_is_summed_up_and_the_trash_can_be_emptied_where_it_holds_something(view):
    view.show_runs(listed(kept(FIRST)))
    assert not view.empty_button.isVisible()
    view.show_runs(listed(kept(FIRST), kept(SECOND), trash=5000))
    assert view.empty_button.isVisible()
    view.show_runs(listed(trash=5000))
    assert view.empty_button.isVisible()
    view.show_runs(listed())
    assert not view.empty_button.isVisible()


@pytest.mark.parametrize(
    ("row", "checkpoint", "expected"),
    [(0, None, "open fork verify"), (0, 1, "fork verify"), (1, None, "open fork verify"), (2, None, "open fork verify delete")],
)
def test_buttons_do_what_suits_the_row(view, row, checkpoint, expected):
    """The loaded run and one that is open elsewhere are not deleted, and only a whole run is opened."""
    view.show_runs(listed(kept(FIRST, is_open=True), kept(SECOND, is_open=True), kept(Path("/runs/free")), loaded=FIRST))
    choose(view, row, checkpoint)
    buttons = {"open": view.open_button, "fork": view.fork_button, "verify": view.verify_button, "delete": view.delete_button}
    assert " ".join(name for name, button in buttons.items() if button.isEnabled()) == expected


def test_while_a_run_trains_others_wait(view):
    view.show_runs(listed(kept(FIRST)))
    choose(view, 0)
    view.show_training(True)
    assert not any(button.isEnabled() for button in (view.open_button, view.fork_button, view.verify_button))
    assert view.delete_button.isEnabled()


def test_a_checkpoint_is_told_by_its_step(qtbot, view):
    view.show_runs(listed(kept(FIRST)))
    choose(view, 0, 1)
    for signal, button in ((view.fork_requested, view.fork_button), (view.verify_requested, view.verify_button)):
        with qtbot.waitSignal(signal) as told:
            button.click()
        assert told.args == [FIRST, 20]


def test_the_loaded_run_is_chosen_and_a_choice_outlasts_a_new_list(view):
    view.show_runs(listed(kept(FIRST), kept(SECOND), loaded=SECOND))
    assert view.tree.currentItem() is view.tree.topLevelItem(1)
    choose(view, 0, 0)
    view.tree.topLevelItem(0).setExpanded(True)
    view.show_runs(listed(kept(SECOND), kept(FIRST), loaded=SECOND))
    assert view.tree.currentItem() is view.tree.topLevelItem(1).child(0)
    assert view.tree.topLevelItem(1).isExpanded()


def test_a_replay_under_way_can_be_stopped(qtbot, view):
    view.show_runs(listed(kept(FIRST)))
    view.show_verification("Replayed to step 4 of 9", is_under_way=True)
    assert view.verify_button.text() == "Stop"
    with qtbot.waitSignal(view.stop_requested):
        view.verify_button.click()
    view.show_verification("Done", is_under_way=False)
    assert view.verify_button.text() == "Verify"


def titles(view):
    rows = map(view.tree.topLevelItem, range(view.tree.topLevelItemCount()))
    return [row.data(0, Qt.ItemDataRole.UserRole)[0].name for row in rows if not row.isHidden()]


def curves_of(*losses):
    steps, numbers = np.arange(1, len(losses) + 1), np.array(losses, np.float64)
    return MetricsArrays(
        steps=steps, train_loss=numbers, lr=numbers, gradient_norm=numbers, tokens_per_second=numbers,
        validation_steps=steps, validation_loss=numbers,
    )  # fmt: skip


def test_the_search_finds_each_word_in_names_texts_and_notes_and_says_where_none_has_them(view):
    view.show_runs(listed(kept(FIRST, notes="Higher rate, worse"), kept(SECOND, corpus_name="dogs.txt")))
    view.search_field.setText("RATE cats")
    assert titles(view) == [FIRST.name]
    view.show_runs(listed(kept(SECOND, corpus_name="dogs.txt"), kept(FIRST, notes="Higher rate, worse")))
    assert titles(view) == [FIRST.name]
    view.search_field.setText("rate dogs")
    assert titles(view) == []
    assert view.search_field.toolTip() == "No run has all of these words"
    view.search_field.clear()
    assert titles(view) == [SECOND.name, FIRST.name]
    assert view.search_field.toolTip() == ""


@pytest.mark.parametrize(("column", "expected"), [(0, "abc"), (1, "cab"), (2, "bca"), (3, "acb")])
def test_a_click_on_a_heading_sorts_by_what_the_cells_stand_for(view, column, expected):
    """Not by their texts: 9 comes before 1,000; a run without a loss comes last."""
    runs = [
        kept(Path("/runs/c"), 3000, step=9, best_loss=2.0),
        kept(Path("/runs/a"), 999, step=10, best_loss=None),
        kept(Path("/runs/b"), 10_000, step=1000, best_loss=1.0),
    ]
    view.show_runs(listed(*runs))
    assert "".join(titles(view)) == "cab"
    header = view.tree.header()
    header.setSortIndicator(column, Qt.SortOrder.AscendingOrder)
    assert "".join(titles(view)) == expected
    header.setSortIndicator(column, Qt.SortOrder.DescendingOrder)
    assert "".join(titles(view)) == expected[::-1]
    header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
    assert "".join(titles(view)) == "cab"


def test_a_copy_is_marked_and_tells_its_parent_and_the_parent_its_copies(view):
    view.show_runs(listed(kept(FIRST), kept(SECOND, parent=(FIRST.name, 20)), kept(Path("/runs/x"), parent=("gone", 3))))
    assert [view.tree.topLevelItem(row).text(0) for row in range(3)] == ["2 Jan 03:04 · cats", "↳ dogs", "↳ x"]
    family = view._family
    choose(view, 1)
    assert "from step 20" in family.text()
    family.linkActivated.emit(FIRST.name)
    assert view.tree.currentItem() is view.tree.topLevelItem(0)
    assert "Copied as" in family.text()
    assert "dogs" in family.text()
    choose(view, 2)
    assert "gone (not here any more)" in family.text()


def test_notes_are_told_once_typing_rests_and_a_new_list_does_not_disturb_typing(qtbot, view):
    view.show_runs(listed(kept(FIRST, notes="old"), kept(SECOND)))
    choose(view, 0)
    assert view.notes.toPlainText() == "old"
    with qtbot.waitSignal(view.notes_written) as told:
        view.notes.setPlainText("new")
        view.show_runs(listed(kept(FIRST, notes="old"), kept(SECOND)))
        assert view.notes.toPlainText() == "new"
    assert told.args == [FIRST, "new"]
    view.show_runs(listed(kept(FIRST, notes="old"), kept(SECOND)))  # was under way before the notes were written
    assert view.notes.toPlainText() == "new"


def test_notes_are_told_when_another_run_is_chosen(qtbot, view):
    view.show_runs(listed(kept(FIRST), kept(SECOND, notes="of dogs")))
    choose(view, 0)
    view.notes.setPlainText("of cats")
    with qtbot.waitSignal(view.notes_written) as told:
        choose(view, 1)
    assert told.args == [FIRST, "of cats"]
    assert view.notes.toPlainText() == "of dogs"


def test_the_legend_names_only_what_differs():
    runs = [kept(FIRST), kept(SECOND, settings={"lr": 3e-3, "n_layer": 2})]
    assert differences(runs) == {"Learning rate": ["1e-3", "3e-3"]}
    assert legend_names(runs) == ["Learning rate 1e-3", "Learning rate 3e-3"]


def test_runs_of_the_same_settings_are_told_apart_by_their_beginning():
    assert legend_names([kept(FIRST), kept(SECOND)]) == ["2 Jan 03:04 · cats", "dogs"]


def test_a_run_without_settings_makes_no_difference_and_one_of_a_newer_version_keeps_what_is_not_known_here():
    runs = [kept(FIRST), kept(SECOND, settings={"lr": 1e-3, "n_layer": 2, "warp": True}), kept(Path("/runs/x"), settings={})]
    assert differences(runs) == {"warp": ["–", "yes", "–"]}
    assert legend_names(runs) == ["warp –, 2 Jan 03:04 · cats", "warp yes", "x"]


def test_chosen_runs_are_compared_in_their_colours_and_what_is_missing_is_told(qtbot, view):
    third = Path("/runs/x")
    view.show_runs(listed(kept(FIRST), kept(SECOND, settings={"lr": 3e-3}), kept(third, problem="Its metrics.jsonl is missing.")))
    choose(view, 0)
    assert not view.compare_action.isEnabled()
    for row in (1, 2):
        view.tree.topLevelItem(row).setSelected(True)
    with qtbot.waitSignal(view.compare_requested) as told:
        view.compare_button.click()
    assert told.args == [(FIRST, SECOND, third)]
    comparison = view.comparison
    assert comparison.isVisible()
    comparison.show_curves(CurvesRead(curves={FIRST: curves_of(3, 2), SECOND: curves_of(3, 2, 1)}))  # of an earlier choice
    assert comparison.plot.drawn == []
    comparison.show_curves(CurvesRead(curves={FIRST: curves_of(3, 2), SECOND: curves_of(3, 2, 1), third: curves_of()}))
    assert [(name, count) for name, _, count in comparison.plot.drawn] == [
        ("training", 2), ("training", 3), ("training", 0), ("validation", 2), ("validation", 3), ("validation", 0),
    ]  # fmt: skip
    validation = [colour for name, colour, _ in comparison.plot.drawn if name == "validation"]
    assert validation == list(DARK.runs[:3])
    assert "metrics.jsonl is missing" in comparison._missing.text()
    comparison.training_setting.click()
    assert {name for name, *_ in comparison.plot.drawn} == {"validation"}
    view.show_theme(LIGHT)
    assert [colour for _, colour, _ in comparison.plot.drawn] == list(LIGHT.runs[:3])
    comparison.back_button.click()
    assert view.tree.isVisible()


_SEEN = {
    "by most": np.eye(3),
    "without green": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "without red": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
}
"""Linear RGB as it is seen, after Machado, Oliveira and Fernandes (2009)."""


def lab(colour, seen):
    rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.clip(seen @ np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4), 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ linear / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("seen", _SEEN.values(), ids=_SEEN.keys())
def test_the_colours_of_runs_are_told_apart_whichever_colours_one_sees(theme, seen):
    places = np.array([lab(colour, seen) for colour in theme.runs])
    distances = np.linalg.norm(places[:, None] - places, axis=-1)
    assert distances[~np.eye(len(places), dtype=bool)].min() > 15


def test_a_chosen_run_keeps_its_colour(qapp):
    discs = [swatch(DARK, 0).pixmap(QSize(9, 9), mode).toImage() for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected)]
    assert [disc.pixelColor(4, 4).name().upper() for disc in discs] == [DARK.runs[0]] * 2
