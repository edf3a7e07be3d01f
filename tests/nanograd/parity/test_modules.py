"""Modules, their registration, states, hooks and representations are as those of PyTorch's twins."""

import copy
from collections import OrderedDict

import numpy as np
import pytest

import nanograd
from nanograd import nn

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")


def tree(nn):
    """One tree of modules, in either framework: shared, missing and nested modules, buffers and tied parameters."""

    class Layer(nn.Module):
        def __init__(self, make):
            super().__init__()
            self.register_buffer("mean", make(3))
            self.scale = nn.Parameter(make(3))
            self.register_buffer("hidden", make(1), persistent=False)
            self.register_buffer("nothing", None)
            self.register_parameter("none", None)
            self.linear = nn.Linear(3, 3)
            self.add_module("absent", None)

        def forward(self, x):
            return self.linear(x) * self.scale + self.mean

    class Model(nn.Module):
        def __init__(self, make):
            super().__init__()
            self.first = nn.Linear(3, 3, bias=False)
            self.layers = nn.ModuleList([Layer(make), Layer(make)])
            self.named = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(3, 3)})
            self.sequence = nn.Sequential(OrderedDict(shared=self.layers[1], last=nn.Linear(3, 3, bias=False)))
            self.sequence.last.weight = self.first.weight

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return self.sequence(self.named["b"](self.first(x)))

    return Model


def twins():
    """The same model in both frameworks, float64, with the same numbers."""
    ours = tree(nn)(lambda size: nanograd.ones(size)).double()
    theirs = tree(torch.nn)(lambda size: torch.ones(size)).double()
    random = np.random.default_rng(0)
    state = {name: random.standard_normal(tuple(tensor.shape)) for name, tensor in theirs.state_dict().items()}
    ours.load_state_dict(state)
    theirs.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    return ours, theirs


QUESTIONS = {
    "state_dict": lambda model: list(model.state_dict()),
    "state_dict with a prefix": lambda model: list(model.state_dict(prefix="model.")),
    "named_parameters": lambda model: [name for name, _ in model.named_parameters()],
    "all names of parameters": lambda model: [name for name, _ in model.named_parameters(remove_duplicate=False)],
    "parameters with a prefix": lambda model: [name for name, _ in model.named_parameters(prefix="p")],
    "own parameters": lambda model: [name for name, _ in model.layers[0].named_parameters(recurse=False)],
    "named_buffers": lambda model: [name for name, _ in model.named_buffers()],
    "own buffers": lambda model: [name for name, _ in model.layers[0].named_buffers(recurse=False)],
    "named_modules": lambda model: [(name, type(module).__name__) for name, module in model.named_modules()],
    "all names of modules": lambda model: [name for name, _ in model.named_modules(remove_duplicate=False)],
    "named_children": lambda model: [name for name, _ in model.named_children()],
    "children": lambda model: [type(child).__name__ for child in model.layers[0].children()],
    "counts": lambda model: [len(list(found())) for found in (model.parameters, model.buffers, model.modules, model.children)],
    "repr": repr,
    "order of apply": lambda model: (order := [], model.apply(lambda module: order.append(type(module).__name__)))[0],
    "training below": lambda model: [module.training for module in (model.eval(), model.layers.train())[0].modules()],
    "frozen": lambda model: [p.requires_grad for p in (model.requires_grad_(), model.layers.requires_grad_(False))[0].parameters()],
    "a parameter set again stays in its place": lambda model: (
        setattr(model.named["b"], "weight", copy.deepcopy(model.first.weight)),
        list(model.state_dict()),
    )[1],
    "a parameter set to None": lambda model: (setattr(model.first, "weight", None), list(model.state_dict()))[1],
    "a deleted module": lambda model: (delattr(model, "layers"), list(model.state_dict()))[1],
    "a deleted buffer": lambda model: (delattr(model.layers[0], "mean"), list(model.state_dict()))[1],
    "a module that takes a parameter's name": lambda model: (
        delattr(model.first, "weight"), setattr(model.first, "weight", copy.deepcopy(model.named)), list(model.state_dict()),
    )[2],
    "dtypes": lambda model: {str(tensor.dtype).removeprefix("torch.") for tensor in model.float().state_dict().values()},
    "deepcopy": lambda model: [name for name, _ in copy.deepcopy(model).named_parameters()],
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_model_answers_as_its_twin(question):
    ours, theirs = twins()
    assert QUESTIONS[question](ours) == QUESTIONS[question](theirs)


CONTAINERS = {
    "empty list": lambda nn: nn.ModuleList(),
    "empty sequence": lambda nn: nn.Sequential(),
    "list": lambda nn: nn.ModuleList([nn.Linear(1, 2), nn.Linear(1, 2), nn.ReLU(), nn.Linear(1, 2)]),
    "list of lists": lambda nn: nn.ModuleList([nn.ModuleList([nn.ReLU()] * 3), nn.ModuleList([nn.ReLU()] * 3)]),
    "slice of a list": lambda nn: nn.ModuleList([nn.Linear(1, size) for size in range(1, 6)])[1::2],
    "slice of a sequence": lambda nn: nn.Sequential(*[nn.Linear(1, size) for size in range(1, 6)])[2:],
    "slice by name": lambda nn: nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.Linear(1, 2), c=nn.ReLU()))[-2:],
    "inserted": lambda nn: nn.Sequential(nn.ReLU(), nn.Linear(1, 2)).insert(1, nn.Linear(3, 4)),
    "extended": lambda nn: nn.Sequential(nn.ReLU()).extend([nn.Linear(1, 2)]).append(nn.Linear(2, 3)),
    "added": lambda nn: nn.ModuleList([nn.ReLU()]) + nn.ModuleList([nn.Linear(1, 2)]),
    "dict": lambda nn: nn.ModuleDict([("b", nn.Linear(1, 2)), ("a", nn.ReLU())]),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_shows_itself_as_its_twin(name):
    assert repr(CONTAINERS[name](nn)) == repr(CONTAINERS[name](torch.nn))


