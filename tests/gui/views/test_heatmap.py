import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtWidgets import QApplication

from gui.theme import DARK, LIGHT
from gui.views.heatmap import AttentionMap, colour_table, levels_of


def causal(T, seed=0):
    weights = np.tril(np.random.default_rng(seed).random((T, T))).astype(np.float32)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.fixture
def attention_map(qtbot):
    shown = AttentionMap()
    qtbot.addWidget(shown)
    shown.resize(320, 300)
    shown.show()
    return shown


def colour_at(image, place, ratio=1):
    return image.pixelColor(round(place.x() * ratio), round(place.y() * ratio)).rgb()


def test_levels_are_square_roots_of_weights():
    assert levels_of(np.array([0.0, 0.25, 1.0, np.nan], np.float32)).tolist() == [0, 128, 255, 0]


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_colour_table_runs_from_the_first_stop_to_the_last(theme):
    colours = colour_table(theme)
    assert [int(colours[0]), int(colours[-1])] == [QColor(theme.heatmap[0]).rgb(), QColor(theme.heatmap[-1]).rgb()]
    assert len(colours) == 256


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_each_weight_has_its_colour_and_the_future_is_blank(attention_map, theme):
    weights = causal(8)
    attention_map.show_theme(theme)
    attention_map.show_weights(weights, tuple("abcdefgh"))
    picture, colours = attention_map.picture(), colour_table(theme)
    for query in range(8):
        for key in range(query + 1):
            expected = int(colours[levels_of(weights)[query, key]])
            assert colour_at(picture, attention_map.cell_center(query, key), 2) == expected
    assert colour_at(picture, attention_map.cell_center(5, 6), 2) == QColor(theme.panel).rgb()


def test_hover_tells_who_looks_at_whom_and_how_much(attention_map, move_mouse):
    weights = np.array([[1, 0, 0], [0.69, 0.31, 0], [0.5, 0.5, 0]], np.float32)
    attention_map.show_weights(weights, ("F", "t", "\n"))
    move_mouse(attention_map, attention_map.cell_center(1, 0).toPoint())
    assert attention_map.hover_text == "“t” looks at “F”: 0.69"
    move_mouse(attention_map, attention_map.cell_center(2, 2).toPoint())
    assert attention_map.hover_text == "“↵” looks at “↵”: under 0.01"
    move_mouse(attention_map, attention_map.cell_center(0, 2).toPoint())
    assert attention_map.hover_text == ""


@pytest.mark.parametrize("T", [1, 2, 64, 256, 700])
def test_the_map_stays_inside_the_widget_at_any_length(attention_map, T):
    attention_map.show_weights(causal(T), ("long token",) * T)
    corner = attention_map.cell_center(T - 1, T - 1)
    assert attention_map.rect().contains(corner.toPoint())
    assert not attention_map.picture().isNull()


def test_a_shorter_probe_does_not_keep_a_pointer_outside_it(attention_map, move_mouse):
    attention_map.show_weights(causal(9), tuple("abcdefghi"))
    move_mouse(attention_map, attention_map.cell_center(8, 8).toPoint())
    attention_map.show_weights(causal(3), tuple("abc"))
    assert attention_map.hover_text == ""


def test_an_empty_map_invites(attention_map, move_mouse):
    assert attention_map.tokens == ()
    assert attention_map.weights.shape == (0, 0)
    move_mouse(attention_map, QPoint(5, 5))
    picture = attention_map.picture()
    assert len({picture.pixel(x, y) for x in range(640) for y in range(240, 360, 4)}) > 1


def send_wheel(widget, place, delta, modifier=Qt.KeyboardModifier.NoModifier):
    none = Qt.MouseButton.NoButton, modifier, Qt.ScrollPhase.NoScrollPhase, False
    QApplication.sendEvent(widget, QWheelEvent(place, widget.mapToGlobal(place), QPoint(0, 0), QPoint(0, delta), *none))


def label_of(attention_map, place):
    center = attention_map.cell_center(place, 0)
    return QPoint(4, round(center.y()))


def test_pointing_at_a_token_draws_lines_and_a_click_keeps_them(attention_map, move_mouse, qtbot):
    attention_map.show_weights(causal(8), tuple("abcdefgh"))
    plain = attention_map.grab().toImage()
    move_mouse(attention_map, label_of(attention_map, 5))
    assert attention_map.looking_token == 5
    assert attention_map.grab().toImage() != plain
    with qtbot.waitSignal(attention_map.token_pinned) as pinned:
        qtbot.mouseClick(attention_map, Qt.MouseButton.LeftButton, pos=label_of(attention_map, 5))
    assert pinned.args == [5]
    move_mouse(attention_map, QPoint(attention_map.width() - 1, attention_map.height() - 1))
    assert attention_map.looking_token == 5
    qtbot.mouseClick(attention_map, Qt.MouseButton.LeftButton, pos=label_of(attention_map, 5))
    assert attention_map.looking_token is None


def test_a_click_on_a_cell_keeps_the_lines_of_its_row(attention_map, qtbot):
    attention_map.show_weights(causal(8), tuple("abcdefgh"))
    qtbot.mouseClick(attention_map, Qt.MouseButton.LeftButton, pos=attention_map.cell_center(6, 2).toPoint())
    assert attention_map.looking_token == 6


def test_keys_move_the_kept_token_and_let_it_go(attention_map, qtbot):
    attention_map.show_weights(causal(8), tuple("abcdefgh"))
    for key, expected in ((Qt.Key.Key_Up, 7), (Qt.Key.Key_Up, 6), (Qt.Key.Key_Down, 7), (Qt.Key.Key_Escape, None)):
        qtbot.keyClick(attention_map, key)
        assert attention_map.looking_token == expected


def test_the_wheel_zooms_a_long_context_until_it_can_be_read(attention_map, qtbot):
    attention_map.show_weights(causal(1024), ("t",) * 1024)
    place = attention_map.cell_center(512, 512)
    for _ in range(20):
        send_wheel(attention_map, place, 120)
    assert 512 in attention_map.shown_tokens
    assert len(attention_map.shown_tokens) < 24
    assert attention_map.rect().contains(attention_map.cell_center(512, 512).toPoint())
    before = attention_map.shown_tokens
    send_wheel(attention_map, place, -120, Qt.KeyboardModifier.ShiftModifier)
    assert attention_map.shown_tokens.start > before.start
    qtbot.mouseDClick(attention_map, Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert attention_map.shown_tokens == range(1024)


def test_the_keyboard_zooms_too(attention_map, qtbot):
    attention_map.show_weights(causal(64), ("t",) * 64)
    qtbot.keyClick(attention_map, Qt.Key.Key_Plus)
    assert len(attention_map.shown_tokens) == 51
    for _ in range(3):
        qtbot.keyClick(attention_map, Qt.Key.Key_Minus)
    assert attention_map.shown_tokens == range(64)


def test_a_zoomed_map_shows_the_colours_of_its_own_cells(attention_map):
    weights = causal(40)
    attention_map.show_weights(weights, ("t",) * 40)
    attention_map.show_part(20, 10)
    picture = attention_map.picture()
    expected = int(colour_table(DARK)[levels_of(weights)[28, 23]])
    assert colour_at(picture, attention_map.cell_center(28, 23), 2) == expected
