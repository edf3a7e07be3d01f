from dataclasses import replace

import pytest

from gui.cost_meter import CostMeter
from nanograd.training.estimate import ASSUMED_VOCABULARY_SIZE, memory_bytes, parameter_count
from nanograd.training.settings import PRESETS


def test_an_answer_comes_at_once_and_a_measured_one_later(small_settings, small_corpus):
    told = []
    meter = CostMeter(told.append)
    assert meter.delay_s is None
    meter.request(small_settings, small_corpus)
    assert [event.is_measured for event in told] == [False]
    assert meter.delay_s > 0
    meter.measure()
    meter.measure()
    assert [event.is_measured for event in told] == [False, True]
    assert meter.delay_s is None
    size = small_corpus.tokenizer.vocabulary_size
    for event in told:
        assert event.settings == small_settings
        assert event.parameter_count == parameter_count(small_settings, size)
        assert event.memory_bytes == memory_bytes(small_settings, size)
        assert event.step_s > 0


def test_without_a_text_a_usual_vocabulary_is_assumed(small_settings):
    told = []
    CostMeter(told.append).request(small_settings, None)
    assert told[0].parameter_count == parameter_count(small_settings, ASSUMED_VOCABULARY_SIZE)


def test_what_was_measured_makes_the_next_estimate(small_settings):
    told = []
    meter = CostMeter(told.append)
    meter.request(small_settings, None)
    meter.measure()
    meter.request(small_settings, None)
    assert told[-1].step_s == pytest.approx(told[-2].step_s, rel=1e-12)


def test_only_the_last_request_is_measured(small_settings):
    told = []
    meter = CostMeter(told.append)
    meter.request(small_settings, None)
    meter.request(replace(small_settings, batch_size=2), None)
    meter.measure()
    assert told[-1].settings.batch_size == 2


def test_a_model_too_large_to_try_is_estimated_only():
    told = []
    meter = CostMeter(told.append)
    meter.request(replace(PRESETS["Medium"], n_layer=48, n_head=8, n_embd=2048), None)
    assert meter.delay_s is None
    assert len(told) == 1


def test_settings_out_of_bounds_get_no_answer(small_settings):
    told = []
    CostMeter(told.append).request(replace(small_settings, n_head=5), None)
    assert told == []
