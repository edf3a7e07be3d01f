import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from gui.theme import LIGHT
from gui.views.probabilities import ProbabilitiesView
from nanograd.training.events import Predictions, ProbeTaken


def probe_of(tokens="abca", n_layer=2, step=12):
    """Each place expects its own token with 0.7, then the others of the alphabet."""
    vocabulary = tuple("abcd")
    ids = np.array([vocabulary.index(token) for token in tokens])
    rivals = np.array([[[i, (i + 1) % 4, (i + 2) % 4, (i + 3) % 4] for i in ids]] * (n_layer + 1), np.int32)
    probabilities = np.broadcast_to(np.array([0.7, 0.2, 0.07, 0.03], np.float32), rivals.shape)
    losses = np.full((n_layer + 1, len(ids) - 1), 1.5, np.float32)
    predictions = Predictions(vocabulary=vocabulary, ids=ids, rivals=rivals, probabilities=probabilities, losses=losses)
    weights = np.zeros((n_layer, 1, len(ids), len(ids)), np.float32)
    return ProbeTaken(step=step, tokens=tuple(tokens), weights=weights, predictions=predictions)


@pytest.fixture
def view(qtbot):
    shown = ProbabilitiesView()
    qtbot.addWidget(shown)
    shown.resize(560, 380)
    shown.show()
    return shown


@pytest.fixture
def full(view, qtbot):
    view.show_probe(probe_of())
    qtbot.waitUntil(lambda: view.probabilities_view.rows is not None)
    return view


def label(view, name):
    found = view.findChild(object, name) or view.header.findChild(object, name)
    return found.text()


def cell(grid, row, column):
    return grid.visualRect(grid.model().index(row, column)).center()


def test_an_empty_view_says_what_appears_here(view):
    assert view.findChild(object, "probabilities_empty_label").isVisible()


def test_rivals_stand_by_rank_and_layers_by_depth(full):
    ranks, layers = full.probabilities_view.model(), full.logit_lens_view.model()
    assert (ranks.rowCount(), ranks.columnCount()) == (4, 4)
    assert [ranks.index(row, 1).data() for row in range(4)] == ["b", "c", "d", "a"]
    names = [layers.headerData(row, Qt.Orientation.Vertical) for row in range(layers.rowCount())]
    assert names == ["Tokens", "Layer 1", "Layer 2"]
    assert [ranks.headerData(column, Qt.Orientation.Horizontal) for column in range(4)] == ["a", "b", "c", "a"]


def test_a_cell_tells_how_likely_and_whether_it_followed(full):
    ranks = full.probabilities_view.model()
    assert ranks.index(1, 0).data(Qt.ItemDataRole.ToolTipRole) == "2., after “a”: “b” 20.0%, which did follow"
    assert full.probabilities_view.rows.are_right.tolist()[1] == [True, True, False, False]


def test_the_last_place_is_shown_in_full_at_first(full):
    assert label(full, "place_label") == "After “abca”"
    assert full.rival_bars.accessibleDescription() == "a 70 %, b 20 %, c 7.0 %, d 3.0 %"
    assert (label(full, "probabilities_step_label"), label(full, "probe_loss_label")) == ("step 12", "loss 1.500")


def test_a_click_in_the_lens_shows_that_place_after_that_layer(full, qtbot):
    qtbot.mouseClick(full.logit_lens_view.viewport(), Qt.MouseButton.LeftButton, pos=cell(full.logit_lens_view, 1, 0))
    assert label(full, "place_label") == "After “a”, layer 1\n“b” came: 1.50 nats"
    qtbot.mouseClick(full.probabilities_view.viewport(), Qt.MouseButton.LeftButton, pos=cell(full.probabilities_view, 0, 1))
    assert label(full, "place_label").startswith("After “ab”\n")


def test_the_arrow_keys_move_the_place(full, qtbot):
    qtbot.mouseClick(full.probabilities_view.viewport(), Qt.MouseButton.LeftButton, pos=cell(full.probabilities_view, 0, 1))
    qtbot.keyClick(full.probabilities_view, Qt.Key.Key_Right)
    assert label(full, "place_label").startswith("After “abc”\n")


def test_a_click_on_a_token_shows_what_was_expected_in_its_place(full, qtbot):
    text = full.probe_losses
    place = QPointF(text.fontMetrics().horizontalAdvance("a") * 1.5 + 1, text.fontMetrics().height() / 2)
    assert text.token_at(place) == 1
    qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert label(full, "place_label").startswith("After “a”\n")


def test_the_text_tells_the_loss_of_each_token_but_the_first(full):
    assert np.isnan(full.probe_losses.loss_of(0))
    assert full.probe_losses.loss_of(3) == 1.5
    assert full.probe_losses.toPlainText() == "abca"


def test_a_probe_of_one_token_has_no_loss(view, qtbot):
    view.show_probe(probe_of("a"))
    qtbot.waitUntil(lambda: view.probabilities_view.rows is not None)
    assert label(view, "probe_loss_label") == ""
    assert label(view, "place_label") == "After “a”"


def test_the_chosen_place_stays_while_the_run_goes_on(full, qtbot):
    qtbot.mouseClick(full.probabilities_view.viewport(), Qt.MouseButton.LeftButton, pos=cell(full.probabilities_view, 0, 1))
    full.show_probe(probe_of(step=13))
    qtbot.waitUntil(lambda: label(full, "probabilities_step_label") == "step 13")
    assert label(full, "place_label").startswith("After “ab”\n")


def test_a_long_probe_scrolls_both_tables_together(view, qtbot):
    view.show_probe(probe_of("abcd" * 250, n_layer=24))
    qtbot.waitUntil(lambda: view.probabilities_view.rows is not None)
    view.logit_lens_view.horizontalScrollBar().setValue(300)
    assert view.probabilities_view.horizontalScrollBar().value() == 300


def test_clearing_brings_the_empty_view_back(full, qtbot):
    full.clear()
    qtbot.waitUntil(lambda: full.findChild(object, "probabilities_empty_label").isVisible())


def test_it_can_be_drawn_in_another_theme(full):
    before = full.grab().toImage()
    full.show_theme(LIGHT)
    assert full.grab().toImage() != before


def test_rows_that_can_be_clicked_tell_their_token(full, qtbot):
    bars = full.rival_bars
    with qtbot.waitSignal(bars.token_clicked) as clicked:
        qtbot.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(20, int(bars.row_rect(1).center().y())))
    assert clicked.args == ["b"]


@pytest.mark.parametrize("height", [200, 230, 262, 285, 400])
def test_tables_show_whole_rows_only(full, height):
    full.resize(560, height)
    for grid in (full.probabilities_view, full.logit_lens_view):
        heights = [grid.height_for(count) for count in range(1, grid.model().rowCount() + 1)]
        assert grid.height() in heights
