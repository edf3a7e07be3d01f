import numpy as np
import pytest
from PySide6.QtCore import Qt

from gui.run_history import RunHistory
from gui.views.attention import AttentionView
from nanograd.training.events import ProbeTaken


@pytest.fixture
def view(qtbot):
    shown = AttentionView()
    qtbot.addWidget(shown)
    shown.resize(550, 320)
    shown.show()
    return shown


def probe(n_layer=3, n_head=2, tokens="abcd", step=12):
    weights = np.random.default_rng(0).random((n_layer, n_head, len(tokens), len(tokens))).astype(np.float32)
    scores = np.full((n_layer, n_head, 3), step / 100, np.float32) + np.array([0, 0.1, 0.2], np.float32)
    return ProbeTaken(step=step, tokens=tuple(tokens), weights=weights, scores=scores)


def test_layers_and_heads_are_counted_from_one(view):
    view.set_layout(3, 2)
    assert [view.attention_layer.itemText(index) for index in range(3)] == ["1", "2", "3"]
    assert view.attention_head.count() == 2


def test_the_map_shows_the_layer_and_head_chosen(view, qtbot):
    event = probe()
    view.show_probe(event)
    qtbot.waitUntil(lambda: view.attention_map.tokens == event.tokens)
    view.attention_layer.setCurrentIndex(2)
    view.attention_head.setCurrentIndex(1)
    np.testing.assert_array_equal(view.attention_map.weights, event.weights[2, 1])


def test_a_click_in_the_mosaic_sets_the_choice(view, qtbot):
    view.show_probe(probe())
    qtbot.waitUntil(lambda: bool(view.attention_map.tokens))
    qtbot.mouseClick(view.attention_mosaic, Qt.MouseButton.LeftButton, pos=view.attention_mosaic.tile_rect(1, 1).center())
    assert (view.attention_layer.currentText(), view.attention_head.currentText()) == ("2", "2")


def test_a_model_of_another_shape_clears_the_map(view, qtbot):
    view.show_probe(probe())
    qtbot.waitUntil(lambda: bool(view.attention_map.tokens))
    view.attention_layer.setCurrentIndex(2)
    view.set_layout(2, 2)
    assert view.attention_map.tokens == ()
    assert view.attention_layer.currentIndex() == 1


def test_the_probe_applies_once_when_typing_has_paused(view, qtbot):
    applied = []
    view.probe_changed.connect(applied.append)
    qtbot.keyClicks(view.probe_edit, "Go")
    assert applied == []
    qtbot.waitUntil(lambda: applied == ["Go"])


def test_shift_and_return_is_a_new_line_and_return_applies_at_once(view, qtbot):
    applied = []
    view.probe_changed.connect(applied.append)
    qtbot.keyClicks(view.probe_edit, "a")
    qtbot.keyClick(view.probe_edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(view.probe_edit, "b")
    qtbot.keyClick(view.probe_edit, Qt.Key.Key_Return)
    assert applied == ["a\nb"]


def test_a_new_line_is_shown_by_a_sign_and_given_back_as_itself(view, qtbot):
    with qtbot.waitSignal(view.probe_changed) as changed:
        view.probe_edit.setText("one\ntwo")
    assert view.probe_edit.text() == "one↵two"
    assert changed.args == ["one\ntwo"]


def test_a_probe_that_is_shown_is_not_asked_for_again(view, qtbot):
    with qtbot.assertNotEmitted(view.probe_changed, wait=view.TYPING_PAUSE_MS + 100):
        view.show_probe_text("First\nCitizen")
    assert view.probe_edit.text() == "First↵Citizen"


def test_an_empty_probe_is_a_problem_and_not_asked_for(view, qtbot):
    view.show_probe_text("abc")
    with qtbot.assertNotEmitted(view.probe_changed, wait=50):
        view.probe_edit.clear()
        qtbot.keyClick(view.probe_edit, Qt.Key.Key_Return)
    assert view.findChild(object, "probe_problem_label").text() == view.EMPTY_PROBE


def test_a_problem_of_the_probe_is_shown_and_taken_back(view):
    label = view.findChild(object, "probe_problem_label")
    view.show_probe_problem("The character '€' is unknown.")
    assert label.isVisible()
    view.show_probe_problem("")
    assert not label.isVisible()


def test_a_narrow_view_keeps_the_map_and_the_probe(view):
    view.resize(300, 260)
    assert not view.attention_mosaic.isVisible()
    assert view.attention_map.isVisible()
    assert view.probe_edit.isVisible()


def test_the_map_can_be_saved_as_a_picture(view, tmp_path):
    view.save_picture(str(tmp_path / "map.png"))
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written_is_told(view, tmp_path, qtbot):
    with qtbot.waitSignal(view.problem_found) as told:
        view.save_picture(str(tmp_path / "missing" / "map.png"))
    assert "Choose another place." in told.args[0]


def test_the_mean_over_the_heads_of_a_layer(view, qtbot):
    event = probe()
    view.show_probe(event)
    qtbot.waitUntil(lambda: view.attention_map.tokens == event.tokens)
    view.mean_heads_button.setChecked(True)
    np.testing.assert_allclose(view.attention_map.weights, event.weights[0].mean(axis=0))
    assert not view.attention_head.isEnabled()
    qtbot.mouseClick(view.attention_mosaic, Qt.MouseButton.LeftButton, pos=view.attention_mosaic.tile_rect(1, 1).center())
    assert not view.mean_heads_button.isChecked()
    np.testing.assert_array_equal(view.attention_map.weights, event.weights[1, 1])


def test_the_scores_of_the_chosen_head_are_drawn_over_the_run(view, qtbot):
    history = RunHistory()
    for step in (10, 20, 30):
        history.add(probe(step=step))
    view.show_history(history, 100)
    view.show_probe(probe(step=30))
    plot = view.head_scores_plot
    qtbot.waitUntil(lambda: len(plot.scores) == 3)
    np.testing.assert_allclose(plot.scores[:, 0], [0.1, 0.2, 0.3], rtol=1e-6)
    assert plot.text == "previous 0.30 · first 0.40 · induction 0.50"
    assert plot.isVisible()
    view.show_probe(probe(step=20))  # an earlier moment
    qtbot.waitUntil(lambda: plot.text == "previous 0.20 · first 0.30 · induction 0.40")
    assert len(plot.scores) == 3


def test_one_look_at_a_head_is_drawn_too(view, qtbot):
    history = RunHistory()
    history.add(probe())
    view.show_history(history, 100)
    view.show_probe(probe())
    qtbot.waitUntil(lambda: len(view.head_scores_plot.scores) == 1)
    view.head_scores_plot.grab()


@pytest.mark.parametrize(("n_layer", "n_head", "least"), [(3, 3, 40), (24, 16, 7)])
def test_the_mosaic_takes_the_room_that_the_map_leaves(view, qtbot, n_layer, n_head, least):
    history = RunHistory()
    history.add(probe(n_layer, n_head))
    view.show_history(history, 100)
    view.show_probe(probe(n_layer, n_head))
    qtbot.waitUntil(lambda: view.head_scores_plot.isVisible())
    assert view.attention_mosaic.tile_rect(0, 0).width() >= least
    assert view.attention_mosaic.rect().contains(view.attention_mosaic.tile_rect(n_layer - 1, n_head - 1))
    assert not view.head_scores_plot.geometry().intersects(view.attention_mosaic.geometry())
