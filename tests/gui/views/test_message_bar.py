import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget

from gui.theme import LIGHT
from gui.views.message_bar import MessageBar


@pytest.fixture
def bar(qtbot):
    box = QWidget()
    qtbot.addWidget(box)
    box.show()
    bar = MessageBar(box)
    bar.box = box
    bar.show_theme(LIGHT)
    return bar


def click(qtbot, bar, name):
    qtbot.mouseClick(bar.findChild(QWidget, name), Qt.MouseButton.LeftButton)


def test_nothing_to_say_takes_no_room(bar):
    assert not bar.isVisible()
    assert bar.text() == ""


def test_an_error_stays_until_it_is_closed_and_is_remembered(qtbot, bar):
    bar.show_error("The file is empty.")
    assert bar.isVisible()
    click(qtbot, bar, "close_message_button")
    assert not bar.isVisible()
    assert bar.text() == "The file is empty."


def test_details_can_be_copied(qtbot, bar):
    bar.show_notice("All is well.")
    assert not bar.findChild(QPushButton, "copy_details_button").isVisible()
    bar.show_error("Something went wrong.", "Traceback: here")
    click(qtbot, bar, "copy_details_button")
    assert QGuiApplication.clipboard().text() == "Something went wrong.\n\nTraceback: here"


def test_an_offer_is_taken_with_one_click(qtbot, bar):
    bar.offer("A run was under way.")
    with qtbot.waitSignal(bar.continue_requested):
        click(qtbot, bar, "continue_button")
    assert not bar.isVisible()


def test_an_offer_comes_back_after_a_message(qtbot, bar):
    bar.offer("A run was under way.")
    bar.show_error("The file is empty.")
    assert not bar.findChild(QPushButton, "continue_button").isVisible()
    click(qtbot, bar, "close_message_button")
    assert bar.findChild(QPushButton, "continue_button").isVisible()
    click(qtbot, bar, "close_message_button")
    assert not bar.isVisible()


def test_an_offer_that_is_withdrawn_leaves_a_later_message_alone(bar):
    bar.offer("A run was under way.")
    bar.show_notice("Saved.")
    bar.withdraw_offer()
    assert bar.isVisible()
    assert bar.text() == "Saved."


def test_an_error_that_is_over_goes_and_a_notice_stays(bar):
    bar.show_error("The loss became nan.")
    bar.withdraw_error()
    assert not bar.isVisible()
    bar.show_notice("Saved.")
    bar.withdraw_error()
    assert bar.isVisible()


def test_a_very_long_message_is_cut_and_kept(bar):
    message = "a path that never ends/" * 100
    bar.show_error(message)
    assert bar.text() == message
    assert message in bar.findChild(QWidget, "message_label").toolTip()


def test_a_remedy_stands_beside_its_error_and_goes_with_it(qtbot, bar):
    bar.show_error("The loss became nan.")
    bar.offer_remedy("Go on from step 4")
    button = bar.findChild(QPushButton, "remedy_button")
    assert button.isVisible()
    with qtbot.waitSignal(bar.remedy_requested):
        click(qtbot, bar, "remedy_button")
    bar.show_notice("All is well.")
    assert not button.isVisible()
    bar.offer_remedy("Go on from step 4")
    assert not button.isVisible()
