"""What PyTorch has and nanograd has not: for each name, what to use instead."""

import sys
from collections.abc import Callable
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
    "draw with rand or randn and compute with the draws": "normal", "use x.numel()": "numel", "use isinstance(x, Tensor)": "is_tensor",
    "use one_hot(x, count).sum(0)": "bincount", "broadcast x[:, None] with y[None, :]": "meshgrid cartesian_prod", "use a tuple": "Size",
    "use (x[:, None] - y).norm(dim=-1)": "cdist", "leave it out: numbers are shown with four digits": "set_printoptions",
    "use numpy.finfo, which takes the same dtypes": "finfo", "use numpy.linalg on .numpy(), or norm": "linalg", "use numpy.fft": "fft",
    "leave it out: it is float32": "get_default_dtype", "leave it out: there is nothing to set": "backends set_num_threads amp",
    "draw with rand, randn or multinomial": "distributions", "use Generator and manual_seed": "get_rng_state set_rng_state seed",
    "use a loop, or broadcast": "vmap func", "use numpy.searchsorted on .numpy()": "searchsorted bucketize",
})  # fmt: skip
METHODS: Final = _by_name({
    "leave it out: everything lies on the CPU": "cuda is_cuda pin_memory", "leave it out: threads share all memory": "share_memory_",
    f"{_TYPES} x.float()": "half bfloat16", f"{_TYPES} x.long()": "int", "use zeros(..., dtype=x.dtype)": "new_zeros",
    "use ones(..., dtype=x.dtype)": "new_ones", "use full(..., dtype=x.dtype)": "new_full",
    "use tensor(data, dtype=x.dtype)": "new_tensor", "use nn.init.normal_, or x.copy_(randn(x.shape))": "normal_",
    "use nn.init.uniform_, or x.copy_(rand(x.shape))": "uniform_", "use scatter_add, or assign: y[index] = values": "scatter",
    "use x = x.scatter_add(...)": "scatter_add_", "use scatter_add": "index_add_",
    "use x.to(y.dtype)": "type_as",
    "use the form that is not in place, such as x = x.exp()": "abs_ bernoulli_ cos_ erf_ exp_ floor_ index_fill_ lerp_ log_ neg_ pow_ "
    "relu_ round_ sigmoid_ sin_ sqrt_ squeeze_ t_ tanh_ transpose_ tril_ triu_ unsqueeze_", "use x.ndim": "ndimension",
    "use x += value * (y * z)": "addcmul_", "use x += value * y / z": "addcdiv_", "assign: x[:, index] = values": "index_fill index_copy_",
    "assign: x[index] = values": "scatter_ index_put_ masked_scatter_", "use reshape": "unflatten", "use x.dtype, or x.to(dtype)": "type",
    "use numpy's: x.numpy().nbytes": "element_size nbytes itemsize storage", "use x.to(dtype)": "astype", "use clone": "copy",
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
    "use (x == y).all()": "equal", "use (x - y).abs() < tolerance": "isclose", "use x[range(n), range(n)]": "diag diagonal",
    "use cat of two slices": "roll", "use x[:, None].expand(...) and reshape, or index": "repeat_interleave", "use expand": "broadcast_to",
    "use x[index], or gather": "take take_along_dim select", "use permute": "movedim", "use x[1:] - x[:-1]": "diff",
    "use x[range(n), range(n)].sum()": "trace", "use numpy.linalg on .numpy()": "inverse det svd", "use sort": "quantile kthvalue mode",
    "use (exp(x) + exp(-x)) / 2": "cosh", "use (exp(x) - exp(-x)) / 2": "sinh", "use sign": "sgn", "use numpy on .numpy()": "atan atan2",
})  # fmt: skip


