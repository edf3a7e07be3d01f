import numpy as np
import pytest

from nanograd.training.looking import induction_scores, look_at
from nanograd.training.trainer import Trainer


@pytest.fixture
def trainer(small_settings, small_corpus):
    made = Trainer(small_settings, small_corpus)
    list(made.run(single_step=True))
    return made


def look(trainer, text):
    return look_at(trainer.model, trainer.tokenizer, trainer.tokenizer.encode(text), trainer.step)


def test_the_last_layer_predicts_what_the_model_does(trainer):
    seen = look(trainer, "the cat").predictions
    trainer.model.eval()
    logits = trainer.model(seen.ids[None])[0].array[0].astype(np.float64)
    expected = np.exp(logits - logits.max(-1, keepdims=True))
    expected /= expected.sum(-1, keepdims=True)
    order = np.argsort(-expected, axis=-1)[:, :8]
    np.testing.assert_array_equal(seen.rivals[-1], order)
    np.testing.assert_allclose(seen.probabilities[-1], np.take_along_axis(expected, order, -1), rtol=1e-4)
    np.testing.assert_allclose(seen.losses[-1], -np.log(expected[np.arange(6), seen.ids[1:]]), rtol=1e-4)


def test_there_is_a_prediction_for_each_place_before_and_after_each_block(trainer):
    seen = look(trainer, "the cat").predictions
    assert seen.rivals.shape == seen.probabilities.shape == (3, 7, 8)
    assert seen.losses.shape == (3, 6)
    assert (np.diff(seen.probabilities, axis=-1) <= 0).all()
    assert seen.vocabulary == trainer.tokenizer.vocabulary


def test_before_the_first_block_a_token_knows_nothing_of_those_before_it(trainer):
    one, other = look(trainer, "at").predictions, look(trainer, "et").predictions
    np.testing.assert_array_equal(one.probabilities[0, 1], other.probabilities[0, 1])
    assert (one.probabilities[-1, 1] != other.probabilities[-1, 1]).any()


def test_one_token_has_rivals_and_no_loss(trainer):
    seen = look(trainer, "t").predictions
    assert seen.rivals.shape == (3, 1, 8)
    assert seen.losses.shape == (3, 0)


def test_few_tokens_at_once_give_the_same(trainer, monkeypatch):
    whole = look(trainer, "the cat").predictions
    monkeypatch.setattr("nanograd.training.looking._NUMBERS_AT_ONCE", 40)
    parts = look(trainer, "the cat").predictions
    np.testing.assert_allclose(whole.probabilities, parts.probabilities, rtol=1e-5)
    np.testing.assert_allclose(whole.losses, parts.losses, rtol=1e-5)


def test_looking_leaves_the_model_in_its_mode(trainer):
    trainer.model.train()
    look(trainer, "the")
    assert trainer.model.training


def test_scores_are_shares_of_the_attention(trainer):
    event = look(trainer, "the cat")
    assert event.scores.shape == (2, 2, 3)
    before = [event.weights[..., place, place - 1] for place in range(1, 7)]
    np.testing.assert_allclose(event.scores[..., 0], np.mean(before, axis=0), rtol=1e-5)
    np.testing.assert_allclose(event.scores[..., 1], event.weights[..., 1:, 0].mean(-1), rtol=1e-5)
    assert ((event.scores >= 0) & (event.scores <= 1)).all()


def test_an_induction_head_scores_one():
    ids = [3, 1, 4, 5, 3, 1, 4, 5]
    weights = np.zeros((1, 1, 8, 8))
    for place, token in enumerate(ids):
        earlier = [at for at in range(place) if ids[at] == token]
        weights[0, 0, place, earlier[0] + 1 if earlier else 0] = 1
    assert induction_scores(weights).tolist() == [[1.0]]


def test_one_token_looks_back_at_nothing(trainer):
    assert look(trainer, "t").scores[..., :2].tolist() == [[[0, 0], [0, 0]], [[0, 0], [0, 0]]]
