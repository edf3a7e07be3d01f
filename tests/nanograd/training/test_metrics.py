import numpy as np

from nanograd.training.events import EvaluationFinished, StepFinished
from nanograd.training.metrics import METRIC_NAMES, Metrics


def filled(count):
    metrics = Metrics()
    for step in range(1, count + 1):
        metrics.add(StepFinished(step=step, loss=1 / step, lr=0.1, gradient_norm=step, tokens_per_second=9.0))
        if step % 2 == 0:
            metrics.add(EvaluationFinished(step=step, loss=2 / step))
    return metrics


def test_numbers_come_back_as_arrays_however_many():
    arrays = filled(1000).arrays()
    assert arrays.steps.tolist() == list(range(1, 1001))
    assert arrays.validation_steps.tolist() == list(range(2, 1001, 2))
    np.testing.assert_array_equal(arrays.train_loss, 1 / np.arange(1, 1001))
    np.testing.assert_array_equal(arrays.gradient_norm, arrays.steps)
    assert arrays.steps.dtype == arrays.validation_steps.dtype == np.int64


def test_arrays_are_not_changed_by_what_comes_later():
    metrics = filled(10)
    before = metrics.arrays()
    metrics.truncate(3)
    for step in range(4, 400):
        metrics.add(StepFinished(step=step, loss=77.0, lr=0.0, gradient_norm=0.0, tokens_per_second=0.0))
    np.testing.assert_array_equal(before.train_loss, filled(10).arrays().train_loss)


def test_truncate_forgets_what_is_after_a_step():
    metrics = filled(10)
    metrics.truncate(5)
    assert metrics.arrays().steps.tolist() == [1, 2, 3, 4, 5]
    assert metrics.arrays().validation_steps.tolist() == [2, 4]
    assert metrics.last_validation_step == 4


def test_a_second_evaluation_of_a_step_is_left_out():
    metrics = filled(4)
    metrics.add(EvaluationFinished(step=4, loss=9.0))
    assert metrics.arrays().validation_loss.tolist() == [1, 0.5]


def test_metrics_go_on_from_their_arrays():
    again = Metrics(filled(300).arrays())
    for name in METRIC_NAMES:
        np.testing.assert_array_equal(getattr(again.arrays(), name), getattr(filled(300).arrays(), name))


def test_there_is_no_last_evaluation_at_first():
    assert Metrics().last_validation_step == -1
    assert len(Metrics().arrays().steps) == 0


def test_csv_has_a_row_for_each_step_and_for_an_evaluation_before_the_first():
    metrics = Metrics()
    for event in (
        EvaluationFinished(step=0, loss=4.0),
        StepFinished(step=1, loss=3.0, lr=0.001, gradient_norm=0.5, tokens_per_second=1000.0),
        StepFinished(step=2, loss=0.1, lr=0.001, gradient_norm=0.5, tokens_per_second=1000.0),
        EvaluationFinished(step=2, loss=2.5),
    ):
        metrics.add(event)
    assert metrics.arrays().as_csv().splitlines() == [
        "step,train_loss,lr,gradient_norm,tokens_per_second,validation_loss",
        "0,,,,,4.0",
        "1,3.0,0.001,0.5,1000.0,",
        "2,0.1,0.001,0.5,1000.0,2.5",
    ]


def test_room_that_was_made_changes_no_numbers():
    metrics = filled(300)
    before = metrics.arrays()
    metrics.expect(1000)
    assert metrics.last_step == 300
    np.testing.assert_array_equal(metrics.arrays().train_loss, before.train_loss)
    column = metrics.arrays().train_loss.base
    for step in range(301, 1001):
        metrics.add(StepFinished(step=step, loss=1.0, lr=0.1, gradient_norm=1.0, tokens_per_second=9.0))
    assert metrics.arrays().train_loss.base is column
    assert metrics.arrays().steps.tolist() == list(range(1, 1001))
    metrics.expect(10)
    assert metrics.last_step == 1000
