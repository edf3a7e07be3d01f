from types import SimpleNamespace

import numpy as np
import pytest

from nanograd.creation import tensor
from nanograd.errors import ShapeError
from nanograd.generation import Sampling, describe, draw, stream_ids, token_probabilities
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.graph import no_grad
from nanograd.random import Generator, manual_seed
from nanograd.tensor import Tensor

BLOCK_SIZE = 6
GREEDY = {"temperature": 0.0}


@pytest.fixture
def model():
    built = GPTLanguageModel(vocab_size=11, n_embd=12, n_head=3, n_layer=2, block_size=BLOCK_SIZE, dropout=0.5)
    generator = np.random.default_rng(2)
    for parameter in built.parameters():
        parameter.array = (parameter.array + generator.standard_normal(parameter.shape) * 0.3).astype(np.float32)
    return built


def uncached_logits(model, ids):
    """The next token's logits by a plain forward pass over the last block_size ids."""
    model.eval()
    with no_grad():
        return model(np.array([ids[-BLOCK_SIZE:]]))[0].array[0, -1]


@pytest.mark.parametrize(
    ("prompt", "shape"),
    [
        ([1, 2], (7,)), ((1, 2), (7,)), (np.array([1, 2]), (7,)), (np.array([1, 2], np.uint8), (7,)), (tensor([1, 2]), (7,)),
        ([[1, 2]], (1, 7)), (np.array([[1, 2], [3, 4]]), (2, 7)), (tensor([[1, 2], [3, 4], [5, 6]]), (3, 7)),
        (list(range(10)), (15,)), (np.zeros((2, 9), np.int32), (2, 14)),
    ],
    ids=str,
)  # fmt: skip
def test_prompt_and_continuation_come_back_in_the_prompts_rank(model, prompt, shape):
    result = model.generate(prompt, max_new_tokens=5)
    assert isinstance(result, Tensor)
    assert result.shape == shape
    assert result.dtype == np.int64
    given = np.asarray(prompt)
    np.testing.assert_array_equal(result.array[..., : given.shape[-1]], given)
    assert 0 <= result.array.min() <= result.array.max() < 11


def test_no_prompts_give_no_texts(model):
    assert model.generate(np.zeros((0, 3), np.int64), max_new_tokens=5).shape == (0, 8)


def test_the_context_is_cropped_and_the_result_is_not(model):
    long, short = list(range(10)), list(range(4, 10))
    full, cropped = model.generate(long, 8, **GREEDY), model.generate(short, 8, **GREEDY)
    assert len(full) == 18
    assert full.tolist()[4:] == cropped.tolist()


@pytest.mark.parametrize("length", [1, 3, BLOCK_SIZE, BLOCK_SIZE + 1, 10])
def test_greedy_is_the_argmax_of_the_uncached_model_at_every_step(model, length):
    ids = model.generate(list(range(length)), 15, **GREEDY).tolist()
    for end in range(length, len(ids)):
        assert ids[end] == uncached_logits(model, ids[:end]).argmax()


@pytest.mark.parametrize("length", [1, 4, BLOCK_SIZE, 9])
def test_cached_logits_equal_uncached_ones(model, length):
    ids, next_logits = list(range(length)), model._next_logits()
    for _ in range(12):
        cached = next_logits(np.array([ids]))[0]
        np.testing.assert_allclose(cached, uncached_logits(model, ids), atol=1e-5)
        ids.append(int(cached.argmax()))


def test_rows_of_a_batch_equal_single_rows(model):
    prompts = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    together = model.generate(prompts, 12, **GREEDY)
    assert together.tolist() == [model.generate(row, 12, **GREEDY).tolist() for row in prompts]


@pytest.mark.parametrize(
    "how", [{}, {"temperature": 0.7}, {"top_k": 4}, {"top_p": 0.8}, {"temperature": 2, "top_k": 5, "top_p": 0.9}]
)
def test_the_same_seed_writes_the_same(model, how):
    first = model.generate([1], 20, seed=3, **how).tolist()
    manual_seed(99)
    assert model.generate([1], 20, seed=3, **how).tolist() == first
    assert model.generate([1], 20, seed=4, **how).tolist() != first


def test_without_a_seed_it_draws_from_manual_seed(model):
    found = []
    for _ in range(2):
        manual_seed(5)
        found.append(model.generate([1], 20).tolist())
    assert found[0] == found[1] != model.generate([1], 20).tolist()


@pytest.mark.parametrize("how", [{"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-6}, {"top_k": 1, "temperature": 5.0}])
def test_the_narrowest_choice_is_greedy(model, how):
    assert model.generate([1, 2], 15, seed=1, **how).tolist() == model.generate([1, 2], 15, **GREEDY).tolist()


def test_no_new_tokens_give_the_prompt_back(model):
    assert model.generate([1, 2], 0).tolist() == [1, 2]
    assert model.generate(np.array([1, 2], np.uint8), 0).dtype == np.int64


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"temperature": -0.1}, "at least 0; got -0.1"), ({"temperature": float("nan")}, "nan"),
        ({"temperature": float("inf")}, "inf"), ({"top_k": 0}, "top_k is at least 1"), ({"top_k": -3}, "-3"),
        ({"top_p": 0.0}, "top_p is above 0"), ({"top_p": 1.1}, "1.1"), ({"max_new_tokens": -1}, "max_new_tokens"),
    ],
)  # fmt: skip
def test_bad_sampling_is_named(model, how, words):
    with pytest.raises(ValueError, match=words):
        model.generate([1], **{"max_new_tokens": 1, **how})


