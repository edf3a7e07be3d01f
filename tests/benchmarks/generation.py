"""Tokens per second of generation with a key/value cache: one text against PyTorch's, and 16 texts at once."""

from collections.abc import Callable
from typing import Any

import numpy as np
from comparison import HAS_TORCH, VOCABULARY_SIZE, in_turns, parse_arguments, ratio, report

from nanograd.gptlanguage import GPTLanguageModel
from nanograd.training.native import core_count

SHAPES = ((4, 4, 128, 64), (6, 6, 384, 256))  # (n_layer, n_head, n_embd, block_size)
STREAMS = 16


def main() -> None:
    """Measure and print."""
    arguments = parse_arguments(__doc__, rounds=7)
    report("generation", [measure(*shape, arguments.rounds) for shape in SHAPES], arguments.json)


def measure(n_layer: int, n_head: int, n_embd: int, block_size: int, rounds: int) -> dict[str, Any]:
    """A row of the table; each text fills the context from a prompt of one token."""
    model = GPTLanguageModel(VOCABULARY_SIZE, n_embd, n_head, n_layer, block_size)
    count = block_size - 1
    works = {"ours": lambda: write(model, 1, count), "many": lambda: write(model, STREAMS, count)}
    if HAS_TORCH:
        works["torch"] = their_writing(model, count)
    seconds = in_turns(works, rounds)
    return {
        "shape": f"{(n_layer, n_head, n_embd, block_size)}", "ours tokens/s": count / seconds["ours"],
        "torch tokens/s": count / seconds["torch"] if HAS_TORCH else None, "ratio": ratio(seconds.get("torch"), seconds["ours"]),
        f"{STREAMS} texts tokens/s": STREAMS * count / seconds["many"],
        "over one": STREAMS * seconds["ours"] / seconds["many"],
    }  # fmt: skip


def write(model: GPTLanguageModel, streams: int, count: int) -> None:
    """`count` tokens in each of `streams` texts."""
    model.generate(np.zeros((streams, 1), np.int64), count, seed=0)


def their_writing(model: GPTLanguageModel, count: int) -> Callable[[], None]:
    """The same in PyTorch, with a cache of its own."""
    import torch
    from gpt_twin import twin_of
    from torch.nn import functional

    torch.set_num_threads(core_count())
    twin = twin_of(model).eval()
    config = model.config
    head_size = config.n_embd // config.n_head

    @torch.inference_mode()
    def run() -> None:
        keys, values = torch.empty(2, config.n_layer, 1, config.n_head, config.block_size, head_size)
        generator = torch.Generator().manual_seed(0)
        token = torch.zeros(1, 1, dtype=torch.int64)
        for position in range(count):
            x = twin.wte(token) + twin.wpe.weight[position]
            for layer, block in enumerate(twin.h):
                query, key, value = block.attn.c_attn(block.ln_1(x)).view(1, 3, config.n_head, 1, head_size).unbind(1)
                keys[layer][:, :, position : position + 1] = key
                values[layer][:, :, position : position + 1] = value
                seen = slice(0, position + 1)
                attended = functional.scaled_dot_product_attention(query, keys[layer][:, :, seen], values[layer][:, :, seen])
                x = x + block.attn.c_proj(attended.reshape(1, 1, config.n_embd))
                x = x + block.mlp(block.ln_2(x))
            logits = twin.ln_f(x[:, -1]) @ twin.wte.weight.T
            token = torch.multinomial(functional.softmax(logits, dim=-1), 1, generator=generator)

    return run


if __name__ == "__main__":
    main()
