"""In-place operators change the tensor itself, as PyTorch's do: whoever holds it sees it."""

import numpy as np
import pytest

import nanograd

CASES = [
    *[(f"x {operator}= 2", kind) for operator in ("+", "-", "*", "//", "%", "**") for kind in "fi"], ("x /= 2", "f"), ("x //= y", "f"), ("x %= y", "i"), ("x += y", "f"), ("x -= y", "i"), ("x **= 3", "i"),
    *[(f"x {operator}= y", kind) for operator in "&|^" for kind in "ib"],
]  # fmt: skip
ARRAYS = {
    "f": (np.array([5.0, -3.0, 2.0]), np.array([2.0, 2.0, -1.5])), "i": (np.array([6, -3, 2]), np.array([3, 2, 5])),
    "b": (np.array([True, False, True]), np.array([True, True, False])),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "kind"), CASES)
def test_the_tensor_itself_changes(statement, kind):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    found = []
    for m in (nanograd, torch):
        first, second = (m.tensor(array) for array in ARRAYS[kind])
        held = {"x": first, "y": second}
        exec(statement, held)
        assert held["x"] is first
        found.append(first.numpy())
    assert found[0].dtype == found[1].dtype
    np.testing.assert_allclose(found[0], found[1])


@pytest.mark.parametrize("statement", ["y %= 2", "y **= 2", "y /= x", "y *= x", "y -= x * x", "y += y"])
def test_gradients_flow_through_what_was_changed(statement):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    found = []
    for m in (nanograd, torch):
        x = m.tensor([5.0, -3.0, 2.5], requires_grad=True)
        held = {"x": x, "y": x * 3}
        exec(statement, held)
        (held["y"] * x).sum().backward()
        found.append(x.grad.numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


@pytest.mark.parametrize(("value", "is_in"), [(2.0, True), (2, True), (7.0, False), (nanograd.tensor(3.0), True)])
def test_a_number_is_in_a_tensor_or_is_not(value, is_in):
    assert (value in nanograd.tensor([[1.0, 2.0], [3.0, 4.0]])) is is_in
