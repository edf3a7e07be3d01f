"""Every form that a GPTConfig can describe: its size, its gradients, and generation with and without the cache."""

from itertools import product

import numpy as np
import pytest

from nanograd.gptconfig import NORMS, POSITIONS
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.nn import ACTIVATIONS
from nanograd.training.model_parts import model_parts

BLOCK_SIZE = 8
FORMS = [
    {"norm": norm, "position": position, "activation": activation, "qk_norm": qk_norm, "bias": bias, "tied_head": tied_head}
    for norm, position, activation, qk_norm, bias, tied_head in product(
        NORMS, POSITIONS, ACTIVATIONS, (False, True), (False, True), (False, True)
    )
]


@pytest.fixture(params=FORMS, ids=lambda form: "-".join(str(value) for value in form.values()))
def model(request):
    """A model of the form in float64, far from its initial weights."""
    model = GPTLanguageModel(11, 16, 2, 2, BLOCK_SIZE, **request.param)
    generator = np.random.default_rng(0)
    for parameter in model.parameters():
        parameter.array = parameter.array.astype(np.float64) + 0.3 * generator.standard_normal(parameter.shape)
    return model


def test_each_form_counts_its_parameters_and_has_the_right_gradients(model):
    assert sum(part.parameter_count for part in model_parts(model.config)) == sum(
        parameter.numel() for parameter in model.parameters()
    )
    generator = np.random.default_rng(1)
    ids, eps = generator.integers(0, 11, (2, 6)), 1e-6
    model(ids, ids)[1].backward()
    for name, parameter in model.named_parameters():
        place = tuple(generator.integers(0, size) for size in parameter.shape)
        before = parameter.array[place]
        losses = []
        for value in (before + eps, before - eps, before):
            parameter.array[place] = value
            losses.append(model(ids, ids)[1].item())
        assert parameter.grad.array[place] == pytest.approx((losses[0] - losses[1]) / (2 * eps), abs=1e-6), name


def test_each_form_writes_the_same_with_the_cache_as_without(model):
    ids = [1, 2]
    for _ in range(BLOCK_SIZE + 4):
        ids.append(int(model(np.array([ids[-BLOCK_SIZE:]]))[0].array[0, -1].argmax()))
    assert model.generate([1, 2], max_new_tokens=BLOCK_SIZE + 4, temperature=0).tolist() == ids


def test_projections_that_start_at_0_make_every_block_nothing():
    model = GPTLanguageModel(11, 16, 2, 2, BLOCK_SIZE, zero_init=True, position="rotary", norm="rmsnorm")
    assert all(not block.attn.c_proj.weight.array.any() and not block.mlp.c_proj.weight.array.any() for block in model.h)
