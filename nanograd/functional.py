"""The functions behind the layers, as torch.nn.functional."""

from nanograd.activation import gelu, relu
from nanograd.dropout import dropout
from nanograd.embedding import embedding
from nanograd.layernorm import layer_norm
from nanograd.linear import linear
from nanograd.softmax import cross_entropy, log_softmax, softmax

__all__ = ["cross_entropy", "dropout", "embedding", "gelu", "layer_norm", "linear", "log_softmax", "relu", "softmax"]
