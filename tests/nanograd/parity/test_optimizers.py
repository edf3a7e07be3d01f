"""Fifty steps of every optimizer with every option, and clipping, equal PyTorch's in float64; Muon equals its formula."""

from itertools import product

import numpy as np
import pytest

from nanograd import optim
from nanograd.gradients import clip_grad_norm_, clip_grad_value_
from nanograd.module import Parameter
from nanograd.optimizer import Muon, orthogonal
from nanograd.tensor import wrap

torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")

STEPS = 50
SHAPES = [(3, 4), (5,), (), (0, 2), (2, 1, 3)]


def combinations(**choices):
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


SGD_CASES = [
    *combinations(lr=[0.1], momentum=[0.0, 0.9], dampening=[0.0, 0.4], weight_decay=[0.0, 0.1], maximize=[False, True]),
    *combinations(lr=[0.05], momentum=[0.5, 0.9], nesterov=[True], weight_decay=[0.0, 0.1], maximize=[False, True]),
]
RMSPROP_CASES = combinations(
    alpha=[0.99, 0.5],
    momentum=[0.0, 0.9],
    centered=[False, True],
    weight_decay=[0.0, 0.1],
    eps=[1e-8, 1e-2],
    maximize=[False, True],
)
ADAM_CASES = [
    *combinations(weight_decay=[0.0, 0.1], amsgrad=[False, True], maximize=[False, True], lr=[0.1]),
    *combinations(betas=[(0.0, 0.0), (0.5, 0.99), (0.9, 0.9)], eps=[1e-8, 1e-3], amsgrad=[False, True]),
]
CASES = [
    (name, settings)
    for name, table in (("SGD", SGD_CASES), ("RMSprop", RMSPROP_CASES), ("Adam", ADAM_CASES), ("AdamW", ADAM_CASES))
    for settings in [{}, *table]
]


class Twins:
    """The same parameters here and in PyTorch, that get the same gradients: a function of their own numbers, and noise."""

    def __init__(self, shapes=SHAPES, seed=0):
        self.random = np.random.default_rng(seed)
        start = [self.random.standard_normal(shape) for shape in shapes]
        self.ours = [Parameter(np.array(array)) for array in start]
        self.theirs = [torch.tensor(array, requires_grad=True) for array in start]

    def set_gradients(self, step=0):
        for position, (our, their) in enumerate(zip(self.ours, self.theirs, strict=True)):
            noise = self.random.standard_normal(our.shape) * 10.0 ** (position - 2)
            our.grad, their.grad = wrap(np.sin(our.array) + noise), torch.sin(their.detach()) + torch.tensor(noise)
        if step % 5 == 3:
            self.ours[1].grad = self.theirs[1].grad = None

    def assert_equal(self, tolerance=1e-9):
        for our, their in zip(self.ours, self.theirs, strict=True):
            np.testing.assert_allclose(our.array, their.detach().numpy(), rtol=tolerance, atol=tolerance)

    def run(self, ours, theirs, steps=STEPS):
        for step in range(steps):
            self.set_gradients(step)
            ours.step()
            theirs.step()


def both(name, settings, twins):
    return getattr(optim, name)(twins.ours, **settings), getattr(torch.optim, name)(twins.theirs, **settings)


@pytest.mark.parametrize(("name", "settings"), CASES, ids=str)
def test_fifty_steps_equal_pytorchs(name, settings):
    twins = Twins()
    twins.run(*both(name, settings, twins))
    twins.assert_equal()


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_groups_that_are_added_and_rates_that_are_changed_equal_pytorchs(name):
    twins = Twins()
    first = [
        kind([{"params": parameters[:2]}, {"params": parameters[2], "lr": 0.2, "weight_decay": 0.3}], lr=0.1)
        for kind, parameters in ((getattr(optim, name), twins.ours), (getattr(torch.optim, name), twins.theirs))
    ]
    twins.run(*first, steps=10)
    for optimizer, parameters in zip(first, (twins.ours, twins.theirs), strict=True):
        optimizer.add_param_group({"params": parameters[3:], "lr": 0.05})
        optimizer.param_groups[0]["lr"] = 0.01
    twins.run(*first, steps=10)
    twins.assert_equal()


