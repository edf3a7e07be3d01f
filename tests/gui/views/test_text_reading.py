from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QLineEdit

from gui.views.text_reading import TextReading, read_separator, shown_separator
from nanograd.text.choice import TokenizerChoice
from nanograd.text.source import WHOLE_FILE, TextSource

PATHS = (Path("a.txt"),)


@pytest.fixture
def reading(qtbot):
    reading = TextReading()
    qtbot.addWidget(reading)
    reading.show()
    return reading


@pytest.mark.parametrize("separator", ["", "\n\n", "\t--\r\n", "\\n", "a\\", "<|endoftext|>"])
def test_a_separator_is_read_as_it_is_shown(separator):
    assert "\n" not in shown_separator(separator)
    assert read_separator(shown_separator(separator)) == separator


def test_a_backslash_before_anything_else_stands_for_itself():
    assert read_separator(r"\d\n") == "\\d\n"


@pytest.mark.parametrize(
    "source",
    [
        TextSource(paths=PATHS),
        TextSource(paths=PATHS, separator="\n--\n", field="body", encoding="koi8-r", keeps_line_ends=True),
        TextSource(paths=PATHS, separator="", field=WHOLE_FILE),
    ],
)
def test_what_is_shown_reads_the_same_source_again_and_asks_for_nothing(qtbot, reading, source):
    choice = TokenizerChoice(kind="byte-pair", vocabulary_size=300)
    with qtbot.assertNotEmitted(reading.changed):
        reading.show_reading(choice, source, ("title",))
    assert reading.source_of(PATHS, source.encoding) == source
    assert reading.choice() == choice


def test_only_what_a_text_has_can_be_chosen(reading):
    reading.show_reading(TokenizerChoice(), None, ())
    assert not reading.findChild(QLineEdit, "separator_setting").isVisible()
    assert not reading.findChild(QComboBox, "field_setting").isVisible()
    reading.show_reading(TokenizerChoice(), TextSource(paths=PATHS), ("title",))
    assert reading.findChild(QLineEdit, "separator_setting").isVisible()
    assert reading.findChild(QComboBox, "field_setting").isVisible()


def test_a_separator_left_as_it_is_asks_for_nothing(qtbot, reading):
    reading.show_reading(TokenizerChoice(), TextSource(paths=PATHS), ())
    field = reading.findChild(QLineEdit, "separator_setting")
    with qtbot.assertNotEmitted(reading.changed):
        field.editingFinished.emit()
    field.setText("--")
    with qtbot.waitSignal(reading.changed):
        field.editingFinished.emit()
