"""Seconds of training until the validation loss on Shakespeare is 1.90: the preset Fast here, "nanoGPT CPU" in PyTorch.

The loss is that of the whole last tenth, in windows of 64 tokens that do not overlap, without dropout. Measuring it does not
count on either side. The two take turns, one seed after the other.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
from comparison import HAS_TORCH, SHARED_DATA, parse_arguments, ratio, report

from nanograd.random import stream
from nanograd.text.corpus import Corpus, evaluation_windows, load_corpus, sample_batch
from nanograd.training.estimate import learning_rate
from nanograd.training.events import StepFinished
from nanograd.training.native import core_count
from nanograd.training.parts import Parts
from nanograd.training.settings import PRESETS, RunSettings
from nanograd.training.trainer import Trainer

TEXT = SHARED_DATA / "tinyshakespeare.txt"
TARGET_LOSS = 1.90
CONTEXT = 64
LOOK_EVERY, LOOK_SOONER_BELOW = 50, 2.0
GIVE_UP_AT = 5000


def main() -> None:
    """Measure and print."""
    arguments = parse_arguments(__doc__, seeds=5, preset="Fast")
    if not TEXT.exists():
        print(f"  left out: {TEXT.name} is not in {TEXT.parent}")
        return
    corpus = load_corpus(TEXT)
    ours, theirs = [], []
    for seed in range(arguments.seeds):
        ours.append(reach(our_steps(corpus, replace(PRESETS[arguments.preset], seed=seed))))
        if HAS_TORCH:
            theirs.append(reach(their_steps(corpus, replace(PRESETS["nanoGPT CPU"], seed=seed))))
    rows = [summary(f"ours, {arguments.preset}", ours)]
    rows += [summary("PyTorch, nanoGPT CPU", theirs)] if theirs else []
    report(f"time to a validation loss of {TARGET_LOSS:.2f}", rows, arguments.json)
    if theirs and not arguments.json:
        print(f"  ratio of the medians: {ratio(rows[1]['median s'], rows[0]['median s']):.2f}")


def summary(name: str, results: list[tuple[float, int]]) -> dict[str, Any]:
    """A row of the table."""
    seconds, steps = np.array(results).T
    return {
        "who": name, "median s": float(np.median(seconds)), "fastest s": seconds.min(), "slowest s": seconds.max(),
        "median steps": float(np.median(steps)), "ms a step": 1e3 * float(np.median(seconds / steps)), "seeds": len(results),
    }  # fmt: skip


def reach(steps: Iterator[tuple[float, Callable[[], float]]]) -> tuple[float, int]:
    """The seconds and the steps until the loss is there; `steps` gives each step's seconds, and what measures the loss."""
    total, number, look_every = 0.0, 0, LOOK_EVERY
    for number, (seconds, measure) in enumerate(steps, start=1):
        total += seconds
        if number % look_every == 0:
            loss = measure()
            print(f"  step {number:,}: {loss:.4f} after {total:.1f} s", file=sys.stderr)
            if loss <= TARGET_LOSS:
                return total, number
            look_every = LOOK_EVERY // 5 if loss < LOOK_SOONER_BELOW else LOOK_EVERY
        if number == GIVE_UP_AT:
            break
    raise RuntimeError(f"The loss was not reached in {number:,} steps.")


def validation_windows(corpus: Corpus, settings: RunSettings) -> Any:
    """Inputs and targets (N, 64) that cover the last tenth."""
    _, validation_ids = corpus.split(settings.validation_fraction)
    return evaluation_windows(validation_ids, CONTEXT, len(validation_ids))


def our_steps(corpus: Corpus, settings: RunSettings) -> Iterator[tuple[float, Callable[[], float]]]:
    """The program's own trainer, without its evaluations and samples."""
    trainer = Trainer(replace(settings, eval_interval=10_000_000, eval_windows=1, sample_tokens=0), corpus, probe="")
    if trainer.model.config.block_size > CONTEXT or sum(p.numel() for p in trainer.model.parameters()) > 1_000_000:
        raise ValueError("The comparison allows a context of 64 and a million parameters.")
    inputs, targets = validation_windows(corpus, settings)
    parts = Parts(settings.parts)

    def measure() -> float:
        trainer.model.eval()
        pieces = np.array_split(np.arange(len(inputs)), len(inputs) // 64)
        losses = [parts.loss(trainer.model, inputs[piece], targets[piece]) * len(piece) for piece in pieces]
        return sum(losses) / len(inputs)

    began = perf_counter()
    for event in trainer.run():
        if isinstance(event, StepFinished):
            yield perf_counter() - began, measure
        began = perf_counter()


def their_steps(corpus: Corpus, settings: RunSettings) -> Iterator[tuple[float, Callable[[], float]]]:
    """The same recipe in PyTorch: equal initial weights, batches and rates; eager or compiled, whichever is faster."""
    import torch
    from gpt_twin import twin_of

    torch.set_num_threads(core_count())
    trainer = Trainer(settings, corpus, probe="")  # for its initial weights and its learning rates
    twin = twin_of(trainer.model)
    matrices = [p for p in twin.parameters() if p.ndim == 2]
    rest = [p for p in twin.parameters() if p.ndim != 2]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=settings.lr, betas=(settings.beta1, settings.beta2))
    train_ids, _ = corpus.split(settings.validation_fraction)
    windows = [torch.tensor(part.astype(np.int64)) for part in validation_windows(corpus, settings)]
    run = fastest(twin, sample_batch(train_ids, settings.block_size, settings.batch_size, stream(0, "batch").numpy))

    @torch.no_grad()
    def measure() -> float:
        pieces = zip(windows[0].split(64), windows[1].split(64), strict=True)
        return sum(twin(x, y)[1].item() * len(x) for x, y in pieces) / len(windows[0])

    for step in range(10**9):
        began = perf_counter()
        generator = stream(settings.seed, "batch", step)
        batch = sample_batch(train_ids, settings.block_size, settings.batch_size, generator.numpy)
        inputs, targets = (torch.from_numpy(part.astype(np.int64)) for part in batch)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(trainer.settings, step)
        optimizer.zero_grad()
        _, loss = run(inputs, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(twin.parameters(), settings.grad_clip)
        optimizer.step()
        yield perf_counter() - began, measure


def fastest(twin: Any, batch: Any) -> Any:
    """The twin, or its compiled form where that is there and faster at a forward and backward pass."""
    import torch

    inputs, targets = (torch.from_numpy(part.astype(np.int64)) for part in batch)

    def seconds(run: Any) -> float:
        times = []
        for _ in range(10):
            began = perf_counter()
            run(inputs, targets)[1].backward()
            times.append(perf_counter() - began)
        twin.zero_grad()
        return float(np.median(times))

    compiled = torch.compile(twin)
    try:
        compiled(inputs, targets)[1].backward()
    except Exception as error:
        print(f"  PyTorch compiles nothing here, so it runs eagerly: {type(error).__name__}", file=sys.stderr)
        return twin
    return min((twin, compiled), key=seconds)


if __name__ == "__main__":
    main()
