"""Every public name explains itself: a docstring for each, and for operations and layers one that tells shapes or arguments."""

import inspect

import numpy as np
import pytest

import nanograd
from nanograd import Tensor, autograd, data, nn, optim

NAMESPACES = [nanograd, nn, nn.functional, nn.init, nn.utils, optim, autograd, data]


def public(owner):
    names = getattr(owner, "__all__", None) or [name for name in vars(owner) if not name.startswith("_")]
    return [(name, getattr(owner, name)) for name in names]


NAMES = {
    f"{owner.__name__}.{name}": thing
    for owner in [*NAMESPACES, Tensor, nn.Module]
    for name, thing in public(owner)
    if not isinstance(thing, np.dtype | dict)
    and not inspect.isdatadescriptor(thing)
    and getattr(thing, "__module__", "nanograd").startswith("nanograd")
}
CALLABLE = {name: thing for name, thing in NAMES.items() if inspect.isroutine(thing)}
CONTAINERS = (nn.Module, nn.ModuleDict, nn.ModuleList, nn.Sequential, nn.Identity)  # which take no tensors of their own
LAYERS = {
    n: thing for n, thing in NAMES.items() if inspect.isclass(thing) and issubclass(thing, nn.Module) and thing not in CONTAINERS
}


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_a_docstring(name):
    text = inspect.getdoc(NAMES[name])
    assert text


def mentions_shape_or_argument(thing, text):
    try:
        arguments = set(inspect.signature(thing).parameters) - {"self", "input", "args"}
    except ValueError:
        arguments = set()
    words = ("shape", "dimension", "size", "(N", "(B", "(C", "(...", "number", "tensor", "x ", "1/", "e to", "gradient")
    return any(word in text for word in words) or any(argument in text for argument in arguments)


@pytest.mark.parametrize("name", [n for n in CALLABLE if n.startswith(("nanograd.nn.functional.", "nanograd.functional."))])
def test_a_function_of_layers_tells_shapes_or_arguments(name):
    assert mentions_shape_or_argument(CALLABLE[name], inspect.getdoc(CALLABLE[name]))


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_tells_shapes_or_arguments(name):
    layer = LAYERS[name]
    text = (inspect.getdoc(layer) or "") + (inspect.getdoc(layer.forward) or "")
    assert mentions_shape_or_argument(layer, text)


def test_everything_listed_exists():
    for owner in NAMESPACES:
        assert all(hasattr(owner, name) for name in getattr(owner, "__all__", []))
