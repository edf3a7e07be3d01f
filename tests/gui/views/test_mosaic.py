import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from gui.theme import DARK
from gui.views.heatmap import colour_table
from gui.views.mosaic import AttentionMosaic


@pytest.fixture
def mosaic(qtbot):
    shown = AttentionMosaic()
    qtbot.addWidget(shown)
    shown.resize(200, 200)
    shown.show_theme(DARK)
    shown.show_layout(3, 4)
    shown.show()
    return shown


def test_a_click_chooses_the_head_under_it(mosaic, qtbot):
    with qtbot.waitSignal(mosaic.head_chosen) as chosen:
        qtbot.mouseClick(mosaic, Qt.MouseButton.LeftButton, pos=mosaic.tile_rect(2, 1).center())
    assert chosen.args == [2, 1]


@pytest.mark.parametrize(
    ("key", "expected"),
    [(Qt.Key.Key_Left, [1, 0]), (Qt.Key.Key_Right, [1, 2]), (Qt.Key.Key_Up, [0, 1]), (Qt.Key.Key_Down, [2, 1])],
)
def test_arrow_keys_move_the_choice(mosaic, qtbot, key, expected):
    mosaic.show_chosen(1, 1)
    with qtbot.waitSignal(mosaic.head_chosen) as chosen:
        qtbot.keyClick(mosaic, key)
    assert chosen.args == expected


def test_each_tile_shows_its_own_head_even_where_many_tokens_share_a_pixel(mosaic):
    weights = np.zeros((3, 4, 200, 200), np.float32)
    weights[1, 2, 150, 60] = 1.0
    mosaic.show_weights(weights)
    image = mosaic.grab().toImage()
    brightest = int(colour_table(DARK)[255])
    tiles = [(layer, head) for layer in range(3) for head in range(4)]
    assert [tile for tile in tiles if brightest in colours_in(image, mosaic.tile_rect(*tile))] == [(1, 2)]


def test_heads_without_weights_are_blank(mosaic):
    assert colours_in(mosaic.grab().toImage(), mosaic.tile_rect(2, 2)) == {QColor(DARK.raised).rgb()}


def colours_in(image, rect):
    return {image.pixel(x, y) for x in range(rect.left(), rect.right()) for y in range(rect.top(), rect.bottom())}
