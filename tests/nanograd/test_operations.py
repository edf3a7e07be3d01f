from functools import partial

import numpy as np
import pytest

from nanograd import operations as ops
from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.tensor import Tensor, apply, fused


def draw(generator, shape, low=-2.0, high=2.0):
    return tensor(generator.uniform(low, high, shape), requires_grad=True)


UNARY = {
    "neg": lambda x: -x,
    "abs": lambda x: x.abs(),
    "exp": lambda x: x.exp(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "tanh": lambda x: x.tanh(),
    "sigmoid": lambda x: x.sigmoid(),
    "erf": lambda x: x.erf(),
    "relu": lambda x: x.relu(),
    "square": lambda x: x.square(),
    "clone": lambda x: x.clone(),
    "used twice": lambda x: x * x,
    "used three times": lambda x: x * x + x / 3,
    "clamp below": lambda x: x.clamp(min=-0.5),
    "clamp above": lambda x: x.clamp(max=0.5),
    "clamp both": lambda x: x.clamp(-0.5, 0.5),
    "cube": lambda x: x**3,
    "to the 0": lambda x: x**0,
    "scalar minus": lambda x: 2 - x,
    "scalar times": lambda x: 3 * x,
    "base of power": lambda x: 2.0**x,
}
POSITIVE = {
    "log": lambda x: x.log(),
    "log1p": lambda x: x.log1p(),
    "sqrt": lambda x: x.sqrt(),
    "reciprocal": lambda x: 1 / x,
    "power of -1.5": lambda x: x**-1.5,
}


@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 0, 3), (2, 3)], ids=str)
@pytest.mark.parametrize("function", UNARY.values(), ids=UNARY)
def test_gradient_of_function_of_one_tensor(function, shape, generator):
    assert gradcheck(function, draw(generator, shape))


@pytest.mark.parametrize("function", POSITIVE.values(), ids=POSITIVE)
def test_gradient_of_function_of_positive_numbers(function, generator):
    assert gradcheck(function, draw(generator, (2, 3), 0.5, 2.0))


@pytest.mark.parametrize("function", [UNARY["tanh"], UNARY["clamp both"], UNARY["cube"]])
@pytest.mark.parametrize(
    "view", [lambda x: x[::2, 1:], lambda x: x.T, lambda x: x[1].expand(4, 3)], ids=["strided", "T", "expand"]
)
def test_gradient_through_inputs_that_are_not_contiguous(function, view, generator):
    assert gradcheck(lambda x: function(view(x)), draw(generator, (4, 3)))


def test_gradient_of_a_leaf_that_is_not_contiguous(generator):
    x = tensor(generator.standard_normal((4, 6)))
    x.array = x.array.T[::2]
    assert gradcheck(lambda x: x * x, x.requires_grad_())


BINARY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "power": lambda x, y: x**y,
    "maximum": partial(apply, ops.maximum),
    "minimum": partial(apply, ops.minimum),
}
BROADCASTS = [
    ((2, 3), (2, 3)), ((2, 3), ()), ((), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)),
    ((0, 3), (3,)), ((1, 3), (0, 3)), ((), ()),
]  # fmt: skip


@pytest.mark.parametrize("shapes", BROADCASTS, ids=str)
@pytest.mark.parametrize("function", BINARY.values(), ids=BINARY)
def test_gradient_of_function_of_two_tensors_on_both_sides(function, shapes, generator):
    assert gradcheck(function, [draw(generator, shape, 0.5, 2.0) for shape in shapes])


