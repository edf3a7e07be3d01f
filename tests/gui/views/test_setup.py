from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QLabel, QToolTip

from gui.theme import LIGHT
from gui.views.setup import SetupView
from nanograd.training.estimate import model_config, parameter_count
from nanograd.training.model_parts import model_parts
from nanograd.training.settings import PRESETS, declared_settings


@pytest.fixture
def view(qtbot):
    shown = SetupView()
    qtbot.addWidget(shown)
    shown.resize(560, 380)
    shown.show()
    return shown


def show(view, settings, vocabulary_size=65):
    parts = model_parts(model_config(settings, vocabulary_size))
    view.show_model(parts, settings.n_head)
    return parts


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("vocabulary_size", [2, 65, 50_000])
def test_the_parts_make_up_the_model(view, name, vocabulary_size):
    show(view, PRESETS[name], vocabulary_size)
    assert sum(view.model_picture.counts.values()) == parameter_count(PRESETS[name], vocabulary_size)


def test_areas_are_in_proportion_to_parameters_and_heights_to_widths(view):
    parts = show(view, PRESETS["nanoGPT CPU"])
    rects = view.model_picture.part_rects()
    seen = [(part, rect) for part, rect in zip(parts, rects, strict=True) if part.kind in ("attention", "mlp")]
    areas = [rect.width() * rect.height() / part.parameter_count for part, rect in seen]
    heights = [rect.height() / part.width for part, rect in seen]
    assert len(seen) == 8
    assert max(areas) == pytest.approx(min(areas))
    assert max(heights) == pytest.approx(min(heights))


@pytest.mark.parametrize(("n_layer", "n_head", "vocabulary_size"), [(1, 1, 2), (24, 16, 50_000), (48, 64, 256)])
@pytest.mark.parametrize("size", [(300, 220), (1100, 240)])
def test_every_model_fills_the_picture_and_stays_in_it(view, n_layer, n_head, vocabulary_size, size):
    view.resize(*size)
    show(view, replace(PRESETS["Small"], n_layer=n_layer, n_head=n_head, n_embd=64), vocabulary_size)
    rects = view.model_picture.part_rects()
    assert all(rect.width() > 0.3 for rect in rects)
    assert all(one.right() <= other.left() + 1e-6 for one, other in pairwise(rects))
    assert rects[0].left() >= 0
    assert view.model_picture.width() - 3 <= rects[-1].right() <= view.model_picture.width()
    view.grab()


def test_the_part_under_the_pointer_is_named(view, monkeypatch):
    told = []
    monkeypatch.setattr(QToolTip, "showText", lambda _place, text, _widget: told.append(text))
    parts = show(view, PRESETS["nanoGPT CPU"])
    place = view.model_picture.part_rects()[[part.kind for part in parts].index("mlp")].center().toPoint()
    where = view.model_picture.mapToGlobal(place)
    QApplication.sendEvent(view.model_picture, QHelpEvent(QEvent.Type.ToolTip, QPoint(place), where))
    assert told == ["MLP of layer 1: 131,072 parameters, 512 numbers for each token"]


def test_settings_that_make_no_model_say_why_until_they_do(view):
    show(view, PRESETS["Small"])
    view.show_problem("n_head 5 does not divide n_embd 64.")
    assert view.model_picture.part_rects() == []
    assert view.findChild(QLabel, "setup_problem_label").text().startswith("n_head 5")
    view.grab()
    show(view, PRESETS["Small"])
    assert view.findChild(QLabel, "setup_problem_label").isHidden()


def test_the_schedule_tells_its_peak_and_its_end(view):
    plot = view.schedule_plot
    plot.show_schedule([0, 100, 2000], [1e-5, 1e-3, 1e-4], 100)
    assert plot.accessibleDescription() == "1e-3 after 100 steps, 1e-4 at the end"
    plain = plot.grab().toImage()
    plot.show_step(1000)
    assert plot.grab().toImage() != plain
    plot.show_schedule([0, 1], [0.0, 0.0], 0)
    plot.grab()


def test_a_setting_is_told_with_what_more_and_less_of_it_do(view):
    setting = declared_settings()["n_embd"]
    view.explain(setting, "128", ["Twice as much: 3 M parameters."])
    view.show_theme(LIGHT)
    words = view.findChild(QLabel, "setting_explanation").text()
    for text in (setting.help, setting.up, setting.down, "Twice as much", LIGHT.accent_text):
        assert text.replace("'", "&#x27;") in words


def test_every_number_says_what_more_and_less_of_it_do():
    for name, setting in declared_settings().items():
        is_number = not setting.choices and not isinstance(getattr(PRESETS["Small"], name), bool)
        assert bool(setting.up) == bool(setting.down) == is_number, name
