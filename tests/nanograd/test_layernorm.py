import numpy as np
import pytest

from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.errors import ShapeError
from nanograd.layernorm import LayerNorm, layer_norm, layer_norm_definition
from nanograd.tensor import Tensor

AFFINE = {"plain": (), "weight": ("weight",), "bias": ("bias",), "both": ("weight", "bias")}
SHAPES = [(4,), (3, 4), (2, 3, 4), (0, 4)]


def draw(generator, *shapes):
    return [tensor(generator.standard_normal(shape), requires_grad=True) for shape in shapes]


def fused(x, named, shape):
    return layer_norm(x, shape, **named)


def definition(x, named, shape):
    return layer_norm_definition(x, named.get("weight"), named.get("bias"))


@pytest.mark.parametrize("function", [fused, definition])
@pytest.mark.parametrize("names", AFFINE.values(), ids=AFFINE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradient(function, names, shape, generator):
    inputs = draw(generator, shape, *[(4,) for _ in names])
    assert gradcheck(lambda x, *extras: function(x, dict(zip(names, extras, strict=True)), (4,)), inputs)


@pytest.mark.parametrize("names", AFFINE.values(), ids=AFFINE)
def test_fused_equals_definition(names, generator):
    x, *extras = draw(generator, (2, 3, 4), *[(4,) for _ in names])
    results = [function(x, dict(zip(names, extras, strict=True)), 4).detach().numpy() for function in (fused, definition)]
    np.testing.assert_allclose(*results, rtol=1e-12, atol=1e-13)


def test_gradient_over_several_dimensions(generator):
    assert gradcheck(lambda x, w, b: layer_norm(x, (3, 4), w, b), draw(generator, (2, 3, 4), (3, 4), (3, 4)))


def test_gradient_of_the_weight_alone(generator):
    x, weight = draw(generator, (2, 4), (4,))
    layer_norm(x.detach(), 4, weight).sum().backward()
    assert x.grad is None
    assert weight.grad.shape == (4,)


@pytest.mark.parametrize("normalized_shape", [4, (3, 4)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_layer_is_as_in_torch(normalized_shape, bias, generator):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    ours, theirs = LayerNorm(normalized_shape, bias=bias), torch.nn.LayerNorm(normalized_shape, bias=bias)
    state = {name: generator.standard_normal(array.shape).astype(np.float32) for name, array in theirs.state_dict().items()}
    ours.load_state_dict(state)
    theirs.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    x = (generator.standard_normal((2, 3, 4)) * 5 + 100).astype(np.float32)
    np.testing.assert_allclose(ours(tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-4)


def test_a_row_of_equal_numbers_becomes_0():
    assert LayerNorm(3)(Tensor([[5.0, 5.0, 5.0]])).tolist() == [[0, 0, 0]]


def test_parameters_are_there_as_asked():
    assert [name for name, _ in LayerNorm(3).named_parameters()] == ["weight", "bias"]
    assert [name for name, _ in LayerNorm(3, bias=False).named_parameters()] == ["weight"]
    assert list(LayerNorm(3, elementwise_affine=False).parameters()) == []


def test_a_shape_that_does_not_end_in_the_normalized_one_is_named():
    with pytest.raises(ShapeError, match=r"ends in \(4,\); got \(2, 3\)"):
        layer_norm(Tensor(np.ones((2, 3))), 4)


def test_parameters_and_results_are_float32():
    layer = LayerNorm(3)
    assert {parameter.dtype.name for parameter in layer.parameters()} == {"float32"}
    assert layer(Tensor([[1.0, 2.0, 3.0]])).dtype == np.float32
