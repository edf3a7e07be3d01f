import pytest
from PySide6.QtWidgets import QWidget

from gui.redraw import RedrawClock


class Drawn:
    def __init__(self, qtbot):
        self.count = 0
        self.widget = QWidget()
        qtbot.addWidget(self.widget)
        self.clock = RedrawClock(self.widget, self.draw)

    def draw(self):
        self.count += 1


@pytest.fixture
def drawn(qtbot):
    return Drawn(qtbot)


def test_requests_that_come_together_are_one_redraw(drawn, qtbot):
    drawn.widget.show()
    for _ in range(5):
        drawn.clock.request()
    qtbot.waitUntil(lambda: drawn.count > 0)
    assert drawn.count == 1


def test_a_request_during_the_pause_is_served_after_it(drawn, qtbot):
    drawn.widget.show()
    drawn.clock.request()
    qtbot.waitUntil(lambda: drawn.count == 1)
    drawn.clock.request()
    assert drawn.count == 1
    qtbot.waitUntil(lambda: drawn.count == 2)


def test_a_hidden_widget_is_drawn_when_it_appears(drawn, qtbot):
    drawn.clock.request()
    assert drawn.count == 0
    drawn.widget.show()
    qtbot.waitUntil(lambda: drawn.count == 1)


def test_the_pause_grows_with_what_the_redraw_and_its_painting_took(drawn, qtbot):
    drawn.widget.show()
    drawn.clock.request()
    qtbot.waitUntil(lambda: drawn.count == 1)
    drawn.clock.note_painting(0.03)
    assert drawn.clock.interval_s >= 0.03 / drawn.clock.SHARE
    drawn.clock.note_painting(100.0)
    assert drawn.clock.interval_s < drawn.clock.LONGEST_INTERVAL_S


def test_the_pause_has_an_upper_end(drawn, qtbot):
    drawn.widget.show()
    drawn.clock.request()
    qtbot.waitUntil(lambda: drawn.count == 1)
    drawn.clock.note_painting(100.0)
    assert drawn.clock.interval_s == drawn.clock.LONGEST_INTERVAL_S
