from math import nan

import pytest
from PySide6.QtWidgets import QLabel

from gui.views.status_line import StatusLine


@pytest.fixture
def line(qtbot):
    line = StatusLine()
    qtbot.addWidget(line)
    line.show()
    return line


def label(line, name):
    return line.findChild(QLabel, f"status_{name}_label")


def test_figures_show_in_the_form_people_read(line):
    line.show_step(1.7949, 26410.2, 24.2)
    assert [label(line, name).text() for name in ("loss", "rate", "time_left")] == ["1.795", "26,410", "24 s"]


def test_what_is_read_changes_at_most_four_times_a_second(qtbot, line):
    line.show_step(4.0, 100.0, 50.0)
    line.show_step(3.0, 100.0, 50.0)
    line.show_step(2.0, 100.0, 50.0)
    assert label(line, "loss").text() == "4.000"
    qtbot.waitUntil(lambda: label(line, "loss").text() == "2.000")


def test_a_run_that_rests_has_no_speed(qtbot, line):
    line.show_step(1.8, 100.0, nan)
    line.show_idle()
    qtbot.waitUntil(lambda: not label(line, "rate").isVisible())
    assert label(line, "loss").isVisible()


def test_an_evaluation_tells_how_far_it_is(qtbot, line):
    line.show_evaluation(20, 80)
    assert label(line, "evaluation").text() == "25 %"
    line.show_validation(1.913)
    qtbot.waitUntil(lambda: label(line, "validation").text() == "1.913")
    assert not label(line, "evaluation").isVisible()


def test_a_save_is_told_and_forgotten_with_its_run(line):
    line.show_saved()
    assert label(line, "saved").text() == "saved just now"
    line.clear()
    assert label(line, "saved").text() == ""
