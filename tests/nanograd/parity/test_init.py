"""How parameters start: gains and bounds are PyTorch's, draws agree in distribution, each function fills its tensor in place."""

import numpy as np
import pytest

import nanograd
from nanograd import nn
from nanograd.errors import ShapeError
from nanograd.random import Generator

DRAWS = [
    "uniform_(x)", "uniform_(x, -2.0, 3.0)", "uniform_(x, a=1, b=1.5)", "normal_(x)", "normal_(x, 3.0, 0.5)", "normal_(x, std=2)",
    "trunc_normal_(x)", "trunc_normal_(x, std=0.02)", "trunc_normal_(x, 0.5, 1.0, 0.0, 0.25)", "trunc_normal_(x, 0.0, 1.0, 0.5, 3.0)",
    "trunc_normal_(x, mean=1.0, std=2.0, a=-1.0, b=1.0)", "xavier_uniform_(x)", "xavier_uniform_(x, gain=2.0)", "xavier_normal_(x)",
    "xavier_normal_(x, 0.5)", "kaiming_uniform_(x)", "kaiming_uniform_(x, a=5**0.5)", "kaiming_uniform_(x, mode='fan_out', nonlinearity='relu')",
    "kaiming_normal_(x)", "kaiming_normal_(x, 0.2, 'fan_out')", "kaiming_normal_(x, nonlinearity='tanh')",
]  # fmt: skip
SHAPES = [(60, 50), (8, 6, 10, 5), (40, 70)]
LEVELS = np.linspace(0.02, 0.98, 25)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("call", DRAWS)
def test_draws_agree_with_pytorchs_in_distribution(call, shape):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    torch.manual_seed(0)
    nanograd.manual_seed(0)
    found = []
    for m in (nanograd, torch):
        x = m.empty(*shape)
        drawn = eval(f"m.nn.init.{call}", {"m": m}, {"x": x})
        assert drawn is x
        assert drawn.numpy().shape == shape
        found.append(drawn.numpy().astype(np.float64))
    ours, theirs = found
    spread = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 0.12 * spread
    assert abs(ours.std() / spread - 1) < 0.06
    np.testing.assert_allclose(np.quantile(ours, LEVELS), np.quantile(theirs, LEVELS), atol=0.25 * spread)
    if "normal" not in call.replace("trunc_normal", ""):  # where there are bounds, they are the same
        assert abs(ours).max() <= abs(theirs).max() * 1.01 + 0.1 * spread


GAINS = ["linear", "conv1d", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]


@pytest.mark.parametrize(
    "given", [*[repr(name) for name in GAINS], "'leaky_relu', 0.2", "'leaky_relu', param=0", "'relu', 3", "'bent'"]
)
def test_gain_is_pytorchs(given, compare):
    compare(f"m.nn.init.calculate_gain({given})")


@pytest.mark.parametrize(
    "call",
    [
        "constant_(x, 3.5)",
        "zeros_(x)",
        "ones_(x)",
        "kaiming_normal_(x, mode='fan')",
        "xavier_uniform_(x[0])",
        "kaiming_uniform_(x, nonlinearity='bent')",
    ],
)
def test_fixed_values_and_errors_are_pytorchs(call, compare):
    compare(lambda m: eval(f"m.nn.init.{call}", {"m": m}, {"x": m.empty(2, 3)}))


@pytest.mark.parametrize(
    "name",
    [
        "uniform_",
        "normal_",
        "trunc_normal_",
        "xavier_uniform_",
        "xavier_normal_",
        "kaiming_uniform_",
        "kaiming_normal_",
    ],
)
def test_a_generator_decides_the_draws(name):
    drawn = [getattr(nn.init, name)(nanograd.empty(3, 4), generator=Generator(seed)).tolist() for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_parameter_that_is_learned_is_filled_in_place():
    layer = nn.Linear(2, 3)
    before = layer.weight
    assert nn.init.constant_(layer.weight, 2.0) is before
    assert layer.weight.requires_grad
    assert layer.weight.tolist() == [[2, 2], [2, 2], [2, 2]]
    assert layer.weight.dtype == nanograd.float32


def test_what_cannot_be_says_so():
    with pytest.raises(ShapeError, match=r"at least two dimensions; got the shape \(3,\)"):
        nn.init.kaiming_uniform_(nanograd.empty(3))
    with pytest.raises(ValueError, match="within 2 std"):
        nn.init.trunc_normal_(nanograd.empty(3), mean=5.0)
