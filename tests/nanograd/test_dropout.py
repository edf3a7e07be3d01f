import numpy as np
import pytest

from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.dropout import Dropout, dropout, dropout_definition, keep_mask
from nanograd.random import Generator, manual_seed
from nanograd.tensor import Tensor


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_gradient_with_the_same_draw(p, generator):
    x = tensor(generator.standard_normal((3, 4)), requires_grad=True)
    assert gradcheck(lambda x: dropout(x, p, generator=Generator(1)), x)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_fused_equals_definition_with_the_same_generator(p, generator):
    array, found = generator.standard_normal((30, 40)), []
    for function in (lambda x: dropout(x, p, generator=Generator(5)), lambda x: dropout_definition(x, p, Generator(5))):
        x = tensor(array, requires_grad=True)
        result = function(x)
        (result * result).sum().backward()
        found.append((result.array, x.grad.array))
    for got, expected in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_kept_and_the_mean_are_right(p):
    result = dropout(Tensor(np.ones(200_000)), p).array
    assert abs((result == 0).mean() - p) < 0.005
    assert abs(result.mean() - 1) < 0.03
    assert set(np.unique(result).tolist()) == {0.0, np.float32(1 / (1 - p)).item()}


def test_it_draws_from_the_seed_unless_a_generator_is_given():
    x = Tensor(np.ones(50))
    manual_seed(1)
    first = dropout(x).tolist()
    other = dropout(x, generator=Generator(2)).tolist()
    manual_seed(1)
    assert dropout(x).tolist() == first
    assert dropout(x, generator=Generator(2)).tolist() == other


def test_it_is_off_in_evaluation_and_at_0():
    x = Tensor([1.0, 2.0])
    layer = Dropout(0.9).eval()
    assert layer(x) is dropout(x, 0.0) is dropout(x, 0.9, training=False) is x


def test_everything_goes_at_1():
    assert dropout(Tensor([1.0, 2.0]), 1.0).tolist() == [0, 0]


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(ValueError, match="from 0 to 1"):
        dropout(Tensor([1.0]), p)
    with pytest.raises(ValueError, match="from 0 to 1"):
        Dropout(p)


@pytest.mark.parametrize("shape", [(), (0,), (2, 3)], ids=str)
def test_the_mask_has_the_shape(shape):
    assert keep_mask(shape, 0.5, Generator()).shape == shape
