from functools import partial

import numpy as np
import pytest

from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.errors import ShapeError
from nanograd.softmax import (
    cross_entropy,
    cross_entropy_definition,
    log_softmax,
    log_softmax_definition,
    softmax,
    softmax_definition,
)
from nanograd.tensor import Tensor

PAIRS = {"softmax": (softmax, softmax_definition), "log_softmax": (log_softmax, log_softmax_definition)}


def value_and_gradient(function, array):
    x = tensor(array, requires_grad=True)
    result = function(x)
    result.backward(tensor(np.cos(np.arange(result.numel())).reshape(result.shape), dtype=result.dtype))
    return result.detach().numpy(), x.grad.numpy()


def draw_logits(generator, shape, dtype=np.float64):
    return tensor(generator.standard_normal(shape) * 3, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize(("fused", "definition"), PAIRS.values(), ids=PAIRS)
def test_fused_equals_definition_in_value_and_gradient(fused, definition, dim, generator):
    array = generator.standard_normal((3, 4, 5))
    for got, expected in zip(
        value_and_gradient(partial(fused, dim=dim), array), value_and_gradient(partial(definition, dim=dim), array), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("function", [softmax, softmax_definition, log_softmax, log_softmax_definition])
@pytest.mark.parametrize(("shape", "dim"), [((5,), 0), ((2, 3), 0), ((2, 3, 4), -1), ((2, 3, 4), 1), ((0, 3), 1), ((1,), 0)])
def test_gradient(function, shape, dim, generator):
    assert gradcheck(lambda x: function(x, dim), draw_logits(generator, shape))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits_overflow_nowhere(dtype):
    x = tensor([[1e4, -1e4, 0.0]], dtype=dtype)
    assert softmax(x, 1).tolist() == [[1, 0, 0]]
    assert log_softmax(x, 1).tolist() == [[0, -2e4, -1e4]]


def test_masked_logits_get_no_weight():
    assert softmax(Tensor([0.0, -np.inf, 0.0]), 0).tolist() == [0.5, 0, 0.5]


def test_softmax_is_as_in_torch(generator):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    array = generator.standard_normal((3, 4)).astype(np.float32) * 10
    np.testing.assert_allclose(softmax(tensor(array), 1).numpy(), torch.softmax(torch.tensor(array), 1).numpy(), rtol=1e-5)
    np.testing.assert_allclose(
        log_softmax(tensor(array), 1).numpy(), torch.log_softmax(torch.tensor(array), 1).numpy(), rtol=1e-5
    )


CASES = {
    "(N, C)": ((6, 4), (6,)),
    "(C,)": ((4,), ()),
    "(N, C, d1)": ((2, 4, 3), (2, 3)),
    "(N, C, d1, d2)": ((2, 4, 3, 2), (2, 3, 2)),
    "one class": ((3, 1), (3,)),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("shape", "target_shape"), CASES.values(), ids=CASES)
def test_cross_entropy_gradient_and_value_as_in_torch(shape, target_shape, reduction, generator):
    classes = shape[1] if len(shape) > 1 else shape[0]
    x, target = draw_logits(generator, shape), tensor(generator.integers(0, classes, target_shape))
    function = partial(cross_entropy, target=target, reduction=reduction)
    assert gradcheck(function, x)
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(x.detach().numpy()), torch.tensor(target.array), reduction=reduction
    )
    assert function(x).shape == tuple(expected.shape)
    np.testing.assert_allclose(function(x).detach().numpy(), expected.numpy(), rtol=1e-12, atol=1e-14)


def test_cross_entropy_equals_definition_in_value_and_gradient(generator):
    array, target = generator.standard_normal((5, 7)), tensor([0, 6, 3, 3, 1])
    for got, expected in zip(
        value_and_gradient(partial(cross_entropy, target=target), array),
        value_and_gradient(partial(cross_entropy_definition, target=target), array),
        strict=True,
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_of_extreme_logits_has_the_right_value_and_gradient(dtype):
    x = tensor([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]], dtype=dtype, requires_grad=True)
    loss = cross_entropy(x, tensor([0, 1]), reduction="sum")
    loss.backward()
    assert loss.item() == 2e4
    assert x.grad.tolist() == [[0, 0, 0], [1, -1, 0]]


@pytest.mark.parametrize("ignore_index", [-100, 2, -1])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_ignored_targets_count_nothing(reduction, ignore_index, generator):
    x, wanted = draw_logits(generator, (4, 3)), [0, 1, 1, 0]
    with_ignored = tensor([wanted[0], ignore_index, wanted[2], ignore_index])
    function = partial(cross_entropy, target=with_ignored, ignore_index=ignore_index, reduction=reduction)
    assert gradcheck(function, x)
    kept = cross_entropy(x[[0, 2]], tensor([0, 1]), reduction=reduction).detach().numpy()
    result = function(x).detach().numpy()
    np.testing.assert_allclose(result[[0, 2]] if reduction == "none" else result, kept)
    x.grad = None
    function(x).sum().backward()
    assert (x.grad.array[[1, 3]] == 0).all()


@pytest.mark.parametrize(
    ("logits", "target", "words"),
    [
        (np.ones((2, 3)), [0, 3], "from 0 to 2; got 3"),
        (np.ones((2, 3)), [-1, 0], "from 0 to 2; got -1"),
        (np.ones((2, 3)), [0.0, 1.0], r"float32: use \.long\(\)"),
        (np.ones((2, 3)), [True, False], "bool"),
        (np.ones((2, 3)), [0, 1, 2], r"\(2, 3\) the targets have the shape \(2,\); got \(3,\)"),
        (np.ones((2, 3, 4)), [0, 1], r"\(2, 4\)"),
        (np.ones(3), [0], r"\(\)"),
        (np.ones(()), 0, "single number"),
    ],
)
def test_cross_entropy_names_what_does_not_fit(logits, target, words):
    with pytest.raises(ShapeError, match=words):
        cross_entropy(Tensor(logits), tensor(target))


def test_cross_entropy_names_the_reductions():
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none', not 'max'"):
        cross_entropy(Tensor(np.ones((1, 2))), tensor([0]), reduction="max")


def test_the_inputs_are_left_as_they_were(generator):
    x = draw_logits(generator, (3, 4))
    before = x.array.copy()
    for function in (partial(softmax, dim=1), partial(log_softmax, dim=1), partial(cross_entropy, target=tensor([0, 1, 2]))):
        function(x).sum().backward()
        np.testing.assert_array_equal(x.array, before)