class Extra:
    """Lines of an extra_repr, with and without children."""

    def __new__(cls, nn, text, children):
        class Made(nn.Module):
            def extra_repr(self):
                return text

        made = Made()
        for position in range(children):
            made.add_module(f"child{position}", nn.Sequential(nn.ReLU()))
        return made


@pytest.mark.parametrize("text", ["", "a=1", "a=1\nb=2"])
@pytest.mark.parametrize("children", [0, 1, 2])
def test_extra_lines_stand_as_in_pytorch(text, children):
    assert repr(Extra(nn, text, children)) == repr(Extra(torch.nn, text, children))


HOOKS = {
    "seen": (None, None),
    "result replaced": (None, lambda module, inputs, result: result * 2),
    "input replaced": (lambda module, inputs: inputs[0] + 1, None),
    "inputs replaced": (lambda module, inputs: (inputs[0] - 1,), lambda module, inputs, result: result + inputs[0]),
}


@pytest.mark.parametrize("name", HOOKS)
def test_hooks_see_and_change_what_pytorchs_do(name):
    x = np.random.default_rng(1).standard_normal((2, 3))
    answers = []
    for model, tensor in zip(twins(), (nanograd.tensor(x), torch.tensor(x)), strict=True):
        before, after = HOOKS[name]
        seen = []
        handles = [
            model.layers[0].register_forward_pre_hook(lambda m, i, seen=seen: seen.append(i[0].tolist())),
            model.layers[0].register_forward_hook(lambda m, i, r, seen=seen: seen.append(r.tolist())),
        ]
        handles += [model.layers[0].register_forward_pre_hook(before)] if before else []
        handles += [model.layers[0].register_forward_hook(after)] if after else []
        results = [model(tensor).tolist()]
        for handle in handles:
            handle.remove()
        results.append(model(tensor).tolist())
        answers.append((seen, results))
    (our_seen, our_results), (their_seen, their_results) = answers
    np.testing.assert_allclose(our_seen, their_seen, rtol=1e-12)
    np.testing.assert_allclose(our_results, their_results, rtol=1e-12)


MISTAKES = {
    "a number for a parameter": (lambda nn, m: setattr(m.first, "weight", 1.0), TypeError),
    "a tensor for a parameter": (lambda nn, m: setattr(m.first, "weight", m.layers[0].mean), TypeError),
    "a number for a module": (lambda nn, m: setattr(m, "first", 1.0), TypeError),
    "a number for a buffer": (lambda nn, m: setattr(m.layers[0], "mean", 1.0), TypeError),
    "a name with a dot": (lambda nn, m: m.register_buffer("a.b", None), KeyError),
    "no name": (lambda nn, m: m.register_parameter("", None), KeyError),
    "a name that is taken": (lambda nn, m: m.register_buffer("first", None), KeyError),
    "a module by a taken name": (lambda nn, m: m.add_module("forward", nn.ReLU()), KeyError),
    "a list as a module": (lambda nn, m: m.add_module("more", []), TypeError),
    "a list as a buffer": (lambda nn, m: m.register_buffer("more", [1.0]), TypeError),
    "a buffer as a parameter": (lambda nn, m: m.register_parameter("more", m.layers[0].mean), TypeError),
    "an unknown attribute": (lambda nn, m: delattr(m, "nothing"), AttributeError),
    "integers for a model": (lambda nn, m: m.to(m.layers[0].mean.long().dtype), TypeError),
    "an item beyond the end": (lambda nn, m: m.layers[2], IndexError),
    "a key that is not there": (lambda nn, m: m.named["c"], KeyError),
    "a missing state": (lambda nn, m: m.load_state_dict({}), RuntimeError),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_errors_of_pytorchs_kind(name):
    make, error = MISTAKES[name]
    for framework, model in zip((nn, torch.nn), twins(), strict=True):
        with pytest.raises(error):
            make(framework, model)


def test_a_state_that_is_not_strict_returns_pytorchs_lists():
    ours, theirs = twins()
    state = {"first.weight": np.ones((3, 3)), "odd": np.ones(1), "layers.0.mean": np.zeros(3)}
    found = ours.load_state_dict(state, strict=False)
    expected = theirs.load_state_dict({name: torch.tensor(array) for name, array in state.items()}, strict=False)
    assert found.missing_keys == expected.missing_keys
    assert found.unexpected_keys == expected.unexpected_keys
    assert ours.layers[0].mean.tolist() == theirs.layers[0].mean.tolist() == [0, 0, 0]


def test_a_deep_copy_is_equal_and_independent_and_stays_tied():
    ours, theirs = twins()
    for model in (ours, theirs):
        copied = copy.deepcopy(model)
        assert copied.sequence.last.weight is copied.first.weight
        assert copied.layers[0].mean is not model.layers[0].mean
        assert copied.first.weight.tolist() == model.first.weight.tolist()
        copied.requires_grad_(False)
        assert all(parameter.requires_grad for parameter in model.parameters())
        with (nanograd if model is ours else torch).no_grad():
            copied.first.weight.zero_()
        assert model.first.weight.tolist() != copied.first.weight.tolist()


def test_loading_everything_says_so_as_pytorch_does():
    for module in (nn, torch.nn):
        layer = module.Linear(2, 3)
        assert repr(layer.load_state_dict(layer.state_dict())) == "<All keys matched successfully>"
        assert "missing_keys=['bias']" in repr(layer.load_state_dict({"weight": layer.weight}, strict=False))
