import numpy as np
import pytest

from nanograd.gptlanguage import GPTLanguageModel
from nanograd.graph import is_grad_enabled
from nanograd.training.one_pass import look_through, read_off

IDS = np.array([1, 2, 3, 4])


def small_model(**choices):
    return GPTLanguageModel(vocab_size=11, n_embd=12, n_head=3, n_layer=2, block_size=8, **choices)


@pytest.mark.parametrize("choices", [{}, {"position": "rotary", "qk_norm": True, "norm": "rmsnorm"}], ids=["plain", "modern"])
def test_weights_are_every_heads_rows_and_the_stream_leads_to_the_logits(choices):
    model = small_model(dropout=0.5, **choices)
    weights, stream = look_through(model, IDS)
    assert weights.shape == (2, 3, 4, 4)
    assert stream.shape == (3, 4, 12)
    assert weights.dtype == stream.dtype == np.float32
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert (np.triu(weights, 1) == 0).all()
    model.eval()
    np.testing.assert_allclose(read_off(model, stream[-1]), model(IDS[None])[0].array[0], rtol=1e-5, atol=1e-6)


def test_the_weights_are_what_the_model_attends_by():
    model = small_model(bias=True).eval()
    heard = []
    attention = model.h[1].attn
    attention.register_forward_hook(lambda _module, inputs, result: heard.append((inputs[0], result)))
    weights = look_through(model, IDS)[0][1]
    input, result = heard[0]
    values = attention.project(input).array[0].reshape(4, 3, 3, 4)[:, 2].transpose(1, 0, 2)
    taken = (weights @ values).transpose(1, 0, 2).reshape(4, 12)
    expected = taken @ attention.c_proj.weight.array.T + attention.c_proj.bias.array
    np.testing.assert_allclose(result.array[0], expected, rtol=1e-5, atol=1e-6)


def test_a_look_leaves_no_trace():
    model = small_model(dropout=0.5)
    model.h[0].eval()
    modes = [module.training for module in model.modules()]
    once, again = look_through(model, IDS), look_through(model, IDS)
    np.testing.assert_array_equal(once[0], again[0])
    np.testing.assert_array_equal(once[1], again[1])
    assert [module.training for module in model.modules()] == modes
    assert is_grad_enabled()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
