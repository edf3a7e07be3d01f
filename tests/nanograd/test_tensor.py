import numpy as np
import pytest

from nanograd.creation import tensor
from nanograd.errors import GraphError, ShapeError
from nanograd.graph import no_grad
from nanograd.joining import einsum
from nanograd.tensor import Tensor

DTYPES = ["bool", "int64", "float32", "float64"]
OPERATIONS = {
    "add": lambda x, y: x + y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "less": lambda x, y: x < y,
    "equal": lambda x, y: x == y,
}
NUMBERS = [True, 2, 2.5]


def import_torch():
    return pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")


def name_of(dtype):
    return str(dtype).removeprefix("torch.")


@pytest.mark.parametrize("shapes", [((3,), (3,)), ((3,), ()), ((), (3,)), ((), ())], ids=str)
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_dtypes_of_two_tensors_promote_as_in_torch(operation, shapes):
    torch = import_torch()
    for left in DTYPES:
        for right in DTYPES:
            arrays = np.ones(shapes[0], left), np.ones(shapes[1], right)
            expected = operation(*[torch.tensor(array) for array in arrays]).dtype
            assert name_of(operation(*[tensor(array) for array in arrays]).dtype) == name_of(expected), (left, right)


@pytest.mark.parametrize("number", NUMBERS, ids=str)
@pytest.mark.parametrize("shape", [(), (3,)], ids=str)
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_dtypes_with_a_python_number_promote_as_in_torch(operation, shape, number):
    torch = import_torch()
    for dtype in DTYPES:
        array = np.ones(shape, dtype)
        for swapped in (False, True):
            left, right = (number, tensor(array)) if swapped else (tensor(array), number)
            other_left, other_right = (number, torch.tensor(array)) if swapped else (torch.tensor(array), number)
            expected = operation(other_left, other_right).dtype
            assert name_of(operation(left, right).dtype) == name_of(expected), (dtype, swapped)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (tensor([1], dtype=np.float32), 2.5, np.float32),
        (tensor([1.0]), tensor(2.0, dtype=np.float64), np.float32),
        (tensor([1]), tensor([2.0]), np.float32),
        (tensor([True]), 2, np.int64),
        (tensor([1]), 2.5, np.float32),
        (tensor([1.0]), np.float64(2), np.float32),
        (tensor([1.0]), np.ones(1, np.int32), np.float32),
    ],
)
def test_dtypes_promote(left, right, expected):
    assert (left + right).dtype == expected
    assert (right + left).dtype == expected


def test_division_of_integers_is_float32_and_of_float64_exact():
    assert (tensor([1]) / tensor([2])).dtype == np.float32
    assert (1 / tensor([2])).dtype == np.float32
    large = tensor([16_777_217]) / tensor([1.0], dtype=np.float64)
    assert large.tolist() == [16_777_217]


