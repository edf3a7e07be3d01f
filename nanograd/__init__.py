"""Nanograd: a deep-learning framework in numpy that is small enough to read whole, with PyTorch's names.

`import nanograd as torch` is how most code written for PyTorch's basics begins here.
"""
# isort: skip_file

import sys
from math import e as e, inf as inf, nan as nan, pi as pi

from nanograd import autograd as autograd, cuda as cuda, data as data, nn as nn, optim as optim, utils as utils
from nanograd.creation import *  # noqa: F403
from nanograd.dropout import dropout as dropout
from nanograd.dtype import bool_, device as device, double as double, float_, float32 as float32, float64 as float64
from nanograd.dtype import int64 as int64, long as long
from nanograd.functions import *  # noqa: F403
from nanograd.graph import enable_grad as enable_grad, is_grad_enabled as is_grad_enabled, no_grad as no_grad
from nanograd.joining import cat as cat, einsum as einsum, stack as stack
from nanograd.outside import explainer
from nanograd.random import Generator as Generator, manual_seed as manual_seed
from nanograd.softmax import log_softmax as log_softmax, softmax as softmax
from nanograd.tensor import Tensor as Tensor

bool, float = bool_, float_

for _module in (sys.modules[__name__], nn, nn.functional, nn.init, nn.utils, optim, optim.lr_scheduler, data, autograd, cuda):
    vars(_module)["__getattr__"] = explainer(_module.__name__)
