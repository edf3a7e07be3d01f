import os
import subprocess
import sys
from time import monotonic, sleep

import numpy as np
import pytest

from nanograd.dropout import Dropout
from nanograd.errors import ShapeError
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.module import Module
from nanograd.optimizer import AdamW, clip_grad_norm_
from nanograd.random import manual_seed, stream
from nanograd.training.native import can_set_blas_threads
from nanograd.training.parts import Parts

needs_processes = pytest.mark.skipif(
    not (can_set_blas_threads() and hasattr(os, "memfd_create")), reason="parts are computed by threads alone here"
)
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


# ---- processes ---------------------------------------------------------------------------------------------------------


def processes_of(parts):
    return parts._processes._processes


def trained_by_processes(count, between=lambda parts, step: None):
    """As `trained` with dropout, but by processes; `between` is called before each step."""
    model, parts = make_model(0.3), Parts(count)
    optimizer = AdamW(model.parameters(), lr=1e-2)
    assert parts.start_processes(model, wait_s=60)
    losses = []
    for step in range(3):
        between(parts, step)
        loss, _ = parts.gradients(model, *make_batch(), dropout_stream)
        parts.step(optimizer)
        losses.append(loss)
    return losses, {name: parameter.array.copy() for name, parameter in model.named_parameters()}, parts


@needs_processes
@pytest.mark.parametrize("count", [2, 3])
def test_processes_compute_the_same_bits_as_threads(count):
    losses, weights, parts = trained_by_processes(count)
    expected_losses, expected_weights = trained(count, dropout=0.3)
    assert parts._processes is not None, "threads computed this"
    assert losses == expected_losses
    for name, array in expected_weights.items():
        np.testing.assert_array_equal(weights[name], array)


@needs_processes
def test_a_process_that_is_killed_is_replaced_by_a_thread():
    def kill(parts, step):
        if step == 1:
            processes_of(parts)[0].kill()
            processes_of(parts)[0].wait()

    losses, weights, parts = trained_by_processes(3, kill)
    expected_losses, expected_weights = trained(3, dropout=0.3)
    assert parts._processes is None
    assert losses == expected_losses
    for name, array in expected_weights.items():
        np.testing.assert_array_equal(weights[name], array)


@needs_processes
def test_weights_that_were_exchanged_end_the_processes_and_count():
    def exchange(parts, step):
        if step == 1:
            for parameter in parts._processes._parameters:
                parameter.array = parameter.array.copy()

    losses, _, parts = trained_by_processes(2, exchange)
    assert parts._processes is None
    assert losses == trained(2, dropout=0.3)[0]


@needs_processes
def test_evaluation_and_training_mode_reach_the_processes():
    model, parts = make_model(0.5), Parts(2)
    assert parts.start_processes(model, wait_s=60)
    losses = [parts.gradients(model.train(mode), *make_batch(), dropout_stream)[0] for mode in (True, False, True)]
    assert losses[0] == losses[2] != losses[1]
    assert losses[1] == pytest.approx(model.eval()(*make_batch())[1].item(), rel=1e-12)


@needs_processes
def test_an_error_in_a_process_comes_out_and_the_next_step_works():
    model, parts = make_model(), Parts(2)
    assert parts.start_processes(model, wait_s=60)
    inputs, targets = make_batch()
    broken = inputs.copy()
    broken[-1, -1] = 99
    with pytest.raises(ShapeError, match="99"):
        parts.gradients(model, broken, targets, dropout_stream)
    assert (
        parts.gradients(model, inputs, targets, dropout_stream)[0]
        == Parts(2).gradients(make_model(), inputs, targets, dropout_stream)[0]
    )


@needs_blas
def test_a_model_that_cannot_be_sent_is_left_to_threads():
    class Local(GPTLanguageModel):
        pass

    manual_seed(1)
    model = Local(vocab_size=11, n_embd=16, n_head=2, n_layer=2, block_size=8)
    parts = Parts(2)
    assert not parts.start_processes(model)
    assert np.isfinite(parts.gradients(model, *make_batch(), dropout_stream)[0])


@needs_processes
def test_processes_end_with_their_parts():
    parts = Parts(2)
    assert parts.start_processes(make_model(), wait_s=60)
    process = processes_of(parts)[0]
    del parts
    assert process.poll() is not None


@needs_processes
def test_processes_import_nothing_from_the_folder_that_the_user_is_in(tmp_path, monkeypatch):
    (tmp_path / "pickle.py").write_text("raise SystemExit('a file of the user was run')")
    monkeypatch.chdir(tmp_path)
    assert Parts(2).start_processes(make_model(), wait_s=60)


_STARTS_AND_WAITS = """
import sys
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.training.parts import Parts
parts = Parts(2)
parts.start_processes(GPTLanguageModel(vocab_size=11, n_embd=16, n_head=2, n_layer=2, block_size=8), wait_s=60)
print(parts._processes._processes[0].pid, flush=True)
sys.stdin.read()
"""


@needs_processes
def test_processes_end_when_the_one_that_started_them_is_killed():
    starter = subprocess.Popen([sys.executable, "-c", _STARTS_AND_WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pid = int(starter.stdout.readline())
    os.kill(pid, 0)
    starter.kill()
    starter.communicate()
    deadline = monotonic() + 30
    while is_running(pid):
        assert monotonic() < deadline, "the process outlived the one that started it"
        sleep(0.05)


def is_running(pid):
    """Whether there is such a process; one that has ended and that nobody asked about yet is none."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