def as_arrays(value):
    if isinstance(value, dict):
        return {key: as_arrays(part) for key, part in value.items()}
    return value.numpy() if isinstance(value, torch.Tensor) else value


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("SGD", {"momentum": 0.9}),
        ("SGD", {}),
        ("RMSprop", {"centered": True, "momentum": 0.5}),
        ("Adam", {"amsgrad": True}),
        ("AdamW", {}),
    ],
    ids=str,
)
def test_a_state_dict_is_nested_as_pytorchs_and_takes_over_its_state(name, settings):
    twins, others = Twins(), Twins()
    ours, theirs = both(name, settings, twins)
    twins.run(ours, theirs, steps=5)
    mine, state = ours.state_dict(), theirs.state_dict()
    assert {index: set(entry) for index, entry in mine["state"].items()} == {index: set(e) for index, e in state["state"].items()}
    assert [group["params"] for group in mine["param_groups"]] == [group["params"] for group in state["param_groups"]]
    assert all(mine["param_groups"][0][name] == state["param_groups"][0][name] for name in ours.defaults)
    second, _ = both(name, {}, others)
    second.load_state_dict({"state": as_arrays(state["state"]), "param_groups": state["param_groups"]})
    for our, before in zip(others.ours, twins.ours, strict=True):
        our.array[...] = before.array
    others.theirs, others.random = twins.theirs, twins.random
    others.run(second, theirs, steps=10)
    others.assert_equal()


def test_a_closure_is_called_with_gradients_on_and_gives_the_loss():
    twins = Twins([(3,)])
    for optimizer, parameters in zip(both("SGD", {"lr": 0.1}, twins), (twins.ours, twins.theirs), strict=True):

        def closure(optimizer=optimizer, parameter=parameters[0]):
            optimizer.zero_grad()
            loss = (parameter * parameter).sum()
            loss.backward()
            return loss

        losses = [float(optimizer.step(closure).item()) for _ in range(3)]
        assert losses == sorted(losses, reverse=True)
    twins.assert_equal()


# ---- Muon -------------------------------------------------------------------------------------------------------------


def muon_reference(matrix, gradients, *, lr, momentum, nesterov, weight_decay, ns_steps):
    """Muon step by step through singular values, on which Newton-Schulz acts as a polynomial."""
    average = np.zeros_like(matrix)
    for gradient in gradients:
        average = momentum * average + (1 - momentum) * gradient
        direction = momentum * average + (1 - momentum) * gradient if nesterov else average
        left, singular, right = np.linalg.svd(direction, full_matrices=False)
        singular = singular / max(np.linalg.norm(direction), 1e-7)
        for _ in range(ns_steps):
            singular = 3.4445 * singular - 4.7750 * singular**3 + 2.0315 * singular**5
        scale = np.sqrt(max(1, matrix.shape[0] / matrix.shape[1]))
        matrix = matrix * (1 - lr * weight_decay) - lr * scale * (left * singular) @ right
    return matrix


MUON_CASES = combinations(
    shape=[(4, 4), (6, 3), (2, 7), (1, 5)], momentum=[0.0, 0.95], nesterov=[False, True], weight_decay=[0.0, 0.1], ns_steps=[1, 5]
)


