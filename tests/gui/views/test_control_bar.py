import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from gui.actions import WindowActions
from gui.theme import DARK, apply_theme
from gui.views.control_bar import ControlBar


@pytest.fixture
def bar(qapp, qtbot):
    apply_theme(qapp, DARK)
    window = QWidget()
    qtbot.addWidget(window)
    actions = WindowActions(window)
    bar = ControlBar(actions, window)
    bar.step_action = actions.step
    window.show()
    return bar


def button(bar, name):
    return bar.findChild(QPushButton, f"{name}_button")


@pytest.mark.parametrize(
    ("state", "title"),
    [("idle", "Idle"), ("training", "Training"), ("paused", "Paused"), ("finished", "Finished"), ("failed", "Failed")],
)
def test_the_state_is_told_and_one_primary_button_with_it(bar, state, title):
    bar.show_state(state)
    assert bar.findChild(QLabel, "run_state_label").text() == title
    assert button(bar, "pause").isVisible() == (state == "training")
    assert button(bar, "train").isVisible() == (state != "training")


def test_a_button_does_what_its_action_does(qtbot, bar):
    action = bar.step_action
    with qtbot.waitSignal(action.triggered):
        qtbot.mouseClick(button(bar, "step"), Qt.MouseButton.LeftButton)
    action.setEnabled(False)
    assert not button(bar, "step").isEnabled()


def test_the_step_is_counted_only_where_there_is_a_run(bar):
    number = bar.findChild(QLabel, "step_number_label")
    assert not number.isVisible()
    bar.show_step(1240, 2000)
    assert number.isVisible()
    assert number.text() == "1,240"


def test_everything_fits_into_a_thousand_pixels(bar):
    bar.show_theme(DARK)
    bar.show_state("training")
    bar.show_step(1_240_000, 2_000_000)
    QApplication.sendPostedEvents()  # what became longer asks for its room so
    assert bar.minimumSizeHint().width() <= 1000


def test_every_control_has_a_name(bar):
    assert all(control.objectName() and control.accessibleName() for control in bar.findChildren(QPushButton))
