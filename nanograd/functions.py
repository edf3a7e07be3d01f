"""Tensor's methods as functions, as PyTorch has them beside each other: torch.exp(x) is x.exp()."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from nanograd.creation import tensor
from nanograd.tensor import Tensor

__all__ = [
    "abs", "add", "all", "amax", "amin", "any", "argmax", "argmin", "argsort", "bmm", "chunk", "clamp", "clone", "cos", "cumsum",
    "detach", "div", "eq", "erf", "exp", "flatten", "flip", "gather", "ge", "gt", "index_select", "isfinite", "isinf", "isnan",
    "le", "log", "log1p", "logical_and", "logical_not", "logical_or", "logical_xor", "logsumexp", "lt", "masked_fill", "matmul",
    "max", "maximum", "mean", "min", "minimum", "mul", "ne", "neg", "norm", "outer", "permute", "pow", "prod", "relu",
    "remainder", "reshape", "rsqrt", "scatter_add", "sigmoid", "sign", "sin", "sort", "split", "sqrt", "square", "squeeze",
    "std", "sub", "sum", "tanh", "topk", "transpose", "tril", "triu", "unbind", "unsqueeze", "var", "where",
]  # fmt: skip


def _function(name: str) -> Callable[..., Any]:
    """Tensor's method as a function whose first argument is called `input`."""
    method = getattr(Tensor, name)

    @wraps(method)
    def function(input: Tensor, *args: Any, **named: Any) -> Any:
        return method(input, *args, **named)

    return function


(
    abs, add, all, amax, amin, any, argmax, argmin, argsort, bmm, chunk, clamp, clone, cos, cumsum, detach, div, eq, erf, exp,
    flatten, flip, gather, ge, gt, index_select, isfinite, isinf, isnan, le, log, log1p, logical_and, logical_not, logical_or,
    logical_xor, logsumexp, lt, masked_fill, matmul, max, maximum, mean, min, minimum, mul, ne, neg, norm, outer, permute, pow,
    prod, relu, remainder, reshape, rsqrt, scatter_add, sigmoid, sign, sin, sort, split, sqrt, square, squeeze, std, sub, sum,
    tanh, topk, transpose, tril, triu, unbind, unsqueeze, var,
) = map(_function, __all__[:-1])  # fmt: skip


def where(condition: Tensor, input: Any, other: Any) -> Tensor:
    """`input` where `condition` (bool) holds, otherwise `other`; all broadcast, and one of the two may be a number."""
    if isinstance(input, Tensor):
        return input.where(condition, other)
    return other.where(~condition, input) if isinstance(other, Tensor) else tensor(input).where(condition, other)
