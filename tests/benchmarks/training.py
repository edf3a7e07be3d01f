"""A training step against PyTorch's on the same cores, the share of the machine's sgemm rate it reaches, and one core's time."""

from collections.abc import Callable, Sequence
from math import exp, log
from typing import Any

import numpy as np
from comparison import HAS_TORCH, SHAPES, VOCABULARY_SIZE, in_turns, parse_arguments, ratio, report

from nanograd.gptlanguage import GPTLanguageModel
from nanograd.optimizer import AdamW
from nanograd.random import stream
from nanograd.training.estimate import step_flop
from nanograd.training.native import blas_threads, core_count
from nanograd.training.parts import Parts
from nanograd.training.settings import RunSettings

GEMM_SIZE = 1024


def main() -> None:
    """Measure and print."""
    arguments = parse_arguments(__doc__, rounds=9, shape=-1)
    rows = [
        measure(*shape, dropout, arguments.rounds)
        for shape in (SHAPES if arguments.shape < 0 else SHAPES[arguments.shape : arguments.shape + 1])
        for dropout in (0.0, 0.2)
    ]
    report("training step", rows, arguments.json)
    ratios = [row["ratio"] for row in rows if row["ratio"] is not None]
    if ratios and not arguments.json:
        print(f"  geometric mean of the ratios: {exp(sum(map(log, ratios)) / len(ratios)):.2f}")


def measure(
    n_layer: int, n_head: int, n_embd: int, block_size: int, batch_size: int, dropout: float, rounds: int
) -> dict[str, Any]:
    """A row of the table."""
    model = GPTLanguageModel(VOCABULARY_SIZE, n_embd, n_head, n_layer, block_size, dropout)
    ids = np.random.default_rng(0).integers(0, VOCABULARY_SIZE, (batch_size, block_size + 1))
    matrix = np.random.default_rng(0).standard_normal((GEMM_SIZE, GEMM_SIZE), np.float32)
    works = {"ours": our_step(model, ids, core_count()), "one core": our_step(model, ids, 1), "sgemm": lambda: matrix @ matrix}
    if HAS_TORCH:
        works |= {f"torch {kind}": work for kind, work in their_steps(model, ids).items()}
    seconds = in_turns(works, rounds)
    theirs = min((time for name, time in seconds.items() if name.startswith("torch")), default=None)
    settings = RunSettings(n_layer=n_layer, n_embd=n_embd, block_size=block_size, batch_size=batch_size)
    rate, sgemm_rate = step_flop(settings, VOCABULARY_SIZE) / seconds["ours"], 2 * GEMM_SIZE**3 / seconds["sgemm"]
    return {
        "shape": f"{(n_layer, n_head, n_embd, block_size, batch_size)}", "dropout": dropout, "ours ms": 1e3 * seconds["ours"],
        "torch ms": None if theirs is None else 1e3 * theirs, "ratio": ratio(theirs, seconds["ours"]),
        "share of sgemm": rate / sgemm_rate, "sgemm GFLOP/s": sgemm_rate / 1e9,
        "cores": seconds["one core"] / seconds["ours"],
    }  # fmt: skip


def our_step(model: GPTLanguageModel, ids: Any, count: int) -> Callable[[], None]:
    """Forward, backward, clipping and AdamW on `count` cores."""
    parts, optimizer = Parts(count), AdamW(model.parameters(), lr=1e-3)
    parts.start_processes(model, wait_s=60)

    def step() -> None:
        with blas_threads(1):
            _, norm = parts.gradients(model, ids[:, :-1], ids[:, 1:], lambda part: stream(0, "dropout", part))
            parts.step(optimizer, min(1.0, 1.0 / (norm + 1e-6)))

    return step


def their_steps(model: GPTLanguageModel, ids: Any, kinds: Sequence[str] = ("eager", "compiled")) -> dict[str, Callable[[], None]]:
    """The same step in PyTorch, eager and, where a compiler is there, compiled."""
    import torch
    from gpt_twin import twin_of

    torch.set_num_threads(core_count())
    inputs, targets = torch.tensor(ids[:, :-1]), torch.tensor(ids[:, 1:])

    def step_of(twin: Any, run: Any) -> Callable[[], None]:
        optimizer = torch.optim.AdamW(twin.parameters(), lr=1e-3)

        def step() -> None:
            optimizer.zero_grad()
            _, loss = run(inputs, targets)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
            optimizer.step()

        return step

    steps = {}
    for kind in kinds:
        twin = twin_of(model)
        step = step_of(twin, torch.compile(twin) if kind == "compiled" else twin)
        try:
            step()
            steps[kind] = step
        except Exception as error:
            print(f"  PyTorch compiles nothing here, so it runs eagerly: {type(error).__name__}")
    return steps


if __name__ == "__main__":
    main()
