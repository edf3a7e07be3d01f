"""Nanograd: a deep-learning framework in numpy that is small enough to read whole, with PyTorch's names."""

from nanograd.dropout import dropout
from nanograd.graph import is_grad_enabled, no_grad, set_grad_enabled
from nanograd.random import Generator, manual_seed
from nanograd.softmax import log_softmax, softmax
from nanograd.tensor import Tensor, tensor

__all__ = [
    "Generator",
    "Tensor",
    "dropout",
    "is_grad_enabled",
    "log_softmax",
    "manual_seed",
    "no_grad",
    "set_grad_enabled",
    "softmax",
    "tensor",
]
