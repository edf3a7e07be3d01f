"""Nanograd: a deep-learning framework in numpy that is small enough to read whole, with PyTorch's names.

`import nanograd as torch` is how most code written for PyTorch's basics begins here.
"""
# isort: skip_file

from typing import TYPE_CHECKING, Any

from nanograd import autograd as autograd, cuda as cuda, data as data, nn as nn, optim as optim
from nanograd.creation import *  # noqa: F403
from nanograd.dropout import dropout as dropout
from nanograd.dtype import bool_, device as device, double as double, float_, float32 as float32, float64 as float64
from nanograd.dtype import int64 as int64, long as long
from nanograd.functions import *  # noqa: F403
from nanograd.graph import enable_grad as enable_grad, is_grad_enabled as is_grad_enabled, no_grad as no_grad
from nanograd.joining import cat as cat, einsum as einsum, stack as stack
from nanograd.outside import explain_function
from nanograd.random import Generator as Generator, manual_seed as manual_seed
from nanograd.softmax import log_softmax as log_softmax, softmax as softmax
from nanograd.tensor import Tensor as Tensor

bool, float = bool_, float_

if not TYPE_CHECKING:  # a type checker knows the names without it

    def __getattr__(name: str) -> Any:
        """Raise AttributeError for a name that is not here, with what to use instead."""
        if name.startswith("__"):
            raise AttributeError(f"module 'nanograd' has no attribute {name!r}")
        raise explain_function(name, globals())
