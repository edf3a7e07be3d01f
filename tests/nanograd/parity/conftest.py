"""The harness of the comparisons with PyTorch: one expression, run by both on equal inputs, must give equal everything.

A case is an expression or a function of `m` (the module, torch or nanograd) and of its inputs `x`, `y`, `w`, and for each
input an array or a description of one: a letter for the kind, then the shape, such as "3,4", "i2,3" or "()".

    (none) normal floats    p positive floats    z floats with ties    n floats with nan, infinities and zeros
    i integers -4 to 4      k indices 0 to 1     b booleans            t, r floats with transposed or reversed memory
"""

import warnings
from zlib import crc32

import numpy as np
import pytest

import nanograd
from nanograd.autograd import gradcheck

NAMES = ("x", "y", "w", "v")


def described(description, dtype="float64"):
    """The array that a description stands for, floats in `dtype`; seeded by the description."""
    if not isinstance(description, str):
        return description.astype(dtype) if description.dtype.kind == "f" else description
    kind, sizes = (description[0], description[1:]) if description[0].isalpha() else ("", description)
    shape = tuple(int(size) for size in sizes.strip("()").split(",") if size)
    draws = np.random.default_rng(crc32(description.encode()))
    normal = np.asarray(draws.standard_normal(shape), dtype)
    match kind:
        case "i":
            return draws.integers(-4, 5, shape)
        case "k":
            return draws.integers(0, 2, shape)
        case "b":
            return np.asarray(draws.random(shape) < 0.5)
        case "p":
            return np.asarray(np.abs(normal) + 0.1, dtype)
        case "z":
            return np.asarray(draws.integers(-1, 2, shape), dtype)
        case "n":
            return np.where(draws.random(shape) < 0.5, draws.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], shape), normal).astype(
                dtype
            )
        case "t":
            return np.ascontiguousarray(normal.T).T
        case "r":
            return np.flip(np.flip(normal).copy())
    return normal


def evaluated(function, module, tensors):
    if callable(function):
        return function(module, *tensors)
    return eval(
        function, {"m": module, "np": np, "inf": float("inf"), "nan": float("nan")}, dict(zip(NAMES, tensors, strict=False))
    )


def flat(result):
    """The tensors, numbers and strings in a result, in order."""
    if isinstance(result, tuple | list):
        return [part for entry in result for part in flat(entry)]
    return [result]


def as_array(value):
    return value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)


def differentiable(result):
    return [part for part in flat(result) if getattr(part, "requires_grad", False)]


def weights(results):
    return [np.cos(1.0 + np.arange(result.numel())).reshape(tuple(result.shape)) for result in results]


def gradients(module, result, tensors):
    """The gradient for each leaf of the results, weighted; None where there is none."""
    total = None
    for part, weight in zip(differentiable(result), weights(differentiable(result)), strict=True):
        term = (part * module.tensor(weight, dtype=part.dtype)).sum()
        total = term if total is None else total + term
    if total is not None:
        total.backward()
    return [t.grad if t.is_leaf else None for t in tensors]


def outcome(function, module, tensors):
    try:
        result = evaluated(function, module, tensors)
        return result, gradients(module, result, tensors)
    except Exception as error:
        return error, []


def inputs(module, arrays, dtype, *, is_nanograd):
    made = []
    for array in [described(entry, dtype) for entry in arrays]:
        t = module.from_numpy(array) if is_nanograd else module.tensor(np.ascontiguousarray(array).reshape(array.shape))
        made.append(t.requires_grad_(array.dtype.kind == "f"))
    return made


def assert_same(ours, theirs):
    assert type(ours).__name__ == type(theirs).__name__ or np.isscalar(ours) or isinstance(ours, tuple)
    if hasattr(theirs, "requires_grad"):
        assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
        assert ours.requires_grad == theirs.requires_grad
    mine, other = as_array(ours), as_array(theirs)
    assert mine.shape == other.shape
    if mine.dtype.kind in "fiub":
        rtol, atol = (1e-9, 1e-11) if mine.dtype == np.float64 and not isinstance(ours, float) else (2e-5, 2e-6)
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=atol)
    else:
        assert ours == theirs


@pytest.fixture
def compare():
    """compare(function, *inputs, dtype): values, dtypes, gradients and whether there is an error are PyTorch's."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")

    def run(function, *arrays, dtype="float32"):
        ours, our_gradients = outcome(function, nanograd, inputs(nanograd, arrays, dtype, is_nanograd=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, their_gradients = outcome(function, torch, inputs(torch, arrays, dtype, is_nanograd=False))
        if isinstance(theirs, Exception) or isinstance(ours, Exception):
            assert isinstance(theirs, Exception), f"only here: {ours!r}"
            assert isinstance(ours, Exception), f"only there: {theirs!r}"
            assert isinstance(ours, IndexError | ValueError) or not isinstance(theirs, IndexError), f"{ours!r}, there {theirs!r}"
            return
        assert len(flat(ours)) == len(flat(theirs))
        for mine, other in zip(flat(ours), flat(theirs), strict=True):
            assert_same(mine, other)
        for mine, other in zip(our_gradients, their_gradients, strict=True):
            assert (mine is None) == (other is None)
            if mine is not None:
                assert_same(mine, other)

    return run


@pytest.fixture
def check_gradient():
    """check_gradient(function, *inputs): the gradients agree with finite differences in float64."""

    def run(function, *arrays):
        def weighted(*tensors):
            results = differentiable(evaluated(function, nanograd, tensors))
            terms = [(r * nanograd.tensor(w)).sum() for r, w in zip(results, weights(results), strict=True)]
            return nanograd.stack(terms).sum()

        assert gradcheck(weighted, inputs(nanograd, [np.array(described(a)) for a in arrays], "float64", is_nanograd=True))

    return run
