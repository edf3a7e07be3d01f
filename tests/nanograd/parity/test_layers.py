"""Activations, softmax, dropout, embeddings and the small layers: values, gradients and reprs are PyTorch's."""

import numpy as np
import pytest

import nanograd
from nanograd import nn
from nanograd.activation import (
    gelu,
    gelu_definition,
    leaky_relu,
    leaky_relu_definition,
    silu,
    silu_definition,
    softplus,
    softplus_definition,
)
from nanograd.errors import UnsupportedError
from nanograd.random import Generator

FLOATS = ["3,4", "()", "0", "2,0,3", "1", "t3,4", "r2,3", "z3,4"]
EXTREME = np.array([[1e4, -1e4, 0.0, 20.0, -20.0], [88.0, -88.0, 1e-8, -1e-8, 1.0]])
ACTIVATIONS = [
    "relu(x)", "leaky_relu(x)", "leaky_relu(x, 0.2)", "leaky_relu(x, negative_slope=0.0)", "gelu(x)", "gelu(x, approximate='tanh')",
    "silu(x)", "sigmoid(x)", "tanh(x)", "softplus(x)", "softplus(x, 2)", "softplus(x, beta=0.5, threshold=1)",
]  # fmt: skip
ALONG = [
    "softmax(x, 0)",
    "softmax(x, -1)",
    "softmax(x, dim=1)",
    "log_softmax(x, 0)",
    "log_softmax(x, dim=-1)",
    "log_softmax(x, 1)",
]
IDS = np.array([[0, 2, 2], [4, 0, 1]])
CASES = [
    *[(f"F.{call}", kind) for call in ACTIVATIONS for kind in [*FLOATS, EXTREME]],
    *[(f"F.{call}", kind) for call in ALONG for kind in [*FLOATS, EXTREME, "3,1", "2,3,4", "5,2,3"]],
    *[(f"F.{call}", np.array([[-np.inf, 0.0, 1.0], [-np.inf, -np.inf, -np.inf]])) for call in ALONG],
    *[(f"F.{name}(x, 5)", "3,4") for name in ("softmax", "log_softmax")],
    *[(f"F.{name}(x, -1, dtype=m.float64)", kind) for name in ("softmax", "log_softmax") for kind in ("3,4", "i3,4")],
    *[(f"F.{call}", "i3") for call in ("silu(x)", "leaky_relu(x)", "softmax(x, 0)", "softplus(x)", "relu(x)", "tanh(x)", "sigmoid(x)")],
    ("F.dropout(x, 0.5, training=False)", "3,4"), ("F.dropout(x, p=0.0)", "3,4"), ("F.dropout(x, p=1.0)", "3,4"),
    ("F.dropout(x, p=1.5)", "3,4"), ("F.dropout(x, 1.0, True)", "0,3"),
    *[("F.embedding(x, y)", ids, "5,3") for ids in (IDS, np.array(3), np.zeros((0, 2), np.int64), IDS[:, ::2])],
    *[(f"F.embedding(x, y, padding_idx={row})", IDS, "5,3") for row in (0, 2, -1, 3, 7)],
    ("F.embedding(x, y)", np.array([5]), "5,3"), ("F.embedding(x, y)", np.array([-1]), "5,3"), ("F.embedding(x, y)", "2", "5,3"),
    ("F.embedding(x, y) * F.embedding(x, y)", IDS, "5,3"),
    *[(f"F.one_hot(x{given})", ids) for given in ("", ", 5", ", num_classes=7", ", 2")
      for ids in (IDS, np.array(1), np.zeros((0, 2), np.int64), np.array([-1, 1]))],
    ("F.one_hot(x)", "3"),
    ("F.linear(x, y)", "2,3", "4,3"), ("F.linear(x, y, w)", "2,0,3", "4,3", "4"), ("F.linear(x, y, w)", "3", "4,3", "4"),
    ("F.linear(x, y)", "2,4", "4,3"), ("F.linear(x, x)", "3,3"),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_function_is_pytorchs(case, dtype, compare):
    compare(case[0].replace("F.", "m.nn.functional."), *case[1:], dtype=dtype)


SMOOTH = [*[f"F.{call}" for call in ACTIVATIONS], *[f"F.{call}" for call in ALONG]]


@pytest.mark.parametrize("call", SMOOTH)
@pytest.mark.parametrize("kind", ["3,4", "t2,3"])
def test_gradient(call, kind, check_gradient):
    check_gradient(call.replace("F.", "m.nn.functional."), kind)


@pytest.mark.parametrize("call", ["F.embedding(x, y)", "F.linear(y, y)"])
def test_gradient_of_tables(call, check_gradient):
    check_gradient(call.replace("F.", "m.nn.functional."), IDS, "5,5")


PAIRS = {
    "leaky_relu": (leaky_relu, leaky_relu_definition),
    "silu": (silu, silu_definition),
    "softplus": (softplus, softplus_definition),
    "gelu": (gelu, gelu_definition),
}


@pytest.mark.parametrize(("fused", "definition"), PAIRS.values(), ids=PAIRS)
def test_fast_form_equals_definition_in_value_and_gradient(fused, definition):
    results = []
    array = np.random.default_rng(0).standard_normal((3, 4))
    for function in (fused, definition):
        x = nanograd.tensor(array, requires_grad=True)
        function(x).square().sum().backward()
        results.append((function(x).detach().numpy(), x.grad.numpy()))
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


# Each module is made by both from the same words, given PyTorch's weights, and fed with x.
MODULES = [
    ("ReLU()", "2,3"), ("LeakyReLU(0.2)", "2,3"), ("GELU('tanh')", "2,3"), ("GELU()", "2,3"), ("SiLU()", "2,3"), ("Sigmoid()", "2,3"),
    ("Tanh()", "2,3"), ("Softplus(2.0)", "2,3"), ("Softplus()", "2,3"), ("Softmax(dim=1)", "2,3"), ("LogSoftmax(-1)", "2,3"),
    ("Flatten()", "2,3,4,2"), ("Flatten(0, 1)", "2,3,4"), ("Identity(54, unused=True)", "2,3"), ("Linear(3, 2)", "4,3"),
    ("Linear(3, 2, bias=False)", "3"), ("Embedding(5, 3)", IDS), ("Embedding(5, 3, padding_idx=-5)", IDS), ("LayerNorm(4)", "3,4"),
    ("LayerNorm((3, 4), bias=False)", "2,3,4"), ("RMSNorm(4)", "3,4"), ("RMSNorm(4, eps=1e-3, elementwise_affine=False)", "3,4"),
    ("BatchNorm1d(4)", "3,4"), ("BatchNorm1d(3, affine=False)", "2,3,4"), ("BatchNorm2d(3, momentum=None)", "2,3,4,2"),
    ("Conv1d(4, 6, 3, padding=1, groups=2)", "2,4,5"), ("Conv2d(2, 4, (3, 2), stride=2, bias=False)", "3,2,5,5"),
    ("Conv2d(2, 4, 3, padding='same', dilation=2)", "3,2,5,5"), ("MaxPool2d(2)", "2,3,4,4"), ("MaxPool2d(3, 2, 1, 1)", "3,5,5"),
    ("AvgPool2d(2, stride=1)", "2,3,4,4"), ("AvgPool2d((2, 3), padding=1, count_include_pad=False)", "2,3,4,4"),
    ("Sequential(m.nn.Conv2d(1, 2, 3), m.nn.BatchNorm2d(2), m.nn.ReLU(), m.nn.Flatten(), m.nn.Linear(18, 3))", "4,1,5,5"),
]  # fmt: skip


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize(("made", "kind"), MODULES, ids=str)
def test_module_is_pytorchs(made, kind, mode, compare):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs = eval(f"m.nn.{made}", {"m": torch}).double()
    start = {name: value.clone() for name, value in theirs.state_dict().items()}

    def run(m, x):
        module = theirs if m is torch else eval(f"m.nn.{made}", {"m": nanograd}).double()
        module.load_state_dict(start if m is torch else {name: value.numpy() for name, value in start.items()})
        module.train(mode == "train")
        first = module(x)
        if first.requires_grad:
            first.square().sum().backward()
        found = [first.detach(), *[parameter.grad.clone() for parameter in module.parameters()]]
        return [*found, module(x * 2 if x.requires_grad else x), *module.state_dict(), *module.state_dict().values()]

    compare(run, kind, dtype="float64")


@pytest.mark.parametrize(
    "made",
    [
        *[made for made, _ in MODULES],
        *["Dropout(0.1)", "Sequential(m.nn.Linear(2, 3), m.nn.Dropout())", "ModuleList([m.nn.ReLU(), m.nn.ReLU()])"],
        *[f"{name}Loss()" for name in ("CrossEntropy", "NLL", "MSE", "L1", "SmoothL1", "BCEWithLogits")],
    ],
)
def test_repr_is_pytorchs(made):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs = repr(eval(f"m.nn.{made}", {"m": torch}))
    assert repr(eval(f"m.nn.{made}", {"m": nanograd})) == theirs


@pytest.mark.parametrize("wrong", ["softmax(x)", "log_softmax(x, dim=None)"])
def test_softmax_without_a_dimension_is_refused_with_a_hint(wrong):
    with pytest.raises(ValueError, match="dim=-1"):
        eval(f"F.{wrong}", {"F": nn.functional}, {"x": nanograd.ones(2)})


@pytest.mark.parametrize(
    "made",
    ["ReLU(inplace=True)", "SiLU(True)", "LeakyReLU(inplace=True)", "Dropout(inplace=True)", "functional.relu(x, inplace=True)",
     "Conv2d(1, 1, 3, padding_mode='reflect')", "MaxPool2d(2, ceil_mode=True)", "functional.max_pool2d(x, 2, return_indices=True)",
     "AvgPool2d(2, ceil_mode=True)", "functional.avg_pool2d(x, 2, divisor_override=3)", "MultiheadAttention(4, 2, kdim=3)",
     "MultiheadAttention(4, 2, add_bias_kv=True)"],
)  # fmt: skip
def test_what_lies_outside_names_itself_and_a_way(made):
    with pytest.raises(UnsupportedError, match=r". is not available here: \w+"):
        eval(f"nn.{made}", {"nn": nn}, {"x": nanograd.ones(1, 2, 2)})


def test_drop_path_drops_whole_samples_and_scales_the_rest():
    x = nanograd.ones(4000, 2, 3, requires_grad=True)
    result = nn.functional.drop_path(x, 0.25, training=True, generator=Generator(1))
    kept = result.array[:, 0, 0] != 0
    assert abs(kept.mean() - 0.75) < 0.03
    np.testing.assert_allclose(result.array, np.broadcast_to(kept[:, None, None] / 0.75, x.shape), rtol=1e-6)
    result.sum().backward()
    np.testing.assert_array_equal(x.grad.array, result.array)


def test_drop_path_is_off_in_evaluation_and_at_probability_0():
    x = nanograd.rand(3, 2)
    assert nn.DropPath(0.9).eval()(x) is x
    assert nn.DropPath()(x) is x
    assert repr(nn.DropPath(0.9)) == "DropPath(drop_prob=0.9)"
    with pytest.raises(ValueError, match="from 0 to 1; got 2"):
        nn.DropPath(2)


def test_padding_row_is_zero_at_start_and_gets_no_gradient():
    layer = nn.Embedding(4, 3, padding_idx=1)
    layer(nanograd.tensor([1, 2, 1])).sum().backward()
    assert layer.weight.array[1].tolist() == [0, 0, 0]
    assert layer.weight.grad.array[:, 0].tolist() == [0, 0, 1, 0]


def test_clipping_is_found_under_utils():
    weight = nn.Parameter(nanograd.tensor([3.0, 4.0]))
    (weight * weight / 2).sum().backward()
    assert nn.utils.clip_grad_norm_([weight], 1.0).item() == 5
    nn.utils.clip_grad_value_([weight], 0.1)
    assert weight.grad.tolist() == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize(
    "made", ["LayerNorm(3)", "RMSNorm(3)", "BatchNorm1d(3)", "Conv1d(3, 2, 1)", "MultiheadAttention(4, 2)", "Embedding(2, 3, 0)"]
)
def test_parameters_start_as_float32(made):
    assert {parameter.dtype for parameter in eval(f"nn.{made}", {"nn": nn}).parameters()} == {nanograd.float32}
