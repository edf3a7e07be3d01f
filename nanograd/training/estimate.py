"""What a run will take: memory and arithmetic, counted from its settings."""

from nanograd.gptlanguage import GPTConfig
from nanograd.training.settings import RunSettings

ASSUMED_VOCABULARY_SIZE = 65  # before a text is open: about what one in plain English has
_FLOAT_BYTES = 4
_PROGRAM_BYTES = 40_000_000  # Python, numpy and the framework before a model is built


def model_config(settings: RunSettings, vocabulary_size: int) -> GPTConfig:
    """The shape of the model that `settings` describe."""
    return GPTConfig(
        vocab_size=vocabulary_size,
        n_embd=settings.n_embd,
        n_head=settings.n_head,
        n_layer=settings.n_layer,
        block_size=settings.block_size,
        dropout=settings.dropout,
        bias=settings.bias,
        activation=settings.activation,
    )


def parameter_count(settings: RunSettings, vocabulary_size: int) -> int:
    """How many numbers the model learns."""
    return model_config(settings, vocabulary_size).parameter_count()


def memory_bytes(settings: RunSettings, vocabulary_size: int) -> int:
    """About how much memory training takes at its peak, in bytes, the program included."""
    tokens = settings.batch_size * settings.block_size
    parameters = parameter_count(settings, vocabulary_size)
    # Weights, gradients and the two averages of AdamW; then what each layer keeps of a token for its backward pass: both
    # norms twice, queries, keys and values, the attention's result and both sides of the MLP make 16 widths, one more for
    # what lies between; the heads' weights. The last line is what the busiest operation needs besides.
    weights_per_token = settings.n_head * settings.block_size
    kept_per_token = 17 * settings.n_embd + weights_per_token
    if settings.dropout:
        kept_per_token += settings.n_embd // 2 + weights_per_token
    busiest = max(3 * vocabulary_size, 10 * settings.n_embd, 3 * weights_per_token)
    activations = tokens * (settings.n_layer * kept_per_token + busiest)
    return _PROGRAM_BYTES + _FLOAT_BYTES * (4 * parameters + activations)


def step_flop(settings: RunSettings, vocabulary_size: int) -> float:
    """How many floating-point operations one training step takes: 6 for each weight of a product and token, and attention."""
    C, T = settings.n_embd, settings.block_size
    weights = settings.n_layer * 12 * C * C + vocabulary_size * C
    return float(settings.batch_size * T * (6 * weights + settings.n_layer * 12 * T * C))
