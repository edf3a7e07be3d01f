import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QMenu, QWidget

from gui.text_size import SCALES, TextSize, measure_anew, sized
from gui.theme import DARK, apply_theme, scaled


@pytest.fixture
def preferences(tmp_path):
    return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)


def test_sizes_go_one_up_or_down_and_end_somewhere(preferences):
    size, told = TextSize(preferences), []
    size.changed.connect(lambda: told.append(size.scale))
    for _ in SCALES:
        size.enlarge()
    assert told == list(SCALES[SCALES.index(1.0) + 1 :])
    assert not size.can_grow
    for _ in SCALES:
        size.shrink()
    assert size.scale == SCALES[0]
    assert not size.can_shrink
    size.restore()
    assert size.scale == 1.0


@pytest.mark.parametrize(("kept", "expected"), [("1.3", 1.3), ("7", SCALES[-1]), ("large", 1.0)])
def test_a_size_is_remembered_and_a_strange_one_does_no_harm(preferences, kept, expected):
    preferences.setValue("text_size", kept)
    assert TextSize(preferences).scale == expected


def test_what_is_sized_follows_the_text(qapp, qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    inner = QWidget(widget)
    sized(inner, lambda: inner.setFixedHeight(scaled(20)))
    before = inner.height()
    apply_theme(qapp, DARK, 1.3)
    measure_anew(widget)
    assert inner.height() == pytest.approx(1.3 * before, abs=1)
    apply_theme(qapp, DARK)
    measure_anew(widget)
    assert inner.height() == before


def test_text_grows_and_shrinks_by_keyboard_at_once_and_is_remembered(open_window, qtbot, text_file, qapp):
    first = open_window()
    first.train(text_file)
    first.window.activateWindow()
    first.wait(first.window.isActiveWindow)
    label, field, written = (first.find(name) for name in ("corpus_name_label", "setting_lr", "prompt_edit"))
    before = [label.fontMetrics().height(), field.height(), written.fontMetrics().height()]
    for _ in SCALES:
        qtbot.keyClick(first.window, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    grown = [label.fontMetrics().height(), field.height(), written.fontMetrics().height()]
    assert all(now > then for now, then in zip(grown, before, strict=True))
    assert not first.action("enlarge_text_action").isEnabled()
    first.leave()
    second = open_window()
    assert second.find("setting_lr").height() == grown[1]
    second.do("restore_text_action")
    assert second.find("setting_lr").height() == before[1]
    menu = second.window.findChild(QMenu, "theme_menu")
    assert {"Larger text", "Smaller text", "Normal text"} <= {action.text() for action in menu.actions()}


def test_the_window_fits_a_small_screen_with_the_largest_text(person, text_file):
    person.train(text_file)
    for _ in SCALES:
        person.action("enlarge_text_action").trigger()
    for name in ("inside", "write", "watch"):
        person.do(f"layout_{name}_action")
        person.wait(lambda: person.window.minimumSizeHint().width() <= 1280 and person.window.minimumSizeHint().height() <= 800)
    person.do("restore_text_action")
