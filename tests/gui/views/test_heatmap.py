import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor

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
