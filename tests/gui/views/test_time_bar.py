import pytest
from PySide6.QtCore import Qt

from gui.theme import LIGHT
from gui.views.time_bar import TimeBar


@pytest.fixture
def bar(qtbot):
    shown = TimeBar()
    qtbot.addWidget(shown)
    shown.resize(900, 40)
    shown.show()
    shown.chosen = []
    shown.moment_chosen.connect(shown.chosen.append)
    return shown


def label(bar):
    return bar.findChild(object, "moment_label").text()


def test_without_moments_it_says_what_gathers_here(bar):
    assert label(bar) == TimeBar.EMPTY_TEXT
    assert not bar.time_slider.isEnabled()
    bar.show_moments([0], [0])
    assert not bar.play_button.isEnabled()


def test_it_follows_the_run_until_a_moment_is_chosen(bar, qtbot):
    bar.show_moments([0, 10, 20], [0, 2])
    assert (label(bar), bar.is_live) == ("step 20", True)
    bar.show_moments([0, 10, 20, 1300], [0, 2])
    assert label(bar) == "step 1,300"
    assert bar.chosen == []
    bar.time_slider.setFocus()
    qtbot.keyClick(bar.time_slider, Qt.Key.Key_Left)
    assert (bar.chosen, label(bar), bar.is_live) == ([2], "step 20", False)


def test_a_chosen_moment_stays_while_others_come_and_go(bar):
    bar.show_moments([0, 10, 20, 30], [])
    bar.time_slider.setValue(2)
    bar.show_moments([0, 20, 30, 40], [])
    assert (label(bar), bar.time_slider.value()) == ("step 20", 1)
    assert bar.chosen == [2]


def test_live_goes_back_to_the_latest(bar):
    bar.show_moments([0, 10, 20], [])
    bar.time_slider.setValue(0)
    bar.live_button.click()
    assert (bar.chosen, label(bar), bar.is_live) == ([0, None], "step 20", True)


def test_play_runs_to_the_end_and_is_live_there(bar, qtbot):
    bar.show_moments([0, 10, 20, 30], [])
    bar.play_button.click()
    qtbot.waitUntil(lambda: bar.is_live)
    assert bar.chosen == [0, 1, 2, None]


def test_play_can_be_halted(bar, qtbot):
    bar.show_moments(list(range(100)), [])
    bar.play_button.click()
    qtbot.waitUntil(lambda: len(bar.chosen) > 2)
    bar.play_button.click()
    halted = bar.time_slider.value()
    qtbot.wait(2 * bar.FRAME_MS)
    assert bar.time_slider.value() == halted


def test_a_run_that_is_gone_leaves_nothing_to_go_back_to(bar):
    bar.show_moments([0, 10], [])
    bar.time_slider.setValue(0)
    bar.go_live()
    bar.show_moments([], [])
    bar.show_theme(LIGHT)
    assert label(bar) == TimeBar.EMPTY_TEXT


def test_a_moment_alone_is_the_latest_and_says_that_it_is_alone(bar):
    bar.show_moments([40], [0])
    assert label(bar) == "step 40 · the only moment so far"
    assert bar.time_slider.value() == bar.time_slider.maximum() > bar.time_slider.minimum()
    bar.show_moments([40, 50], [])
    assert (label(bar), bar.time_slider.minimum()) == ("step 50", 0)


def test_a_moment_of_another_probe_says_so_and_which_it_was(bar):
    bar.show_moments([0, 10], [])
    bar.time_slider.setValue(0)
    bar.show_probe_differs("a < b")
    assert label(bar) == "step 0 · of another probe"
    assert "a &lt; b" in bar.findChild(object, "moment_label").toolTip()
    bar.show_probe_differs("")
    assert label(bar) == "step 0"
