"""Gradients on demand: accumulation, autograd.grad, hooks, switches, threads, and every error that explains itself."""

import copy
import gc
import pickle
import threading
import tracemalloc
import weakref

import numpy as np
import pytest

import nanograd as ng
from nanograd import Tensor, autograd
from nanograd.errors import GraphError, ShapeError, UnsupportedError


def leaf(*values):
    return Tensor(list(values), requires_grad=True)


# ---- backward and grad ------------------------------------------------------------------------------------------------


def test_gradients_accumulate_until_they_are_cleared():
    x = leaf(2.0)
    (x * x).backward()
    (3 * x).backward()
    assert x.grad.tolist() == [7]
    x.grad = None
    (x * x).backward()
    assert x.grad.tolist() == [4]


def test_grad_gives_gradients_and_leaves_grad_alone():
    x, y = leaf(2.0), leaf(5.0)
    gx, gy = autograd.grad(x * y + y, [x, y])
    assert (gx.tolist(), gy.tolist()) == ([5], [3])
    assert x.grad is None
    assert y.grad is None


def test_grad_takes_several_outputs_with_weights():
    x = leaf(1.0, 2.0)
    (g,) = autograd.grad([x * x, 3 * x], x, [Tensor([1.0, 10.0]), Tensor([100.0, 1000.0])])
    assert g.tolist() == [302, 3040]


def test_grad_reaches_results_between_and_the_output_itself():
    x = leaf(3.0)
    y = x * x
    z = y * 2
    assert [g.tolist() for g in autograd.grad(z, [y, x, z])] == [[2], [12], [1]]


def test_grad_of_an_input_that_is_not_used():
    x, y = leaf(1.0), leaf(1.0)
    with pytest.raises(GraphError, match="do not depend on input 1"):
        autograd.grad(x * 2, [x, y], retain_graph=True)
    assert autograd.grad(x * 2, [x, y], allow_unused=True)[1] is None
    with pytest.raises(GraphError, match="Input 0 does not require a gradient"):
        autograd.grad(x * 2, Tensor([1.0]))


def test_grad_through_one_graph_twice_needs_retain_graph():
    x = leaf(3.0)
    y = x * x
    assert autograd.grad(y, x, retain_graph=True)[0].tolist() == [6]
    assert autograd.grad(y, x)[0].tolist() == [6]
    with pytest.raises(GraphError, match="retain_graph=True"):
        autograd.grad(y, x)


def test_second_derivatives_are_refused_by_name():
    x = leaf(3.0)
    with pytest.raises(UnsupportedError, match="create_graph"):
        autograd.grad(x * x, x, create_graph=True)
    with pytest.raises(UnsupportedError, match="create_graph"):
        (x * x).backward(create_graph=True)


def test_detach_stops_the_gradient_and_shares_memory():
    x = leaf(2.0)
    y = x * x
    (x * y.detach()).backward()
    assert x.grad.tolist() == [4]
    assert y.detach().array is y.array


def test_a_gradient_belongs_to_its_leaf_alone():
    x, y = leaf(1.0), leaf(2.0)
    seed = Tensor([1.0])
    (x + y).backward(seed)
    x.grad.zero_()
    assert y.grad.tolist() == [1]
    assert seed.tolist() == [1]


def test_grad_gives_arrays_that_nobody_else_has():
    x, own = leaf(3.0), Tensor([7.0])
    first, second = autograd.grad(x * x, [x, x])
    first.zero_()
    assert second.tolist() == [6]
    x.register_hook(lambda g: own)
    (gradient,) = autograd.grad(x * x, x)
    assert gradient.tolist() == [7]
    gradient.zero_()
    assert own.tolist() == [7]


# ---- hooks and retained gradients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("of_result", [False, True])
def test_a_hook_sees_and_replaces_the_gradient_until_it_is_removed(of_result):
    x = leaf(3.0)
    seen = []

    def run(hooks):
        z = x * 1 if of_result else x
        handles = [z.register_hook(hook) for hook in hooks]
        (z * z).backward()
        return handles

    handles = run([lambda g: seen.append(g.item()), lambda g: g * 10])
    assert seen == [6]
    assert x.grad.tolist() == [60]
    for handle in handles:
        handle.remove()
        handle.remove()
    x.grad = None
    run([])
    assert seen == [6]
    assert x.grad.tolist() == [6]


def test_a_leafs_hook_runs_once_with_the_whole_gradient_and_in_grad_too():
    x = leaf(2.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * x + 3 * x).backward()
    autograd.grad(x * x, x)
    assert seen == [7, 4]


def test_retain_grad_keeps_a_results_gradient_as_its_hooks_leave_it():
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    y.retain_grad()
    y.register_hook(lambda g: g * 3)
    (y * y).backward()
    assert y.grad.tolist() == [24]
    assert x.grad.tolist() == [96]
    x.retain_grad()


def test_hooks_need_a_gradient():
    with pytest.raises(GraphError, match="requires_grad=True"):
        Tensor([1.0]).register_hook(lambda g: g)
    with pytest.raises(GraphError, match="requires_grad=True"):
        Tensor([1.0]).retain_grad()


# ---- switches ---------------------------------------------------------------------------------------------------------


def test_no_grad_is_a_block_a_decorator_and_nests():
    x = leaf(1.0)

    @ng.no_grad()
    def with_parentheses():
        return x * 2

    @ng.no_grad
    def without():
        return x * 2

    assert not with_parentheses().requires_grad
    assert not without().requires_grad
    with ng.no_grad():
        with ng.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_on_a_generator_holds_inside_its_steps_only():
    x = leaf(1.0)

    @ng.no_grad()
    def steps():
        got = yield (x * 2).requires_grad
        yield got, ng.is_grad_enabled()
        return "end"

    running = steps()
    assert next(running) is False
    assert ng.is_grad_enabled()
    assert running.send("sent") == ("sent", False)
    with pytest.raises(StopIteration, match="end"):
        next(running)


