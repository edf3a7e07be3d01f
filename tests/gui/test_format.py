from math import inf, nan

import pytest

from gui import format as texts


@pytest.mark.parametrize(
    ("count", "text"),
    [(812, "812"), (9_999, "9,999"), (25_300, "25.3 k"), (804_000, "0.80 M"), (10_600_000, "10.6 M"), (1_240_000_000, "1.24 B")],
)
def test_parameter_counts_have_three_figures(count, text):
    assert texts.short_count_text(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(512, "512 B"), (999_600, "1.0 MB"), (1_115_394, "1.1 MB"), (212_000_000, "212 MB"), (1_400_000_000, "1.4 GB")],
)
def test_memory_is_told_in_the_unit_that_suits_it(count, text):
    assert texts.bytes_text(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0012, "1.2 ms"),
        (0.029, "29 ms"),
        (0.9996, "1.0 s"),
        (24, "24 s"),
        (100, "2 min"),
        (4800, "1 h 20 min"),
        (90_000, "1 d 1 h"),
        (1e11, "3,169 years"),
    ],
)
def test_durations_are_told_in_the_unit_that_suits_them(seconds, text):
    assert texts.duration_text(seconds) == text


@pytest.mark.parametrize("seconds", [nan, inf, -1.0])
def test_a_duration_that_is_not_known_is_an_en_dash(seconds):
    assert texts.duration_text(seconds) == texts.rough_duration_text(seconds) == "–"


@pytest.mark.parametrize("number", [1e-3, 0.1, 3e-4, 1e-8, 2.5e-4, 1 / 3 * 1e-5, 123456.789, 1e12, -2e-7, 0.0, 0.999999])
def test_numbers_read_back_as_themselves(number):
    assert float(texts.number_text(number)) == number


def test_small_numbers_are_short():
    assert [texts.number_text(number) for number in (1e-3, 2.5e-4, 0.1, 2.0, 0.0)] == ["1e-3", "2.5e-4", "0.1", "2", "0"]


def test_a_loss_that_is_not_a_number_says_so():
    assert texts.loss_text(nan) == "nan"


def test_a_loss_that_has_run_away_stays_short():
    assert [texts.loss_text(loss) for loss in (4.1744, 9999.0, 73267724.901)] == ["4.174", "9999.000", "7.3e7"]


def test_tooltips_take_no_text_for_markup():
    assert "&lt;b&gt;" in texts.tooltip_text("<b>")
