import numpy as np
import pytest

from nanograd.dropout import Dropout
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.module import Module
from nanograd.optimizer import AdamW, clip_grad_norm_
from nanograd.random import manual_seed, stream
from nanograd.training.native import can_set_blas_threads
from nanograd.training.parts import Parts

needs_blas = pytest.mark.skipif(not can_set_blas_threads(), reason="numpy's BLAS here cannot be told how many threads to use")


def make_model(dropout=0.0):
    manual_seed(1)
    return GPTLanguageModel(vocab_size=11, n_embd=16, n_head=2, n_layer=2, block_size=8, dropout=dropout).double()


def make_batch(rows=5):
    ids = np.random.default_rng(0).integers(0, 11, (rows, 9))
    return ids[:, :-1], ids[:, 1:]


def dropout_stream(part):
    return stream(3, "dropout", part)


def trained(count, dropout=0.0, steps=3):
    """The losses, and the weights after some steps in `count` parts."""
    model, parts = make_model(dropout), Parts(count)
    optimizer = AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(steps):
        loss, _ = parts.gradients(model, *make_batch(), dropout_stream)
        parts.step(optimizer)
        losses.append(loss)
    return losses, {name: parameter.array.copy() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_parts_together_give_the_gradient_of_the_whole_batch(count):
    model, whole = make_model(), make_model()
    loss, norm = Parts(count).gradients(model, *make_batch(), dropout_stream)
    _, expected = whole(*make_batch())
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    for (name, ours), theirs in zip(model.named_parameters(), whole.parameters(), strict=True):
        np.testing.assert_allclose(ours.grad.array, theirs.grad.array, rtol=1e-9, atol=1e-12, err_msg=name)
    assert norm == pytest.approx(clip_grad_norm_(whole.parameters(), 1.0).item(), rel=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_same_number_of_parts_gives_the_same_bits(count):
    first, second = trained(count, dropout=0.3), trained(count, dropout=0.3)
    assert first[0] == second[0]
    for name, array in first[1].items():
        np.testing.assert_array_equal(array, second[1][name])


def test_a_step_in_parts_is_the_optimizers_step_with_scaled_gradients():
    losses, weights = trained(2, steps=1)
    model = make_model()
    optimizer = AdamW(model.parameters(), lr=1e-2)
    _, loss = model(*make_batch())
    loss.backward()
    optimizer.step()
    assert losses[0] == pytest.approx(loss.item(), rel=1e-12)
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(weights[name], parameter.array, rtol=1e-6, atol=1e-8, err_msg=name)
    scaled = make_model()
    parts = Parts(2)
    parts.gradients(scaled, *make_batch(), dropout_stream)
    before = scaled.wte.weight.grad.array.copy()
    parts.step(AdamW(scaled.parameters()), gradient_scale=0.5)
    np.testing.assert_array_equal(scaled.wte.weight.grad.array, before * 0.5)


def test_the_loss_in_parts_is_the_loss_of_the_batch():
    model = make_model().eval()
    assert Parts(3).loss(model, *make_batch()) == pytest.approx(model(*make_batch())[1].item(), rel=1e-12)


@needs_blas
def test_an_error_in_any_part_comes_out(monkeypatch):
    model = make_model(dropout=0.5)

    def draw(part):
        if part == 1:
            raise MemoryError("no room")
        return dropout_stream(part)

    parts = Parts(2)
    with pytest.raises(MemoryError, match="no room"):
        parts.gradients(model, *make_batch(), draw)
    parts.gradients(model, *make_batch(), dropout_stream)


@needs_blas
def test_each_part_draws_its_own_dropout():
    seen = {}

    class Watched(Module):
        def __init__(self):
            super().__init__()
            self.inner, self.drop = make_model(), Dropout(0.5)

        def forward(self, inputs, targets):
            logits, loss = self.inner(inputs, targets)
            seen[len(inputs)] = self.drop(logits * 0 + 1).array[0]
            return logits, loss

    Parts(2).gradients(Watched(), *make_batch(3), dropout_stream)
    assert set(seen) == {1, 2}
    assert (seen[1] != seen[2]).any()
