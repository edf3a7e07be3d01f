from math import isnan

import pytest

from gui.pace import Pace, evaluations_between


@pytest.fixture
def pace():
    return Pace()


def test_nothing_is_known_before_a_whole_step(pace):
    assert isnan(pace.step_s)
    pace.note_start(10.0, 5)
    assert isnan(pace.step_s)
    assert isnan(pace.seconds_left(5, 10, 5))
    pace.note_step(11.0, 6)
    assert pace.step_s == pytest.approx(1.0)


def run_on(pace, times, at_s=0.0, step=0):
    """Go on by a step for each of these times, after `step` steps."""
    pace.note_start(at_s, step)
    for took_s in times:
        at_s, step = at_s + took_s, step + 1
        pace.note_step(at_s, step)


def test_the_time_of_a_step_is_the_mean_of_all_steps_after_the_beginning(pace):
    run_on(pace, [5.0, 1.0, 2.0, 3.0], 10.0, 4)
    assert pace.step_s == pytest.approx(2.5)


def test_only_the_last_half_minute_counts(pace):
    run_on(pace, [1.0] * 40 + [3.0] * 20)
    assert pace.step_s == pytest.approx(3.0)


def test_slow_steps_are_measured_though_they_take_longer_than_the_window(pace):
    pace.note_start(0.0, 0)
    for at_s, step in ((50.0, 1), (100.0, 2)):
        pace.note_step(at_s, step)
    assert pace.step_s == pytest.approx(50.0)


def test_a_run_that_went_back_is_measured_anew(pace):
    pace.note_start(0.0, 9)
    pace.note_step(1.0, 10)
    pace.note_step(2.0, 5)
    assert isnan(pace.step_s)
    pace.note_step(6.0, 6)
    assert pace.step_s == pytest.approx(4.0)


def test_a_rest_does_not_count_and_what_was_known_stays(pace):
    pace.note_start(0.0, 0)
    pace.note_step(1.0, 1)
    pace.note_start(100.0, 1)
    pace.note_step(101.0, 2)
    assert pace.step_s == pytest.approx(1.0)


def test_another_run_is_measured_anew(pace):
    pace.note_start(0.0, 0)
    pace.note_step(1.0, 1)
    pace.reset()
    assert isnan(pace.step_s)
    assert pace.evaluation_s == 0


def test_evaluations_are_measured_apart_and_counted_in_what_is_left(pace):
    pace.note_start(0.0, 0)
    pace.note_evaluation()
    pace.note_step(6.15, 1)  # five seconds for the evaluation, 0.15 for what is done once, one for the step
    for step in range(2, 10):
        pace.note_step(5.15 + step, step)
    assert pace.step_s == pytest.approx(1.0)
    assert pace.evaluation_s == pytest.approx(5.0)
    assert pace.seconds_left(9, 25, 10) == pytest.approx(16 + 3 * 5)


def test_the_evaluation_after_a_step_is_still_to_come_until_it_was_there(pace):
    pace.note_start(0.0, 0)
    pace.note_evaluation()
    pace.note_step(6.15, 1)
    for step in range(2, 21):
        pace.note_step(5.15 + step, step)
    assert pace.seconds_left(10, 20, 10) == pytest.approx(10 + 2 * 5)
    assert pace.seconds_left(20, 20, 10) == pytest.approx(5)
    pace.note_evaluation()
    assert pace.seconds_left(20, 20, 10) == 0


@pytest.mark.parametrize(
    ("step", "max_steps", "interval", "expected"), [(0, 20, 10, 2), (10, 25, 10, 2), (9, 25, 10, 3), (5, 6, 10, 1)]
)
def test_evaluations_to_come_are_counted(step, max_steps, interval, expected):
    due = [at for at in range(step + 1, max_steps + 1) if at % interval == 0 or at == max_steps]
    assert evaluations_between(step, max_steps, interval) == len(due) == expected


def test_a_slow_beginning_is_left_out_and_a_rest_of_the_computer_does_not_count(pace):
    run_on(pace, [0.5] * 20 + [0.1] * 30)
    assert pace.step_s == pytest.approx(0.1)
    run_on(pace, [0.1] * 9 + [8.0] + [0.1] * 20, 8.0, 50)
    assert pace.step_s == pytest.approx((59 * 0.1 + 4 * 0.1) / 60)


def test_steps_that_are_slow_now_and_then_count_in_full(pace):
    run_on(pace, [0.1, 0.1, 0.1, 0.3] * 25)  # the model is looked at
    assert pace.step_s == pytest.approx(0.15)
