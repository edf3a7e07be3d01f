import numpy as np
import pytest

from nanograd import nn
from nanograd.module import Parameter
from nanograd.optimizer import Adam, AdamW, clip_grad_norm_
from nanograd.tensor import Tensor, wrap

SETTINGS = [
    {},
    {"lr": 0.1, "weight_decay": 0.1},
    {"betas": (0.5, 0.99), "eps": 1e-3},
    {"betas": (0.0, 0.0), "lr": 0.01, "weight_decay": 0.0},
]


def import_torch():
    return pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_fifty_steps_equal_torchs(kind, settings, generator):
    torch = import_torch()
    start = generator.standard_normal((3, 4))
    ours, theirs = Parameter(start), torch.tensor(start, requires_grad=True)
    optimizer, other = kind([ours], **settings), getattr(torch.optim, kind.__name__)([theirs], **settings)
    for _ in range(50):
        gradient = generator.standard_normal((3, 4))
        ours.grad, theirs.grad = wrap(gradient), torch.tensor(gradient)
        optimizer.step()
        other.step()
    np.testing.assert_allclose(ours.array, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", [Adam, AdamW])
def test_a_bowl_is_walked_to_its_bottom(kind):
    parameter = Parameter([3.0, -2.0])
    optimizer = kind([parameter], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (parameter * parameter).sum().backward()
        optimizer.step()
    assert np.abs(parameter.array).max() < 1e-2


def test_groups_have_settings_of_their_own():
    decayed, kept = Parameter([1.0]), Parameter([1.0])
    optimizer = AdamW([{"params": [decayed], "weight_decay": 0.5}, {"params": [kept], "weight_decay": 0.0}], lr=0.1)
    for parameter in (decayed, kept):
        parameter.grad = wrap(np.zeros(1, np.float32))
    optimizer.step()
    assert decayed.item() == pytest.approx(0.95)
    assert kept.item() == 1


def test_parameters_without_a_gradient_stay_as_they_are():
    still, moved = Parameter([1.0]), Parameter([1.0])
    moved.grad = wrap(np.ones(1, np.float32))
    Adam([still, moved], weight_decay=0.1).step()
    assert still.item() == 1
    assert still.version == 0
    assert moved.item() < 1
    assert moved.version == 1


def test_the_state_goes_on_in_another_optimizer():
    def steps(parameter, optimizer, count):
        for _ in range(count):
            parameter.grad = wrap(np.cos(parameter.array))
            optimizer.step()

    straight = Parameter([1.0, 2.0])
    steps(straight, Adam([straight], lr=0.1), 6)
    first = Parameter([1.0, 2.0])
    before = Adam([first], lr=0.1)
    steps(first, before, 3)
    second = Parameter(first)
    after = Adam([second])
    after.load_state_dict(before.state_dict())
    steps(first, before, 1)  # the state was copied: going on with the first changes nothing of the second
    steps(second, after, 3)
    assert second.tolist() == straight.tolist()


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ({"state": {}, "param_groups": [{"params": [0, 1]}]}, r"groups of \[1\] parameters, the saved state has \[2\]"),
        (
            {"state": {0: {"exp_avg": np.ones(3)}}, "param_groups": [{"params": [0]}]},
            r"exp_avg of parameter 0 has the shape \(3,\)",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_named(saved, words):
    with pytest.raises(ValueError, match=words):
        Adam([Parameter([1.0, 2.0])]).load_state_dict(saved)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"lr": -1.0}, "lr is at least 0"), ({"eps": -1.0}, "eps"), ({"weight_decay": -0.1}, "weight_decay"),
     ({"betas": (1.0, 0.9)}, "betas"), ({"betas": (0.9, -0.1)}, "betas"), ({"lr": float("nan")}, "lr")],
)  # fmt: skip
def test_settings_out_of_bounds_are_named(settings, words):
    with pytest.raises(ValueError, match=words):
        Adam([Parameter([1.0])], **settings)


def test_something_else_than_several_parameters_is_refused():
    for given in (nn.Linear(1, 1), Parameter([1.0])):
        with pytest.raises(TypeError, match=r"several parameters: pass model\.parameters\(\)"):
            Adam(given)


def test_no_parameters_are_refused():
    with pytest.raises(ValueError, match=r"model\.parameters\(\)"):
        Adam([])


def with_gradients(*gradients):
    tensors = [Tensor(np.zeros(len(gradient)), requires_grad=True) for gradient in gradients]
    for tensor, gradient in zip(tensors, gradients, strict=True):
        tensor.grad = Tensor(gradient)
    return tensors


@pytest.mark.parametrize("max_norm", [0.5, 1.0, 13.0, 100.0, np.inf])
def test_clipping_equals_torchs(max_norm):
    torch = import_torch()
    gradients = [3.0, 4.0], [12.0]
    ours, theirs = with_gradients(*gradients), [torch.zeros(2, requires_grad=True), torch.zeros(1, requires_grad=True)]
    for tensor, gradient in zip(theirs, gradients, strict=True):
        tensor.grad = torch.tensor(gradient)
    assert float(clip_grad_norm_(iter(ours), max_norm)) == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, max_norm).item())
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our.grad.numpy(), their.grad.numpy(), rtol=1e-6)


def test_clipping_by_an_infinite_norm_gives_zeros_as_in_torch():
    tensors = with_gradients([1.0, 5.0], [np.inf])
    assert float(clip_grad_norm_(tensors, 1.0)) == np.inf
    assert tensors[0].grad.tolist() == [0, 0]


def test_clipping_nothing_gives_0():
    assert clip_grad_norm_([Tensor([1.0], requires_grad=True)], 1.0) == 0


@pytest.mark.parametrize("kind", [AdamW, Adam])
def test_large_arrays_are_worked_on_in_pieces_with_the_same_numbers(kind, generator, monkeypatch):
    import nanograd.optimizer as module

    start, gradient = generator.standard_normal((2, 100, 700)).astype(np.float32)

    def stepped():
        parameter = Parameter(start.copy())
        parameter.grad = wrap(gradient.copy())
        optimizer = kind([parameter], lr=0.1, weight_decay=0.1)
        optimizer.step()
        optimizer.step()
        return parameter.array

    in_pieces = stepped()
    monkeypatch.setattr(module, "_CHUNK", start.size)
    np.testing.assert_array_equal(in_pieces, stepped())
