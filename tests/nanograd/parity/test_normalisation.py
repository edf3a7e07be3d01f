"""Layer, RMS and batch normalisation: values, gradients and running statistics are PyTorch's."""

import numpy as np
import pytest

import nanograd
from nanograd.batchnorm import batch_norm, batch_norm_definition
from nanograd.errors import ShapeError
from nanograd.layernorm import layer_norm, layer_norm_definition, rms_norm, rms_norm_definition
from nanograd.nn import BatchNorm1d

FAR = np.random.default_rng(0).standard_normal((4, 3)) + 1e3
LAYER = [
    *[(f"F.{name}(x, (4,){more})", kind) for name, more in (("layer_norm", ""), ("layer_norm", ", eps=0.1"), ("rms_norm", ""), ("rms_norm", ", eps=0.1"))
      for kind in ("3,4", "2,3,4", "4", "0,4", "t3,4", "r3,4", "1,4", "z3,4")],
    *[(f"F.{name}(x, (4,), weight=y)", kind, "4") for name in ("layer_norm", "rms_norm") for kind in ("3,4", "2,3,4", "4", "0,4", "t3,4")],
    *[(f"F.{name}(x, (3, 4), y)", "2,3,4", "3,4") for name in ("layer_norm", "rms_norm")],
    *[("F.layer_norm(x, (4,), y, w)", kind, "4", "4") for kind in ("3,4", "2,3,4", "4", "0,4")],
    *[("F.layer_norm(x, (4,), bias=y)", "3,4", "4"), ("F.layer_norm(x, (1,))", "3,1"), ("F.rms_norm(x, (1,))", "3,1")],
    *[(f"F.{name}(x, {shape})", "2,3,4") for name in ("layer_norm", "rms_norm") for shape in ("(3,)", "(3, 3)", "(2, 3, 4, 1)", "(2, 3, 4)")],
]  # fmt: skip
KINDS = ["5,3", "2,3,4", "2,3,4,2", "0,3,4", "t4,3", "r2,3,4", "1,3,2", "z5,3"]
RUNNING = "m.zeros(3, dtype=x.dtype) + 0.5, m.ones(3, dtype=x.dtype) * 2"
BATCH = [
    *[(f"F.batch_norm(x, {running}, training={training}{more})", kind) for running in ("None, None", RUNNING) for training in (True, False)
      for more in ("", ", eps=0.1") for kind in KINDS if (running, training) != ("None, None", False)],
    *[(f"F.batch_norm(x, {RUNNING}, y, w, training={training})", kind, "3", "3") for training in (True, False) for kind in KINDS],
    *[(f"F.batch_norm(x, {RUNNING}, weight=y, training={training})", "5,3", "3") for training in (True, False)],
    *[(f"F.batch_norm(x, {RUNNING}, bias=y, training={training})", "5,3", "3") for training in (True, False)],
    *[(f"F.batch_norm(x, {RUNNING}, training=True)", kind) for kind in ("1,3", "1,3,1", "3", "5,2")],
    ("F.batch_norm(x, None, None)", "5,3"), ("F.batch_norm(x, None, None, y, training=True)", "5,3", "2"),
]  # fmt: skip


# In float32 the differences between such numbers are mostly rounding, PyTorch's more than ours.
HARD = [
    *[(f"F.{name}(x, (3,), eps=1e-5)", array) for name in ("layer_norm", "rms_norm")
      for array in (np.zeros((2, 3)), np.full((2, 3), 1e4), FAR, FAR * 1e6, FAR * 1e-9)],
    *[(f"F.{name}(x, (2,))", "n3,2") for name in ("layer_norm", "rms_norm")],
    *[(f"F.batch_norm(x, {running}, training={training})", FAR) for running, training in (("None, None", True), (RUNNING, True), (RUNNING, False))],
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [*LAYER, *BATCH], ids=str)
def test_normalisation_is_pytorchs(case, dtype, compare):
    compare(case[0].replace("F.", "m.nn.functional."), *case[1:], dtype=dtype)


