from math import isnan

import pytest

from gui.pace import Pace


def test_nothing_is_known_before_two_steps():
    pace = Pace()
    assert isnan(pace.step_s)
    pace.note(10.0, 5)
    assert isnan(pace.step_s)


def test_the_time_of_a_step_is_the_mean_over_all_steps_between():
    pace = Pace()
    for now_s, step in ((10.0, 5), (11.0, 7), (16.0, 11)):
        pace.note(now_s, step)
    assert pace.step_s == pytest.approx(1.0)


def test_only_the_last_half_minute_counts():
    pace = Pace()
    for now_s, step in ((0.0, 1), (100.0, 2), (110.0, 12), (120.0, 22)):
        pace.note(now_s, step)
    assert pace.step_s == pytest.approx(1.0)


def test_slow_steps_are_measured_though_they_take_longer_than_the_window():
    pace = Pace()
    for now_s, step in ((0.0, 1), (50.0, 2), (100.0, 3)):
        pace.note(now_s, step)
    assert pace.step_s == pytest.approx(50.0)


def test_a_run_that_went_back_is_measured_anew():
    pace = Pace()
    for now_s, step in ((0.0, 10), (1.0, 20), (2.0, 5)):
        pace.note(now_s, step)
    assert isnan(pace.step_s)
    pace.note(6.0, 7)
    assert pace.step_s == pytest.approx(2.0)


def test_a_rest_does_not_count():
    pace = Pace()
    pace.note(0.0, 1)
    pace.reset()
    pace.note(100.0, 2)
    pace.note(101.0, 3)
    assert pace.step_s == pytest.approx(1.0)
