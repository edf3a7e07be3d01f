import numpy as np
import pytest

from nanograd.activation import GELU, ReLU, gelu, gelu_definition, relu
from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.tensor import Tensor

FORMS = ["none", "tanh"]


@pytest.mark.parametrize("approximate", FORMS)
@pytest.mark.parametrize("function", [gelu, gelu_definition])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 3)], ids=str)
def test_gradient_of_gelu(function, approximate, shape, generator):
    assert gradcheck(lambda x: function(x, approximate), tensor(generator.standard_normal(shape) * 2, requires_grad=True))


@pytest.mark.parametrize("approximate", FORMS)
def test_fused_gelu_equals_definition_beyond_one_chunk(approximate, generator):
    array, found = generator.standard_normal(70_000) * 3, []
    for function in (gelu, gelu_definition):
        x = tensor(array, requires_grad=True)
        result = function(x, approximate)
        result.sum().backward()
        found.append((result.array, x.grad.array))
    for got, expected in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("approximate", FORMS)
def test_gradient_of_gelu_through_a_transposed_input(approximate, generator):
    assert gradcheck(lambda x: gelu(x.T, approximate), tensor(generator.standard_normal((2, 3)), requires_grad=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("approximate", FORMS)
def test_gelu_is_as_in_torch(approximate, dtype):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    x = np.linspace(-12, 12, 1001, dtype=dtype)
    result = gelu(tensor(x), approximate)
    expected = torch.nn.functional.gelu(torch.tensor(x), approximate=approximate).numpy()
    assert result.dtype == dtype
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-5, atol=1e-6 if dtype == np.float32 else 1e-14)


def test_gelu_names_its_forms():
    with pytest.raises(ValueError, match="'none' or 'tanh', not 'erf'"):
        gelu(Tensor([1.0]), "erf")


def test_relu_cuts_at_0_as_function_and_as_layer():
    x = Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    assert relu(x).tolist() == ReLU()(x).tolist() == [0, 0, 2]
    relu(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 1]


@pytest.mark.parametrize("approximate", FORMS)
def test_gelu_layer_equals_the_function(approximate):
    x = Tensor([-1.0, 0.5])
    assert GELU(approximate)(x).tolist() == gelu(x, approximate).tolist()
