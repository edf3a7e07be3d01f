"""Losses: values and gradients are PyTorch's, for every way to weigh, to ignore, to smooth and to reduce."""

import numpy as np
import pytest

import nanograd
from nanograd import nn
from nanograd.losses import binary_cross_entropy_with_logits, binary_cross_entropy_with_logits_definition

TARGETS = {
    "4,3": np.array([0, 2, 1, 1]),
    "1,3": np.array([2]),
    "3": np.array(1),
    "0,3": np.zeros(0, np.int64),
    "2,3,2": np.array([[0, 1], [2, 2]]),
    "2,3,2,2": np.array([[[0, 1], [2, 2]], [[0, 0], [1, 2]]]),
    "t4,3": np.array([0, 2, 1, 1]),
    "r4,3": np.array([0, 2, 1, 1]),
}
REDUCTIONS = ["mean", "sum", "none"]
WAYS = ["", "weight=w", "ignore_index=2", "weight=w, ignore_index=1", "ignore_index=-100"]
SMOOTHED = [f"{way}{', ' * bool(way)}label_smoothing={share}" for way in WAYS for share in (0.1, 1.0)]
EXTREME = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [0.0, 0.0, 0.0], [1e4, 1e4, 1e4]])
IGNORED = np.array([-100, 1, -100, 0])
BROADCAST = [("3,4", "3,4"), ("t3,4", "r3,4"), ("()", "()"), ("0", "0"), ("2,0", "2,0"), ("z3,4", "z3,4"), ("2,3,4", "2,3,4")]


def call(name, ways, reduction):
    return f"m.nn.functional.{name}(x, y{', ' * bool(ways)}{ways}, reduction={reduction!r})"


# w holds the weights of the classes, an array that asks for no gradient there and so is whole numbers here.
CLASSES = [
    *[(call(name, way, reduction).replace("=w", "=w.to(x.dtype)"), kind, target, np.array([1, 3, 2]))
      for name, ways in (("cross_entropy", [*WAYS, *SMOOTHED]), ("nll_loss", WAYS))
      for way in ways for reduction in REDUCTIONS for kind, target in TARGETS.items()],
    *[(call("cross_entropy", way, reduction), EXTREME, target)
      for way in ("", "label_smoothing=0.1", "ignore_index=0") for reduction in REDUCTIONS for target in (np.array([0, 1, 2, 0]), IGNORED)],
    *[(call(name, way, reduction), "4,3", np.full(4, -100)) for name in ("cross_entropy", "nll_loss") for reduction in REDUCTIONS
      for way in ("", "ignore_index=-100")],
    *[(call("cross_entropy", "ignore_index=-100, label_smoothing=0.1", reduction), "4,3", np.full(4, -100)) for reduction in REDUCTIONS],
    *[(call(name, "", reduction), kind, np.zeros(shape, np.int64)) for name in ("cross_entropy", "nll_loss") for reduction in REDUCTIONS
      for kind, shape in (("3,1", (3,)), ("1", ()), ("2,1,0", (2, 0)))],
    *[(f"m.nn.functional.{name}(x, y)", "4,3", target) for name in ("cross_entropy", "nll_loss")
      for target in (np.array([0, 3, 1, 1]), np.array([0, -1, 1, 1]), np.array([0, 1]), np.array([0.0, 1.0, 1.0, 1.0]))],
    ("m.nn.functional.cross_entropy(x, y, w.to(x.dtype))", "4,3", TARGETS["4,3"], np.array([1, 2])),
    ("m.nn.functional.nll_loss(x, y, weight=w.to(x.dtype))", "4,3", TARGETS["4,3"], np.array([1, 0, 2])),
    ("m.nn.functional.cross_entropy(x, y, weight=w)", "4,3", TARGETS["4,3"], "p3"),
    ("m.nn.functional.cross_entropy(x, y, label_smoothing=1.5)", "4,3", TARGETS["4,3"]),
    ("m.nn.functional.cross_entropy(x, y, reduction='max')", "4,3", TARGETS["4,3"]),
    ("m.nn.functional.nll_loss(m.nn.functional.log_softmax(x, 1), y)", "4,3", TARGETS["4,3"]),
]  # fmt: skip
SOFT = [
    *[(call("cross_entropy", way, reduction).replace("=w", "=w.to(x.dtype)"), kind, f"p{kind}", np.array([1, 3, 2]))
      for way in ("", "weight=w", "label_smoothing=0.2", "weight=w, label_smoothing=0.2") for reduction in REDUCTIONS
      for kind in ("4,3", "3", "2,3,2", "0,3", "2,3,2,2")],
    *[(call("cross_entropy", "", reduction), EXTREME, "p4,3") for reduction in REDUCTIONS],
    ("m.nn.functional.cross_entropy(x, y, ignore_index=1)", "4,3", "p4,3"), ("m.nn.functional.cross_entropy(x, y)", "3,3", "k3,3"),
]  # fmt: skip
NUMBERS = [
    *[(call(name, "", reduction), *kinds) for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits")
      for reduction in REDUCTIONS for kinds in BROADCAST],
    *[(call("smooth_l1_loss", f"beta={beta}", reduction), *kinds) for beta in (0.0, 0.3, 2.0, 1) for reduction in REDUCTIONS
      for kinds in (("3,4", "3,4"), ("z3,4", "z3,4"))],
    *[(call("binary_cross_entropy_with_logits", way, reduction), "3,4", "p3,4", kind) for way in ("weight=w.detach()", "pos_weight=w.detach()")
      for reduction in REDUCTIONS for kind in ("p4", "p3,4", "p()")],
    *[(call("binary_cross_entropy_with_logits", way, reduction), EXTREME, np.eye(4, 3)) for way in ("", "pos_weight=y.detach() + 1")
      for reduction in REDUCTIONS],
    *[(f"m.nn.functional.{name}(x, y)", "3", "i3") for name in ("mse_loss", "l1_loss", "smooth_l1_loss")],
    ("m.nn.functional.binary_cross_entropy_with_logits(x, y)", "3,4", "4"), ("m.nn.functional.smooth_l1_loss(x, y, beta=-1.0)", "3", "3"),
    ("m.nn.functional.mse_loss(x, x)", "3"), ("m.nn.functional.mse_loss(x, y, reduction='max')", "3", "3"),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [*CLASSES, *SOFT, *NUMBERS], ids=str)
