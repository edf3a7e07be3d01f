"""How long the largest pictures take to draw: 200,000 steps of a run, alone and over three others, and 24 by 16 heads of 256 tokens.

Each is drawn anew from its numbers and painted, as the window does at 1920x1080, the first time left out.
"""

import os
from collections.abc import Callable
from time import perf_counter
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from comparison import parse_arguments, report

from nanograd.training.metrics import MetricsArrays

STEPS, EVALUATED_EVERY = 200_000, 250
LAYERS, HEADS, TOKENS = 24, 16, 256
SIZE = (900, 480)


def main() -> None:
    """Measure and print."""
    arguments = parse_arguments(__doc__, rounds=30)
    from gui.application import create_application

    app = create_application(["benchmark"])
    rows = [{"picture": name, **times(draw, arguments.rounds)} for name, draw in pictures().items()]
    report("drawing the largest pictures", rows, arguments.json)
    app.quit()


def times(draw: Callable[[int], None], rounds: int) -> dict[str, float]:
    """Milliseconds for a picture: the median, and the longest."""
    taken = []
    for number in range(rounds + 1):
        began = perf_counter()
        draw(number)
        taken.append(1000 * (perf_counter() - began))
    return {"median ms": float(np.median(taken[1:])), "longest ms": max(taken[1:])}


def pictures() -> dict[str, Callable[[int], None]]:
    """What is drawn, by name; each is told which round it is, so that nothing is kept from the one before."""
    from gui.views.curves import Curves
    from gui.views.mosaic import AttentionMosaic
    from gui.views.run_lines import RunCurve

    generator = np.random.default_rng(0)
    history, alone, beside = a_long_run(generator), Curves(), Curves()
    curve: dict[str, Any] = {
        "steps": history.steps.astype(np.float64), "train_loss": history.train_loss,
        "validation_steps": history.validation_steps.astype(np.float64), "validation_loss": history.validation_loss,
    }  # fmt: skip
    beside.loss_plot.show_others([RunCurve(look=look, **curve) for look in range(3)])
    mosaic = AttentionMosaic()
    weights = np.tril(generator.random((2, LAYERS, HEADS, TOKENS, TOKENS), dtype=np.float32))
    mosaic.show_layout(LAYERS, HEADS)
    for view in (alone, beside, mosaic):
        view.resize(*SIZE)
        view.show()

    def draw_curves(curves: Curves, number: int) -> None:
        curves.show_history(history, STEPS + number, 65, 0.9)
        curves.grab()

    def draw_mosaic(number: int) -> None:
        mosaic.show_weights(weights[number % 2])
        mosaic.grab()

    return {
        "200,000 steps": lambda number: draw_curves(alone, number),
        "over three others": lambda number: draw_curves(beside, number),
        "24 by 16 heads of 256 tokens": draw_mosaic,
    }


def a_long_run(generator: np.random.Generator) -> Any:
    """The numbers of 200,000 steps."""
    from gui.run_history import RunHistory

    steps = np.arange(1, STEPS + 1)
    evaluated = np.arange(0, STEPS + 1, EVALUATED_EVERY)
    history = RunHistory()
    history.reset(
        MetricsArrays(
            steps=steps,
            train_loss=1 + 3 / np.sqrt(1 + steps / 1000) + generator.normal(0, 0.05, STEPS),
            lr=np.full(STEPS, 1e-3),
            gradient_norm=np.ones(STEPS),
            tokens_per_second=np.full(STEPS, 1e4),
            validation_steps=evaluated,
            validation_loss=1 + 3 / np.sqrt(1 + evaluated / 1000),
        )
    )
    return history


if __name__ == "__main__":
    main()
