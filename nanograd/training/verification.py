"""The same run: its steps are taken again from a checkpoint, and the weights compared with the digests it recorded."""

from collections.abc import Iterator
from contextlib import suppress

from nanograd.errors import CheckpointError, SettingsError
from nanograd.text.corpus import Corpus
from nanograd.training.checkpoint import SavedRun, load_run
from nanograd.training.digest import DigestChain, weights_digest
from nanograd.training.events import RunFailed, VerificationAdvanced, VerificationFinished
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import open_run, settings_after
from nanograd.training.trainer import Trainer
from nanograd.training.versions import present_versions, version_differences

_NO_DIFFERENCE = (
    "numpy, BLAS and the part count are those that the run recorded, so its files, its text, the program or the computer's "
    "memory changed something."
)


def verify(
    directory: RunDirectory, corpus: Corpus, from_step: int | None = None
) -> Iterator[VerificationAdvanced | VerificationFinished]:
    """Replay a run from the last checkpoint up to `from_step`, or from the oldest that is kept; nothing of it is changed.

    Each step taken is told, and at the end the outcome; it ends at the first difference. Raises CheckpointError where
    the run has no digests to compare with, or no checkpoint that can be read.
    """
    recorded = open_run(directory.path).saved.digests
    saved = _beginning(directory, from_step)
    steps = sorted(step for step in recorded if step >= saved.step)
    if not steps:
        raise CheckpointError(
            f"The run {directory.path.name} recorded no digests after step {saved.step:,}; train on, then verify."
        )
    trainer = saved.build_trainer(corpus)
    altered_at = _first_altered(directory, recorded)
    differs_at = None
    compared = 0
    for step in steps:
        yield from _replay(trainer, directory, step, steps[-1])
        compared += 1
        if trainer.step != step or weights_digest(trainer.model) != recorded[step]:
            differs_at = step
            break
    yield VerificationFinished(
        first_step=saved.step,
        last_step=trainer.step,
        compared=compared,
        differs_at=differs_at,
        altered_at=altered_at,
        causes=() if differs_at is None else _causes(directory, trainer, saved.step, differs_at),
    )


def _beginning(directory: RunDirectory, from_step: int | None) -> SavedRun:
    kept = directory.checkpoints.all()
    wanted = kept if from_step is None else [checkpoint for checkpoint in kept if checkpoint.step <= from_step][::-1]
    for checkpoint in wanted:
        with suppress(CheckpointError):
            return load_run(checkpoint.path)
    steps = ", ".join(f"{checkpoint.step:,}" for checkpoint in kept) or "none"
    raise CheckpointError(
        f"The run {directory.path.name} has no whole checkpoint at or before step {from_step or 0:,}; those kept are of steps: {steps}."
    )


def _replay(trainer: Trainer, directory: RunDirectory, until: int, last_step: int) -> Iterator[VerificationAdvanced]:
    """Take steps, with the changes that were made on the way, until that step or a loss that is not finite."""
    changes = directory.changes()
    while True:
        for change in changes:
            if change.step == trainer.step:
                with suppress(SettingsError):  # a fork's own first change, which its checkpoint holds already
                    trainer.change_settings(settings_after(trainer.settings, [change]))
        if trainer.step >= until or isinstance(trainer.take_step(), RunFailed):
            return
        yield VerificationAdvanced(step=trainer.step, last_step=last_step)


def _first_altered(directory: RunDirectory, recorded: dict[int, str]) -> int | None:
    """The first step whose digest or chain in metrics.jsonl is not that of the checkpoint."""
    chain, told = DigestChain(recorded), directory.recorded_links()
    differing = (step for step in sorted(told) if (link := chain.at(step)) and (link.digest, link.chain) != told[step])
    return next(differing, None)


def _causes(directory: RunDirectory, trainer: Trainer, first_step: int, differs_at: int) -> tuple[str, ...]:
    """What differs here from where these steps were taken first, the likeliest cause first."""
    rows = [row for row in directory.versions() if row["step"] < max(differs_at, 1)]
    later = [row for row in rows if row["step"] > first_step]
    present = present_versions(trainer.part_count)
    relevant = [*[row for row in rows if row["step"] <= first_step][-1:], *later]
    found = list(dict.fromkeys(difference for row in relevant for difference in version_differences(row, present)))
    return (f"The likely cause: {'; '.join(found)}.",) if found else (_NO_DIFFERENCE,)
