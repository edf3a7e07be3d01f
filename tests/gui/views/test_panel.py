import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow

from gui.theme import DARK, LIGHT, apply_theme
from gui.views.header_row import HeaderRow
from gui.views.panel import Card, Dock


@pytest.fixture
def window(qapp, qtbot):
    apply_theme(qapp, DARK)
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(400, 300)
    return window


def test_a_dock_is_dragged_by_the_header_that_it_shows(window):
    dock = Dock("Progress", "progress_dock", QLabel("body"))
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.show()
    assert dock.titleBarWidget() is dock.header
    assert dock.header.height() >= 38
    assert dock.widget().y() >= dock.header.geometry().bottom()
    assert dock.objectName() == "progress_dock"


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_a_dock_follows_the_theme(qapp, window, theme):
    dock = Dock("Progress", "progress_dock", QLabel("body"))
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.show()
    apply_theme(qapp, theme)
    image = dock.grab().toImage()
    assert image.pixelColor(dock.width() // 2, dock.height() - 8) == QColor(theme.panel)
    assert image.pixelColor(0, 0) == QColor(theme.ground)


def test_among_tabs_a_dock_without_controls_has_no_header(window):
    docks = [Dock(title, f"{title}_dock", QLabel("body")) for title in ("Write", "Samples")]
    docks[0].add_control(QLabel("seed 1"))
    for dock in docks:
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
        dock.show_tabbed(True)
    window.show()
    assert docks[0].header.height() >= 38
    assert docks[1].header.height() == 0


def test_controls_of_a_card_stand_at_its_right(qtbot):
    card = Card("Text")
    qtbot.addWidget(card)
    control = QLabel("Open")
    card.add_control(control)
    card.resize(300, 100)
    card.show()
    assert control.geometry().right() > 250


def test_among_tabs_a_header_that_says_nothing_yet_takes_no_room(window):
    dock, row, step = Dock("Inside", "inside_dock", QLabel("body")), HeaderRow(), QLabel()
    row.add(step)
    dock.add_control(row)
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    dock.show_tabbed(True)
    window.show()
    QApplication.sendPostedEvents()
    assert dock.header.height() == 0
    step.setText("step 12")
    row.arrange()
    QApplication.sendPostedEvents()
    assert dock.header.height() >= 38
