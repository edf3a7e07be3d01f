import pytest
from PySide6.QtWidgets import QLabel

from gui.events import CostEstimated
from gui.views.cost_card import CostCard
from nanograd.training.settings import RunSettings


@pytest.fixture
def card(qtbot):
    card = CostCard()
    qtbot.addWidget(card)
    return card


def texts(card):
    names = ("parameter_count_label", "memory_label", "step_time_label", "time_label")
    return [card.findChild(QLabel, name).text() for name in names]


def test_what_is_not_known_is_a_dash(card):
    assert texts(card) == ["–"] * 4
    card.show_parameter_count(804_000)
    card.show_unknown()
    assert texts(card) == ["–"] * 4


@pytest.mark.parametrize(("is_measured", "step"), [(True, "29 ms, measured"), (False, "about 29 ms")])
def test_an_estimate_says_whether_it_was_measured(card, is_measured, step):
    card.show_cost(
        CostEstimated(
            settings=RunSettings(),
            parameter_count=804_000,
            memory_bytes=212_000_000,
            step_s=0.029,
            run_s=64.0,
            is_measured=is_measured,
        )
    )
    assert texts(card) == ["0.80 M", "212 MB", step, "about 64 s"]


def test_real_steps_tell_what_is_left(card):
    card.show_measured_step(0.03, 24.2)
    assert texts(card)[2:] == ["30 ms, measured", "about 24 s left"]
