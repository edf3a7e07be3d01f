from importlib.resources import files

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from gui.theme import DARK, LIGHT, apply_theme, interface_font, mono_font, palette, set_role, stylesheet

GROUNDS = ("ground", "panel", "raised", "field")


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("color", ["text", "muted", "validation", "good", "bad"])
def test_what_is_read_stands_out_from_every_ground(theme, color, ground):
    assert contrast(getattr(theme, color), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_accent_can_be_read_where_it_is_text(theme):
    assert contrast(theme.accent_text, theme.accent_ground) >= 4.5
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    assert all(contrast(theme.accent, ground) >= 4.5 for ground in (theme.panel, theme.raised, theme.field))


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_the_check_mark_has_the_colour_that_stands_on_the_accent(theme):
    svg = (files("resources") / "icons" / f"check_{theme.name}.svg").read_text()
    assert theme.on_accent in svg


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_a_theme_dresses_the_application_without_a_word_from_qt(qapp, qtbot, theme, capfd):
    apply_theme(qapp, theme)
    button = QPushButton("Train")
    qtbot.addWidget(button)
    button.show()
    assert qapp.palette().window().color().name().upper() == theme.ground
    assert "stylesheet" not in capfd.readouterr().err.casefold()


def test_style_sheets_hold_no_colour_of_the_other_theme(qapp):
    for theme, other in ((DARK, LIGHT), (LIGHT, DARK)):
        assert not any(getattr(other, name) in stylesheet(theme) for name in ("ground", "panel", "text", "muted", "hairline"))
        assert palette(theme) != palette(other)


def test_figures_are_of_one_width(qapp):
    metrics = [label_width(text) for text in ("1111", "8888")]
    assert metrics[0] == metrics[1]


def test_a_role_leaves_a_font_of_its_own_alone(qapp, qtbot):
    apply_theme(qapp, DARK)
    box = QWidget()
    qtbot.addWidget(box)
    label = QLabel("text of the model")
    set_role(label, "muted")
    label.setFont(mono_font())
    QVBoxLayout(box).addWidget(label)
    box.show()
    set_role(label, "error")
    apply_theme(qapp, LIGHT)
    assert label.font().family() == mono_font().family() != interface_font().family()


def label_width(text):
    label = QLabel(text)
    label.setFont(interface_font())
    return label.fontMetrics().horizontalAdvance(text)


def contrast(color, other):
    """The contrast ratio of WCAG 2: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio."""
    darker, lighter = sorted((luminance(color), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.03928 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