def test_loss_is_pytorchs(case, dtype, compare):
    compare(*case, dtype=dtype)


MODULES = [
    *[(f"{name}Loss({given})", "4,3", TARGETS["4,3"]) for name in ("CrossEntropy", "NLL") for given in
      ("", "weight=m.tensor([1.0, 3.0, 2.0]).double()", "ignore_index=1, reduction='sum'", "reduction='none'")],
    ("CrossEntropyLoss(label_smoothing=0.1)", "4,3", TARGETS["4,3"]), ("CrossEntropyLoss()", "4,3", "p4,3"),
    *[(f"{name}Loss({given})", "4,3", "p4,3") for name in ("MSE", "L1", "SmoothL1", "BCEWithLogits") for given in ("", "reduction='sum'")],
    ("SmoothL1Loss(beta=0.2)", "4,3", "4,3"),
    ("BCEWithLogitsLoss(pos_weight=m.tensor([1.0, 3.0, 2.0]).double(), weight=m.tensor(2.0).double())", "4,3", "p4,3"),
]  # fmt: skip


@pytest.mark.parametrize("case", MODULES, ids=str)
def test_module_is_pytorchs(case, compare):
    def run(m, x, y):
        module = eval(f"m.nn.{case[0]}", {"m": m})
        return [module(x, y), *module.state_dict(), *module.state_dict().values()]

    compare(run, *case[1:], dtype="float64")


SMOOTH = [
    *[(call("cross_entropy", way, "mean"), "4,3", TARGETS["4,3"]) for way in ("", "label_smoothing=0.3", "ignore_index=1")],
    *[(call("cross_entropy", way, "sum"), "4,3", "p4,3") for way in ("", "label_smoothing=0.3")],
    *[(call(name, "", "none"), "2,3", "p2,3") for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits")],
    (call("nll_loss", "", "mean"), "2,3,2", TARGETS["2,3,2"]),
]  # fmt: skip


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_gradient(case, check_gradient):
    check_gradient(*case)


def test_extreme_logits_have_the_right_loss_and_gradient():
    x = nanograd.tensor([[1e4, -1e4], [1e4, -1e4]], requires_grad=True)
    losses = nn.functional.cross_entropy(x, nanograd.tensor([0, 1]), reduction="none")
    losses.sum().backward()
    assert losses.tolist() == [0, 2e4]
    assert x.grad.tolist() == [[0, 0], [1, -1]]


def test_fast_form_equals_definition_in_value_and_gradient():
    results = []
    for loss in (binary_cross_entropy_with_logits, binary_cross_entropy_with_logits_definition):
        x = nanograd.tensor(np.random.default_rng(0).standard_normal((4, 3)), requires_grad=True)
        value = loss(x, nanograd.tensor(np.eye(4, 3)))
        value.backward()
        results.append((value.item(), x.grad.numpy()))
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_a_module_takes_the_settings_of_its_function_and_no_others():
    assert nn.SmoothL1Loss(beta=0.2).beta == 0.2
    with pytest.raises(TypeError, match="'size'"):
        nn.MSELoss(size=3)
    with pytest.raises(ValueError, match="'max'"):
        nn.CrossEntropyLoss(reduction="max")


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss"])
def test_shapes_that_broadcast_are_warned_of(name):
    with pytest.warns(UserWarning, match=r"\(3,\), the target \(2, 3\)"):
        assert getattr(nn.functional, name)(nanograd.ones(3), nanograd.zeros(2, 3)).item() > 0