@pytest.mark.parametrize("function", [ops.maximum, ops.minimum])
def test_equal_numbers_share_the_gradient(function):
    x, y = Tensor([1.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    apply(function, x, y).backward()
    assert (x.grad.item(), y.grad.item()) == (0.5, 0.5)


def test_gradients_of_powers_at_0():
    x = tensor([0.0, 0.0, 0.0], dtype=np.float64, requires_grad=True)
    y = tensor([0.0, 1.0, 2.0], dtype=np.float64, requires_grad=True)
    (x**y).sum().backward()
    assert x.grad.tolist() == [0, 1, 0]
    assert y.grad.tolist() == [0, 0, 0]


REDUCTIONS = {
    "sum": lambda x, **how: x.sum(**how),
    "mean": lambda x, **how: x.mean(**how),
    "var": lambda x, **how: x.var(**how),
    "amax": lambda x, **how: x.amax(**how),
    "amin": lambda x, **how: x.amin(**how),
}
DIMS = [None, 0, -1, (0, 2), (-1, 1), (0, 1, 2)]


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", DIMS, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS.values(), ids=REDUCTIONS)
def test_gradient_of_reduction(reduction, dim, keepdim, generator):
    assert gradcheck(partial(reduction, dim=dim, keepdim=keepdim), draw(generator, (2, 3, 4)))


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dim", [None, 0, -1])
@pytest.mark.parametrize("name", ["max", "min"])
def test_gradient_of_extremes(name, dim, keepdim, generator):
    def values(x):
        found = getattr(x, name)(dim, keepdim)
        return found if dim is None else found.values

    assert gradcheck(values, draw(generator, (3, 4)))


def test_gradient_of_sum_and_mean_over_no_numbers():
    x = tensor(np.zeros((0, 3)), requires_grad=True)
    assert gradcheck(lambda x: x.sum(0), x)
    assert gradcheck(lambda x: x.mean(1), x)


def test_equal_extremes_share_the_gradient():
    x = Tensor([[1.0, 3.0, 3.0]], requires_grad=True)
    x.amax(1).sum().backward()
    assert x.grad.tolist() == [[0, 0.5, 0.5]]


SHAPES = {
    "reshape": lambda x: x.reshape(4, -1),
    "reshape by a tuple": lambda x: x.reshape((6, 4)),
    "flatten": lambda x: x.flatten(1),
    "flatten middle": lambda x: x.flatten(0, 1),
    "unsqueeze": lambda x: x.unsqueeze(-1) * x.unsqueeze(1).sum(1).unsqueeze(-1),
    "squeeze": lambda x: x.unsqueeze(0).unsqueeze(-1).squeeze(),
    "squeeze one": lambda x: x.unsqueeze(0).squeeze(0),
    "transpose": lambda x: x.transpose(0, -1),
    "permute": lambda x: x.permute(2, 0, 1),
    "permute back": lambda x: x.permute(-1, 0, -2),
    "T": lambda x: x.T,
    "expand": lambda x: x.unsqueeze(1).expand(2, 5, -1, 4),
    "expand in front": lambda x: x.expand(3, 2, 3, 4),
    "split": lambda x: fused(ops.concatenate, x, x * x, axis=1),
    "cat behind": lambda x: fused(ops.concatenate, x * 2, x, x, axis=-1),
    "iteration": lambda x: sum((part * (n + 1) for n, part in enumerate(x)), Tensor(0.0).double()),
}


@pytest.mark.parametrize("function", SHAPES.values(), ids=SHAPES)
def test_gradient_of_change_of_shape(function, generator):
    assert gradcheck(function, draw(generator, (2, 3, 4)))


INDICES = {
    "integer": 1,
    "negative": -1,
    "slice": slice(None, None, 2),
    "backwards": slice(None, None, -1),
    "nothing": slice(0, 0),
    "none": None,
    "ellipsis": (..., 1),
    "two integers": (1, 2),
    "mixed": (slice(1, None), None, -2),
    "repeated": [0, 0, 2, 0],
    "repeated array": np.array([[1, 1], [1, 0]]),
    "tensor": tensor([2, 2]),
    "two arrays": (np.array([0, 0, 2]), np.array([1, 1, 3])),
    "arrays that broadcast": (np.array([[0], [2]]), np.array([1, 1, 3])),
    "array and slice": (slice(None), [0, 0, 3]),
    "array apart": (np.array([0, 0]), None, np.array([1, 2])),
    "mask": np.arange(12).reshape(3, 4) % 2 == 0,
    "mask of rows": tensor([True, False, True]),
    "mask of nothing": np.zeros((3, 4), bool),
    "empty array": np.zeros(0, int),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_gradient_of_indexing(index, generator):
    assert gradcheck(lambda x: x[index] * 1.5, draw(generator, (3, 4)))


def test_positions_read_twice_add_up():
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[[0, 0, 2]].sum().backward()
    assert x.grad.tolist() == [2, 0, 1]


@pytest.mark.parametrize("mask_shape", [(3, 4), (4,), (2, 3, 4), (3, 1)], ids=str)
def test_gradient_of_masked_fill(mask_shape, generator):
    mask = tensor(generator.random(mask_shape) < 0.5)
    assert gradcheck(lambda x: x.masked_fill(mask, 7.0), draw(generator, (3, 4)))


@pytest.mark.parametrize("shapes", [((3, 4), (3, 4)), ((4,), (3, 1)), ((), (3, 4)), ((2, 3, 4), ())], ids=str)
def test_gradient_of_where(shapes, generator):
    condition = tensor(generator.random((3, 4)) < 0.5)
    assert gradcheck(partial(apply, ops.where, condition), [draw(generator, shape) for shape in shapes])


PRODUCTS = [
    ((3, 4), (4, 2)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 2)), ((5, 3, 4), (4, 2)), ((3, 4), (5, 4, 2)),
    ((5, 3, 4), (5, 4, 2)), ((2, 1, 3, 4), (5, 4, 2)), ((5, 3, 4), (4,)), ((4,), (5, 4, 2)), ((2, 5, 3, 4), (1, 5, 4, 2)),
    ((0, 4), (4, 2)), ((3, 0), (0, 2)), ((0, 3, 4), (4, 2)), ((1, 1), (1, 1)),
]  # fmt: skip


@pytest.mark.parametrize("shapes", PRODUCTS, ids=str)
def test_gradient_of_matrix_product(shapes, generator):
    assert gradcheck(lambda x, y: x @ y, [draw(generator, shape) for shape in shapes])


def test_gradient_of_a_matrix_with_itself(generator):
    assert gradcheck(lambda x: x @ x.T @ x, draw(generator, (2, 3)))