@pytest.mark.parametrize(
    ("prompt", "words"),
    [([], "no token"), (np.zeros((2, 0), int), "no token"), ([11], "from 0 to 10"), ([-1], "-1"), ([0.5], "integers"),
     (3, r"\(\)"), (np.zeros((1, 1, 1), int), r"\(1, 1, 1\)"), (Tensor([1.0]), "float32")],
)  # fmt: skip
def test_a_bad_prompt_is_named(model, prompt, words):
    with pytest.raises(ShapeError, match=words):
        model.generate(prompt, 1)


@pytest.mark.parametrize("is_training", [True, False])
def test_generating_is_without_dropout_and_puts_the_mode_back(model, is_training):
    model.train(is_training)
    results = {tuple(model.generate([1], 10, **GREEDY).tolist()) for _ in range(3)}
    assert len(results) == 1
    assert all(module.training is is_training for module in model.modules())
    tokens = model.stream([1], 5, Sampling(), Generator(0))
    next(tokens)
    assert all(module.training is is_training for module in model.modules())


def test_the_mode_comes_back_after_an_error(model):
    with pytest.raises(ShapeError):
        model.generate([11], 1)
    assert all(module.training for module in model.modules())


def test_nothing_kept_is_used_after_the_weights_changed(model):
    generator = np.random.default_rng(3)
    ids = [1, 2]
    for sampled in model.stream(ids, 9, Sampling(temperature=0.0), Generator(0)):
        assert sampled.id == uncached_logits(model, ids).argmax()
        ids.append(sampled.id)
        with no_grad():
            for parameter in model.parameters():
                parameter += generator.standard_normal(parameter.shape).astype(np.float32) * 0.5
    assert len(ids) == 11


def test_a_stream_tells_probabilities_and_rivals_of_the_model_itself(model):
    for sampled in model.stream([1, 2], 5, Sampling(temperature=0.5, top_k=3), Generator(1)):
        probabilities = [probability for _, probability in sampled.rivals]
        assert len(probabilities) == 5
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0 < sampled.probability <= probabilities[0]
        assert sampled.id in [rival for rival, _ in sampled.rivals[:3]]


def test_a_stream_equals_generate(model):
    streamed = [sampled.id for sampled in model.stream([1, 2], 12, Sampling(temperature=0.9), Generator(6))]
    assert model.generate([1, 2], 12, temperature=0.9, seed=6).tolist()[2:] == streamed


LOGITS = np.log(np.array([[0.4, 0.3, 0.2, 0.1]]))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, [0.4, 0.3, 0.2, 0.1]), ({"temperature": 0.0}, [1, 0, 0, 0]), ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_k": 9}, [0.4, 0.3, 0.2, 0.1]), ({"top_p": 1.0}, [0.4, 0.3, 0.2, 0.1]), ({"top_p": 0.5}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_p": 0.3}, [1, 0, 0, 0]), ({"temperature": 0.5}, [16 / 30, 9 / 30, 4 / 30, 1 / 30]),
        ({"top_k": 3, "top_p": 0.5}, [4 / 7, 3 / 7, 0, 0]),
    ],
)  # fmt: skip
def test_probabilities_are_shaped_by_temperature_then_top_k_then_top_p(how, expected):
    np.testing.assert_allclose(token_probabilities(LOGITS, Sampling(**how))[0], expected, rtol=1e-9)


def test_draws_follow_the_probabilities_and_never_what_has_none():
    probabilities = np.tile([0.0, 0.25, 0.0, 0.75, 0.0], (20_000, 1))
    counts = np.bincount(draw(probabilities, Generator(0)), minlength=5)
    assert counts[[0, 2, 4]].tolist() == [0, 0, 0]
    assert abs(counts[1] / 20_000 - 0.25) < 0.01


@pytest.mark.parametrize(("point", "drawn"), [(0.0, 1), (0.2499, 1), (0.25, 3), (np.nextafter(1.0, 0.0), 3)])
def test_a_draw_is_the_first_whose_sum_of_probabilities_is_above_the_point(point, drawn):
    fixed = SimpleNamespace(numpy=SimpleNamespace(random=lambda shape: np.full(shape, point)))
    assert draw(np.array([[0.0, 0.25, 0.0, 0.75, 0.0]]), fixed).tolist() == [drawn]


def test_a_token_is_described_with_no_more_rivals_than_there_are():
    described = describe(1, np.log(np.array([0.25, 0.75])))
    assert described.probability == pytest.approx(0.75)
    assert [rival for rival, _ in described.rivals] == [1, 0]


def test_the_penalty_makes_what_was_said_less_likely():
    logits = np.array([[2.0, -1.0, 0.5]])
    found = token_probabilities(logits, Sampling(repetition_penalty=2.0), np.array([[0, 1, 1]]))
    expected = np.exp([1.0, -2.0, 0.5])
    np.testing.assert_allclose(found[0], expected / expected.sum())
    np.testing.assert_array_equal(
        token_probabilities(logits, Sampling(), np.array([[0]])), token_probabilities(logits, Sampling())
    )


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("inf"), float("nan")])
def test_a_penalty_is_above_zero(penalty):
    with pytest.raises(ValueError, match="repetition penalty is above 0"):
        Sampling(repetition_penalty=penalty)


def test_a_strong_penalty_repeats_no_token():
    logits = np.array([[5.0, 4.0, 3.0, 2.0]])
    sampling = Sampling(temperature=0, repetition_penalty=1000.0)
    stream = stream_ids(lambda ids: logits, np.array([[0]]), 3, sampling, Generator(0))
    assert [int(drawn[0]) for drawn, _ in stream] == [1, 2, 3]
