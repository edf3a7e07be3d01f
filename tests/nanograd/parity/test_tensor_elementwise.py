"""Arithmetic, comparison, logic and functions, number by number, equal PyTorch's."""

import numpy as np
import pytest

BINARY = ["x + y", "x - y", "x * y", "x / y", "(x // y).detach()", "x % y", "m.maximum(x, y)", "m.minimum(x, y)"]
COMPARED = ["x == y", "x != y", "x < y", "x <= y", "x > y", "x >= y"]
LOGICAL = ["m.logical_and(x, y)", "x.logical_or(y)", "x.logical_xor(y)"]
PAIRS = [
    ("3,4", "3,4"), ("3,1", "1,4"), ("4", "2,3,4"), ("2,1,3", "4,1"), ("()", "3"), ("2", "()"), ("()", "()"),
    ("0,3", "3"), ("0,3", "1,1"), ("2,0", "2,1"), ("t3,4", "r3,4"), ("n3,4", "n3,4"), ("n12", "z12"), ("z8", "z8"),
    ("2,3", "3,2"), ("3", "4"), ("0", "2"),
]  # fmt: skip
MIXED = [
    ("i3,4", "i3,4"), ("i3", "3"), ("3", "i()"), ("i3", "()"), ("b3", "i3"), ("b3", "3"), ("b4", "b4"), ("i4", "b()"), ("b3", "i()"),
]  # fmt: skip
LENIENT = [("x - y", pair) for pair in MIXED if "b" in "".join(pair)] + [
    (f"{e}", ("b4", "b4")) for e in ("(x // y).detach()", "x % y")
]
SCALARS = [
    "x + 2", "2 + x", "x - 1.5", "1.5 - x", "x * 3", "0.5 * x", "x / 2", "2 / x", "(x // 2).detach()", "(7 // x).detach()", "x % 3", "-x % 3",
    "(5.5 % x).detach()", "x ** 2", "x ** 3", "x ** 0", "x ** 1", "2.5 ** x", "x == 1", "1 < x", "x >= 0.5", "x != True", "x + True",
    "m.add(x, 2)", "m.sub(x, 2, alpha=3)", "x.add(1, alpha=2)", "m.mul(x, 2)", "m.div(x, 3)", "m.pow(x, 2)", "m.remainder(x, 2)",
    "m.neg(x)", "+x", "-x", "abs(x)", "x.float()", "x.double()", "x.long()", "x.bool()", "x == None", "x.eq(1)", "x.ne(1)", "x.lt(1)",
    "x.le(1)", "x.gt(1)", "x.ge(1)", "m.logical_not(x)", "~(x > 0)", "(x > 0) & (x < 1)", "(x > 0) | (x < -1)", "(x > 0) ^ (x > 1)",
    "x.masked_fill(x > 0, 7)", "x.masked_fill(x > 0, -inf)", "m.where(x > 0, x, 0)", "m.where(x > 0, 1, x)", "m.where(x > 0, 1.5, x)",
    "m.where(x > 0, 1, 2)", "m.where(x > 0, 1.0, 2.0)", "x.clamp(min=0)", "x.clamp(-1, 1)", "x.clamp(max=0.5)", "m.clamp(x, 1, -1)",
    "x.clamp(min=0.5)", "x.clamp()", "x * x", "x + x", "x - x", "x / x", "m.maximum(x, x)", "m.where(x > 0, x, x)", "x * inf", "x + nan",
]  # fmt: skip
FUNCTIONS = ["abs", "sign", "exp", "log", "log1p", "sqrt", "rsqrt", "square", "sin", "cos", "tanh", "sigmoid", "erf", "relu"]
TESTS = ["isnan", "isfinite", "isinf"]
SHAPES = ["3,4", "p3,4", "()", "0", "2,0,3", "t3,4", "r5", "n24", "z8", "i3,4"]
EXTREME = np.array([-1e4, -200.0, -100.0, -88.0, -20.0, -1e-8, 0.0, 1e-30, 1e-8, 20.0, 88.0, 100.0, 200.0, 1e4])

