import gc
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

from nanograd.creation import tensor
from nanograd.errors import GraphError, ShapeError
from nanograd.graph import enable_grad, is_grad_enabled, no_grad, sum_to_shape
from nanograd.layernorm import LayerNorm
from nanograd.linear import Linear
from nanograd.softmax import cross_entropy, softmax
from nanograd.tensor import Tensor


@pytest.fixture
def _no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_the_issues_first_line_holds():
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x.sum()
    y.backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_gradients_add_up_over_backward_passes():
    x = Tensor([1.0, 2.0], requires_grad=True)
    for _ in range(3):
        (x * x).sum().backward()
    assert x.grad.tolist() == [6, 12]


def test_a_diamond_adds_its_paths():
    x = Tensor([2.0], requires_grad=True)
    y = x * x
    (y * y + y).backward()
    assert x.grad.tolist() == [4 * 8 + 4]


def test_backward_weights_by_the_gradient_given():
    x = Tensor([1.0, 2.0], requires_grad=True)
    (x * x).backward(Tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2, 40]


def test_backward_on_a_leaf_adds_what_is_given():
    x = Tensor([1.0], requires_grad=True)
    x.backward()
    x.backward(Tensor([2.0]))
    assert x.grad.tolist() == [3]


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda x: Tensor([1.0]).backward(), GraphError, "requires_grad=True"),
        (lambda x: (x * x).backward(), GraphError, "sum it"),
        (lambda x: (x * x).backward(Tensor([1.0])), ShapeError, r"\(1,\), the tensor \(2,\)"),
        (lambda x: (x * 1).requires_grad_(False), GraphError, "detach"),
    ],
)
def test_a_backward_pass_that_cannot_be_is_refused(act, error, words):
    with pytest.raises(error, match=words):
        act(Tensor([1.0, 2.0], requires_grad=True))


def test_a_second_backward_pass_needs_retain_graph():
    x = Tensor([3.0], requires_grad=True)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [12]
    with pytest.raises(GraphError, match="retain_graph=True"):
        y.backward()


def test_a_second_pass_through_a_shared_part_is_refused():
    x = Tensor([3.0], requires_grad=True)
    shared = x * x
    (shared * 2).backward()
    with pytest.raises(GraphError, match="to mul,"):
        (shared * 3).backward()


def write_zero(x):
    x.zero_()


def write_item(x):
    x[0] = 5.0


def write_view(x):
    x[0:1].zero_()


def write_detached(x):
    x.detach().zero_()


@pytest.mark.parametrize("write", [write_zero, write_item, write_view, write_detached])
@pytest.mark.parametrize("function", [lambda x: x * x, lambda x: x**2, lambda x: x.reshape(1, 2) @ x.reshape(2, 1)])
def test_a_saved_array_changed_in_place_is_noticed(function, write):
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = function(x)
    with no_grad():
        write(x)
    with pytest.raises(GraphError, match="changed in place"):
        y.sum().backward()


@pytest.mark.parametrize("function", [lambda x: x.exp(), lambda x: softmax(x, 0)], ids=["exp", "softmax"])
def test_a_saved_result_changed_in_place_is_noticed(function):
    y = function(Tensor([1.0], requires_grad=True))
    with no_grad():
        y.zero_()
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


@pytest.mark.parametrize("layer", [Linear(3, 3), LayerNorm(3)], ids=["linear", "layernorm"])
def test_weights_changed_between_forward_and_backward_are_noticed(layer):
    result = layer(Tensor(np.ones((2, 3)), requires_grad=True)).sum()
    with no_grad():
        layer.weight.zero_()
    with pytest.raises(GraphError, match="changed in place"):
        result.backward()


def test_a_write_to_what_is_not_needed_any_more_does_no_harm():
    x = Tensor([1.0], requires_grad=True)
    y = x + 1
    with no_grad():
        x.zero_()
    y.backward()
    assert x.grad.tolist() == [1]


def test_no_grad_records_nothing_as_block_and_as_decorator():
    x = Tensor([1.0], requires_grad=True)

    @no_grad()
    def double(y):
        """Twice."""
        return y * 2

    with no_grad():
        assert not (x * 2).requires_grad
        with enable_grad():
            assert (x * 2).requires_grad
        assert not is_grad_enabled()
    assert not double(x).requires_grad
    assert not double(x).requires_grad
    assert double.__name__ == "double"
    assert (x * 2).requires_grad


def test_grad_mode_comes_back_after_an_error():
    def fail():
        with no_grad():
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert is_grad_enabled()


def test_grad_mode_is_each_threads_own():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(is_grad_enabled()))
        thread.start()
        thread.join()
        assert not is_grad_enabled()
    assert seen == [True]


@pytest.mark.usefixtures("_no_collector")
def test_a_chain_of_100_000_operations_runs_backward_and_is_freed():
    x = Tensor([1.0], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.tolist() == [1]


@pytest.mark.usefixtures("_no_collector")
def test_a_long_chain_is_freed_without_a_backward_pass():
    x = Tensor([1.0], requires_grad=True)
    y = x * 1
    first = weakref.ref(y)
    for _ in range(100_000):
        y = y * 1
    del y
    assert first() is None


def build_loss(x, layer):
    return cross_entropy(softmax(layer(x), 1).exp(), tensor([0, 1, 2, 0]))


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("runs_backward", [False, True])
def test_memory_is_freed_without_the_garbage_collector(runs_backward, generator):
    layer, x = Linear(3, 3), Tensor(generator.standard_normal((4, 3)), requires_grad=True)
    loss = build_loss(x, layer)
    refs = [weakref.ref(loss)]
    if runs_backward:
        loss.backward()
    del loss
    assert refs[0]() is None
    assert gc.collect() == 0


@pytest.mark.usefixtures("_no_collector")
def test_a_loop_of_steps_does_not_grow():
    x = Tensor(np.ones(100_000), requires_grad=True)
    tracemalloc.start()
    for _ in range(3):
        ((x * x).exp() * 2).sum().backward()
        x.grad = None
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        ((x * x).exp() * 2).sum().backward()
        x.grad = None
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 100_000


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a + b,
        lambda a, b: (a + b).reshape(6),
        lambda a, b: a.T + b.T,
        lambda a, b: a.expand(2, 2, 3) + b,
        lambda a, b: (a + 0) + (b + 0),
        lambda a, b: a.clone() + b.double().float(),
    ],
)
def test_gradients_of_leaves_never_share_memory(function):
    a, b = (Tensor(np.ones((2, 3)), requires_grad=True) for _ in range(2))
    result = function(a, b)
    given = Tensor(np.ones(result.shape))
    result.backward(given)
    assert not np.shares_memory(a.grad.array, b.grad.array)
    assert not np.shares_memory(a.grad.array, given.array)
    a.grad.array += 1  # writable, too
    assert set(given.array.ravel().tolist()) == {1.0}


def test_a_gradient_read_before_the_next_pass_stays_as_it_was():
    x = Tensor([1.0], requires_grad=True)
    (x * 2).backward()
    before = x.grad
    (x * 2).backward()
    assert before.tolist() == [2]


def test_gradients_have_the_leafs_dtype():
    x = Tensor([1.0], requires_grad=True)
    (x.double() * tensor([2.0], dtype=np.float64)).sum().backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("given", "wanted"), [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), (1, 3)), ((4, 2, 3), (2, 1)), ((2, 3), ()), ((0, 3), (1, 3))]
)
def test_sum_to_shape_undoes_broadcasting(given, wanted):
    summed = sum_to_shape(np.ones(given), wanted)
    assert summed.shape == wanted
    assert summed.sum() == np.prod(given)
