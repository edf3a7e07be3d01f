"""At 1280 by 800 every word can be read."""

import pytest
from PySide6.QtWidgets import QAbstractButton, QDockWidget, QLabel, QTabBar

from gui.views.elided_label import ElidedLabel

SIDE_PX = 24  # what the style sheet leaves on both sides of a tab's text


def cut_labels(window):
    """The visible labels and buttons that are narrower than their text."""
    for label in window.findChildren(QLabel):
        is_plain = not label.wordWrap() and not isinstance(label, ElidedLabel) and label.text()
        if (
            is_plain
            and label.isVisible()
            and not label.visibleRegion().isEmpty()
            and label.width() < label.sizeHint().width() - 1
        ):
            yield label.objectName() or label.text()
    for button in window.findChildren(QAbstractButton):
        text = button.fontMetrics().horizontalAdvance(button.text().replace("&", ""))
        if button.isVisible() and text > button.width():
            yield button.text()


def cut_tabs(window):
    for bar in window.findChildren(QTabBar):
        for index in range(bar.count() if bar.isVisible() else 0):
            if bar.fontMetrics().horizontalAdvance(bar.tabText(index)) + SIDE_PX > bar.tabRect(index).width():
                yield bar.tabText(index)


@pytest.mark.parametrize("layout", ["watch", "inside", "write"])
def test_no_text_is_cut(person, text_file, layout):
    person.window.resize(1280, 800)
    person.open(text_file)
    person.do(f"layout_{layout}_action")
    person.wait(lambda: not list(cut_tabs(person.window)))
    assert list(cut_labels(person.window)) == []
    person.set_up()
    person.do("train_action")
    person.wait_for_state("finished")
    person.generate()
    person.wait(lambda: person.find("place_label").text() != "")
    person.find("probabilities_dock").raise_()
    person.wait(lambda: not list(cut_labels(person.window)))
    for panel in ("inside", "attention", "batch", "setup", "samples", "progress", "generate"):
        person.find(f"{panel}_dock").raise_()
        person.wait(lambda: not [*cut_tabs(person.window), *cut_labels(person.window)])


@pytest.mark.parametrize("action", ["shrink_text_action", "enlarge_text_action"])
def test_no_text_is_cut_at_any_size(person, text_file, action):
    person.train(text_file)
    person.window.resize(1280, 800)
    while person.action(action).isEnabled():
        person.do(action)
        for layout in ("watch", "inside", "write"):
            person.do(f"layout_{layout}_action")
            for dock in person.window.findChildren(QDockWidget):
                dock.raise_()
                person.wait(lambda: not [*cut_tabs(person.window), *cut_labels(person.window)])
