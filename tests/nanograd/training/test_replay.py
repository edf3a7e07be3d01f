from dataclasses import replace

import numpy as np
import pytest

from nanograd.training.events import BatchSeen, ReplayAdvanced, StepFinished
from nanograd.training.replay import replay
from nanograd.training.trainer import Trainer


def trained(settings, corpus):
    trainer = Trainer(settings, corpus)
    return trainer, [event for event in trainer.run() if isinstance(event, StepFinished)]


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("step", [1, 4, 6])
def test_the_batch_of_a_step_has_the_loss_that_the_step_told(small_settings, small_corpus, parts, step):
    settings = replace(small_settings, parts=parts)
    trainer, steps = trained(settings, small_corpus)
    *advances, seen = replay(Trainer(settings, small_corpus), step, trainer.metrics.arrays())
    assert [event.done for event in advances] == list(range(1, step))
    assert all(isinstance(event, ReplayAdvanced) for event in advances)
    assert isinstance(seen, BatchSeen)
    assert seen.loss == pytest.approx(steps[step - 1].loss, rel=1e-5)
    assert seen.told_loss == steps[step - 1].loss
    assert (seen.replayed_steps, seen.replayed_from) == (step - 1, 0)


def test_the_texts_stand_in_the_corpus_and_the_worst_comes_first(small_settings, small_corpus):
    trainer, _ = trained(small_settings, small_corpus)
    *_, seen = replay(Trainer(small_settings, small_corpus), 3, trainer.metrics.arrays())
    text = small_corpus.tokenizer.decode(small_corpus.ids)
    assert seen.ids.shape == (small_settings.batch_size, small_settings.block_size + 1)
    assert seen.losses.shape == (small_settings.batch_size, small_settings.block_size)
    for row in seen.ids:
        assert "".join(seen.vocabulary[index] for index in row) in text
    assert (np.diff(seen.losses.mean(axis=1)) <= 0).all()


def test_a_rate_that_was_changed_on_the_way_is_taken_again(small_settings, small_corpus):
    trainer = Trainer(small_settings, small_corpus)
    events = trainer.run()
    while trainer.step < 3:
        next(events)
    trainer.change_settings(replace(small_settings, lr=5e-2))
    told = [event for event in trainer.run() if isinstance(event, StepFinished)]
    *_, seen = replay(Trainer(small_settings, small_corpus), 6, trainer.metrics.arrays())
    assert seen.loss == pytest.approx(told[-1].loss, rel=1e-5)


def test_replaying_leaves_the_run_itself_alone(small_settings, small_corpus):
    trainer, _ = trained(small_settings, small_corpus)
    before = {name: parameter.array.copy() for name, parameter in trainer.model.named_parameters()}
    list(replay(Trainer(small_settings, small_corpus), 5, trainer.metrics.arrays()))
    for name, parameter in trainer.model.named_parameters():
        np.testing.assert_array_equal(parameter.array, before[name])
