"""Goes through the steps of a run a second time, to see what lay in the batch of one of them."""

from collections.abc import Iterator

import numpy as np

from nanograd.training.events import BatchSeen, ReplayAdvanced
from nanograd.training.metrics import MetricsArrays
from nanograd.training.trainer import Trainer


def replay(trainer: Trainer, step: int, told: MetricsArrays) -> Iterator[ReplayAdvanced | BatchSeen]:
    """Bring a trainer of the same run, which stands before `step`, to that step, and look at its batch with all its dropout.

    `told` are the run's own numbers: their learning rates are taken again, whatever the settings say by now. The last event
    is the BatchSeen; its `loss` is the step's own where nothing but the rate was changed on the way.
    """
    rates = dict(zip(told.steps.tolist(), told.lr.tolist(), strict=True))
    losses = dict(zip(told.steps.tolist(), told.train_loss.tolist(), strict=True))
    begin = trainer.step
    while trainer.step < step - 1:
        trainer.take_step(lr=rates.get(trainer.step + 1))
        yield ReplayAdvanced(step=step, done=trainer.step - begin, total=step - 1 - begin)
    ids, batch_losses = trainer.look_at_batch()
    order = np.argsort(-batch_losses.mean(axis=1), kind="stable")
    yield BatchSeen(
        step=step,
        vocabulary=trainer.tokenizer.vocabulary,
        ids=ids[order],
        losses=batch_losses[order],
        loss=float(batch_losses.mean()),
        told_loss=losses.get(step),
        replayed_steps=step - 1 - begin,
        replayed_from=begin,
    )