POWERS = [
    ("x ** y", "p3,4", "3,4"), ("x ** y", "p3,1", "1,4"), ("x ** y", "3,4", "z3,4"), ("x ** y", "z9", "z9"), ("x ** y", "n24", "n24"),
    ("x ** y", "p()", "3"), ("x ** y", "p3", "()"), ("x ** y", "z6", "()"), ("x ** 0.5", "p5"), ("x ** -1", "p5"), ("x ** -0.5", "z6"),
    ("x ** 0", "z6"), ("x ** 2", "n12"), ("x ** 1.5", "z6"), ("0 ** x", "z6"), ("2 ** x", "k5"), ("x ** 2", "i5"), ("x ** -1", "i5"),
    ("x ** 0.5", "i5"), ("x ** 2.0", "i5"), ("x ** y", "i5", "k5"), ("x ** y", "p5", "i5"), ("2.0 ** x", "i5"), ("x ** True", "3"),
    ("x.pow(y)", "p3", "3"), ("x ** x", "p3"), ("x ** 3", "z6"),
]  # fmt: skip
CHOICES = [
    ("m.where(w > 0, x, y)", "3,1", "1,4", "3,4"), ("m.where(w > 0, x, y)", "3", "()", "2,3"), ("m.where(y, x, 0.0)", "3,4", "b4"),
    ("x.where(y, w)", "3,4", "b3,4", "()"), ("m.where(y, x, 1)", "i3", "b3"), ("m.where(y, x, 1.5)", "i3", "b3"),
    ("m.where(y, x, w)", "i3", "b3", "3"), ("m.where(y, x, w)", "0,3", "b3", "3"), ("m.where(y, x, w)", "n6", "b6", "n6"),
    ("m.where(x, y, w)", "i3", "3", "3"), ("x.masked_fill(y, 1.5)", "3,4", "b4"), ("x.masked_fill(y, 1.5)", "4", "b3,4"),
    ("x.masked_fill(y, 2)", "i4", "b4"), ("x.masked_fill(y, 1.5)", "i4", "b4"), ("x.masked_fill(y, w)", "3", "b3", "()"),
    ("x.masked_fill(y, w)", "3", "b3", "1"), ("x.masked_fill(y, True)", "b3", "b3"), ("x.masked_fill(y, 0)", "3", "i3"),
    ("x.masked_fill(x == 0, -inf)", "z6"), ("x.clamp(y, w)", "3,4", "4", "3,1"), ("x.clamp(min=y)", "z6", "z6"),
    ("x.clamp(max=y)", "z6", "z6"), ("x.clamp(min=y)", "n6", "z6"), ("x.clamp(y, w)", "z6", "z6", "z6"), ("x.clamp(-1, 1)", "n12"),
    ("x.clamp(0, 0)", "z6"), ("x.clamp(min=0.5)", "i6"), ("x.clamp(min=y)", "i6", "6"), ("m.maximum(x, y)", "n12", "n12"),
    ("x.max(y)", "z6", "z6"), ("x.min(y)", "z2,3", "z3"), ("m.minimum(x, y)", "i3", "3"),
]  # fmt: skip
PRECISIONS = [
    ("m.tensor(1.0, dtype=m.float64) + x", "3"), ("m.ones(2, dtype=m.float64) + x", "3,2"), ("x + m.ones(3, dtype=m.float64)", "()"),
    ("m.ones(2, dtype=m.float64) * x", "2"), ("m.tensor(2.0, dtype=m.float64) * x", "i3"), ("m.where(y, x, m.ones(3, dtype=m.float64))", "3", "b3"),
    ("m.tensor(3) * x", "b4"), ("x.to(m.float64)", "3"), ("x.to(m.int64)", "3"), ("x.to('cpu')", "3"),
    ("x.to(device='cpu', dtype=m.float64)", "3"), ("x.to(m.float)", "i3"), ("x.to(y)", "i3", "3"), ("x.double().float() * 2", "3"),
    ("x.long() + 0.5", "3"), ("m.tensor([True]) + m.tensor([True])", "3"), ("-m.tensor([True])", "3"), ("m.tensor([True]) - m.tensor([True])", "3"),
    ("x.long() // 0", "3"), ("x.long() % 0", "3"), ("(x // 0).detach()", "3"), ("x / 0", "z4"), ("x % 0", "3"), ("0 / x", "z4"),
]  # fmt: skip

CASES = [
    *[(expression, *pair) for expression in BINARY + COMPARED for pair in PAIRS + MIXED if (expression, pair) not in LENIENT],
    *[(expression, *pair) for expression in LOGICAL for pair in [("z3,4", "b4"), ("i3", "3"), ("n6", "z6")]],
    *[(expression, kind) for expression in SCALARS for kind in ["3,4", "z6", "i6", "n6", "0,2", "()"]],
    *[(f"m.{name}(x)", kind) for name in FUNCTIONS + TESTS for kind in SHAPES],
    *[(f"x.{name}()", EXTREME) for name in FUNCTIONS],
    *POWERS,
    *CHOICES,
    *PRECISIONS,
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_elementwise_is_pytorchs(case, dtype, compare):
    compare(*case, dtype=dtype)


SMOOTH = [
    *[
        (expression, *pair)
        for expression in BINARY[:4]
        for pair in [("3,4", "p3,4"), ("3,1", "p1,4"), ("()", "p2,3"), ("t3,4", "p4")]
    ],
    *[(f"x.{name}()", kind) for name in FUNCTIONS for kind in ["p3,2", "p()"]],
    *[("x ** y", "p3,1", "1,4"), ("x ** 3", "3"), ("2 ** x", "3"), ("x % 1.7", "p3"), ("m.where(w, x, y)", "3", "3", "b3")],
    *[
        ("m.maximum(x, y)", "3,4", "r4"),
        ("m.minimum(x, y)", "3,4", "r4"),
        ("x.clamp(-0.5, 0.5)", "3,4"),
        ("x.clamp(y, w)", "5", np.full(5, -0.5), np.full(5, 0.5)),
    ],
    *[("x.masked_fill(y, 2.0)", "3", "b3"), ("1 / x", "p3"), ("1 - x", "3"), ("x * x / (x + 3)", "p3")],
]


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_elementwise_gradient_is_the_slope(case, check_gradient):
    check_gradient(*case)
