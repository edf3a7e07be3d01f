"""Convolution and pooling: values and gradients are PyTorch's, for every way to step, to pad, to dilate and to group."""

import numpy as np
import pytest

import nanograd
from nanograd.convolution import convolution_definition
from nanograd.errors import GraphError
from nanograd.nn import functional
from nanograd.pooling import average_pool_definition, max_pool_definition
from nanograd.windows import make_windows

CONV1D = [
    *[(given, kinds) for given in ("", "stride=2", "padding=2", "dilation=2", "stride=3, padding=1", "padding='same'", "padding='valid'",
                                   "padding='same', dilation=3", "stride=(2,), padding=(1,), dilation=(2,)")
      for kinds in (("2,3,9", "4,3,3"), ("3,9", "4,3,2"), ("1,3,5", "2,3,1"), ("0,3,7", "4,3,3"), ("t7,3,2", "t3,3,2"), ("2,3,4", "4,3,4"))],
    *[(given, ("2,4,9", "6,2,3")) for given in ("groups=2", "groups=2, stride=2", "groups=2, padding='same', dilation=2")],
    *[("groups=4", ("2,4,5", kernel)) for kernel in ("4,1,3", "8,1,2")],
]  # fmt: skip
CONV2D = [
    *[(given, kinds) for given in ("", "stride=2", "stride=(2, 1)", "stride=3", "padding=1", "padding=(0, 2)", "dilation=2", "dilation=(1, 2)",
                                   "stride=2, padding=1, dilation=2", "padding='same'", "padding='same', dilation=(2, 1)", "padding='valid'")
      for kinds in (("2,3,7,6", "4,3,3,3"), ("3,7,6", "4,3,3,2"), ("1,1,5,5", "1,1,1,1"), ("0,3,7,6", "4,3,2,3"), ("r2,3,7,6", "t2,3,3,4"),
                    ("3,3,5,5", "2,3,2,1"))],
    *[(given, kinds) for given in ("groups=2", "groups=2, stride=2, padding=1", "groups=2, dilation=2")
      for kinds in (("2,4,6,6", "6,2,3,3"), ("4,6,6", "2,2,3,2"))],
    *[("groups=3", ("2,3,5,5", kernel)) for kernel in ("3,1,3,3", "6,1,2,3")],
    *[("padding=10", ("1,1,2,2", "1,1,3,3"))],
]  # fmt: skip
WRONG = [
    *[(f"F.conv2d(x, y, {given})", "2,3,5,5", "4,3,3,3") for given in ("padding='same', stride=2", "padding='round'", "groups=2", "stride=0")],
    ("F.conv2d(x, y)", "2,2,5,5", "4,3,3,3"), ("F.conv2d(x, y)", "2,3,2,2", "4,3,3,3"), ("F.conv2d(x, y, w)", "2,3,5,5", "4,3,3,3", "3"),
    ("F.conv2d(x, y, groups=2)", "2,4,5,5", "3,2,3,3"), ("F.conv2d(x, y)", "5,5", "1,1,3,3"), ("F.conv1d(x, y)", "2,3,5,5", "4,3,3"),
    ("F.conv2d(x, y, stride=(1, 2, 3))", "2,3,5,5", "4,3,3,3"), ("F.max_pool2d(x, 2)", "4,4"), ("F.max_pool2d(x, 3, padding=2)", "1,5,5"),
    ("F.avg_pool2d(x, 4)", "1,3,3"), ("F.avg_pool2d(x, 2, padding=2)", "1,3,3"), ("F.max_pool2d(x, 2, dilation=3)", "1,3,3"),
]  # fmt: skip
TIES = np.zeros((2, 1, 4, 4))
INFINITE = np.array([[[1.0, np.nan, 2.0], [-np.inf, np.inf, 0.0], [3.0, 4.0, -np.inf]]])
MAX_POOL = [
    *[(given, kind) for given in ("2", "3", "(2, 3)", "2, 1", "3, 2, 1", "kernel_size=3, stride=(1, 2), padding=(1, 0)", "2, dilation=2", "1",
                                  "3, stride=1, padding=1, dilation=2", "2, padding=1")
      for kind in ("2,3,7,6", "3,5,5", "0,3,5,5", "t6,7,3,2", "r2,1,6,5", "z2,2,6,6")],
    ("2", TIES), ("3, 1, 1", TIES), ("2, 1", INFINITE), ("2, 1, 1", INFINITE),
]  # fmt: skip
AVERAGE_POOL = [
    *[(given, kind) for given in ("2", "3", "(2, 3)", "2, 1", "3, 2, 1", "3, 2, 1, count_include_pad=False", "kernel_size=3, padding=(0, 1)",
                                  "2, padding=1, count_include_pad=False", "1", "3, stride=1, padding=1")
      for kind in ("2,3,7,6", "3,5,5", "0,3,5,5", "t6,7,3,2", "r2,1,6,5")],
    ("2", INFINITE),
]  # fmt: skip
CASES = [
    *[(f"F.{name}(x, y, {given})", *kinds) for name, cases in (("conv1d", CONV1D), ("conv2d", CONV2D)) for given, kinds in cases],
    *[(f"F.{name}(x, y, w, {given})", *kinds, kinds[1].lstrip("t").split(",")[0])
      for name, cases in (("conv1d", CONV1D), ("conv2d", CONV2D)) for given, kinds in cases if "t" not in kinds[1]],
    *[(f"F.{name}(x, {given})", kind) for name, cases in (("max_pool2d", MAX_POOL), ("avg_pool2d", AVERAGE_POOL)) for given, kind in cases],
    ("F.conv1d(x, x)", "3,3,3"), ("F.avg_pool2d(F.max_pool2d(F.conv2d(x, y, padding=1), 2), 2)", "2,1,8,8", "3,1,3,3"),
    *WRONG,
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_result_is_pytorchs(case, dtype, compare):
    compare(case[0].replace("F.", "m.nn.functional."), *case[1:], dtype=dtype)


SMOOTH = [
    ("F.conv1d(x, y, w, stride=2, padding=1)", "2,2,5", "3,2,3", "3"), ("F.conv2d(x, y, w, padding='same')", "2,2,4,3", "2,2,2,3", "2"),
    ("F.conv2d(x, y, groups=2, dilation=2, stride=(1, 2))", "1,4,5,5", "2,2,2,2"), ("F.max_pool2d(x, 3, 2, 1)", "2,1,5,4"),
    ("F.max_pool2d(x, 2, dilation=2)", "1,4,4"), ("F.avg_pool2d(x, 2, 1, 1)", "1,2,3,3"),
    ("F.avg_pool2d(x, 3, padding=1, count_include_pad=False)", "2,1,5,4"),
]  # fmt: skip


@pytest.mark.parametrize("case", SMOOTH, ids=str)
def test_gradient(case, check_gradient):
    check_gradient(case[0].replace("F.", "m.nn.functional."), *case[1:])


def convolution_by_definition(x, weight, bias, groups, **given):
    return convolution_definition(x, weight, bias, make_windows(weight.shape[2:], **given), groups)


SAME = {
    "conv2d": (
        lambda x, weight, bias: functional.conv2d(x, weight, bias, stride=2, padding=1, dilation=(2, 1), groups=2),
        lambda x, weight, bias: convolution_by_definition(x, weight, bias, 2, stride=2, padding=1, dilation=(2, 1)),
        [(2, 4, 6, 5), (6, 2, 3, 2), (6,)],
    ),
    "conv1d": (
        lambda x, weight: functional.conv1d(x, weight, padding="same"),
        lambda x, weight: convolution_by_definition(x, weight, None, 1, stride=1, padding="same", dilation=1),
        [(2, 3, 6), (4, 3, 2)],
    ),
    "max_pool2d": (lambda x: functional.max_pool2d(x, 3), lambda x: max_pool_definition(x, 3), [(2, 3, 6, 9)]),
    "avg_pool2d": (lambda x: functional.avg_pool2d(x, 2), lambda x: average_pool_definition(x, 2), [(2, 3, 6, 4)]),
}


@pytest.mark.parametrize(("fast", "definition", "shapes"), SAME.values(), ids=SAME)
def test_fast_form_equals_definition_in_value_and_gradient(fast, definition, shapes):
    draws, results = np.random.default_rng(0), []
    arrays = [draws.standard_normal(shape) for shape in shapes]
    for function in (fast, definition):
        inputs = [nanograd.tensor(array, requires_grad=True) for array in arrays]
        result = function(*inputs)
        (result * nanograd.tensor(np.cos(np.arange(result.numel())).reshape(result.shape))).sum().backward()
        results.append([result.detach().numpy(), *[x.grad.numpy() for x in inputs]])
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_an_input_changed_in_place_is_told_even_where_no_copy_was_made():
    x = nanograd.ones(1, 2, 3, 3)
    result = functional.conv2d(x, nanograd.ones(2, 2, 1, 1, requires_grad=True))
    x.add_(1)
    with pytest.raises(GraphError, match="changed in place"):
        result.sum().backward()