PARTS: Final = _by_name({
    "write the cell's step with Linear, sigmoid and tanh": "RNN LSTM GRU RNNCell LSTMCell GRUCell",
    "build it of MultiheadAttention, LayerNorm and Linear": "Transformer TransformerEncoder TransformerEncoderLayer TransformerDecoder "
    "TransformerDecoderLayer", "use BCEWithLogitsLoss, without the sigmoid before": "BCELoss", "use padding of the layer, or cat": "pad",
    "use binary_cross_entropy_with_logits, without the sigmoid before": "binary_cross_entropy", "use x / x.norm(dim=1, keepdim=True)":
    "normalize", "use (x * y).sum(-1) / (x.norm(dim=-1) * y.norm(dim=-1))": "cosine_similarity CosineSimilarity",
    "use (p * (p.log() - log_q)).sum(-1).mean()": "kl_div KLDivLoss", "use smooth_l1_loss, times delta": "huber_loss HuberLoss",
    "use ReLU, LeakyReLU, GELU or SiLU, or compute it with where and exp": "ELU SELU CELU ReLU6 PReLU Mish Hardtanh Hardswish GLU elu "
    "selu celu relu6 prelu mish hardtanh hardswish glu", "use -softplus(-x)": "logsigmoid LogSigmoid", "use dropout": "dropout1d dropout2d",
    "use Dropout": "Dropout1d Dropout2d AlphaDropout", "reshape to groups and use layer_norm": "GroupNorm InstanceNorm2d group_norm",
    "use mean over the pixels, x.mean((2, 3)), or AvgPool2d": "AdaptiveAvgPool2d adaptive_avg_pool2d", "use Conv2d": "Conv3d conv3d",
    "use max_pool2d on x[:, :, None]": "MaxPool1d max_pool1d", "use avg_pool2d on x[:, :, None]": "AvgPool1d avg_pool1d",
    "stretch the pixels by expand and reshape": "Upsample interpolate", "stretch the pixels by expand and reshape, then use Conv2d":
    "ConvTranspose1d ConvTranspose2d conv_transpose2d", "use x.reshape": "Unflatten", "use register_parameter": "ParameterList ParameterDict",
    "leave it out: there is one process": "DataParallel", "use cat([p.reshape(-1) for p in ...])": "parameters_to_vector",
    "use softmax(logits + gumbel noise)": "gumbel_softmax", "fill with x.copy_(eye(n))": "eye_", "use xavier_uniform_": "orthogonal_ sparse_",
    "use SGD, RMSprop, Adam, AdamW or Muon": "Adagrad Adadelta Adamax NAdam RAdam LBFGS ASGD Rprop",
    "use LambdaLR with a function of the step": "MultiStepLR ExponentialLR PolynomialLR ConstantLR OneCycleLR CyclicLR MultiplicativeLR "
    "CosineAnnealingWarmRestarts SequentialLR ChainedScheduler", "set group['lr'] in optimizer.param_groups": "ReduceLROnPlateau",
    "use [dataset[i] for i in indices], with indices from randperm": "random_split Subset", "use list(a) + list(b)": "ConcatDataset",
    "give a data set in the order wanted": "Sampler RandomSampler SubsetRandomSampler WeightedRandomSampler", "use list(...)": "IterableDataset",
    "write it with Tensor's operations, whose gradients are known": "Function", "use the tensor itself": "Variable",
    "look for the first nan with isnan, through hooks": "detect_anomaly set_detect_anomaly", "use ExponentialMovingAverage": "swa_utils",
    "leave it out: everything lies on the CPU": "device_count current_device empty_cache synchronize get_device_name manual_seed_all",
})  # fmt: skip
MODULE_METHODS: Final = _by_name({
    "leave it out: everything lies on the CPU": "cuda", "use float() or double()": "half bfloat16 type", "leave it out": "compile share_memory",
    "use register_hook on the output, in a forward hook": "register_full_backward_hook register_backward_hook",
    "use dict(model.named_modules())[name]": "get_submodule", "use dict(model.named_parameters())[name]": "get_parameter",
    "use dict(model.named_buffers())[name]": "get_buffer", "use add_module": "register_module",
})  # fmt: skip


class AbsentMethods:
    """Tensor's ancestor with the methods that it does not have: asking for one raises AttributeError, with what to use instead.

    A `__getattr__` would answer for every other name too, but with one, Python reads all attributes five times as slowly.
    """

    __slots__ = ()


class AbsentModuleMethods:
    """Module's ancestor, likewise."""


class _Absent:
    def __init__(self, name: str, instead: str) -> None:
        self.name, self.instead = name, instead

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__} has no {self.name!r}: {self.instead}.", name=self.name)


for _kind, _hints in ((AbsentMethods, {**BOTH, **METHODS}), (AbsentModuleMethods, MODULE_METHODS)):
    for _name, _instead in _hints.items():
        setattr(_kind, _name, _Absent(_name, _instead))


def explainer(module: str) -> Callable[[str], NoReturn]:
    """A module's `__getattr__`: AttributeError for what it does not have, with what to use instead, or what looks alike."""

    def explain(name: str) -> NoReturn:
        instead = {**BOTH, **FUNCTIONS, **PARTS}.get(name)
        if instead is None:
            known = [entry for entry in vars(sys.modules[module]) if not entry.startswith("_")]
            close = [] if name.startswith("__") else get_close_matches(name, known, n=2, cutoff=0.8)
            instead = f"use {' or '.join(close)}, if you mean that" if close else "it lies outside of what is here of PyTorch"
        raise AttributeError(f"{module} has no {name!r}: {instead}.", name=name)

    return explain
