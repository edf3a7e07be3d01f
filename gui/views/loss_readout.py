"""What a run told at one step, as the plot of its loss shows it under the pointer."""

from collections.abc import Iterable
from html import escape

import numpy as np

from gui.format import figure_text, loss_text, scientific_text
from gui.run_history import RunHistory
from gui.theme import Theme
from gui.views.change_text import describe_change


def describe_step(
    history: RunHistory, step: int, smoothing: float, theme: Theme, others: Iterable[tuple[str, str, float]] = ()
) -> str:
    """What the run told at `step`, or at the step nearest to it that is there, as rich text; empty where there is none.

    `others` are the marks, colours and validation losses of other runs.
    """
    steps = history.steps
    lines = []
    if steps.size and step >= 1:
        index = int(np.clip(np.searchsorted(steps, step), 0, steps.size - 1))
        step = int(steps[index])
        lines.append(_line("training", theme.training, history.train_loss[index]))
        if smoothing:
            lines.append(_line("smoothed", theme.training, history.smoothed(smoothing)[index]))
    index = int(np.searchsorted(history.validation_steps, step, side="right")) - 1
    if index >= 0:
        at = int(history.validation_steps[index])
        lines.append(
            _line(
                "validation" if at == step else f"validation at {at:,}",
                theme.validation,
                history.validation_loss[index],
            )
        )
    if lines:
        lines += [_line("validation", colour, loss, mark) for mark, colour, loss in others]
    if steps.size and step >= 1:
        index = int(np.searchsorted(steps, step))
        for name, value in (
            ("learning rate", scientific_text(float(history.lr[index]))),
            ("gradient norm", figure_text(float(history.gradient_norm[index]))),
            ("tokens/s", f"{history.tokens_per_second[index]:,.0f}"),
        ):
            lines.append(f"<tr><td>{name}&nbsp;&nbsp;</td><td align=right>{value}</td></tr>")
    for change in history.changes:
        if change.step == step:
            lines.append(f"<tr><td colspan=2>{escape(describe_change(change))}</td></tr>")
    title = f"<tr><td colspan=2 style='color:{theme.text}'><b>step {step:,}</b></td></tr>"
    return f"<table cellspacing=0 cellpadding=1>{title}{''.join(lines)}</table>" if lines else ""


def _line(name: str, colour: str, loss: float, mark: str = "━") -> str:
    return (
        f"<tr><td><span style='color:{colour}'>{mark}</span> {name}&nbsp;&nbsp;</td><td align=right>{loss_text(loss)}</td></tr>"
    )
