"""The cost of small operations against PyTorch's: an MLP on a small batch, and a long chain of element-wise operations."""

from collections.abc import Callable
from typing import Any

import numpy as np
from comparison import HAS_TORCH, in_turns, parse_arguments, ratio, report

import nanograd
from nanograd.training.native import core_count

SIZES, BATCH_SIZE = (784, 256, 10), 32
CHAIN_LENGTH, CHAIN_SIZE = 1000, 64


def main() -> None:
    """Measure and print."""
    arguments = parse_arguments(__doc__, rounds=15)
    frameworks: dict[str, Any] = {"ours": nanograd}
    if HAS_TORCH:
        import torch

        torch.set_num_threads(core_count())
        frameworks["torch"] = torch
    rows = []
    for subject, make in (("MLP 784-256-10, batch 32", mlp_step), ("1,000 operations on 64 floats", chain)):
        seconds = in_turns({name: make(framework) for name, framework in frameworks.items()}, arguments.rounds)
        theirs = seconds.get("torch")
        rows.append(
            {
                "work": subject,
                "ours us": 1e6 * seconds["ours"],
                "torch us": None if theirs is None else 1e6 * theirs,
                "ratio": ratio(theirs, seconds["ours"]),
            }
        )
    report("small tensors, forward and backward", rows, arguments.json)


def mlp_step(framework: Any) -> Callable[[], None]:
    """Forward, cross-entropy, backward and a step of SGD: the same code in both frameworks."""
    inputs, hidden, outputs = SIZES
    draws = np.random.default_rng(0)
    x = framework.from_numpy(draws.standard_normal((BATCH_SIZE, inputs), np.float32))
    y = framework.from_numpy(draws.integers(0, outputs, BATCH_SIZE))
    model = framework.nn.Sequential(
        framework.nn.Linear(inputs, hidden), framework.nn.ReLU(), framework.nn.Linear(hidden, outputs)
    )
    optimizer = framework.optim.SGD(model.parameters(), lr=0.01)

    def step() -> None:
        loss = framework.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def chain(framework: Any) -> Callable[[], None]:
    """Additions, products and hyperbolic tangents one after another."""
    x = framework.ones(CHAIN_SIZE, requires_grad=True)
    y = framework.full((CHAIN_SIZE,), 0.5)

    def run() -> None:
        z = x
        for _ in range(CHAIN_LENGTH // 4):
            z = (z * y + y).tanh() - y
        z.sum().backward()
        x.grad = None

    return run


if __name__ == "__main__":
    main()
