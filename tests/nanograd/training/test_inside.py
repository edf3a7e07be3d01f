from dataclasses import replace

import numpy as np
import pytest

from nanograd.training.events import ProbeTaken
from nanograd.training.inside import BINS, change_since, look_inside, plane_of, sample_weights
from nanograd.training.trainer import Trainer


@pytest.fixture
def trainer(small_settings, small_corpus):
    return Trainer(replace(small_settings, max_steps=4, eval_interval=2), small_corpus)


def test_weights_gradients_and_updates_are_counted_by_layer(trainer):
    events = [event for event in trainer.run() if isinstance(event, ProbeTaken)]
    before, after = events[0].inside, events[-1].inside
    assert before.kinds == ("weights",)
    assert before.changed_at is None
    assert after.kinds == ("weights", "gradients", "updates")
    assert after.parts == ("Embeddings", "Layer 1", "Layer 2")
    assert after.counts.shape == (3, 3, BINS)
    assert after.changed_at == 4
    assert (after.deviations > 0).all()
    numbers = {part: len(values) for part, values in sample_weights(trainer.model).items()}
    assert (after.counts[0].sum(axis=1) <= list(numbers.values())).all()
    assert (after.counts[0].sum(axis=1) > 0.9 * np.array(list(numbers.values()))).all()


def test_updates_are_what_a_step_changed(trainer):
    before = sample_weights(trainer.model)
    list(trainer.run(single_step=True))
    after = sample_weights(trainer.model)
    np.testing.assert_array_equal(trainer._change.updates["Layer 1"], after["Layer 1"] - before["Layer 1"])
    assert change_since(trainer.model, before, 1).gradients == {}


def test_the_plane_is_that_of_the_first_two_principal_components():
    table = np.random.default_rng(0).normal(size=(30, 8)) * [9, 5, 1, 1, 1, 1, 1, 1]
    centred = table - table.mean(axis=0)
    expected = np.linalg.svd(centred, full_matrices=False)[1][:2] ** 2
    for rows in (table, table.astype(np.float32)):
        np.testing.assert_allclose(np.square(plane_of(rows), dtype=np.float64).sum(axis=0), expected, rtol=1e-4)
    wide = np.random.default_rng(1).normal(size=(6, 40))
    assert plane_of(wide).shape == (6, 2)


def test_the_plane_stays_as_it_lay():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(40, 16)) * np.linspace(3, 1, 16)
    former = plane_of(table)
    turned = former @ np.array([[0, 1], [1, 0]], np.float32)
    np.testing.assert_allclose(plane_of(table, turned), turned, atol=1e-4)
    moved = plane_of(table + 0.01 * rng.normal(size=table.shape), former)
    assert np.abs(moved - former).max() < 0.2


@pytest.mark.parametrize("shape", [(1, 4), (2, 4), (4, 2), (3, 1)])
def test_the_smallest_tables_have_a_plane(shape):
    assert plane_of(np.random.default_rng(0).normal(size=shape)).shape == (shape[0], 2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
def test_tokens_that_have_run_away_lie_at_zero(shape, value):
    table = np.ones(shape, np.float32)
    table[2, 3] = value
    assert not plane_of(table).any()


def test_neighbours_point_the_same_way(trainer):
    table = trainer.model.wte.weight.array
    table[1] = 3 * table[0]
    seen = look_inside(trainer.model, None, None)
    assert seen.neighbours[0, 0] == 1
    assert seen.neighbours[1, 0] == 0
    assert not (seen.neighbours == np.arange(len(table))[:, None]).any()
