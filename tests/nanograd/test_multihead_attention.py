from functools import partial

import numpy as np
import pytest

from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.errors import ShapeError
from nanograd.multihead_attention import (
    MultiHeadAttention,
    _kernel,
    attention_definition,
    attention_weights,
    future_mask,
    qk_norm_definition,
    qk_norm_kernel,
)
from nanograd.random import Generator, using
from nanograd.tensor import Tensor, fused

SIZES = [(2, 3, 2, 4), (1, 1, 1, 2), (2, 5, 1, 3), (1, 4, 4, 1)]  # B, T, H, D


def fast(qkv, n_head, dropout_p=0.0):
    generator = Generator(3) if dropout_p else None
    return fused(_kernel, qkv, n_head=n_head, dropout_p=dropout_p, generator=generator)


def definition(qkv, n_head, dropout_p=0.0):
    B, T, width = qkv.shape
    heads = qkv.reshape(B, T, 3, n_head, width // 3 // n_head).permute(2, 0, 3, 1, 4)
    with using(Generator(3)):
        attended = attention_definition(heads[0], heads[1], heads[2], dropout_p)
    return attended.transpose(1, 2).reshape(B, T, width // 3)


def draw_qkv(generator, B, T, H, D):
    return tensor(generator.standard_normal((B, T, 3 * H * D)), requires_grad=True)


@pytest.mark.parametrize("dropout_p", [0.0, 0.4])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("function", [fast, definition])
def test_gradient(function, sizes, dropout_p, generator):
    assert gradcheck(partial(function, n_head=sizes[2], dropout_p=dropout_p), draw_qkv(generator, *sizes))


@pytest.mark.parametrize("dropout_p", [0.0, 0.4])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_fused_equals_definition_in_value_and_gradient(sizes, dropout_p, generator):
    qkv, found = draw_qkv(generator, *sizes), []
    for function in (fast, definition):
        qkv.grad = None
        result = function(qkv, sizes[2], dropout_p)
        (result * result).sum().backward()
        found.append((result.array, qkv.grad.array))
    for got, expected in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_gradient_of_the_layer_and_its_parameters(generator):
    layer = MultiHeadAttention(4, 2)
    names = list(dict(layer.named_parameters()))
    arrays = [tensor(generator.standard_normal(parameter.shape), requires_grad=True) for parameter in layer.parameters()]
    x = tensor(generator.standard_normal((2, 3, 4)), requires_grad=True)

    def call(x, *parameters):
        for name, parameter in zip(names, parameters, strict=True):
            part, attribute = name.split(".")
            object.__setattr__(getattr(layer, part), attribute, parameter)
        return layer(x)

    assert gradcheck(call, [x, *arrays])


def test_layer_is_as_in_torch(generator):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    ours, theirs = MultiHeadAttention(8, 2), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    state = {name: array.numpy() for name, array in theirs.state_dict().items()}
    names = {"in_proj_weight": "c_attn.weight", "in_proj_bias": "c_attn.bias", "out_proj.weight": "c_proj.weight"}
    ours.load_state_dict({names.get(name, "c_proj.bias"): array for name, array in state.items()})
    x = generator.standard_normal((2, 5, 8)).astype(np.float32)
    seen = torch.tensor(x)
    expected, weights = theirs(seen, seen, seen, attn_mask=torch.tensor(future_mask(5, 5)), average_attn_weights=False)
    np.testing.assert_allclose(ours(tensor(x)).detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    query, key, _ = ours.project(tensor(x)).array.reshape(2, 5, 3, 2, 4).transpose(2, 0, 3, 1, 4)
    np.testing.assert_allclose(attention_weights(query, key), weights.detach().numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_fused_qk_norm_equals_its_definition_in_value_and_gradient(sizes, generator):
    qkv, found = draw_qkv(generator, *sizes), []
    weights = tensor(generator.standard_normal(qkv.shape))
    for function in (partial(fused, qk_norm_kernel), qk_norm_definition):
        qkv.grad = None
        result = function(qkv, n_head=sizes[2])
        (result * weights).sum().backward()
        found.append((result.array, qkv.grad.array))
    for got, expected in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
    assert gradcheck(partial(fused, qk_norm_kernel, n_head=sizes[2]), qkv)


def test_qk_norm_leaves_queries_and_keys_of_length_1_and_values_as_they_are(generator):
    qkv = draw_qkv(generator, 2, 3, 2, 4)
    heads = fused(qk_norm_kernel, qkv, n_head=2).array.reshape(2, 3, 3, 2, 4)
    np.testing.assert_allclose(np.square(heads[:, :, :2]).mean(-1), 1, rtol=1e-4)
    np.testing.assert_array_equal(heads[:, :, 2], qkv.array.reshape(2, 3, 3, 2, 4)[:, :, 2])


def test_weights_see_nothing_of_the_future_and_sum_to_1(generator):
    query, key = generator.standard_normal((2, 2, 3, 5, 4)).astype(np.float32)
    weights = attention_weights(query, key)
    assert (weights[..., future_mask(5, 5)] == 0).all()
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-6)


def test_extreme_scores_overflow_nowhere():
    qkv = Tensor(np.full((1, 3, 6), 1e4), requires_grad=True)
    result = fast(qkv, 1)
    result.sum().backward()
    assert np.isfinite(result.array).all()
    assert np.isfinite(qkv.grad.array).all()


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (3, 3), (1, 4), (2, 5)])
def test_the_last_query_is_level_with_the_last_key(queries, keys):
    mask = future_mask(queries, keys)
    assert mask.shape == (queries, keys)
    assert (~mask).sum(1).tolist() == list(range(keys - queries + 1, keys + 1))


def test_heads_that_do_not_divide_the_width_are_named():
    with pytest.raises(ShapeError, match="n_head 3 does not divide n_embd 8"):
        MultiHeadAttention(8, 3)
