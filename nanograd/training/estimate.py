"""What a run will be and take: its model, its learning rates, memory and arithmetic, counted from its settings."""

import os
from math import cos, pi

from nanograd.errors import SettingsError
from nanograd.gptconfig import GPTConfig
from nanograd.multihead_attention import QUERY_BLOCK
from nanograd.training.model_parts import model_parts
from nanograd.training.settings import RunSettings

ASSUMED_VOCABULARY_SIZE = 65  # before a text is open: about what one in plain English has
_FLOAT_BYTES = 4
_PROGRAM_BYTES = 40_000_000  # Python, numpy and the framework before a model is built


def model_config(settings: RunSettings, vocabulary_size: int) -> GPTConfig:
    """The shape of the model that `settings` describe."""
    of_the_model = {name: getattr(settings, name) for name in GPTConfig.__dataclass_fields__ if name != "vocab_size"}
    return GPTConfig(vocab_size=vocabulary_size, **of_the_model)


def parameter_count(settings: RunSettings, vocabulary_size: int) -> int:
    """How many numbers the model learns."""
    return sum(part.parameter_count for part in model_parts(model_config(settings, vocabulary_size)))


def learning_rate(settings: RunSettings, step: int) -> float:
    """The rate for the step after `step` finished ones."""
    return warmup_decay(
        step,
        lr=settings.lr,
        min_lr=settings.min_lr,
        warmup_steps=settings.warmup_steps,
        max_steps=settings.max_steps,
        decay=settings.decay,
    )


def memory_bytes(settings: RunSettings, vocabulary_size: int) -> int:
    """About how much memory training takes at its peak, in bytes, the program included."""
    tokens = settings.batch_size * settings.block_size
    parameters = parameter_count(settings, vocabulary_size)
    # Weights, gradients, one of each part, and the two averages of AdamW; then what each layer keeps of a token for its backward pass: both
    # norms twice, queries, keys and values, the attention's result and both sides of the MLP make 16 widths, one more for
    # what lies between, and three for a gate; the heads' weights. The last line is what the busiest operation needs besides.
    blocks = -(-settings.block_size // QUERY_BLOCK)  # of queries, which leave out the keys of the blocks behind them
    weights_per_token = settings.n_head * settings.block_size * (blocks + 1) / (2 * blocks)
    widths = {"relu": 13, "swiglu": 20}.get(settings.activation, 17)
    kept_per_token = widths * settings.n_embd + weights_per_token
    if settings.dropout:
        kept_per_token += settings.n_embd // 2 + weights_per_token
    busiest = max(3 * vocabulary_size, 9 * settings.n_embd, 2 * weights_per_token / blocks)
    activations = tokens * (settings.n_layer * kept_per_token + busiest)
    return _PROGRAM_BYTES + int(_FLOAT_BYTES * ((3 + settings.parts) * parameters + activations))


def check_memory(settings: RunSettings, vocabulary_size: int) -> None:
    """Raise SettingsError where training would take more memory than this computer has."""
    needed, present = memory_bytes(settings, vocabulary_size), main_memory_bytes()
    if present is not None and needed > present:
        raise SettingsError(
            {
                "batch_size": f"This run would take about {needed / 1e9:,.0f} GB of memory, and this computer has "
                f"{present / 1e9:,.0f} GB. Choose a smaller batch, context or width, or fewer layers."
            }
        )


def main_memory_bytes() -> int | None:
    """How much memory this computer has; None where it does not tell, as on Windows, which refuses what is too much by itself."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def step_flop(settings: RunSettings, vocabulary_size: int) -> float:
    """How many floating-point operations one training step takes: 6 for each weight of a product and token, and attention."""
    C, T = settings.n_embd, settings.block_size
    weights = settings.n_layer * 12 * C * C + vocabulary_size * C
    return float(settings.batch_size * T * (6 * weights + settings.n_layer * 12 * T * C))


def warmup_decay(step: int, *, lr: float, min_lr: float, warmup_steps: int, max_steps: int, decay: str = "cosine") -> float:
    """The rate for step `step`, counted from 0.

    It rises evenly to `lr` over `warmup_steps`, then falls to `min_lr` at `max_steps`, and stays: along half a cosine
    (Loshchilov and Hutter, 2017), or evenly where `decay` is "linear".

    >>> [round(warmup_decay(s, lr=1.0, min_lr=0.0, warmup_steps=2, max_steps=4), 2) for s in range(5)]
    [0.33, 0.67, 1.0, 0.5, 0.0]
    """
    if step < warmup_steps:
        return lr * (step + 1) / (warmup_steps + 1)
    if step >= max_steps:
        return min_lr
    progress = (step - warmup_steps) / (max_steps - warmup_steps)
    return min_lr + (lr - min_lr) * (1 - progress if decay == "linear" else 0.5 * (1 + cos(pi * progress)))
