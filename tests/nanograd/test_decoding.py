import numpy as np
import pytest

from nanograd.decoding import Decoder
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.random import manual_seed

MODERN = {"norm": "rmsnorm", "position": "rotary", "qk_norm": True, "activation": "swiglu", "tied_head": False}
FORMS = [{}, {"bias": True, "activation": "gelu"}, {"activation": "relu"}, {"activation": "relu2", "norm": "rmsnorm"}, MODERN]


def make(form, batch_size, n_embd=12):
    manual_seed(0)
    model = GPTLanguageModel(vocab_size=11, n_embd=n_embd, n_head=n_embd // 4, n_layer=2, block_size=6, **form).eval()
    generator = np.random.default_rng(2)
    for parameter in model.parameters():
        parameter.array = (parameter.array + generator.standard_normal(parameter.shape) * 0.3).astype(np.float32)
    return model, Decoder(model.config, {name: p.array for name, p in model.named_parameters()}, batch_size)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("pieces", [(6,), (1,) * 6, (3, 2, 1), (5, 1)], ids=str)
def test_pieces_give_what_the_model_gives_for_the_whole(form, pieces):
    model, decoder = make(form, 2)
    ids = np.random.default_rng(1).integers(0, 11, (2, 6))
    expected = model(ids)[0].array
    for length in pieces:
        begin = decoder.length
        found = decoder.logits(ids[:, begin : begin + length])
        np.testing.assert_allclose(found, expected[:, begin + length - 1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("batch_size", "n_embd"), [(1, 384), (4, 12), (16, 128), (17, 128)])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_texts_side_by_side_give_what_the_model_gives(form, batch_size, n_embd):
    model, decoder = make(form, batch_size, n_embd)
    ids = np.random.default_rng(1).integers(0, 11, (batch_size, 6))
    expected = model(ids)[0].array
    for begin in range(6):
        found = decoder.logits(ids[:, begin : begin + 1])
        np.testing.assert_allclose(found, expected[:, begin], rtol=1e-4, atol=1e-4)


def test_a_decoder_that_was_set_back_forgets_what_came_after():
    model, decoder = make({}, 1)
    decoder.logits(np.array([[1, 2, 3, 4]]))
    decoder.length = 2
    np.testing.assert_allclose(decoder.logits(np.array([[5]]))[0], model(np.array([[1, 2, 5]]))[0].array[0, -1], atol=1e-5)


def test_weights_are_looked_at_and_not_copied():
    model, decoder = make({}, 1)
    before = decoder.logits(np.array([[1]]))
    model.h[0].mlp.c_fc.weight.array *= 2
    decoder.length = 0
    assert (decoder.logits(np.array([[1]])) != before).any()