def test_an_error_inside_no_grad_puts_the_mode_back():
    with pytest.raises(KeyError), ng.no_grad():
        raise KeyError
    assert ng.is_grad_enabled()


def test_the_switch_and_the_graphs_are_per_thread():
    inside, may_leave = threading.Event(), threading.Event()
    found = {}

    def quiet():
        with ng.no_grad():
            inside.set()
            may_leave.wait(30)
            found["quiet"] = (leaf(1.0) * 2).requires_grad

    def loud(name):
        x = leaf(*range(1, 50))
        y = x
        for _ in range(200):
            y = y * 1.01
        y.sum().backward()
        found[name] = x.grad

    first = threading.Thread(target=quiet)
    first.start()
    inside.wait(30)
    others = [threading.Thread(target=loud, args=(name,)) for name in ("a", "b")]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join(30)
    may_leave.set()
    first.join(30)
    assert found["quiet"] is False
    np.testing.assert_allclose(found["a"].numpy(), 1.01**200, rtol=1e-4)
    assert found["a"].tolist() == found["b"].tolist()


# ---- what cannot be differentiated says so ----------------------------------------------------------------------------


def changed_input(x):
    y = x * 1
    z = y * y
    y += 1
    return z


def changed_result(x):
    y = (x * 1).exp()
    y += 1
    return y


def changed_through_a_view(x):
    y = x * 1
    z = y.sin()
    with ng.no_grad():
        y[0] = 7
    return z


def stale_view(x):
    y = x * 1
    view = y[0]
    y.mul_(2)
    return view * 3


def written_through_view(x):
    (x * 1).view(-1).add_(1)


def written_leaf(x):
    x[0] = 1


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (changed_input, "mul needs.*changed in place"), (changed_result, "exp needs.*changed in place"),
        (changed_through_a_view, "sin needs.*changed in place"), (stale_view, "take the view again"),
        (written_through_view, "write to the tensor itself"), (written_leaf, "leaf.*no_grad"), (lambda x: x.add_(1), "leaf.*no_grad"),
        (lambda x: x.numpy(), "detach"), (lambda x: (x * 1).requires_grad_(False), "detach"),
        (lambda x: copy.deepcopy(x * 1), "detach"), (lambda x: x.long().requires_grad_(), "float32"), (lambda x: (x * 1).backward(), "sum it"),
    ],
)  # fmt: skip
def test_what_cannot_be_differentiated_says_why(act, words):
    with pytest.raises(GraphError, match=words):
        act(leaf(1.0, 2.0)).sum().backward()


def test_a_write_that_touches_nothing_needed_is_no_error():
    x = leaf(1.0, 2.0)
    y = x * 1
    z = y + 1
    y *= 5
    (z + y).sum().backward()
    assert x.grad.tolist() == [6, 6]


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match="shape"):
        leaf(1.0, 2.0).exp().backward(Tensor([1.0]))


# ---- long graphs and memory -------------------------------------------------------------------------------------------


def test_a_chain_of_100_000_operations_runs_and_is_freed_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        x = Tensor(np.ones(8), requires_grad=True)
        before = tracemalloc.get_traced_memory()[0]
        for run_backward in (True, False):
            y = x
            for _ in range(100_000):
                y = y * 1.0
            result, node = weakref.ref(y), y.grad_fn
            assert tracemalloc.get_traced_memory()[0] - before > 10_000_000
            if run_backward:
                y.sum().backward()
                assert x.grad.tolist() == [1] * 8
            del y, node
            assert result() is None
            assert tracemalloc.get_traced_memory()[0] - before < 1_000_000
    finally:
        tracemalloc.stop()
        gc.enable()


def test_a_graph_is_freed_behind_the_backward_pass_but_kept_on_request():
    x = leaf(1.0)
    y = x.exp()
    z = y * y
    kept = weakref.ref(y.array)
    del y
    z.backward(retain_graph=True)
    assert kept() is not None
    z.backward()
    assert kept() is None


# ---- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copied_leaf_has_numbers_gradient_and_flag_of_its_own(copied):
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    other = copied({"a": x, "b": x})
    assert other["a"] is other["b"]
    assert other["a"].requires_grad
    assert other["a"].grad.tolist() == [2, 4]
    with ng.no_grad():
        other["a"].add_(1)
    assert x.tolist() == [1, 2]


def test_steps_on_data_change_the_parameter_itself():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    x.data -= 0.5 * x.grad
    x.data += -0.5 * x.grad
    assert x.tolist() == [-1, -2]
    assert isinstance(np.ones(2) * x, Tensor)
    assert (np.ones((2, 2), np.float32) @ x).tolist() == [-3, -3]
    assert (np.float32(2) * x).requires_grad


def test_data_is_the_tensor_outside_the_graph():
    weight = Tensor([1.0, 2.0], requires_grad=True)
    (weight * weight).sum().backward()
    weight.data -= 0.5 * weight.grad
    assert weight.requires_grad
    assert weight.tolist() == [0.0, 0.0]
    weight.data.fill_(3)
    assert weight.tolist() == [3.0, 3.0]
    weight.data = Tensor([4.0, 5.0, 6.0])
    assert weight.tolist() == [4.0, 5.0, 6.0]
    assert not weight.data.requires_grad
    product = weight * weight
    weight.data.zero_()
    with pytest.raises(GraphError, match="changed in place"):
        product.sum().backward()
