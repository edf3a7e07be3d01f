"""What PyTorch has and nanograd has not is named, with what to use instead; and looking for it breaks nothing."""

import copy
import pickle

import numpy as np
import pytest

import nanograd
from nanograd import Tensor, autograd, data, nn, optim
from nanograd.outside import BOTH, FUNCTIONS, METHODS, MODULE_METHODS, PARTS, AbsentMethods


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("save", "nanograd.model_state.save"), ("load", "nanograd.model_state.load"), ("compile", "leave it out"), ("float16", "float32"),
        ("bfloat16", "float32"), ("int32", "int64"), ("FloatTensor", "dtype=float32"), ("LongTensor", "dtype=int64"), ("mm", "matmul"),
        ("masked_select", r"x\[mask\]"), ("std_mean", "std and mean"), ("trunc", "long"), ("multiprocessing", "one process"),
        ("sofmax", "use softmax, if you mean that"), ("xyzzy", "outside"),
    ],
)  # fmt: skip
def test_a_function_that_is_missing_is_explained(name, words):
    with pytest.raises(AttributeError, match=f"'{name}'.*{words}"):
        getattr(nanograd, name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cuda", "CPU"), ("half", "float"), ("new_zeros", "zeros"), ("masked_select", r"x\[mask\]"), ("normal_", "nn.init"),
        ("scatter_", r"x\[index\]"), ("view_as", "view"),
    ],
)  # fmt: skip
def test_a_method_that_is_missing_is_explained(name, words):
    with pytest.raises(AttributeError, match=f"Tensor has no '{name}'.*{words}"):
        getattr(Tensor([1.0]), name)


PARTS_OF_PYTORCH = [nn, nn.functional, nn.init, nn.utils, optim, optim.lr_scheduler, data, autograd, nanograd.cuda]


@pytest.mark.parametrize(
    ("owner", "name", "words"),
    [
        (nn, "LSTM", "Linear, sigmoid and tanh"), (nn, "BCELoss", "BCEWithLogitsLoss"), (nn.functional, "pad", "padding"), (nn, "conv2d", "outside|Conv2d"),
        (nn.init, "orthogonal_", "xavier"), (optim, "Adagrad", "AdamW"), (optim.lr_scheduler, "OneCycleLR", "LambdaLR"), (optim, "AdamV", "use AdamW|Adam"),
        (data, "random_split", "randperm"), (autograd, "Function", "operations"), (nanograd.cuda, "manual_seed_all", "CPU"), (nn.Linear(1, 1), "cuda", "CPU"),
        (nn.ReLU(), "register_full_backward_hook", "register_hook"), (nn.functional, "xyzzy", "outside"),
    ],
)  # fmt: skip
def test_a_part_that_is_missing_is_explained(owner, name, words):
    with pytest.raises(AttributeError, match=f"has no '{name}': .*({words})"):
        getattr(owner, name)


def test_a_method_that_nobody_has_is_named():
    with pytest.raises(AttributeError, match=r"'Tensor'.*'reshap'"):
        Tensor([1.0]).reshap(1)


def test_no_hint_is_given_for_what_exists():
    assert not [name for name in {**BOTH, **FUNCTIONS} if hasattr(nanograd, name)]
    ancestors = [kind for kind in Tensor.__mro__ if kind is not AbsentMethods]
    assert not [(part, name) for name in PARTS for part in [nanograd, *PARTS_OF_PYTORCH] if hasattr(part, name)]
    assert not [name for name in MODULE_METHODS if hasattr(nn.Module(), name)]
    assert not [name for name in {**BOTH, **METHODS} if any(name in vars(kind) for kind in ancestors)]


def test_looking_for_names_copying_and_pickling_go_on_working():
    x = Tensor([1.0])
    assert not hasattr(x, "cuda")
    assert not hasattr(nanograd, "compile")
    assert getattr(x, "half", None) is None
    assert copy.copy(x).tolist() == copy.deepcopy(x).tolist() == pickle.loads(pickle.dumps(x)).tolist() == [1]


@pytest.mark.parametrize(
    "act",
    [
        lambda: nanograd.ones(1, device="cuda"), lambda: Tensor([1.0]).to("cuda:0"), lambda: Tensor([1.0]).to(device="cuda"),
        lambda: nanograd.device("cuda"), lambda: nanograd.Generator(device="mps"),
    ],
)  # fmt: skip
def test_another_device_than_the_cpu_is_refused_by_name(act):
    with pytest.raises(ValueError, match=r"CPU only; got device '(cuda|mps)"):
        act()


def test_the_cpu_is_a_device():
    device = nanograd.device("cuda" if nanograd.cuda.is_available() else "cpu")
    assert nanograd.zeros(2, device=device).to(device).device == device
    assert repr(device) == "device(type='cpu')"


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.uint8, np.complex64, "float16"])
def test_a_dtype_that_no_tensor_has_is_refused(dtype):
    with pytest.raises(TypeError, match="float32, float64, int64 or bool"):
        nanograd.zeros(2, dtype=dtype)


def test_sizes_are_no_data():
    with pytest.raises(TypeError, match=r"empty\(2, 3\)"):
        Tensor(2, 3)


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (lambda m: m.tensor([1.0, 2.0]), "tensor([1., 2.])"), (lambda m: m.tensor([0.5, 1 / 3]), "tensor([0.5000, 0.3333])"),
        (lambda m: m.tensor([1, 2]), "tensor([1, 2])"), (lambda m: m.tensor(3.0), "tensor(3.)"), (lambda m: m.tensor([]), "tensor([])"),
        (lambda m: m.zeros(0, 3), "tensor([], size=(0, 3))"), (lambda m: m.tensor([], dtype=m.int64), "tensor([], dtype=int64)"),
        (lambda m: m.ones(1, dtype=m.float64), "tensor([1.], dtype=float64)"), (lambda m: m.tensor([True, False]), "tensor([ True, False])"),
        (lambda m: m.ones(1, requires_grad=True), "tensor([1.], requires_grad=True)"), (lambda m: m.eye(2), "tensor([[1., 0.],\n        [0., 1.]])"),
        (lambda m: m.ones(1, requires_grad=True).exp(), "tensor([2.7183], grad_fn=<exp>)"),
        (lambda m: m.tensor([1e-8, 1.0]), "tensor([1.0000e-08, 1.0000e+00])"), (lambda m: m.tensor([-1.0, 2.0]), "tensor([-1.,  2.])"),
    ],
)  # fmt: skip
def test_a_tensor_is_shown_as_pytorch_shows_it(made, shown):
    assert repr(made(nanograd)) == shown