@pytest.mark.parametrize("case", HARD, ids=str)
def test_numbers_that_hurt_are_normalised_as_by_pytorch(case, compare):
    compare(case[0].replace("F.", "m.nn.functional."), *case[1:], dtype="float64")


SETTINGS = [
    "",
    "momentum=0.3",
    "momentum=None",
    "momentum=0.0",
    "affine=False",
    "track_running_stats=False",
    "eps=0.1",
    "bias=False",
]
MODULES = [
    *[(f"BatchNorm1d(3{', ' * bool(given)}{given})", kind) for given in SETTINGS for kind in ("5,3", "2,3,4", "2,3,4,1", "5,2")],
    *[(f"BatchNorm2d(3{', ' * bool(given)}{given})", kind) for given in SETTINGS for kind in ("2,3,4,2", "1,3,2,2", "5,3", "1,3,1,1")],
]  # fmt: skip


@pytest.mark.parametrize(("made", "kind"), MODULES, ids=str)
def test_running_statistics_over_three_batches_and_in_evaluation_are_pytorchs(made, kind, compare):
    def run(m, x):
        module = eval(f"m.nn.{made}", {"m": m}).double()
        results = [module(x), module(x * 2 + 1), module(x - 3)]
        module.eval()
        results.append(module(x))
        state = module.state_dict()
        return [*results, *state, *[value.clone() for value in state.values()]]

    compare(run, kind, dtype="float64")


SMOOTH = [
    ("F.layer_norm(x, (4,), y, w)", "3,4", "4", "4"), ("F.rms_norm(x, (4,), y)", "3,4", "4"), ("F.rms_norm(x, (3, 4))", "2,3,4"),
    ("F.batch_norm(x, None, None, y, w, training=True)", "5,3", "3", "3"), ("F.batch_norm(x, None, None, training=True)", "2,3,4,2"),
    ("F.batch_norm(x, m.ones(3).double(), m.ones(3).double() * 2, y, w)", "2,3,4", "3", "3"),
]  # fmt: skip


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_gradient(case, check_gradient):
    check_gradient(case[0].replace("F.", "m.nn.functional."), *case[1:])


SAME = {
    "layer_norm": (lambda x, w, b: layer_norm(x, 3, w, b), lambda x, w, b: layer_norm_definition(x, w, b)),
    "rms_norm": (lambda x, w, b: rms_norm(x, 3, w, 1e-5) + b, lambda x, w, b: rms_norm_definition(x, w, 1e-5) + b),
    "batch_norm": (
        lambda x, w, b: batch_norm(x.mT, None, None, w, b, training=True),
        lambda x, w, b: batch_norm_definition(x.mT, w, b),
    ),
}


@pytest.mark.parametrize(("fast", "definition"), SAME.values(), ids=SAME)
def test_fast_form_equals_definition_in_value_and_gradient(fast, definition):
    draws, results = np.random.default_rng(0), []
    arrays = [draws.standard_normal(shape) for shape in ((2, 4, 3), (3,), (3,))]
    for function in (fast, definition):
        inputs = [nanograd.tensor(array, requires_grad=True) for array in arrays]
        result = function(*inputs)
        (result * nanograd.tensor(np.cos(np.arange(24.0)).reshape(result.shape))).sum().backward()
        results.append([result.detach().numpy(), *[x.grad.numpy() for x in inputs]])
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)


def test_one_value_per_channel_in_training_names_the_remedy():
    with pytest.raises(ShapeError, match=r"more than 1 value per channel when training.*larger batch"):
        BatchNorm1d(3)(nanograd.ones(1, 3))


def test_a_batch_moves_no_statistics_in_evaluation():
    module = BatchNorm1d(3).eval()
    module(nanograd.rand(5, 3))
    assert module.num_batches_tracked.item() == 0
    assert module.running_mean.tolist() == [0, 0, 0]
