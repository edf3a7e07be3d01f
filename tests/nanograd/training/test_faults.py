from dataclasses import replace

import numpy as np
import pytest

from nanograd.gptlanguage import GPTLanguageModel
from nanograd.tensor import wrap
from nanograd.training.events import LossSpiked, RunFailed, StepFinished
from nanograd.training.faults import SpikeWatch, describe_broken_gradient, describe_largest_gradient
from nanograd.training.trainer import Trainer

INPUTS = np.array([[1, 2, 3, 4], [4, 3, 2, 1]])


@pytest.fixture
def model():
    """A model of three layers, with a gradient of ones."""
    model = GPTLanguageModel(vocab_size=8, n_embd=8, n_head=2, n_layer=3, block_size=4, dropout=0.0)
    for parameter in model.parameters():
        parameter.grad = wrap(np.ones_like(parameter.array))
    return model


def gradient(model, name):
    return dict(model.named_parameters())[name].grad.array


def falling_losses(generator, count, noise):
    return 1.5 + 2.5 * np.exp(-np.arange(count) / 100) + noise * generator.standard_normal(count)


@pytest.mark.parametrize("noise", [0.02, 0.2, 0.7])
def test_noise_and_a_falling_loss_are_no_spike(generator, noise):
    watch = SpikeWatch()
    assert not any(watch.is_spike(loss) for loss in falling_losses(generator, 5000, noise))


def test_a_model_that_learns_its_text_by_heart_makes_no_spikes(generator):
    watch = SpikeWatch()
    losses = 3 * np.exp(-np.arange(2000) / 100) + 0.05 * generator.random(2000)
    assert not any(watch.is_spike(loss) for loss in losses)


@pytest.mark.parametrize("jump", [8.0, 1000.0])
def test_one_loss_far_above_the_others_is_a_spike(generator, jump):
    watch = SpikeWatch()
    losses = falling_losses(generator, 400, 0.1)
    assert not any(watch.is_spike(loss) for loss in losses)
    assert watch.is_spike(jump)


def test_a_loss_that_climbs_within_some_steps_is_a_spike_once(generator):
    watch = SpikeWatch()
    losses = [*falling_losses(generator, 400, 0.1), *np.linspace(1.6, 4, 30), *(4 + 0.1 * generator.standard_normal(300))]
    found = [step for step, loss in enumerate(losses) if watch.is_spike(loss)]
    assert len(found) == 1
    assert 400 < found[0] < 430


def test_the_first_steps_are_not_judged():
    watch = SpikeWatch()
    assert not any(watch.is_spike(loss) for loss in [1.0] * 10 + [50.0])


def test_the_layer_with_the_largest_gradient_is_named(model):
    gradient(model, _matrix_of(model, 1))[...] = 100
    assert describe_largest_gradient(model).startswith("The gradient is largest in Layer 2, 100% of its norm")


def test_a_gradient_that_breaks_on_the_way_back_is_named_where_it_begins(model):
    for name, parameter in model.named_parameters():
        if name.startswith(("wte", "wpe", "h.0", "h.1")):
            parameter.grad.array[...] = np.nan
    assert describe_broken_gradient(model, INPUTS) == "The gradient is not finite in Layer 2."


def test_where_no_gradient_is_finite_the_first_broken_output_is_named(model):
    for parameter in model.parameters():
        parameter.grad.array[...] = np.inf
    dict(model.named_parameters())[_matrix_of(model, 2)].array[...] = np.nan
    assert describe_broken_gradient(model, INPUTS).endswith("go wrong first in Layer 3.")


def test_a_gradient_of_finite_numbers_whose_squares_are_not_is_told_by_its_size(model):
    gradient(model, _matrix_of(model, 0))[...] = 1e30
    assert "largest in Layer 1" in describe_broken_gradient(model, INPUTS)


def test_a_run_tells_of_a_spike_and_goes_on(small_settings, small_corpus):
    trainer = Trainer(replace(small_settings, max_steps=120, eval_interval=1000, dropout=0.0, grad_clip=0.0), small_corpus)
    events = []
    for event in trainer.run():
        events.append(event)
        if isinstance(event, StepFinished) and event.step == 100:
            for parameter in trainer.model.parameters():
                parameter.array *= 30.0
        assert not isinstance(event, RunFailed)
    spikes = [event for event in events if isinstance(event, LossSpiked)]
    assert [event.step for event in spikes] == [101]
    assert "The loss jumped to" in spikes[0].message
    assert "The gradient is largest in" in spikes[0].message
    assert trainer.step == 120


def _matrix_of(model, layer):
    return next(name for name, parameter in model.named_parameters() if name.startswith(f"h.{layer}.") and parameter.ndim == 2)
