from functools import partial

import pytest

from nanograd.training.estimate import warmup_decay

rate = partial(warmup_decay, lr=1.0, min_lr=0.1, warmup_steps=4, max_steps=14)


def test_it_rises_evenly_to_lr_and_never_starts_at_0():
    assert [rate(step) for step in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_it_falls_along_half_a_cosine_to_min_lr_and_stays():
    assert rate(9) == pytest.approx(0.55)
    rates = [rate(step) for step in range(4, 15)]
    assert rates == sorted(rates, reverse=True)
    assert rate(14) == rate(10_000) == 0.1


def test_it_falls_evenly_where_the_decay_is_linear():
    assert [rate(step, decay="linear") for step in (4, 9, 14, 20)] == pytest.approx([1.0, 0.55, 0.1, 0.1])


@pytest.mark.parametrize("decay", ["cosine", "linear"])
@pytest.mark.parametrize(("warmup_steps", "max_steps"), [(0, 1), (0, 10), (10, 10), (20, 10), (1, 1)])
def test_every_step_of_odd_lengths_has_a_rate_within_bounds(warmup_steps, max_steps, decay):
    for step in range(30):
        found = warmup_decay(step, lr=1.0, min_lr=0.1, warmup_steps=warmup_steps, max_steps=max_steps, decay=decay)
        assert 0 < found <= 1