@pytest.mark.parametrize("case", MUON_CASES, ids=str)
def test_fifty_steps_of_muon_equal_the_formula(case):
    settings, random = {"lr": 0.02, **case}, np.random.default_rng(0)
    shape = settings.pop("shape")
    start, gradients = random.standard_normal(shape), random.standard_normal((STEPS, *shape))
    parameter = Parameter(start)
    optimizer = Muon([parameter], **settings)
    for gradient in gradients:
        parameter.grad = wrap(gradient)
        optimizer.step()
    np.testing.assert_allclose(parameter.array, muon_reference(start, gradients, **settings), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("nesterov", [False, True])
def test_muon_is_near_pytorchs_which_rounds_to_bfloat16(nesterov):
    twins = Twins([(6, 3), (3, 6)])
    settings = {"lr": 0.02, "weight_decay": 0.1, "momentum": 0.95, "nesterov": nesterov}
    ours, theirs = both("Muon", settings, twins)
    twins.run(ours, theirs, steps=1)
    twins.assert_equal(5e-3)


def test_orthogonal_brings_singular_values_near_1():
    values = np.linalg.svd(orthogonal(np.random.default_rng(0).standard_normal((20, 10))), compute_uv=False)
    assert values.min() > 0.6
    assert values.max() < 1.3
    assert not orthogonal(np.zeros((2, 3))).any()


# ---- clipping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, 0.5, np.inf])
@pytest.mark.parametrize("max_norm", [0.0, 0.5, 1e3, np.inf])
@pytest.mark.parametrize("special", [None, np.inf, np.nan])
def test_clipping_by_norm_equals_pytorchs(norm_type, max_norm, special):
    twins = Twins([(3, 4), (5,), (), (2,)])
    twins.set_gradients()
    twins.ours[3].grad = twins.theirs[3].grad = None
    if special is not None:
        twins.ours[1].grad.array[2] = twins.theirs[1].grad[2] = special
    ours = clip_grad_norm_(iter(twins.ours), max_norm, norm_type)
    theirs = torch.nn.utils.clip_grad_norm_(twins.theirs, max_norm, norm_type)
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(float(ours), theirs.item(), rtol=1e-12)
    for our, their in zip(twins.ours[:3], twins.theirs, strict=False):
        np.testing.assert_allclose(our.grad.array, their.grad.numpy(), rtol=1e-12)


def test_clipping_by_value_equals_pytorchs():
    twins = Twins()
    twins.set_gradients()
    clip_grad_value_(twins.ours, 0.3)
    torch.nn.utils.clip_grad_value_(twins.theirs, 0.3)
    for our, their in zip(twins.ours, twins.theirs, strict=True):
        np.testing.assert_array_equal(our.grad.array, their.grad.numpy())


# ---- what is refused --------------------------------------------------------------------------------------------------


def leaf(shape=(2,)):
    return Parameter(np.zeros(shape))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: optim.SGD([leaf()], nesterov=True), ValueError, "nesterov needs a momentum"),
        (lambda: optim.SGD([leaf()], momentum=-1.0), ValueError, "momentum is at least 0"),
        (lambda: optim.RMSprop([leaf()], alpha=-1.0), ValueError, "alpha is at least 0"),
        (lambda: optim.SGD(leaf()), TypeError, r"\[parameter\]"),
        (lambda: optim.SGD(["weight"]), TypeError, r"not str: pass model.parameters\(\)"),
        (lambda: optim.SGD([leaf() * 2]), ValueError, "leaf"),
        (lambda: optim.SGD([leaf()] * 2), ValueError, "twice"),
        (lambda: optim.Muon([leaf((2, 2)), leaf()]), ValueError, r"shape \(2,\): put the rest in an AdamW"),
        (lambda: clip_grad_norm_(broken(), 1.0, error_if_nonfinite=True), RuntimeError, "norm is inf"),
    ],
)
def test_what_cannot_be_optimized_is_told(make, error, words):
    with pytest.raises(error, match=words):
        make()


def broken():
    parameter = leaf()
    parameter.grad = wrap(np.array([np.inf, 1.0]))
    return parameter


def test_an_optimizer_shows_its_groups_as_pytorchs_does():
    def lines(module, tensors):
        groups = [{"params": tensors[:1]}, {"params": tensors[1:], "lr": 0.5}]
        return repr(module.SGD(groups, lr=0.1, momentum=0.9)).replace(": 0.0", ": 0").splitlines()

    theirs = lines(torch.optim, [torch.zeros(1), torch.zeros(2)])
    assert lines(optim, [wrap(np.zeros(1)), wrap(np.zeros(2))]) == [
        line for line in theirs if line.split(":")[0].strip() not in ("foreach", "differentiable", "fused")
    ]
