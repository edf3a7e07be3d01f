"""What PyTorch has and nanograd has not: for each name, what to use instead."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final, NoReturn

_TYPES: Final = "tensors here are float32, float64, int64 or bool; use"


def _by_name(table: dict[str, str]) -> dict[str, str]:
    """From what to use instead, with the names that it stands in for, to a hint for each name."""
    return {name: instead for instead, names in table.items() for name in names.split()}


FUNCTIONS: Final = _by_name({
    "use nanograd.model_state.save, which writes safetensors and never pickles": "save",
    "use nanograd.model_state.load, which reads safetensors and never unpickles": "load",
    "leave it out: nothing here is compiled": "compile jit", "leave it out: there is one process": "distributed",
    "leave it out: everything lies on the CPU": "set_default_device", "give the dtype to each tensor": "set_default_dtype",
    "use no_grad": "inference_mode", "use no_grad() or enable_grad()": "set_grad_enabled",
    f"{_TYPES} float32": "float16 half bfloat16 autocast", f"{_TYPES} int64": "int8 int16 short int32 int uint8",
    f"{_TYPES} two tensors": "complex64", "use tensor(data, dtype=float32)": "FloatTensor",
    "use tensor(data, dtype=float64)": "DoubleTensor", "use tensor(data, dtype=int64)": "LongTensor",
    "use tensor(data, dtype=bool)": "BoolTensor", "use tensor, or from_numpy to share memory": "as_tensor",
    "use matmul": "mm mv", "use x + a @ b": "addmm baddbmm", "use einsum": "tensordot", "use x.repeat": "tile",
    "use cat": "hstack vstack concat concatenate", "use rand(...) < p": "bernoulli",
    "draw with rand or randn and compute with the draws": "normal",
})  # fmt: skip
METHODS: Final = _by_name({
    "leave it out: everything lies on the CPU": "cuda is_cuda pin_memory", "leave it out: threads share all memory": "share_memory_",
    f"{_TYPES} x.float()": "half bfloat16", f"{_TYPES} x.long()": "int", "use zeros(..., dtype=x.dtype)": "new_zeros",
    "use ones(..., dtype=x.dtype)": "new_ones", "use full(..., dtype=x.dtype)": "new_full",
    "use tensor(data, dtype=x.dtype)": "new_tensor", "use nn.init.normal_, or x.copy_(randn(x.shape))": "normal_",
    "use nn.init.uniform_, or x.copy_(rand(x.shape))": "uniform_", "use scatter_add, or assign: y[index] = values": "scatter",
    "assign: x[index] = values": "scatter_", "use x = x.scatter_add(...)": "scatter_add_", "use scatter_add": "index_add_",
    "use x = x.clamp(...)": "clamp_", "use x = x.masked_fill(...)": "masked_fill_", "use x.to(y.dtype)": "type_as",
    "use x.view(y.shape)": "view_as", "use x.reshape(y.shape)": "reshape_as", "use x.expand(y.shape)": "expand_as", "use x.T": "t",
    "use permute": "moveaxis", "use x.numpy().strides": "stride", "use x.numpy()": "data_ptr", "use x @ y": "mm mv",
})  # fmt: skip
BOTH: Final = _by_name({
    "use x[mask]": "masked_select", "use slices, such as x[:, 2:5]": "narrow", "use x @ y": "dot", "use std and mean": "std_mean",
    "use var and mean": "var_mean", "use numpy.nonzero(x.numpy())": "nonzero", "use numpy.unique(x.numpy())": "unique",
    "use (x != 0).sum()": "count_nonzero", "use sort and take the middle": "median", "use where(isnan(x), other, x)": "nan_to_num",
    "use log(x) / log(2)": "log2", "use log(x) / log(10)": "log10", "use exp(x) - 1": "expm1", "use sin(x) / cos(x)": "tan",
    "use (x + 0.5) // 1": "round", "use x // 1": "floor", "use -(-x // 1)": "ceil", "use 1 / x": "reciprocal", "use mul": "multiply",
    "use sub": "subtract", "use div": "divide", "use neg": "negative", "use abs": "absolute", "use gt": "greater", "use lt": "less",
    "use transpose": "swapaxes", "use flatten": "ravel", "use clamp": "clip", "use x + weight * (y - x)": "lerp",
    "use numpy.allclose on both .numpy()": "allclose", "use x.log().cumsum(dim).exp() where x is above 0": "cumprod",
})  # fmt: skip


class AbsentMethods:
    """Tensor's ancestor with the methods that it does not have: asking for one raises AttributeError, with what to use instead.

    A `__getattr__` would answer for every other name too, but with one, Python reads all attributes five times as slowly.
    """

    __slots__ = ()


class _Absent:
    def __init__(self, name: str, instead: str) -> None:
        self.name, self.message = name, f"Tensor has no {name!r}: {instead}."

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(self.message, name=self.name)


for _name, _instead in {**BOTH, **METHODS}.items():
    setattr(AbsentMethods, _name, _Absent(_name, _instead))


def explain_function(name: str, known: Iterable[str]) -> AttributeError:
    """The error for a function that nanograd does not have: what to use instead, or what looks alike among the `known`."""
    hints = {**BOTH, **FUNCTIONS}
    if name in hints:
        return AttributeError(f"nanograd has no {name!r}: {hints[name]}.", name=name)
    close = get_close_matches(name, [entry for entry in known if not entry.startswith("_")], n=2)
    instead = f"did you mean {' or '.join(close)}?" if close else "it lies outside of what nanograd has of PyTorch."
    return AttributeError(f"nanograd has no {name!r}; {instead}", name=name)
