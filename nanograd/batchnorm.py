"""Batch normalisation (Ioffe and Szegedy, 2015): y = (x - mean) / sqrt(var + eps) * weight + bias, for each channel.

For x (N, C) or (N, C, ...) mean and variance (divided by the count) are taken over all dimensions but C in training, and
running averages of them, made in training, take their place in evaluation.
"""

from math import prod

import numpy as np

from nanograd.creation import ones, tensor, zeros
from nanograd.errors import ArgumentError, ShapeError
from nanograd.graph import Array, Fused, Gradients, Kernel, Needs, no_grad
from nanograd.module import Module, Parameter
from nanograd.tensor import Tensor, fused, wrap

# ---- the definition ---------------------------------------------------------------------------------------------------


def batch_norm_definition(input: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float = 1e-5) -> Tensor:
    """Batch normalisation of (N, C, L) in training, in primitives; the shape stays."""
    centred = input - input.mean((0, 2), keepdim=True)
    result = centred / (centred.square().mean((0, 2), keepdim=True) + eps).sqrt()
    result = result if weight is None else result * weight.unsqueeze(1)
    return result if bias is None else result + bias.unsqueeze(1)


# ---- the fast form: x (N, C, L); what belongs to a channel is (C, 1) ---------------------------------------------------


def _batch_norm(x: Array, weight: Array, bias: Array, mean: Array, var: Array, is_of_batch: bool, eps: float) -> Fused:
    inverse = (1 / np.sqrt(var + eps)).astype(x.dtype)[:, None]
    normalized = x - mean.astype(x.dtype)[:, None]
    normalized *= inverse
    z = normalized * weight[:, None]
    z += bias[:, None]
    return z, (normalized, inverse * weight[:, None], is_of_batch)


def _batch_norm_backward(g: Array, needs: Needs, normalized: Array, slope: Array, is_of_batch: bool) -> Gradients:
    """Differentiates z = normalized weight + bias, then normalized = (x - mean) inverse, both of x where `is_of_batch`."""
    d_weight, d_bias = np.einsum("ncl,ncl->c", g, normalized), g.sum(axis=(0, 2))
    dx = g
    if is_of_batch:
        count = max(g.size // max(g.shape[1], 1), 1)
        dx = g - (d_bias / count)[:, None] - normalized * (d_weight / count)[:, None]
    return dx * slope, d_weight, d_bias


_kernel = Kernel("batch_norm", _batch_norm, _batch_norm_backward)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of (N, C) or (N, C, ...), by the batch in `training`, otherwise by the running values; same shape.

    In training `running_mean` and `running_var` (C,), where given, move by the share `momentum` towards the batch's mean and
    variance (divided by the count less 1). `weight` and `bias` are (C,). Raises ShapeError for sizes that do not fit, or a
    single value per channel in training.

    >>> batch_norm(Tensor([[1.0], [3.0]]), None, None, training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    if input.ndim < 2:
        raise ShapeError(f"batch_norm expects an input (N, C) or (N, C, ...); got the shape {input.shape}.")
    input._require_floats("batch_norm")
    channels, count = input.shape[1], input.numel() // max(input.shape[1], 1)
    for given in (running_mean, running_var, weight, bias):
        if given is not None and given.shape != (channels,):
            raise ShapeError(f"The running values, weight and bias of {channels} channels are ({channels},), not {given.shape}.")
    x = input.reshape(*input.shape[:2], prod(input.shape[2:]))
    if training:
        if count == 1:
            shape = input.shape
            raise ShapeError(f"Expected more than 1 value per channel when training, got {shape}: use a larger batch, or eval().")
        mean = x.array.sum(axis=(0, 2)) / max(count, 1)
        var = np.square(x.array - mean[:, None]).sum(axis=(0, 2)) / max(count, 1)
        _move(running_mean, mean, momentum)
        _move(running_var, var * (count / max(count - 1, 1)), momentum)
    elif running_mean is not None and running_var is not None:
        mean, var = running_mean.array, running_var.array
    else:
        raise ArgumentError("batch_norm needs running_mean and running_var in evaluation; pass both, or training=True.")
    weight = ones(channels, dtype=input.dtype) if weight is None else weight
    bias = zeros(channels, dtype=input.dtype) if bias is None else bias
    return fused(_kernel, x, weight, bias, mean=mean, var=var, is_of_batch=training, eps=eps).reshape(input.shape)


def _move(running: Tensor | None, value: Array, momentum: float) -> None:
    if running is not None:
        with no_grad():
            running.mul_(1 - momentum).add_(wrap(value.astype(running.dtype)), alpha=momentum)


class _BatchNorm(Module):
    """What batch normalisation is for inputs of any number of dimensions; a subclass says which."""

    _dims: tuple[int, ...]
    _shapes: str
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = Parameter(ones(num_features)) if affine else None
        self.bias = Parameter(zeros(num_features)) if affine and bias else None
        self.register_buffer("running_mean", zeros(num_features) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track_running_stats else None)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise; in training the running values move, with a `momentum` of None to the mean over all batches so far."""
        if input.ndim not in self._dims:
            raise ShapeError(f"{type(self).__name__} expects an input {self._shapes}; got the shape {input.shape}.")
        momentum = self.momentum or 0.0
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            momentum = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        by_batch = self.training or self.running_mean is None
        return batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, by_batch, momentum, self.eps)

    def extra_repr(self) -> str:
        """The settings."""
        text = f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}"
        return f"{text}, bias={self.bias is not None}, track_running_stats={self.track_running_stats}"


class BatchNorm1d(_BatchNorm):
    """`batch_norm` of (N, C) or (N, C, L) with running values, a learned weight, from 1, and bias, from 0; the shape stays.

    >>> BatchNorm1d(3)(ones(2, 3)).shape
    (2, 3)
    """

    _dims, _shapes = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(_BatchNorm):
    """`batch_norm` of (N, C, H, W) with running values, a learned weight, from 1, and bias, from 0; the shape stays."""

    _dims, _shapes = (4,), "(N, C, H, W)"
