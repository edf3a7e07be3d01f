import copy

import numpy as np
import pytest

from nanograd.creation import tensor
from nanograd.errors import ShapeError
from nanograd.module import Module, Parameter
from nanograd.nn import MLP, Dropout, Linear, ModuleList, Sequential
from nanograd.tensor import Tensor


class Small(Module):
    def __init__(self):
        super().__init__()
        self.scale = Parameter(np.ones(2, np.float32))
        self.layers = ModuleList([Linear(2, 2), Dropout(0.5)])
        self.tied = self.layers[0]
        self.count = 3

    def forward(self, x):
        return self.layers[0](x) * self.scale


NAMES = ["scale", "layers.0.weight", "layers.0.bias"]


def test_parameters_are_found_once_by_dotted_name():
    assert [name for name, _ in Small().named_parameters()] == NAMES
    assert len(list(Small().parameters())) == 3


def test_an_attribute_set_again_takes_the_place_of_the_old():
    layer = Linear(2, 2)
    layer.weight = Parameter(np.zeros((2, 2), np.float32))
    assert sorted(name for name, _ in layer.named_parameters()) == ["bias", "weight"]
    layer.weight = None
    assert [name for name, _ in layer.named_parameters()] == ["bias"]


def test_train_and_eval_reach_every_module():
    model = Small()
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.train() is model
    assert all(module.training for module in model.modules())


def test_zero_grad_forgets_all_gradients():
    model = Small()
    model(Tensor([1.0, 2.0])).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    model.zero_grad()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_state_dict_shares_memory_and_loads_by_copying():
    first, second = Small(), Small()
    state = first.state_dict()
    assert list(state) == [*NAMES, "tied.weight", "tied.bias"]
    second.load_state_dict(state)
    state["scale"].array[:] = 7
    assert first.scale.tolist() == [7, 7]
    assert second.scale.tolist() == [1, 1]
    assert second.scale.version == 1
    np.testing.assert_array_equal(first.tied.weight.array, second.tied.weight.array)


def test_a_state_that_does_not_fit_changes_nothing_and_is_told_whole():
    model = Small()
    before = model.scale.tolist()
    with pytest.raises(ShapeError) as error:
        model.load_state_dict({"scale": np.zeros(2), "layers.0.weight": np.zeros((3, 2)), "odd": np.zeros(1)})
    assert "missing: layers.0.bias" in str(error.value)
    assert "unexpected: odd" in str(error.value)
    assert "layers.0.weight has the shape (3, 2), here it is (2, 2)" in str(error.value)
    assert model.scale.tolist() == before


def test_a_copy_is_independent():
    model = Small()
    twin = copy.deepcopy(model)
    twin.scale.array[:] = 9
    assert model.scale.tolist() == [1, 1]
    assert twin.tied is twin.layers[0]


def test_what_is_forgotten_in_a_subclass_is_told():
    class Forgetful(Module):
        def __init__(self):
            self.weight = Parameter([1.0])

    class Formless(Module):
        pass

    with pytest.raises(AttributeError, match=r"super\(\).__init__\(\) in Forgetful"):
        Forgetful()
    with pytest.raises(NotImplementedError, match="Formless defines no forward"):
        Formless()(1)


def test_parameters_are_float32_unless_they_come_as_float64():
    assert Parameter([1.0]).dtype == Parameter(tensor([1])).dtype == np.float32
    assert Parameter(np.ones(1)).dtype == np.float64
    assert not Parameter([1.0], requires_grad=False).requires_grad


def test_repr_shows_the_tree():
    expected = (
        "Sequential(\n  (0): MLP(\n    activation='relu'\n    (c_fc): Linear(in_features=2, out_features=3, bias=True)\n"
        "    (c_proj): Linear(in_features=3, out_features=1, bias=True)\n  )\n  (1): Dropout(p=0.5, inplace=False)\n)"
    )
    assert repr(Sequential(MLP(2, 3, 1), Dropout(0.5))) == expected
