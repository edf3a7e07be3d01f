import numpy as np
import pytest

from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.errors import GraphError
from nanograd.graph import Operation
from nanograd.tensor import Tensor, apply

wrong = Operation("wrong", np.sin, lambda g, x: g * np.sin(x))


def test_a_wrong_derivative_is_found():
    x = tensor([1.0, 2.0], dtype=np.float64, requires_grad=True)
    with pytest.raises(GraphError, match="input 1 is off by up to"):
        gradcheck(lambda y, x: y * apply(wrong, x), [tensor([2.0], dtype=np.float64, requires_grad=True), x])


def test_errors_in_two_places_do_not_cancel_out():
    swapped = Operation("swapped", lambda x: x * np.array([1.0, 2.0]), lambda g: g * np.array([2.0, 1.0]))
    with pytest.raises(GraphError, match="off by"):
        gradcheck(lambda x: apply(swapped, x), tensor([1.0, 1.0], dtype=np.float64, requires_grad=True))


def test_float32_is_refused():
    with pytest.raises(GraphError, match="float64"):
        gradcheck(lambda x: x, Tensor([1.0], requires_grad=True))


def test_inputs_are_left_as_they_were():
    x = tensor([1.0, 2.0], dtype=np.float64, requires_grad=True)
    assert gradcheck(lambda x, y: x * y, [x, tensor([3.0, 4.0], dtype=np.float64)])
    assert x.tolist() == [1, 2]
