import importlib.util
from pathlib import Path

import numpy as np
import pytest

from nanograd.autograd import gradcheck
from nanograd.creation import tensor
from nanograd.errors import ShapeError
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.graph import Node
from nanograd.random import manual_seed
from nanograd.tensor import Tensor
from nanograd.training.model_parts import model_parts

SMALL = {"vocab_size": 11, "n_embd": 12, "n_head": 3, "n_layer": 2, "block_size": 6}


def small_model(dtype=np.float32, **changes):
    """A small model whose weights are large enough that every part of it matters."""
    model = GPTLanguageModel(**{**SMALL, **changes})
    generator = np.random.default_rng(1)
    for parameter in model.parameters():
        parameter.array = (parameter.array + generator.standard_normal(parameter.shape) * 0.3).astype(dtype)
    return model


def twin_of(model):
    pytest.importorskip("torch", reason="compares with a twin in PyTorch, which is not installed")
    spec = importlib.util.spec_from_file_location("gpt_twin", Path(__file__).with_name("gpt_twin.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.twin_of(model)


def batch(generator, shape=(3, 6)):
    return generator.integers(0, SMALL["vocab_size"], (2, *shape))


def test_the_issues_example_runs_as_it_stands(generator):
    model = GPTLanguageModel(vocab_size=10000, n_embd=384, n_head=6, n_layer=6, block_size=256, dropout=0.1)
    idx, targets = generator.integers(0, 10_000, (2, 1, 8))
    logits, loss = model(idx, targets)
    assert logits.shape == (1, 8, 10_000)
    assert abs(loss.item() - np.log(10_000)) < 0.2
    prompt = Tensor([1.0, 2.0]).long()
    assert model.generate(prompt, max_new_tokens=2).shape == (4,)
    assert sum(part.parameter_count for part in model_parts(model.config)) == sum(
        parameter.numel() for parameter in model.parameters()
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-4)], ids=["float64", "float32"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh"])
@pytest.mark.parametrize("bias", [True, False])
def test_logits_loss_and_all_gradients_equal_the_twins(bias, activation, dtype, tolerance, generator):
    model = small_model(dtype, bias=bias, activation=activation)
    twin = twin_of(model)
    import torch

    idx, targets = batch(generator)
    logits, loss = model(idx, targets)
    other_logits, other_loss = twin(torch.tensor(idx), torch.tensor(targets))
    loss.backward()
    other_loss.backward()
    assert loss.item() == pytest.approx(other_loss.item(), rel=tolerance)
    np.testing.assert_allclose(logits.detach().numpy(), other_logits.detach().numpy(), rtol=tolerance, atol=tolerance)
    others = dict(twin.named_parameters())
    assert {name for name, _ in model.named_parameters()} == set(others)
    for name, parameter in model.named_parameters():
        assert parameter.grad.dtype == dtype
        np.testing.assert_allclose(
            parameter.grad.numpy(), others[name].grad.numpy(), rtol=tolerance, atol=tolerance, err_msg=name
        )


def test_gradient_of_the_whole_model(generator):
    model = small_model(np.float64, vocab_size=5, n_embd=4, n_head=2, n_layer=1, block_size=3, bias=True)
    idx, targets = generator.integers(0, 5, (2, 2, 3))
    assert gradcheck(lambda *_: model(idx, targets)[1], list(model.parameters()))


def nodes_before(root):
    found, waiting = {root}, [root]
    while waiting:
        for target in waiting.pop().links:
            if isinstance(target, Node) and target not in found:
                found.add(target)
                waiting.append(target)
    return found


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("activation", ["relu", "gelu", "gelu_tanh"])
def test_everything_stays_float32(activation, dropout, generator):
    model = GPTLanguageModel(**SMALL, activation=activation, dropout=dropout, bias=True)
    idx, targets = batch(generator)
    logits, loss = model(idx, targets)
    assert {node.dtype.name for node in nodes_before(loss._node)} == {"float32"}
    loss.backward()
    assert {array.dtype.name for p in model.parameters() for array in (p.array, p.grad.array)} == {"float32"}
    assert logits.dtype == np.float32


@pytest.mark.parametrize("convert", [lambda ids: ids, tensor, lambda ids: ids.tolist(), lambda ids: ids.astype(np.uint8)])
def test_ids_may_be_arrays_tensors_or_lists(convert, generator):
    model = small_model()
    idx, targets = batch(generator)
    expected = model(idx, targets)
    logits, loss = model(convert(idx), convert(targets))
    assert logits.tolist() == expected[0].tolist()
    assert loss.item() == expected[1].item()
    assert model(convert(idx))[1] is None


@pytest.mark.parametrize(
    ("idx", "targets", "words"),
    [
        (np.zeros((1, 7), int), None, r"block_size 6; got \(1, 7\)"),
        (np.zeros(3, int), None, r"\(B, T\)"),
        (np.zeros((1, 0), int), None, r"from 1"),
        (np.full((1, 3), 11), None, "from 0 to 10; got 11"),
        (np.full((1, 3), -1), None, "got -1"),
        (np.full((1, 3), 0.7), None, "integers; got float64"),
        (Tensor([[1.0]]), None, r"float32: use \.long\(\)"),
        (np.zeros((1, 3), int), np.zeros((1, 2), int), r"\(1, 3\); got \(1, 2\)"),
        (np.zeros((1, 3), int), np.full((1, 3), 11), "from 0 to 10; got 11"),
    ],
)
def test_ids_that_do_not_fit_are_named(idx, targets, words):
    with pytest.raises(ShapeError, match=words):
        small_model()(idx, targets)


def test_a_token_sees_nothing_of_the_future(generator):
    model = small_model().eval()
    idx = batch(generator)[0]
    changed = idx.copy()
    changed[:, 4] = (changed[:, 4] + 1) % 11
    before, after = model(idx)[0].array, model(changed)[0].array
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert (before[:, 4] != after[:, 4]).any()


def test_the_head_is_tied_and_weights_begin_as_gpt_2s():
    manual_seed(0)
    model = GPTLanguageModel(vocab_size=500, n_embd=64, n_head=2, n_layer=8, block_size=50, bias=True)
    assert model.lm_head.weight is model.wte.weight
    for name, parameter in model.named_parameters():
        std = 0.005 if name.endswith("c_proj.weight") else 0.02
        if parameter.ndim == 2:
            assert abs(parameter.array.std() - std) < std / 10, name
        else:
            assert set(parameter.tolist()) == {1.0 if "ln_" in name and name.endswith("weight") else 0.0}, name


def test_the_same_seed_makes_the_same_model():
    manual_seed(4)
    first = GPTLanguageModel(**SMALL)
    manual_seed(4)
    second = GPTLanguageModel(**SMALL)
    assert all((a == b).array.all() for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("bias", [True, False])
def test_parameters_are_counted_right(bias):
    model = GPTLanguageModel(**SMALL, bias=bias)
    assert sum(part.parameter_count for part in model_parts(model.config)) == sum(
        parameter.numel() for parameter in model.parameters()
    )


def test_writing_leaves_each_module_in_its_own_mode():
    model = small_model(dropout=0.5)
    model.h[0].eval()
    modes = [module.training for module in model.modules()]
    model.generate([1], 3)
    assert [module.training for module in model.modules()] == modes


def test_dropout_is_drawn_anew_in_training_and_off_in_evaluation(generator):
    model, idx = small_model(dropout=0.5), batch(generator)[0]
    assert (model(idx)[0] != model(idx)[0]).array.any()
    model.eval()
    assert (model(idx)[0] == model(idx)[0]).array.all()
