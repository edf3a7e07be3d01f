"""Other runs beside the present one in the plot of its loss, and the colours of runs."""

import pytest
from PySide6.QtCore import QPoint, Qt

from gui.theme import DARK


@pytest.fixture
def one_of_two(person, text_file, runs):
    """The folder of a finished run; another, with more layers, is under way in the window."""
    person.train(text_file)
    first = runs()[0].path
    person.do("close_run_action")
    person.wait_for_state("idle")
    person.train_past(text_file, 3, n_layer=2)
    person.action("runs_action").trigger()
    person.wait(lambda: len(person.find("run_library").runs) == 2 and person.find("run_library").loaded_run is not None)
    return first


def rows_of(person):
    tree = person.find("run_library")
    items = [tree.topLevelItem(index) for index in range(tree.topLevelItemCount())]
    return {item.data(0, Qt.ItemDataRole.UserRole)[0]: item for item in items}


def drawn(person):
    return person.find("loss_plot").others.drawn


def test_a_ticked_run_lies_behind_the_present_one_while_it_trains(person, one_of_two, qtbot):
    tree = person.find("run_library")
    row = rows_of(person)[one_of_two]
    tree.setCurrentItem(row)
    tree.setFocus()
    qtbot.keyClick(tree, Qt.Key.Key_Space)
    person.wait(lambda: [(name, count) for name, _, count in drawn(person)] == [("training", 12), ("validation", 4)])
    legend = person.find("other_runs_legend")
    assert legend.isVisible()
    assert "Layers 1" in legend.text()
    assert "Layers 2" in legend.text()
    assert "Heads" not in legend.text()
    reached = len(person.window.history.steps)
    person.wait(lambda: len(person.window.history.steps) > reached + 3)
    assert drawn(person)
    person.action("show_beside_action").trigger()
    person.wait(lambda: not drawn(person))
    assert not legend.isVisible()
    assert person.errors == []


def test_a_click_on_the_disc_of_a_run_ticks_it_and_the_present_run_has_no_tick(person, one_of_two, qtbot):
    tree = person.find("run_library")
    rect = tree.visualItemRect(rows_of(person)[one_of_two])
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(rect.left() + 8, rect.center().y()))
    person.wait(lambda: bool(drawn(person)))
    present = tree.loaded_run.path
    assert not rows_of(person)[present].flags() & Qt.ItemFlag.ItemIsUserCheckable
    tree.tick([present], True)
    assert [run.path for run in tree.shown] == [one_of_two]


def test_a_run_keeps_its_colour_and_the_one_it_was_given_stays_for_the_next_session(person, open_window, one_of_two):
    tree = person.find("run_library")
    looks = {path: tree.look_of(path) for path in tree.runs}
    assert sorted(looks.values()) == [0, 1]
    tree.tick([one_of_two], True)
    person.wait(lambda: bool(drawn(person)))
    assert drawn(person)[-1][1] == DARK.runs[looks[one_of_two]]
    tree.setCurrentItem(rows_of(person)[one_of_two])
    person.action("run_look_5").trigger()
    person.wait(lambda: drawn(person) and drawn(person)[-1][1] == DARK.runs[4])
    rows_of(person)[tree.loaded_run.path].setSelected(True)
    person.action("compare_runs_action").trigger()
    plot = person.find("comparison_plot")
    person.wait(lambda: DARK.runs[4] in [colour for _, colour, _ in plot.drawn])
    person.action("run_look_1").trigger()
    person.wait(lambda: {colour for _, colour, _ in plot.drawn} == {DARK.runs[0]})
    rows_of(person)[tree.loaded_run.path].setSelected(False)
    person.action("run_look_7").trigger()
    person.leave()
    again = open_window()
    again.action("runs_action").trigger()
    again.wait(lambda: len(again.find("run_library").runs) == 2)
    assert again.find("run_library").look_of(one_of_two) == 6


def test_a_ticked_run_that_is_opened_is_the_present_one_and_one_without_curves_is_no_fault(person, one_of_two, runs):
    tree = person.find("run_library")
    second = tree.loaded_run.path
    tree.tick([one_of_two], True)
    person.wait(lambda: bool(drawn(person)))
    person.do("stop_action")
    person.wait_for_state("finished")
    (second / "metrics.jsonl").unlink()
    person.open_checkpoint(one_of_two)
    person.wait(lambda: not drawn(person) and tree.loaded_run is not None and tree.loaded_run.path == one_of_two)
    tree.tick([second], True)
    person.wait(lambda: [count for *_, count in drawn(person)] == [0, 0])
    assert person.find("other_runs_legend").isVisible()
    assert person.errors == []
