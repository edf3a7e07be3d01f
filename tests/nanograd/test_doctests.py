import doctest
import importlib
import pkgutil

import pytest

import nanograd

MODULES = [found.name for found in pkgutil.walk_packages(nanograd.__path__, "nanograd.") if not found.name.endswith("__main__")]


@pytest.mark.parametrize("name", ["nanograd", *MODULES])
def test_the_examples_in_the_docstrings_hold(name):
    assert doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS).failed == 0
