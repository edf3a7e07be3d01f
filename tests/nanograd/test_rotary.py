import numpy as np

from nanograd.creation import tensor
from nanograd.rotary import rotary_definition, rotary_kernel
from nanograd.tensor import fused


def test_fast_form_equals_definition_in_value_and_gradient(generator):
    B, T, H, D = 2, 5, 3, 4
    qkv, weight = generator.standard_normal((2, B, T, 3 * H * D))
    results = []
    for turned in (lambda x: fused(rotary_kernel, x, n_head=H, begin=0), lambda x: turned_by_definition(x, H)):
        x = tensor(qkv, requires_grad=True)
        result = turned(x)
        (result * tensor(weight)).sum().backward()
        results.append((result.array, x.grad.array))
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def turned_by_definition(qkv, n_head):
    B, T, width = qkv.shape
    heads = qkv.reshape(B, T, 3, n_head, width // 3 // n_head).transpose(1, 3).clone()  # (B, H, 3, T, D)
    heads[:, :, :2] = rotary_definition(heads[:, :, :2])
    return heads.transpose(1, 3).reshape(B, T, width)
