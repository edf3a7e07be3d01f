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


def test_the_time_of_a_step_is_the_mean_over_all_steps_between(pace):
    pace.note_start(10.0, 4)
    for at_s, step in ((11.0, 5), (14.0, 6)):
        pace.note_step(at_s, step)
    assert pace.step_s == pytest.approx(2.0)


def test_only_the_last_half_minute_counts(pace):
    pace.note_start(0.0, 0)
    for at_s, step in ((100.0, 1), (101.0, 2), (102.0, 3), (131.5, 4)):
        pace.note_step(at_s, step)
    assert pace.step_s == pytest.approx((1.0 + 29.5) / 2)


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
    pace.note_step(6.0, 1)  # five seconds for the evaluation, one for the step
    for step in range(2, 10):
        pace.note_step(5.0 + step, step)
    assert pace.step_s == pytest.approx(1.0)
    assert pace.evaluation_s == pytest.approx(5.0)
    assert pace.seconds_left(9, 25, 10) == pytest.approx(16 + 3 * 5)


def test_the_evaluation_after_a_step_is_still_to_come_until_it_was_there(pace):
    pace.note_start(0.0, 0)
    pace.note_evaluation()
    pace.note_step(6.0, 1)
    for step in range(2, 21):
        pace.note_step(5.0 + step, step)
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


def test_the_slowest_of_the_first_steps_are_left_out_and_none_later(pace):
    pace.note_start(0.0, 0)
    pace.note_step(9.0, 1)  # the window was being drawn
    for step in range(2, 101):
        pace.note_step(9.0 + (step - 1) * 0.1, step)
    assert pace.step_s == pytest.approx(0.1)
    pace.note_step(9.0 + 100 * 0.1, 101)
    assert pace.step_s == pytest.approx((9.0 + 100 * 0.1) / 101)
