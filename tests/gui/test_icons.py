from importlib.resources import files

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon

from gui.icons import icon

NAMES = sorted(file.name.removesuffix(".svg") for file in (files("resources") / "icons").iterdir() if file.name.endswith(".svg"))


@pytest.mark.parametrize("name", NAMES)
def test_every_icon_draws_something_within_its_frame(qapp, name):
    image = icon(name).pixmap(QSize(32, 32), 1.0).toImage()
    opaque = [(x, y) for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() > 128]
    assert opaque


def test_an_icon_has_only_the_colour_it_is_given(qapp):
    image = icon("stop", "#FF6B6B").pixmap(QSize(32, 32), 1.0).toImage()
    assert image.pixelColor(16, 16) == QColor("#FF6B6B")


def test_an_icon_is_drawn_with_all_the_pixels_of_the_screen(qapp):
    pixmap = icon("play", "#FFFFFF").pixmap(QSize(16, 16), 2.0)
    assert pixmap.size() == QSize(32, 32)
    assert pixmap.devicePixelRatio() == 2.0


def test_a_disabled_icon_is_paler(qapp):
    image = icon("stop", "#FF6B6B").pixmap(QSize(32, 32), 1.0, QIcon.Mode.Disabled).toImage()
    assert 0 < image.pixelColor(16, 16).alpha() < 255
