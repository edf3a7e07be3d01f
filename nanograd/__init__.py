"""Nanograd: a deep-learning framework in numpy that is small enough to read whole, with PyTorch's names.

`import nanograd as torch` is how most code written for PyTorch's basics begins here.
"""

from typing import NoReturn

from nanograd import autograd, cuda, data, nn, optim
from nanograd.creation import (
    arange, as_tensor, empty, empty_like, eye, from_numpy, full, full_like, linspace, multinomial, ones, ones_like,
    rand, rand_like, randint, randn, randn_like, randperm, tensor, zeros, zeros_like,
)  # fmt: skip
from nanograd.dropout import dropout
from nanograd.dtype import bool_ as bool
from nanograd.dtype import device, double, float32, float64, int64, long
from nanograd.dtype import float_ as float
from nanograd.functions import (
    abs, add, all, amax, amin, any, argmax, argmin, argsort, bmm, chunk, clamp, clone, cos, cumsum, detach, div, dot, eq,
    erf, exp, flatten, flip, gather, ge, gt, index_select, isfinite, isinf, isnan, le, log, log1p, logical_and,
    logical_not, logical_or, logical_xor, logsumexp, lt, masked_fill, matmul, max, maximum, mean, min, minimum, mul, narrow,
    ne, neg, norm, outer, permute, pow, prod, relu, remainder, reshape, rsqrt, scatter_add, sigmoid, sign, sin, sort,
    split, sqrt, square, squeeze, std, sub, sum, tanh, topk, transpose, tril, triu, unbind, unsqueeze, var, where,
)  # fmt: skip
from nanograd.graph import is_grad_enabled, no_grad, set_grad_enabled
from nanograd.joining import cat, einsum, stack
from nanograd.random import Generator, manual_seed
from nanograd.softmax import log_softmax, softmax
from nanograd.tensor import Tensor