FUNCTIONS = {
    "abs": lambda x: x.abs(), "exp": lambda x: x.exp(), "sin": lambda x: x.sin(), "cos": lambda x: x.cos(),
    "tanh": lambda x: x.tanh(), "sigmoid": lambda x: x.sigmoid(), "erf": lambda x: x.erf(), "relu": lambda x: x.relu(),
    "neg": lambda x: -x, "clamp": lambda x: x.clamp(-1, 1), "pow": lambda x: x**3, "rpow": lambda x: 2**x,
    "sum": lambda x: x.sum(), "sum over": lambda x: x.sum(dim=(0, -1), keepdim=True), "mean": lambda x: x.mean(-1),
    "var": lambda x: x.var(), "var over": lambda x: x.var(dim=1, correction=0), "max": lambda x: x.max(),
    "max values": lambda x: x.max(1).values, "max indices": lambda x: x.max(1).indices,
    "min keepdim": lambda x: x.min(dim=-1, keepdim=True)[0], "amax": lambda x: x.amax(dim=(0, 1)), "amin": lambda x: x.amin(0),
    "argmax": lambda x: x.argmax(), "argmax over": lambda x: x.argmax(dim=1), "flatten": lambda x: x.flatten(1),
    "transpose": lambda x: x.transpose(0, -1), "permute": lambda x: x.permute(2, 0, 1), "squeeze": lambda x: x[:1].squeeze(0),
    "unsqueeze": lambda x: x.unsqueeze(-1), "expand": lambda x: x[:, :1].expand(-1, 5, 4), "view": lambda x: x.view(-1, 2),
    "matmul": lambda x: x @ x.transpose(1, 2), "index": lambda x: x[1, ..., None, ::2], "less": lambda x: x < 0.5,
    "double": lambda x: x.double(), "long": lambda x: x.long(), "sqrt": lambda x: (x * x).sqrt(), "log": lambda x: (x * x).log(),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_value_dtype_and_gradient_equal_torch(function, dtype, generator):
    torch = import_torch()
    array = generator.standard_normal((2, 3, 4)).astype(dtype)
    ours, theirs = tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    result, expected = function(ours), function(theirs)
    assert name_of(result.dtype) == name_of(expected.dtype)
    np.testing.assert_allclose(result.detach().numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    if expected.requires_grad:
        result.sum().backward()
        expected.sum().backward()
        np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_a_tensor_of_numbers_is_float32_and_tensor_infers_the_dtype():
    assert Tensor([1, 2]).dtype == Tensor(np.ones(2)).dtype == np.float32
    given = [[1], [1.0], [True], np.ones(1), np.ones(1, np.float32), np.ones(1, np.uint8), np.ones(1, np.float16)]
    assert [str(tensor(data).dtype) for data in given] == ["int64", "float32", "bool", "float64", "float32", "int64", "float32"]


def test_a_tensor_does_not_share_memory_with_what_it_was_made_from():
    array = np.zeros(2, np.float32)
    made = Tensor(array), tensor(array)
    array += 1
    assert [x.tolist() for x in made] == [[0, 0], [0, 0]]


def test_arithmetic_with_arrays_on_either_side_stays_in_the_graph():
    array, x = np.full((2, 2), 3.0, np.float32), Tensor(np.ones((2, 2)), requires_grad=True)
    for result in (array * x, x * array, array - x, array @ x, x @ array, array / x):
        assert isinstance(result, Tensor)
        assert result.requires_grad


def test_clamp_of_integers_at_a_fraction_is_float32():
    assert tensor([0, 3]).clamp(max=1.5).tolist() == [0, 1.5]
    assert tensor([0, 3]).clamp(max=1.5).dtype == np.float32


def test_mean_and_variance_of_nothing_are_not_a_number_or_empty():
    empty = tensor(np.zeros((0, 3), np.float32))
    assert np.isnan(empty.mean().item())
    assert empty.var(1).shape == (0,)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda x: x + Tensor(np.ones(4)), r"\(2, 3\) and \(4,\), which do not broadcast"),
        (lambda x: x @ x, r"\(2, 3\) @ \(2, 3\)"),
        (lambda x: x @ Tensor(2.0), r"matmul needs"),
        (lambda x: x.reshape(4, 2), r"6 numbers; \(4, 2\)"),
        (lambda x: einsum("ii", x), "stands twice"),
        (lambda x: x.item(), "tolist"),
    ],
)
def test_shapes_that_do_not_fit_are_named(act, words):
    with pytest.raises(ShapeError, match=words):
        act(Tensor(np.ones((2, 3))))


@pytest.mark.parametrize("act", [len, iter])
def test_a_single_number_has_no_length_and_no_parts(act):
    with pytest.raises(TypeError, match=r"no dimensions.*item\(\)"):
        act(Tensor(1.0))


def test_what_is_not_a_number_is_refused():
    with pytest.raises(TypeError, match="not with str"):
        Tensor([1.0]) + "1"
    with pytest.raises(TypeError, match="there is no complex128"):
        tensor(np.ones(1, complex))


def test_integers_cannot_require_gradients():
    with pytest.raises(GraphError, match="int64"):
        tensor([1], requires_grad=True)


def test_numpy_shares_memory_and_refuses_to_leave_the_graph():
    x = Tensor([1.0])
    x.numpy()[0] = 5
    assert x.item() == 5
    with pytest.raises(GraphError, match="detach"):
        x.requires_grad_().numpy()


def test_a_write_in_place_counts_in_every_view():
    x = Tensor(np.ones((2, 3)))
    views = [x.detach(), x.reshape(-1), x.T, x[0], x.reshape(-1)[2:].unsqueeze(0)]
    views[3].zero_()
    x[0, 0] = 7
    assert [view.version for view in (x, *views)] == [2] * 6
    assert x.tolist() == [[7, 0, 0], [1, 1, 1]]
    assert (x + 1).version == x[[0]].version == x.clone().version == 0


def test_a_tensor_that_requires_a_gradient_is_written_to_without_grad_only():
    x = Tensor([1.0], requires_grad=True)
    with pytest.raises(GraphError, match="no_grad"):
        x.zero_()
    with no_grad():
        x[0] = 3.0
    assert x.item() == 3
    assert x.requires_grad


def test_tensors_are_hashed_and_told_apart_by_identity():
    x, y = Tensor([1.0]), Tensor([1.0])
    assert len({x, y, x}) == 2
    assert (x == y).tolist() == [True]


def test_numbers_of_one_element_convert():
    x = Tensor([2.5])
    assert (float(x), int(x), bool(x)) == (2.5, 2, True)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (tensor([1, 2]), "tensor([1, 2])"),
        (Tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
        (Tensor([1.0], requires_grad=True) * 2, "tensor([2.], grad_fn=<mul>)"),
        (tensor([1.0], dtype=np.float64), "tensor([1.], dtype=float64)"),
        (tensor(1.0), "tensor(1.)"),
    ],
)
def test_repr_tells_numbers_and_graph(x, text):
    assert repr(x) == text


def test_several_numbers_are_neither_true_nor_false():
    with pytest.raises(ShapeError, match=r"use any\(\) or all\(\)"):
        bool(Tensor([1.0, 2.0]) > 1)
    assert bool(Tensor([[1.0]]))
