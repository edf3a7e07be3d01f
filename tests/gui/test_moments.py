import numpy as np

from gui.moments import MOST, Moments
from nanograd.training.events import ProbeTaken


def probe(step, numbers=1):
    return ProbeTaken(step=step, tokens=("t",), weights=np.zeros((1, 1, 1, numbers), np.float32))


def test_moments_are_kept_in_order_and_the_evaluated_are_known():
    moments = Moments()
    for step in (0, 3, 5, 10):
        moments.add(probe(step), is_evaluated=step % 5 == 0)
    assert moments.steps == [0, 3, 5, 10]
    assert moments.evaluated == [0, 2, 3]
    assert moments[2].step == 5
    assert [moments.nearest(step) for step in (-1, 0, 4, 10, 99)] == [0, 0, 1, 3, 3]


def test_a_new_look_at_a_step_takes_the_place_of_the_former():
    moments, latest = Moments(), probe(5)
    moments.add(probe(5), is_evaluated=True)
    moments.add(latest, is_evaluated=False)
    assert len(moments) == 1
    assert moments[0] is latest


def test_a_run_that_went_back_forgets_what_came_after():
    moments = Moments()
    for step in range(10):
        moments.add(probe(step), is_evaluated=False)
    moments.truncate(4)
    assert moments.steps == [0, 1, 2, 3, 4]
    moments.clear()
    assert len(moments) == 0


def test_a_long_run_stays_within_its_budget_and_keeps_its_evaluations():
    moments = Moments(budget_bytes=40_000)
    for step in range(1001):
        moments.add(probe(step, numbers=100), is_evaluated=step % 50 == 0)
    assert len(moments) <= 100
    assert {*range(0, 1001, 50)} <= {*moments.steps}
    assert moments.steps[-1] == 1000


def test_many_evaluations_are_thinned_too_and_the_ends_stay():
    moments = Moments()
    for step in range(5 * MOST):
        moments.add(probe(step), is_evaluated=True)
    assert len(moments) <= MOST
    assert (moments.steps[0], moments.steps[-1]) == (0, 5 * MOST - 1)


def test_of_moments_too_large_for_any_budget_the_latest_stays():
    moments = Moments(budget_bytes=1)
    for step in range(9):
        moments.add(probe(step), is_evaluated=True)
    assert moments.steps == [8]
