"""Learning-rate schedules: the rate as a function of the step."""

from math import cos, pi


def warmup_cosine(step: int, *, lr: float, min_lr: float, warmup_steps: int, max_steps: int) -> float:
    """The rate for step `step`, counted from 0 (Loshchilov and Hutter, 2017, with a linear start).

    It rises evenly to `lr` over `warmup_steps`, then falls along half a cosine to `min_lr` at `max_steps`, and stays.

    >>> [round(warmup_cosine(s, lr=1.0, min_lr=0.0, warmup_steps=2, max_steps=4), 2) for s in range(5)]
    [0.33, 0.67, 1.0, 0.5, 0.0]
    """
    if step < warmup_steps:
        return lr * (step + 1) / (warmup_steps + 1)
    if step >= max_steps:
        return min_lr
    progress = (step - warmup_steps) / (max_steps - warmup_steps)
    return min_lr + (lr - min_lr) * 0.5 * (1 + cos(pi * progress))
