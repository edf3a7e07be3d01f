import numpy as np
import pytest

from gui.run_history import SAMPLES_KEPT, SCORES_KEPT, RunHistory
from nanograd.training.events import EvaluationFinished, ProbeTaken, RunFailed, SampleWritten, StepFinished
from nanograd.training.metrics import MetricsArrays


def step(number, loss=2.0):
    return StepFinished(step=number, loss=loss, lr=1e-3, gradient_norm=0.5, tokens_per_second=1000.0)


def sample(number):
    return SampleWritten(step=number, prompt="\n", text="words")


def history_of(losses):
    history = RunHistory()
    for number, loss in enumerate(losses, 1):
        history.add(step(number, loss))
    return history


def test_arrays_hold_what_the_events_told():
    history = history_of([3.0, 2.5])
    history.add(EvaluationFinished(step=0, loss=4.0))
    np.testing.assert_array_equal(history.steps, [1, 2])
    np.testing.assert_array_equal(history.train_loss, [3.0, 2.5])
    np.testing.assert_array_equal(history.validation_steps, [0])
    np.testing.assert_array_equal(history.validation_loss, [4.0])
    assert history.steps.dtype == np.int64


def test_arrays_handed_out_do_not_change_with_later_steps():
    history = history_of([3.0])
    before = history.train_loss
    history.add(step(2))
    history.truncate(1)
    history.add(step(2, 9.0))
    np.testing.assert_array_equal(before, [3.0])


def test_a_step_seen_before_replaces_what_came_after_it():
    history = history_of([3.0, 2.5, 2.0])
    history.add(step(2, 7.0))
    np.testing.assert_array_equal(history.steps, [1, 2])
    np.testing.assert_array_equal(history.train_loss, [3.0, 7.0])


def test_smoothed_is_the_debiased_moving_average():
    losses = np.random.default_rng(0).normal(2, 1, 300)
    weights = 0.9 ** np.arange(300)[::-1]
    expected = [np.average(losses[: n + 1], weights=weights[-n - 1 :]) for n in range(300)]
    np.testing.assert_allclose(history_of(losses).smoothed(0.9), expected, rtol=1e-12)


def test_smoothed_goes_on_as_if_it_had_never_been_asked_before():
    losses = np.random.default_rng(1).normal(2, 1, 600)
    history = RunHistory()
    for number, loss in enumerate(losses, 1):
        history.add(step(number, loss))
        if number % 7 == 0:
            history.smoothed(0.95)
    np.testing.assert_array_equal(history.smoothed(0.95), history_of(losses).smoothed(0.95))


def test_smoothed_is_made_anew_after_the_run_went_back():
    history = history_of([3.0, 2.0, 1.0])
    history.smoothed(0.5)
    history.add(step(2, 5.0))
    np.testing.assert_array_equal(history.smoothed(0.5), history_of([3.0, 5.0]).smoothed(0.5))


def test_smoothing_by_nothing_is_the_loss_itself():
    np.testing.assert_array_equal(history_of([3.0, 2.0, 1.0]).smoothed(0.0), [3.0, 2.0, 1.0])


def test_losses_that_are_not_finite_are_left_out_of_the_average():
    smoothed = history_of([np.nan, 3.0, np.inf, 3.0]).smoothed(0.9)
    np.testing.assert_allclose(smoothed, [np.nan, 3.0, 3.0, 3.0])


def test_truncate_forgets_everything_after_the_step():
    history = history_of([3.0, 2.0, 1.0])
    for number in (1, 3):
        history.add(EvaluationFinished(step=number, loss=2.0))
        history.add(sample(number))
    history.truncate(2)
    assert history.steps.tolist() == [1, 2]
    assert history.validation_steps.tolist() == [1]
    assert [kept.step for kept in history.samples] == [1]


def test_reset_takes_the_numbers_of_a_loaded_run():
    history = history_of([9.0])
    history.add(sample(1))
    ones = np.ones(3)
    arrays = MetricsArrays(
        steps=np.arange(1, 4), train_loss=ones, lr=ones, gradient_norm=ones, tokens_per_second=ones,
        validation_steps=np.array([0]), validation_loss=np.array([4.0]),
    )  # fmt: skip
    history.reset(arrays)
    history.add(step(4, 2.0))
    np.testing.assert_array_equal(history.train_loss, [1, 1, 1, 2])
    assert history.samples == ()


def test_only_the_last_samples_are_kept():
    history = RunHistory()
    for number in range(SAMPLES_KEPT + 5):
        history.add(sample(number))
    assert [history.samples[0].step, history.samples[-1].step, len(history.samples)] == [5, SAMPLES_KEPT + 4, SAMPLES_KEPT]


def test_a_failure_stands_until_a_step_succeeds():
    history = history_of([2.0, np.nan])
    history.add(RunFailed(step=2, message="The loss is not a number."))
    assert history.failure is not None
    history.truncate(1)
    assert history.failure is not None
    history.add(step(2))
    assert history.failure is None


@pytest.mark.parametrize("weight", [0.0, 0.9])
def test_an_empty_run_has_empty_arrays(weight):
    history = RunHistory()
    assert history.smoothed(weight).size == history.steps.size == history.validation_loss.size == 0


def evaluated(losses, train=None):
    """An evaluation every ten steps, over a training loss that falls unless `train` says otherwise."""
    last = 10 * (len(losses) - 1)
    history = history_of(np.linspace(4, 1, last).tolist() if train is None else [train] * last)
    for index, loss in enumerate(losses):
        history.add(EvaluationFinished(step=10 * index, loss=loss))
    return history


def test_the_best_evaluation_is_the_lowest_that_is_a_number():
    assert RunHistory().best_evaluation is None
    assert evaluated([np.nan, 2.0, 1.5, 1.6]).best_evaluation == (20, 1.5)


@pytest.mark.parametrize(
    ("losses", "since"),
    [
        ([3.0, 2.0, 2.1, 2.2, 2.3], 10),
        ([3.0, 2.0, 2.1, 2.2], None),
        ([3.0, 2.0, 2.001, 2.2, 2.3], None),
        ([3.0, 2.0, 1.9, 1.8, 1.7], None),
    ],
)
def test_overfitting_is_three_clearly_worse_evaluations_after_the_best(losses, since):
    assert evaluated(losses).overfitting_since == since


def test_a_run_that_learns_no_more_of_its_own_text_either_does_not_overfit():
    assert evaluated([3.0, 2.0, 2.1, 2.2, 2.3], train=2.0).overfitting_since is None


def scored(step, n_head=2):
    weights = np.zeros((1, n_head, 1, 1), np.float32)
    return ProbeTaken(step=step, tokens=("t",), weights=weights, scores=np.full((1, n_head, 3), step, np.float32))


def test_the_scores_of_a_head_are_kept_along_the_run():
    history = RunHistory()
    for number in (0, 5, 10, 10):
        history.add(scored(number))
    assert history.score_steps.tolist() == [0, 5, 10]
    assert history.head_scores(0, 1)[:, 2].tolist() == [0, 5, 10]
    history.truncate(5)
    assert history.score_steps.tolist() == [0, 5]
    history.add(scored(6, n_head=3))
    assert history.score_steps.tolist() == [6]
    history.reset()
    assert history.head_scores(0, 0).shape == (0, 3)


def test_many_scores_are_thinned_and_the_latest_stays():
    history = RunHistory()
    for number in range(3 * SCORES_KEPT):
        history.add(scored(number))
    steps = history.score_steps
    assert len(steps) <= SCORES_KEPT
    assert (steps[0], steps[-1]) == (0, 3 * SCORES_KEPT - 1)
