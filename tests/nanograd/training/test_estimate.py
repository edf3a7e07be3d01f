import tracemalloc
from dataclasses import replace

import pytest

from nanograd.text.corpus import Corpus
from nanograd.training.estimate import memory_bytes, parameter_count, step_flop
from nanograd.training.settings import PRESETS, RunSettings
from nanograd.training.trainer import Trainer, build_model
from resources import corpus_text

PROGRAM_BYTES = 40_000_000


@pytest.mark.parametrize("name", ["Tiny", "Small", "nanoGPT CPU"])
@pytest.mark.parametrize("bias", [True, False])
def test_parameters_are_counted_as_the_model_has_them(name, bias):
    settings = replace(PRESETS[name], bias=bias)
    assert parameter_count(settings, 65) == sum(p.numel() for p in build_model(settings, 65).parameters())


def test_nanogpt_cpu_takes_4_gflop_a_step():
    assert step_flop(RunSettings(), 65) == pytest.approx(4e9, rel=0.1)


@pytest.mark.parametrize("change", [{"n_layer": 8}, {"n_embd": 256}, {"block_size": 128}, {"batch_size": 24}])
def test_larger_settings_take_more_memory_and_time(change):
    larger = replace(RunSettings(), **change)
    assert memory_bytes(larger, 65) > memory_bytes(RunSettings(), 65)
    assert step_flop(larger, 65) > step_flop(RunSettings(), 65)


def traced_peak(settings, corpus):
    """The most bytes in arrays while a trainer is built and takes a step."""
    tracemalloc.start()
    for _ in Trainer(replace(settings, eval_windows=1, sample_tokens=0), corpus).run(single_step=True):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


MODERN = {"optimizer": "muon", "norm": "rmsnorm", "position": "rotary", "qk_norm": True, "activation": "relu2"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"dropout": 0.2},
        {"n_head": 24},
        {"n_layer": 1},
        {"activation": "relu"},
        {"activation": "swiglu"},
        {"block_size": 256, "batch_size": 4},
        MODERN,
    ],
    ids=str,
)
def test_memory_is_at_least_what_is_measured_and_at_most_half_more(change):
    corpus = Corpus.from_text(corpus_text("tales"), name="tales")
    settings = replace(PRESETS["Small"], parts=1, **change)  # how far threads overlap is their affair
    of_the_model = memory_bytes(settings, corpus.tokenizer.vocabulary_size) - PROGRAM_BYTES
    assert 1 <= of_the_model / traced_peak(settings, corpus) <= 1.5
