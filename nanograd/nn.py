"""Layers and containers under one roof, as torch.nn."""

from nanograd import functional, init
from nanograd import gradients as utils
from nanograd.activation import GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from nanograd.attention import MultiheadAttention
from nanograd.batchnorm import BatchNorm1d, BatchNorm2d
from nanograd.containers import ModuleDict, ModuleList, Sequential
from nanograd.convolution import Conv1d, Conv2d
from nanograd.dropout import Dropout, DropPath
from nanograd.embedding import Embedding
from nanograd.layernorm import LayerNorm, RMSNorm
from nanograd.linear import Flatten, Identity, Linear
from nanograd.losses import BCEWithLogitsLoss, CrossEntropyLoss, L1Loss, MSELoss, NLLLoss, SmoothL1Loss
from nanograd.mlp import ACTIVATIONS, MLP
from nanograd.module import Module, Parameter
from nanograd.multihead_attention import MultiHeadAttention
from nanograd.pooling import AvgPool2d, MaxPool2d
from nanograd.softmax import LogSoftmax, Softmax

__all__ = [
    "ACTIVATIONS", "GELU", "MLP", "AvgPool2d", "BCEWithLogitsLoss", "BatchNorm1d", "BatchNorm2d", "Conv1d", "Conv2d",
    "CrossEntropyLoss", "DropPath", "Dropout", "Embedding", "Flatten", "Identity", "L1Loss", "LayerNorm", "LeakyReLU",
    "Linear", "LogSoftmax", "MSELoss", "MaxPool2d", "Module", "ModuleDict", "ModuleList", "MultiHeadAttention",
    "MultiheadAttention", "NLLLoss", "Parameter", "RMSNorm", "ReLU", "Sequential", "SiLU", "Sigmoid", "SmoothL1Loss",
    "Softmax", "Softplus", "Tanh", "functional", "init", "utils",
]  # fmt: skip
