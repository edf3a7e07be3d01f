"""Tensor's methods as functions, as PyTorch has them beside each other: torch.exp(x) is x.exp()."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from nanograd.creation import tensor
from nanograd.tensor import Tensor

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _function(method: Callable[Concatenate[Any, _P], _R]) -> Callable[Concatenate[Tensor, _P], _R]:
    """The method as a function whose first argument is called `input`."""

    @wraps(method)
    def function(input: Tensor, *args: _P.args, **named: _P.kwargs) -> _R:
        return method(input, *args, **named)

    return cast("Callable[Concatenate[Tensor, _P], _R]", function)


def where(condition: Tensor, input: Any, other: Any) -> Tensor:
    """`input` where `condition` (bool) holds, otherwise `other`; all broadcast, and one of the two may be a number."""
    if isinstance(input, Tensor):
        return input.where(condition, other)
    if isinstance(other, Tensor):
        return other.where(~condition, input)
    return tensor(input).where(condition, other)


add, sub, mul, div = _function(Tensor.add), _function(Tensor.sub), _function(Tensor.mul), _function(Tensor.div)
pow, remainder, neg = _function(Tensor.pow), _function(Tensor.remainder), _function(Tensor.neg)
eq, ne, lt = _function(Tensor.eq), _function(Tensor.ne), _function(Tensor.lt)
le, gt, ge = _function(Tensor.le), _function(Tensor.gt), _function(Tensor.ge)
logical_and, logical_or = _function(Tensor.logical_and), _function(Tensor.logical_or)
logical_xor, logical_not = _function(Tensor.logical_xor), _function(Tensor.logical_not)
isnan, isfinite, isinf = _function(Tensor.isnan), _function(Tensor.isfinite), _function(Tensor.isinf)

abs, sign, exp, log, log1p = (
    _function(Tensor.abs), _function(Tensor.sign), _function(Tensor.exp), _function(Tensor.log), _function(Tensor.log1p),
)  # fmt: skip
sqrt, rsqrt, square = _function(Tensor.sqrt), _function(Tensor.rsqrt), _function(Tensor.square)
sin, cos, tanh, sigmoid = _function(Tensor.sin), _function(Tensor.cos), _function(Tensor.tanh), _function(Tensor.sigmoid)
erf, relu, clamp = _function(Tensor.erf), _function(Tensor.relu), _function(Tensor.clamp)
maximum, minimum, masked_fill = _function(Tensor.maximum), _function(Tensor.minimum), _function(Tensor.masked_fill)

sum, mean, var, std = _function(Tensor.sum), _function(Tensor.mean), _function(Tensor.var), _function(Tensor.std)
max, min, amax, amin = _function(Tensor.max), _function(Tensor.min), _function(Tensor.amax), _function(Tensor.amin)
argmax, argmin, prod = _function(Tensor.argmax), _function(Tensor.argmin), _function(Tensor.prod)
norm, logsumexp, cumsum = _function(Tensor.norm), _function(Tensor.logsumexp), _function(Tensor.cumsum)
all, any = _function(Tensor.all), _function(Tensor.any)
topk, sort, argsort = _function(Tensor.topk), _function(Tensor.sort), _function(Tensor.argsort)

reshape, flatten, squeeze = _function(Tensor.reshape), _function(Tensor.flatten), _function(Tensor.squeeze)
unsqueeze, transpose, permute = _function(Tensor.unsqueeze), _function(Tensor.transpose), _function(Tensor.permute)
split, chunk, unbind, flip = _function(Tensor.split), _function(Tensor.chunk), _function(Tensor.unbind), _function(Tensor.flip)
gather, scatter_add = _function(Tensor.gather), _function(Tensor.scatter_add)
index_select, narrow = _function(Tensor.index_select), _function(Tensor.narrow)
tril, triu, clone, detach = _function(Tensor.tril), _function(Tensor.triu), _function(Tensor.clone), _function(Tensor.detach)

matmul, bmm, outer, dot = _function(Tensor.matmul), _function(Tensor.bmm), _function(Tensor.outer), _function(Tensor.dot)
