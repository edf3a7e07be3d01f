"""Layers and containers under one roof, as torch.nn."""

from nanograd import functional
from nanograd import gradients as utils
from nanograd.activation import GELU, ReLU
from nanograd.containers import ModuleDict, ModuleList, Sequential
from nanograd.dropout import Dropout
from nanograd.embedding import Embedding
from nanograd.layernorm import LayerNorm
from nanograd.linear import Linear
from nanograd.mlp import ACTIVATIONS, MLP
from nanograd.module import Module, Parameter
from nanograd.multihead_attention import MultiHeadAttention

__all__ = [
    "ACTIVATIONS",
    "GELU",
    "MLP",
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Linear",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiHeadAttention",
    "Parameter",
    "ReLU",
    "Sequential",
    "functional",
    "utils",
]
