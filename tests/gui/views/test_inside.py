import numpy as np
import pytest

from gui.theme import LIGHT
from gui.views.inside import InsideView
from nanograd.training.events import Inside, Predictions, ProbeTaken

TOKENS = tuple("aB7!\n")


def probe(layers=2, step=12, kinds=("weights", "gradients", "updates"), scale=1.0):
    rng = np.random.default_rng(0)
    parts = ("Embeddings", *(f"Layer {number}" for number in range(1, layers + 1)))
    inside = Inside(
        points=(scale * np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [0.5, 0.5]])).astype(np.float32),
        neighbours=np.array([[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]], np.int32),
        kinds=kinds,
        parts=parts,
        counts=rng.integers(0, 90, (len(kinds), len(parts), 61)).astype(np.uint32),
        widths=np.ones(len(kinds), np.float32),
        deviations=np.full((len(kinds), len(parts)), 0.25, np.float32),
        changed_at=12 if len(kinds) > 1 else None,
    )
    empty = np.zeros((layers + 1, 1, 1))
    predictions = Predictions(
        vocabulary=TOKENS, ids=np.zeros(1, np.int64), rivals=empty.astype(np.int32),
        probabilities=empty.astype(np.float32), losses=np.zeros((layers + 1, 0), np.float32),
    )  # fmt: skip
    weights = np.ones((layers, 1, 1, 1), np.float32)
    return ProbeTaken(step=step, tokens=("a",), weights=weights, predictions=predictions, inside=inside)


@pytest.fixture
def view(qtbot):
    shown = InsideView()
    qtbot.addWidget(shown)
    shown.resize(700, 320)
    shown.show()
    return shown


def show(view, qtbot, event):
    view.show_probe(event)
    qtbot.waitUntil(lambda: view.findChild(object, "spread_label").isVisible() and view.histogram_grid.describe() != "")


def test_an_empty_view_says_what_appears_here(view):
    assert view.findChild(object, "inside_empty_label").isVisible()


def test_pointing_at_a_token_names_its_neighbours(view, qtbot, move_mouse):
    show(view, qtbot, probe())
    move_mouse(view.embedding_map, view.embedding_map.place_of(4).toPoint())
    assert view.findChild(object, "neighbours_label").text() == "“↵” is nearest to a B"
    move_mouse(view.embedding_map, view.embedding_map.rect().topLeft())
    assert view.findChild(object, "neighbours_label").text() == view.HINT


def test_histograms_have_a_row_for_each_part_and_tell_their_spread(view, qtbot):
    show(view, qtbot, probe())
    assert view.histogram_grid.describe().startswith("Embeddings: weights 0.25, gradients 0.25, updates 0.25; Layer 1:")
    show(view, qtbot, probe(kinds=("weights",)))
    view.grab()


def test_the_scale_of_the_plane_changes_only_where_it_must(view, qtbot):
    show(view, qtbot, probe())
    before = view.embedding_map.place_of(0)
    view.embedding_map.show_tokens(TOKENS, probe(scale=0.9).inside.points, probe().inside.neighbours)
    near = view.embedding_map.place_of(0)
    assert near.x() < before.x()
    view.embedding_map.show_tokens(TOKENS, probe(scale=5.0).inside.points, probe().inside.neighbours)
    assert view.embedding_map.rect().contains(view.embedding_map.place_of(0).toPoint())


def test_many_layers_scroll_and_a_narrow_view_stacks(view, qtbot):
    show(view, qtbot, probe(layers=24))
    assert view.histogram_grid.height() > view.height()
    view.resize(300, 500)
    view.grab()


def test_clearing_brings_the_empty_view_back(view, qtbot):
    show(view, qtbot, probe())
    view.show_theme(LIGHT)
    view.clear()
    qtbot.waitUntil(lambda: view.findChild(object, "inside_empty_label").isVisible())
