"""Nanograd: a deep-learning framework in numpy that is small enough to read whole, with PyTorch's names.

`import nanograd as torch` is how most code written for PyTorch's basics begins here.
"""
# isort: skip_file

from typing import TYPE_CHECKING, Any

from nanograd import autograd, cuda, data, nn, optim
from nanograd.creation import (
    arange, as_tensor, empty, empty_like, eye, from_numpy, full, full_like, linspace, multinomial, ones, ones_like, rand,
    rand_like, randint, randn, randn_like, randperm, tensor, zeros, zeros_like,
)  # fmt: skip
from nanograd.dropout import dropout
from nanograd.dtype import bool_ as bool
from nanograd.dtype import device, double, float32, float64, int64, long
from nanograd.dtype import float_ as float
from nanograd.functions import (
    abs, add, all, amax, amin, any, argmax, argmin, argsort, bmm, chunk, clamp, clone, cos, cumsum, detach, div, dot, eq, erf,
    exp, flatten, flip, gather, ge, gt, index_select, isfinite, isinf, isnan, le, log, log1p, logical_and, logical_not,
    logical_or, logical_xor, logsumexp, lt, masked_fill, matmul, max, maximum, mean, min, minimum, mul, narrow, ne, neg, norm,
    outer, permute, pow, prod, relu, remainder, reshape, rsqrt, scatter_add, sigmoid, sign, sin, sort, split, sqrt, square,
    squeeze, std, sub, sum, tanh, topk, transpose, tril, triu, unbind, unsqueeze, var, where,
)  # fmt: skip
from nanograd.graph import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from nanograd.joining import cat, einsum, stack
from nanograd.outside import explain
from nanograd.random import Generator, manual_seed
from nanograd.softmax import log_softmax, softmax
from nanograd.tensor import Tensor

__all__ = [
    "Generator", "Tensor", "abs", "add", "all", "amax", "amin", "any", "arange", "argmax", "argmin", "argsort", "as_tensor",
    "autograd", "bmm", "bool", "cat", "chunk", "clamp", "clone", "cos", "cuda", "cumsum", "data", "detach", "device", "div",
    "dot", "double", "dropout", "einsum", "empty", "empty_like", "enable_grad", "eq", "erf", "exp", "eye", "flatten", "flip",
    "float", "float32", "float64", "from_numpy", "full", "full_like", "gather", "ge", "gt", "index_select", "int64",
    "is_grad_enabled", "isfinite", "isinf", "isnan", "le", "linspace", "log", "log1p", "log_softmax", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logsumexp", "long", "lt", "manual_seed", "masked_fill", "matmul", "max",
    "maximum", "mean", "min", "minimum", "mul", "multinomial", "narrow", "ne", "neg", "nn", "no_grad", "norm", "ones",
    "ones_like", "optim", "outer", "permute", "pow", "prod", "rand", "rand_like", "randint", "randn", "randn_like", "randperm",
    "relu", "remainder", "reshape", "rsqrt", "scatter_add", "set_grad_enabled", "sigmoid", "sign", "sin", "softmax", "sort",
    "split", "sqrt", "square", "squeeze", "stack", "std", "sub", "sum", "tanh", "tensor", "topk", "transpose", "tril", "triu",
    "unbind", "unsqueeze", "var", "where", "zeros", "zeros_like",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker knows the names without it

    def __getattr__(name: str) -> Any:
        """Raise AttributeError for a name that is not here, with what to use instead."""
        if name.startswith("__"):
            raise AttributeError(f"module 'nanograd' has no attribute {name!r}")
        raise explain("nanograd", name, globals())
