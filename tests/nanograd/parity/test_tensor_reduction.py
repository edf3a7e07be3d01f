"""Sums, extremes and orders over any dimensions equal PyTorch's."""

import numpy as np
import pytest

SHAPES = ["3,4", "2,3,4", "()", "1", "0", "2,0,3", "t3,4", "r2,3", "n2,6", "z4,4", "i3,4", "b3,4"]
DIMS = [
    "",
    "0",
    "-1",
    "1, True",
    "dim=-2, keepdim=True",
    "(0, 1)",
    "(0, -1), keepdim=True",
    "dim=(), keepdim=True",
    "5",
    "(0, 0)",
    "dim=(-1,)",
]
MANY_DIMS = ["sum", "mean", "amax", "amin", "all", "any", "logsumexp", "std", "var"]
ONE_DIM = ["max", "min", "argmax", "argmin", "prod", "cumsum", "sort", "argsort"]
# PyTorch's own answer to an empty tuple of dimensions is not the same for all of its reductions.
ODD = [("logsumexp", ""), *[(name, "dim=(), keepdim=True") for name in ("logsumexp", "all", "any", "var", "std")]]
SINGLE = ["", "0", "-1", "1", "dim=-2", "5"]
KEEPING = ["0, keepdim=True", "dim=-1, keepdim=True"]

