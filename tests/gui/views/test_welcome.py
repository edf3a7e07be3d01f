import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from gui.theme import DARK, apply_theme
from gui.views.welcome import Welcome


@pytest.fixture
def welcome(qapp, qtbot):
    apply_theme(qapp, DARK)
    welcome = Welcome()
    qtbot.addWidget(welcome)
    welcome.show()
    return welcome


def button(welcome, name):
    return welcome.findChild(QPushButton, f"welcome_{name}_button")


@pytest.mark.parametrize("name", ["tales", "sums", "echo"])
def test_a_click_anywhere_on_a_card_opens_its_text(qtbot, welcome, name):
    with qtbot.waitSignal(welcome.bundled_requested) as requested:
        qtbot.mouseClick(button(welcome, name), Qt.MouseButton.LeftButton)
    assert requested.args == [name]


def test_cards_have_room_for_what_they_say(welcome):
    for label in button(welcome, "tales").findChildren(QLabel):
        assert label.heightForWidth(label.width()) <= label.height() or not label.wordWrap()


def test_the_invitation_asks_for_a_text(qtbot, welcome):
    with qtbot.waitSignal(welcome.open_requested):
        qtbot.mouseClick(button(welcome, "open"), Qt.MouseButton.LeftButton)
