"""The functions behind the layers, as torch.nn.functional."""

from nanograd.activation import gelu, leaky_relu, relu, sigmoid, silu, softplus, tanh
from nanograd.attention import scaled_dot_product_attention
from nanograd.batchnorm import batch_norm
from nanograd.convolution import conv1d, conv2d
from nanograd.dropout import drop_path, dropout
from nanograd.embedding import embedding, one_hot
from nanograd.layernorm import layer_norm, rms_norm
from nanograd.linear import linear
from nanograd.losses import binary_cross_entropy_with_logits, l1_loss, mse_loss, nll_loss, smooth_l1_loss
from nanograd.pooling import avg_pool2d, max_pool2d
from nanograd.softmax import cross_entropy, log_softmax, softmax

__all__ = [
    "avg_pool2d", "batch_norm", "binary_cross_entropy_with_logits", "conv1d", "conv2d", "cross_entropy", "drop_path",
    "dropout", "embedding", "gelu", "l1_loss", "layer_norm", "leaky_relu", "linear", "log_softmax", "max_pool2d", "mse_loss",
    "nll_loss", "one_hot", "relu", "rms_norm", "scaled_dot_product_attention", "sigmoid", "silu", "smooth_l1_loss", "softmax",
    "softplus", "tanh",
]  # fmt: skip
