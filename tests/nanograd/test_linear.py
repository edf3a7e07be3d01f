import numpy as np
import pytest

from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.errors import ShapeError
from nanograd.linear import Linear, linear, linear_definition
from nanograd.random import manual_seed
from nanograd.tensor import Tensor

SHAPES = [(4,), (3, 4), (2, 3, 4), (0, 4), (2, 1, 3, 4)]


def draw(generator, *shapes):
    return [tensor(generator.standard_normal(shape), requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("function", [linear, linear_definition])
@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradient(function, has_bias, shape, generator):
    inputs = draw(generator, shape, (5, 4), (5,))
    assert gradcheck(function, inputs if has_bias else inputs[:2])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_fused_equals_definition(shape, generator):
    inputs = draw(generator, shape, (5, 4), (5,))
    np.testing.assert_allclose(linear(*inputs).detach().numpy(), linear_definition(*inputs).detach().numpy(), rtol=1e-12)


def test_gradient_through_a_strided_input_and_weight(generator):
    assert gradcheck(lambda x, w, b: linear(x.T, w[::2], b[::2]), draw(generator, (4, 3), (6, 4), (6,)))


def test_no_gradient_is_made_where_none_is_wanted(generator):
    x, weight, bias = draw(generator, (3, 4), (5, 4), (5,))
    linear(x.detach(), weight, bias.detach()).sum().backward()
    assert x.grad is None
    assert weight.grad is not None
    assert bias.grad is None


def test_layer_is_as_in_torch(generator):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    ours, theirs, x = Linear(4, 3), torch.nn.Linear(4, 3), generator.standard_normal((2, 4)).astype(np.float32)
    ours.load_state_dict({name: array.numpy() for name, array in theirs.state_dict().items()})
    np.testing.assert_allclose(ours(tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_initial_weights_are_even_within_their_bound_and_seeded():
    manual_seed(3)
    first = Linear(100, 50)
    manual_seed(3)
    second = Linear(100, 50)
    np.testing.assert_array_equal(first.weight.array, second.weight.array)
    assert 0.099 < np.abs(first.weight.array).max() <= 0.1
    assert abs(first.weight.array.mean()) < 0.005
    assert first.weight.dtype == first.bias.dtype == np.float32


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (Tensor(np.ones((2, 3))), r"\(\.\.\., 4\); got the shape \(2, 3\)"),
        (Tensor(1.0), r"got the shape \(\)"),
        (tensor(np.ones((2, 4))), r"float64: use \.to\('float32'\)"),
        (tensor([[1, 2, 3, 4]]), "int64"),
    ],
)
def test_inputs_that_do_not_fit_are_named(x, words):
    with pytest.raises(ShapeError, match=words):
        Linear(4, 2)(x)