EXTREME = np.array([[1e4, -1e4, 0.0], [np.inf, 1.0, 2.0], [-np.inf, -np.inf, -np.inf], [88.0, 1000.0, 1000.0]])
CASES = [
    *[(f"x.{name}({dims})", kind) for name in MANY_DIMS for dims in DIMS for kind in SHAPES
      if (name, dims) not in ODD and (name[:2] != "am" or kind[0] != "n")],
    *[(f"x.{name}({dims})", kind) for name in ONE_DIM for dims in SINGLE for kind in SHAPES
      if (name[:3], kind[0]) not in (("pro", "n"), ("arg", "b"))],
    *[(f"x.{name}({dims})", kind) for name in ONE_DIM[:5] for dims in KEEPING for kind in SHAPES
      if (name[:3], kind[0]) not in (("pro", "n"), ("arg", "b"))],
    *[(f"x.sum(dtype={dtype})", kind) for dtype in ("m.float64", "m.int64", "m.float32") for kind in ("3", "i3", "b3")
      if (dtype, kind) != ("m.int64", "3")],
    *[(f"x.norm({given})", kind) for given in ("", "2", "1", "3", "inf", "p=2, dim=0", "2, -1, True", "dim=(0, 1)", "1, 0", "inf, 1", "0.5, 0")
      for kind in ("3,4", "2,3,2", "i2,2")],
    *[(f"x.norm({given})", kind) for given in ("", "2", "1", "inf", "2, 0") for kind in ("0", "n2,3", "()", "z2,4")],
    *[("x.logsumexp(-1)", EXTREME), ("m.logsumexp(x, dim=0, keepdim=True)", EXTREME), ("x.logsumexp((0, 1))", EXTREME)],
    *[(f"x.{name}({given})", "3,4") for name in ("var", "std") for given in
      ("0, False", "0, True, True", "0, correction=0", "unbiased=False", "0, keepdim=True, unbiased=False", "1, correction=2", "correction=0", "dim=1, correction=4")],
    *[(f"x.{name}(0)", np.ones((3, 2))) for name in ("var", "std", "max", "min", "amax", "argmax", "prod", "sort")],
    *[("x.mean(dtype=m.float64)", "i3"), ("x.mean(0, dtype=m.float32)", "b3,2"), ("x.prod(dtype=m.float64)", "3"), ("x.cumsum(0, dtype=m.float64)", "i3")],
    *[("x.prod()", np.array([2.0, 0.0, 3.0])), ("x.prod()", np.array([0.0, 0.0, 3.0])), ("x.prod(1)", np.array([[2.0, 0.0], [3.0, 4.0]]))],
    *[(f"x.topk({given}).values", kind) for given in ("2", "0", "1, 0", "3, largest=False", "k=2, dim=-1", "2, 0, False", "5", "-1")
      for kind in ("3,4", "t4,3", "3,2,4", "i3,4")],
    *[(f"x.topk({given})", "3,4") for given in ("2", "1, 0", "3, largest=False")],
    *[("x.topk(1)", "()"), ("x.topk(3).values.detach()", "n2,6"), ("x.topk(3, largest=False).values.detach()", "n2,6"), ("m.topk(x, 2).indices", "3,4")],
    *[(f"x.sort({given})", kind) for given in ("descending=True", "0, True", "dim=0, descending=True")
      for kind in ("3,4", "()", "0,2", "i2,3", "r2,3")],
    *[(f"x.sort({given})", kind) for given in ("stable=True", "stable=True, dim=0", "stable=True, dim=-1, descending=True")
      for kind in ("z4,5", "i3,6", "b2,5", "n2,6")],
    *[("x.sort(-1, True).values", "n2,6"), ("m.sort(x)[1]", "3,4"), ("m.argsort(x, dim=0, descending=True)", "3,4")],
    *[("m.max(x, 1).indices", "z3,5"), ("m.max(x, dim=0)[0]", "3,5"), ("m.max(x)", "3,5"), ("m.min(x, 1, keepdim=True).values", "3,5")],
    *[("m.max(x, y)", "3", "3"), ("m.all(x)", "3"), ("m.any(x == 0)", "z3"), ("m.argmax(x, dim=-1)", "n3,4"), ("m.argmin(x)", "n3,4")],
    *[("m.argmax(x, dim=None, keepdim=True)", "3,4"), ("m.sum(x, dim=1)", "3,4"), ("m.mean(x, 0, True)", "3,4"), ("m.cumsum(x, dim=1)", "3,4")],
    *[("m.std(x, dim=0)", "3,4"), ("m.var(x, 1, keepdim=True)", "3,4"), ("m.norm(x, dim=1)", "3,4"), ("m.prod(x, 1)", "3,4")],
    *[(f"x.{name}(axis=1, keepdims=True)", "3,4") for name in [*MANY_DIMS, "max", "argmax"]],
    *[("m.sum(x, axis=0)", "3,4"), ("x.sum(1, keepdims=True)", "3,4"), ("x.softmax(axis=-1)", "3,4"), ("m.topk(x, 2, axis=0).values", "3,4")],
    *[("x.sum(0).sum()", "3,4"), ("(x - x.mean(0)) / x.std(0)", "3,4"), ("x.max(1).values - x.logsumexp(1)", "3,4")],
    *[("x.softmax(-1)", "3,4"), ("x.log_softmax(dim=0)", "3,4"), ("m.softmax(x, dim=1)", EXTREME), ("m.log_softmax(x, 1)", "3,4")],
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_reduction_is_pytorchs(case, dtype, compare):
    compare(*case, dtype=dtype)


SMOOTH = [
    *[(f"x.{name}({dims})", kind) for name in ("sum", "mean", "amax", "amin", "std", "var") for dims in ("", "0", "(0, -1), keepdim=True")
      for kind in ("3,4", "r2,3")],
    *[(f"x.logsumexp({dims})", "t3,4") for dims in ("0", "(0, 1)", "-1, True")],
    *[(f"x.norm({given})", "3,4") for given in ("", "1", "3", "inf", "2, 0", "1.5, 1, True")],
    *[(f"x.{name}(1)", "3,4") for name in ("max", "min", "prod", "cumsum", "sort", "softmax", "log_softmax")],
    *[("x.topk(2, 0).values", "4,2"), ("x.prod()", "3"), ("x.cumsum(0)", "r4"), ("x.max()", "4"), ("x.sort(0, True).values", "5")],
]  # fmt: skip


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_reduction_gradient_is_the_slope(case, check_gradient):
    check_gradient(*case)
