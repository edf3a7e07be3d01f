from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from gui.events import KeptRun, RunsListed
from gui.views.runs import RunsView

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
    assert texts(first) == ["cats · 2 Jan 03:04", "40", "1.250", "1 kB"]
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
