"""For any shapes: broadcasting, reductions, indexing, reshapes and einsum agree with numpy, and each gradient has its leaf's shape."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, basic_indices, mutually_broadcastable_shapes

import nanograd as ng
from nanograd import Tensor

SHAPES = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
FILLED = array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4)


def for_any(*strategies):
    return lambda test: settings(deadline=None, derandomize=True, max_examples=60)(given(*strategies)(test))


def counted(shape):
    return np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape) / 7 - 1


def leaf(array):
    return ng.tensor(array, requires_grad=True)


def check(result, expected, *leaves):
    """The result is numpy's; its gradient reaches every leaf in the leaf's shape and has the sum that the chain rule gives."""
    np.testing.assert_allclose(result.detach().numpy(), expected, rtol=1e-12, atol=1e-12)
    result.sum().backward()
    assert all(x.grad.shape == x.shape and x.grad.dtype == x.dtype for x in leaves)


@for_any(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=4))
def test_broadcasting_is_numpys_and_its_gradient_counts_the_uses(shapes):
    a, b = map(counted, shapes.input_shapes)
    x, y = leaf(a), leaf(b)
    check(x + 2 * y, a + 2 * b, x, y)
    uses = np.prod(shapes.result_shape) / max(x.numel(), 1)
    assert x.grad.tolist() == np.full(x.shape, uses).tolist()


@for_any(SHAPES, st.data(), st.booleans(), st.sampled_from(["sum", "mean", "prod", "amax"]))
def test_reductions_over_any_dimensions_are_numpys(shape, data, keepdim, name):
    dims = (
        tuple(data.draw(st.sets(st.integers(-len(shape), len(shape) - 1), max_size=1 if name == "prod" else 4))) if shape else ()
    )
    dims = tuple({dim % len(shape): dim for dim in dims}.values())
    array = counted(shape)
    if name in ("amax", "mean") and not array.size:
        return
    x = leaf(array)
    reduced = getattr(x, name)(
        *((dims if name != "prod" else dims[:1]) and (dims if name != "prod" else dims[0],)), keepdim=keepdim
    )
    numpy_name = {"amax": "max"}.get(name, name)
    check(reduced, getattr(array, numpy_name)(axis=dims or None, keepdims=keepdim), x)


@for_any(FILLED.flatmap(lambda shape: st.tuples(st.just(shape), basic_indices(shape, allow_newaxis=True))))
def test_basic_indexing_is_numpys_and_its_gradient_marks_what_was_read(case):
    shape, index = case
    array = counted(shape)
    x = leaf(array)
    check(x[index], array[index], x)
    marked = np.zeros(shape)
    marked[index] = 1
    assert x.grad.tolist() == marked.tolist()


@for_any(FILLED, st.data())
def test_indexing_with_arrays_counts_every_reading(shape, data):
    index = data.draw(arrays(np.int64, array_shapes(max_dims=2, max_side=4), elements=st.integers(-shape[0], shape[0] - 1)))
    array = counted(shape)
    x = leaf(array)
    check(x[ng.tensor(index)], array[index], x)
    counts = np.bincount(index.ravel() % shape[0], minlength=shape[0])
    assert (x.grad.numpy() == counts.reshape(-1, *[1] * (len(shape) - 1))).all()


@for_any(FILLED, st.data())
def test_what_is_assigned_is_read_again(shape, data):
    index = data.draw(basic_indices(shape))
    x = leaf(counted(shape))
    y = x * 1
    y[index] = 5.0
    assert (y[index].detach().numpy() == 5).all()
    y.sum().backward()
    assert x.grad.sum().item() == x.numel() - y[index].numel()


@for_any(SHAPES, st.data())
def test_reshapes_and_permutations_go_there_and_back(shape, data):
    order = data.draw(st.permutations(range(len(shape))))
    array = counted(shape)
    x = leaf(array)
    there = x.permute(order)
    back = there.reshape(-1).reshape(there.shape).permute(tuple(np.argsort(order).tolist()))
    check(back, array, x)
    assert x.grad.tolist() == np.ones(shape).tolist()


@for_any(st.lists(st.text("abc", max_size=3), min_size=1, max_size=3), st.data())
def test_einsum_is_numpys(terms, data):
    sizes = {letter: data.draw(st.integers(0, 3)) for letter in "abc"}
    used = sorted(set("".join(terms)))
    result = "".join(data.draw(st.permutations(used))[: data.draw(st.integers(0, len(used)))]) if used else ""
    operands = [counted([sizes[letter] for letter in term]) for term in terms]
    leaves = [leaf(operand) for operand in operands]
    equation = f"{','.join(terms)}->{result}"
    check(ng.einsum(equation, *leaves), np.einsum(equation, *operands), *leaves)


@for_any(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(0, 2))
def test_cat_and_split_undo_each_other(sizes, dim):
    parts = [leaf(counted(tuple(size if axis == dim else 2 for axis in range(3)))) for size in sizes]
    joined = ng.cat(parts, dim)
    for part, piece in zip(parts, joined.split(sizes, dim), strict=True):
        assert piece.tolist() == part.tolist()
    check(joined, np.concatenate([part.detach().numpy() for part in parts], axis=dim), *parts)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (1, 3)])
def test_an_empty_backward_pass_gives_gradients_of_the_leafs_shape(shape):
    x = Tensor(np.ones(shape), requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.shape == shape
