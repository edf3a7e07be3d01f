"""What PyTorch has and nanograd has not: for each name, what to use instead."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_TYPES: Final = "tensors here are float32, float64, int64 or bool; use"
_DRAWN: Final = "draw with rand or randn and compute with the draws"

FUNCTIONS: Final = {
    "save": "use nanograd.model_state.save, which writes safetensors and never pickles",
    "load": "use nanograd.model_state.load, which reads safetensors and never unpickles",
    "compile": "leave it out: nothing here is compiled",
    "jit": "leave it out: nothing here is compiled",
    "inference_mode": "use no_grad",
    "float16": f"{_TYPES} float32", "half": f"{_TYPES} float32", "bfloat16": f"{_TYPES} float32", "autocast": f"{_TYPES} float32",
    "int8": f"{_TYPES} int64", "int16": f"{_TYPES} int64", "short": f"{_TYPES} int64", "int32": f"{_TYPES} int64",
    "int": f"{_TYPES} int64", "uint8": f"{_TYPES} int64", "complex64": f"{_TYPES} two tensors",
    "FloatTensor": "use tensor(data, dtype=float32)", "DoubleTensor": "use tensor(data, dtype=float64)",
    "LongTensor": "use tensor(data, dtype=int64)", "BoolTensor": "use tensor(data, dtype=bool)",
    "mm": "use matmul", "mv": "use matmul", "addmm": "use x + a @ b", "baddbmm": "use x + a @ b", "tensordot": "use einsum",
    "hstack": "use cat", "vstack": "use cat", "concat": "use cat", "concatenate": "use cat", "tile": "use x.repeat",
    "as_tensor": "use tensor, or from_numpy to share memory", "bernoulli": "use rand(...) < p", "normal": f"{_DRAWN}",
    "set_default_dtype": "give the dtype to each tensor", "set_default_device": "leave it out: everything lies on the CPU",
    "distributed": "leave it out: there is one process",
}  # fmt: skip
METHODS: Final = {
    "cuda": "leave it out: everything lies on the CPU", "half": f"{_TYPES} x.float()", "bfloat16": f"{_TYPES} x.float()",
    "int": f"{_TYPES} x.long()", "new_zeros": "use zeros(..., dtype=x.dtype)", "new_ones": "use ones(..., dtype=x.dtype)",
    "new_full": "use full(..., dtype=x.dtype)", "new_tensor": "use tensor(data, dtype=x.dtype)",
    "normal_": "use nn.init.normal_, or x.copy_(randn(x.shape))", "uniform_": "use nn.init.uniform_, or x.copy_(rand(x.shape))",
    "scatter": "use scatter_add, or assign: y[index] = values", "scatter_": "assign: x[index] = values", "view_as": "use x.view(y.shape)",
    "scatter_add_": "use x = x.scatter_add(...)", "index_add_": "use scatter_add", "reshape_as": "use x.reshape(y.shape)",
    "clamp_": "use x = x.clamp(...)", "masked_fill_": "use x = x.masked_fill(...)", "type_as": "use x.to(y.dtype)",
    "expand_as": "use x.expand(y.shape)", "t": "use x.T", "moveaxis": "use permute", "stride": "use x.numpy().strides",
    "data_ptr": "use x.numpy()", "mm": "use x @ y", "mv": "use x @ y", "pin_memory": "leave it out: everything lies on the CPU",
    "share_memory_": "leave it out: threads share all memory", "is_cuda": "leave it out: everything lies on the CPU",
}  # fmt: skip
BOTH: Final = {
    "masked_select": "use x[mask]", "narrow": "use slices, such as x[:, 2:5]", "dot": "use x @ y", "std_mean": "use std and mean",
    "var_mean": "use var and mean", "nonzero": "use numpy.nonzero(x.numpy())", "unique": "use numpy.unique(x.numpy())",
    "count_nonzero": "use (x != 0).sum()", "median": "use sort and take the middle", "nan_to_num": "use where(isnan(x), other, x)",
    "log2": "use log(x) / log(2)", "log10": "use log(x) / log(10)", "expm1": "use exp(x) - 1", "round": "use (x + 0.5) // 1",
    "floor": "use x // 1", "ceil": "use -(-x // 1)", "reciprocal": "use 1 / x", "multiply": "use mul", "subtract": "use sub",
    "divide": "use div", "negative": "use neg", "absolute": "use abs", "greater": "use gt", "less": "use lt", "swapaxes": "use transpose",
    "ravel": "use flatten", "clip": "use clamp", "allclose": "use numpy.allclose on both .numpy()",
    "cumprod": "use x.log().cumsum(dim).exp() where x is above 0", "lerp": "use x + weight * (y - x)", "tan": "use sin(x) / cos(x)",
}  # fmt: skip


def explain(owner: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for `name`, which `owner` ("nanograd" or "Tensor") does not have: what to use instead, or what looks alike."""
    hints = {**BOTH, **(METHODS if owner == "Tensor" else FUNCTIONS)}
    if name in hints:
        return AttributeError(f"{owner} has no {name!r}: {hints[name]}.", name=name)
    close = get_close_matches(name, [entry for entry in known if not entry.startswith("_")], n=2)
    instead = f"did you mean {' or '.join(close)}?" if close else "it lies outside of what nanograd has of PyTorch."
    return AttributeError(f"{owner} has no {name!r}; {instead}", name=name)
