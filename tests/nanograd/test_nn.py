import numpy as np
import pytest

from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.nn import ACTIVATIONS, GELU, MLP, Linear, ModuleList, ReLU, Sequential
from nanograd.optimizer import Adam
from nanograd.softmax import cross_entropy
from nanograd.tensor import Tensor


def test_an_mlp_learns_which_of_ten_patterns_it_sees(generator):
    model = MLP(input_dim=784, hidden_dim=256, output_dim=10)
    optimizer = Adam(model.parameters(), lr=0.001)
    patterns, targets = generator.standard_normal((10, 784)), generator.integers(0, 10, 100)
    x, y = Tensor(patterns[targets] + generator.standard_normal((100, 784))), tensor(targets)
    losses = []
    for _ in range(12):
        loss = cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 2
    assert losses[-1] < 0.1
    assert (model(x).argmax(1) == y).array.all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradient_of_an_mlp(activation, generator):
    model = MLP(3, 5, 2, activation=activation)
    for parameter in model.parameters():
        parameter.array = generator.standard_normal(parameter.shape)
    x = tensor(generator.standard_normal((4, 3)), requires_grad=True)
    assert gradcheck(lambda x, *_: model(x), [x, *model.parameters()])


def test_an_mlp_names_its_activations():
    with pytest.raises(ValueError, match="relu, gelu, gelu_tanh, relu2, swiglu, not 'tanh'"):
        MLP(1, 1, 1, activation="tanh")


def test_a_sequential_calls_one_after_another():
    model = Sequential(Linear(2, 3), ReLU(), GELU(), Linear(3, 1))
    x = Tensor([[1.0, -2.0]])
    assert model(x).tolist() == model[3](model[2](model[1](model[0](x)))).tolist()
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "3.weight", "3.bias"]


def test_a_module_list_is_a_list():
    layers = [ReLU(), GELU()]
    found = ModuleList(layers)
    assert list(found) == layers
    assert len(found) == 2
    assert found[-1] is layers[1]


def test_each_layer_of_a_model_can_be_reached_from_nn():
    from nanograd import nn

    assert all(hasattr(nn, name) for name in nn.__all__)
    assert nn.functional.relu(Tensor([-1.0])).tolist() == [0]


def test_a_hidden_layer_of_a_thousand_rows_stays_float32():
    assert MLP(2, 3, 1)(Tensor(np.ones((1000, 2)))).dtype == np.float32
