import numpy as np
import pytest

from nanograd.averaging import ExponentialMovingAverage
from nanograd.errors import ShapeError
from nanograd.module import Parameter
from nanograd.nn import Linear


def walk(parameters, average, steps, seed=0):
    """Change the parameters at random, and take each change into the average; returns the averages by the formula."""
    random = np.random.default_rng(seed)
    expected = [parameter.array.copy() for parameter in parameters]
    for _ in range(steps):
        for position, parameter in enumerate(parameters):
            parameter.array += random.standard_normal(parameter.shape)
            expected[position] = average.decay * expected[position] + (1 - average.decay) * parameter.array
        average.update()
    return expected


@pytest.mark.parametrize("decay", [0.0, 0.9, 1.0])
def test_it_follows_the_formula(decay):
    parameters = [Parameter(np.ones((2, 3))), Parameter(np.zeros(())), Parameter(np.zeros((0, 2)))]
    average = ExponentialMovingAverage(parameters, decay)
    for array, expected in zip(average.averages, walk(parameters, average, 20), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-12, atol=1e-12)


def test_a_model_is_its_average_inside_the_block_alone():
    model = Linear(2, 3)
    average = ExponentialMovingAverage(model, 0.5)
    weight = model.weight
    expected = walk(list(model.parameters()), average, 3)
    before, version = weight.array.copy(), weight.version
    with average.swapped():
        np.testing.assert_allclose(model.weight.array, expected[0], rtol=1e-5)
        assert weight.version > version
    with pytest.raises(ZeroDivisionError), average.swapped():
        raise ZeroDivisionError
    assert model.weight is weight
    np.testing.assert_array_equal(weight.array, before)
    average.update()
    np.testing.assert_allclose(average.averages[0], (expected[0] + before) / 2, rtol=1e-5)


def test_it_goes_on_from_its_state():
    models = [Linear(2, 3) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    first, second = ExponentialMovingAverage(models[0], 0.9), ExponentialMovingAverage(models[1], 0.1)
    walk(list(models[0].parameters()), first, 3)
    walk(list(models[1].parameters()), second, 3)
    second.load_state_dict(first.state_dict())
    for model, average in zip(models, (first, second), strict=True):
        walk(list(model.parameters()), average, 3)
    assert second.decay == 0.9
    np.testing.assert_array_equal(first.averages[0], second.averages[0])


@pytest.mark.parametrize(
    ("do", "error", "words"),
    [
        (lambda: ExponentialMovingAverage(Linear(1, 1), 1.5), ValueError, "decay is from 0 to 1; got 1.5"),
        (
            lambda: ExponentialMovingAverage(Linear(1, 2)).load_state_dict({"decay": 0.5, "averages": {}}),
            ShapeError,
            "same model",
        ),
    ],
)
def test_what_does_not_fit_is_told(do, error, words):
    with pytest.raises(error, match=words):
        do()
