"""The window without a mouse, and for those who hear it."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QAbstractSpinBox, QComboBox, QDockWidget, QMenu


def is_on_top(dock):
    return dock.isVisible() and not dock.visibleRegion().isEmpty()


def stops(window):
    """What the Tab key comes to, in its order."""
    found, widget = [], window
    while True:
        widget = widget.nextInFocusChain()
        if widget is window or widget in found:
            return found
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled():
            found.append(widget)


def test_everything_that_takes_the_keyboard_says_what_it_is(person, text_file):
    person.train(text_file)
    for layout in ("watch", "inside", "write"):
        person.do(f"layout_{layout}_action")
        for widget in stops(person.window):
            owner = (
                widget.parentWidget()
                if isinstance(widget.parentWidget(), QAbstractSpinBox | QComboBox | QAbstractScrollArea)
                else widget
            )
            name = owner.accessibleName() or (owner.text() if isinstance(owner, QAbstractButton) else "")
            assert name, (owner, owner.objectName(), owner.parentWidget(), owner.focusPolicy())


def test_the_tab_key_goes_from_the_controls_through_the_set_up_to_the_panels(person, text_file):
    person.train(text_file)
    chain = stops(person.window)
    order = [chain.index(person.find(name)) for name in ("train_button", "setting_n_layer", "setting_lr", "smoothing_setting")]
    assert order == sorted(order)
    form = [widget for widget in chain if widget.objectName().startswith("setting_")]
    heights = [widget.mapTo(person.window, widget.rect().topLeft()).y() for widget in form]
    assert heights == sorted(heights)


def test_the_menu_names_every_action_once_with_its_keys(person):
    menu = person.window.findChild(QMenu, "main_menu")
    offered = [action for group in menu.actions() for action in group.menu().actions()]
    named = {action.objectName() for action in person.window.findChildren(QAction) if action.objectName().endswith("_action")}
    assert {action.objectName() for action in offered} == named
    assert len(offered) == len(named)
    without = {action.objectName() for action in offered if action.shortcut().isEmpty()}
    assert without == {"theme_system_action", "theme_light_action", "theme_dark_action"}  # Ctrl+Shift+L goes through them


def test_no_keys_do_two_things(person):
    keys = [key.toString() for action in person.window.findChildren(QAction) for key in action.shortcuts()]
    keys += [
        button.shortcut().toString() for button in person.window.findChildren(QAbstractButton) if not button.shortcut().isEmpty()
    ]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("number", range(1, 8))
def test_each_panel_comes_forward_with_the_keyboard_in_it(person, text_file, qtbot, number):
    person.train(text_file)
    person.window.activateWindow()
    person.wait(person.window.isActiveWindow)
    action = next(action for action in person.window.findChildren(QAction) if action.shortcut() == QKeySequence(f"Alt+{number}"))
    dock = person.window.findChild(QDockWidget, action.objectName().removeprefix("show_").removesuffix("_action"))
    qtbot.keyClick(person.window, Qt.Key(Qt.Key.Key_0.value + number), Qt.KeyboardModifier.AltModifier)
    person.wait(lambda: is_on_top(dock))


def test_moments_are_gone_through_by_keyboard(person, text_file, qtbot):
    person.train(text_file)
    slider = person.find("time_slider")
    last = slider.maximum()
    person.do("earlier_action")
    assert slider.value() == last - 1
    person.do("later_action")
    assert slider.value() == last
    person.do("earlier_action")
    person.do("live_action")
    assert slider.value() == last


@pytest.mark.qt_log_ignore("does not support raise", "does not support propagateSizeHints")
def test_docks_that_were_moved_tabbed_and_floated_come_back_as_they_were_left(open_window, text_file):
    first = open_window()
    first.train(text_file)
    laboratory = first.find("laboratory")
    floated, moved = first.find("inside_dock"), first.find("samples_dock")
    floated.setFloating(True)
    laboratory.tabifyDockWidget(first.find("progress_dock"), moved)
    first.do("show_setup_dock_action")
    first.leave()
    second = open_window()
    second.open(text_file)
    assert second.find("inside_dock").isFloating()
    assert second.find("progress_dock") in second.find("laboratory").tabifiedDockWidgets(second.find("samples_dock"))
    second.wait(lambda: is_on_top(second.find("setup_dock")))


def test_how_the_curves_are_shown_is_remembered(open_window, text_file):
    first = open_window()
    first.open(text_file)
    first.set("smoothing_setting", 0.5)
    first.do("log_axis_action")
    first.do("show_gradient_norm_action")
    first.leave()
    second = open_window()
    second.train(text_file)
    assert second.find("smoothing_setting").value() == 0.5
    assert second.find("log_axis_button").isChecked()
    second.wait(lambda: second.find("gradient_norm_plot").isVisible())
    assert not second.find("lr_plot").isVisible()
