import pytest
from PySide6.QtCore import QSettings

from gui.theme import DARK, LIGHT, system_theme
from gui.theme_choice import ThemeChoice


@pytest.fixture
def preferences(tmp_path):
    return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def other(qapp):
    return LIGHT if system_theme(qapp) is DARK else DARK


def test_the_systems_theme_is_shown_until_another_is_chosen(qapp, preferences):
    assert ThemeChoice(preferences).theme is system_theme(qapp)


def test_clicks_go_to_the_other_theme_then_to_the_first_then_to_the_systems(qapp, preferences, other):
    choice, shown = ThemeChoice(preferences), []
    choice.theme_changed.connect(shown.append)
    for _ in range(3):
        choice.choose_next()
    assert shown == [other, system_theme(qapp), system_theme(qapp)]
    assert preferences.value("theme") == "system"


def test_the_choice_is_remembered(preferences, other):
    ThemeChoice(preferences).choose_next()
    assert ThemeChoice(preferences).theme is other


def test_a_choice_that_is_no_theme_is_the_systems(qapp, preferences):
    preferences.setValue("theme", "mauve")
    choice = ThemeChoice(preferences)
    assert choice.theme is system_theme(qapp)
    choice.choose_next()
    assert preferences.value("theme") == "system"


def test_it_says_what_is_shown_and_what_a_click_does(qapp, preferences, other):
    choice = ThemeChoice(preferences)
    assert choice.describe() == f"Theme: the system's, {system_theme(qapp).name}. Click for {other.name}."
    choice.choose_next()
    assert choice.describe() == f"Theme: {other.name}. Click for {system_theme(qapp).name}."


def test_the_window_is_drawn_in_the_theme_chosen(person, qapp):
    before = qapp.palette().window().color()
    person.action("theme_action").trigger()
    assert qapp.palette().window().color() != before
