"""The GPT language model (Radford et al., 2019): which token comes next, given those before.

B texts of T tokens become (B, T, C) numbers, tokens and positions added; n_layer blocks, each attention and MLP on a residual
path, change them; the tied head turns them into logits (B, T, V).
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nanograd.creation import tensor
from nanograd.decoding import Decoder
from nanograd.errors import ShapeError, check_indices
from nanograd.generation import Ids, Sampling, TokenSampled, describe, stream_ids
from nanograd.gptconfig import GPTConfig
from nanograd.graph import Array
from nanograd.module import Module, Parameter, normal_parameter
from nanograd.nn import MLP, Dropout, Embedding, LayerNorm, Linear, ModuleList, MultiHeadAttention, RMSNorm
from nanograd.random import Generator, current_generator
from nanograd.softmax import cross_entropy
from nanograd.tensor import Tensor, wrap

__all__ = ["Block", "GPTConfig", "GPTLanguageModel"]

INITIAL_STD = 0.02


def build_norm(config: GPTConfig) -> LayerNorm | RMSNorm:
    """A norm over the width."""
    return RMSNorm(config.n_embd) if config.norm == "rmsnorm" else LayerNorm(config.n_embd, bias=config.bias)


class Block(Module):
    """Attention and an MLP, each after a layer norm and added to what came in: (B, T, C) -> (B, T, C)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C = config.n_embd
        is_rotary = config.position == "rotary"
        self.ln_1 = build_norm(config)
        self.attn = MultiHeadAttention(C, config.n_head, config.dropout, config.bias, is_rotary, config.qk_norm)
        self.ln_2 = build_norm(config)
        self.mlp = MLP(C, 4 * C, C, activation=config.activation, bias=config.bias)
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        attended: Tensor = x + self.attn(self.ln_1(x))
        result: Tensor = attended + self.dropout(self.mlp(self.ln_2(attended)))
        return result


class GPTLanguageModel(Module):
    """A GPT over `vocab_size` tokens that looks back over `block_size` of them.

    >>> model = GPTLanguageModel(vocab_size=10, n_embd=8, n_head=2, n_layer=1, block_size=4)
    >>> logits, loss = model(np.array([[1, 2, 3]]))
    >>> logits.shape, loss
    ((1, 3, 10), None)
    >>> len(model.generate([1, 2], max_new_tokens=5))
    7
    """

    def __init__(
        self, vocab_size: int, n_embd: int, n_head: int, n_layer: int, block_size: int, dropout: float = 0.0, **choices: Any
    ) -> None:
        """`choices` are the further fields of GPTConfig."""
        super().__init__()
        choices |= {"vocab_size": vocab_size, "n_embd": n_embd, "n_head": n_head, "n_layer": n_layer, "block_size": block_size}
        self.config = config = GPTConfig(dropout=dropout, **choices)
        self.wte = Embedding(vocab_size, n_embd)
        self.wpe = Embedding(block_size, n_embd) if config.position == "learned" else None
        self.dropout = Dropout(dropout)
        self.h = ModuleList([Block(config) for _ in range(n_layer)])
        self.ln_f = build_norm(config)
        self.lm_head = Linear(n_embd, vocab_size, bias=False)
        self._initialise()
        if config.tied_head:
            self.lm_head.weight = self.wte.weight

    def _initialise(self) -> None:
        """Matrices from a normal distribution, those that end a residual branch narrower or 0, biases 0, as in GPT-2."""
        narrower = 0.0 if self.config.zero_init else INITIAL_STD / (2 * self.config.n_layer) ** 0.5
        for name, module in self.named_modules():
            if isinstance(module, Linear | Embedding):
                is_table = isinstance(module, Embedding)
                std = self.config.embedding_std if is_table else narrower if name.endswith("c_proj") else INITIAL_STD
                module.weight = normal_parameter(module.weight.shape, std)
            if isinstance(module, Linear) and module.bias is not None:
                module.bias = Parameter(np.zeros(module.bias.shape, np.float32))

    def forward(self, idx: Any, targets: Any = None) -> tuple[Tensor, Tensor | None]:
        """Ids (B, T) -> logits (B, T, V), and the mean cross-entropy in nats with targets (B, T), otherwise None.

        Raises ShapeError for a context longer than block_size, ids outside the vocabulary, or targets of another shape.
        """
        ids = _as_ids(idx)
        if ids.ndim != 2 or not 1 <= ids.shape[1] <= self.config.block_size:
            raise ShapeError(f"idx is (B, T) with T from 1 to block_size {self.config.block_size}; got {ids.shape}.")
        x = self.wte(ids)
        if self.wpe is not None:
            x = x + self.wpe(wrap(np.arange(ids.shape[1])))
        x = self.dropout(x)
        for block in self.h:
            x = block(x)
        logits: Tensor = self.lm_head(self.ln_f(x))
        if targets is None:
            return logits, None
        wanted = _as_ids(targets)
        if wanted.shape != ids.shape:
            raise ShapeError(f"targets have the shape of idx, {ids.shape}; got {wanted.shape}.")
        return logits, cross_entropy(logits.reshape(-1, self.config.vocab_size), wanted.reshape(-1))

    def generate(
        self,
        idx: Any,
        max_new_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int | None = None,
    ) -> Tensor:
        """The prompt `idx`, ids (T,) or (B, T), and `max_new_tokens` more: int64, of the same rank.

        Each new token sees the last block_size tokens. `temperature` 0 takes the likeliest; `top_k` keeps the k likeliest,
        `top_p` the likeliest that together reach it. With a `seed` the result is always the same.
        """
        prompt = _as_ids(idx)
        rows = _as_rows(prompt)
        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p)
        generator = current_generator() if seed is None else Generator(seed)
        new = [drawn for drawn, _ in self._stream(rows, max_new_tokens, sampling, generator)]
        result = np.concatenate([rows, *[drawn[:, None] for drawn in new]], axis=1)
        return wrap(result[0] if prompt.ndim == 1 else result)

    def stream(self, idx: Any, max_new_tokens: int, sampling: Sampling, generator: Generator) -> Iterator[TokenSampled]:
        """The tokens after the prompt `idx`, ids (T,), one after another, with their probabilities and rivals."""
        rows = _as_rows(_as_ids(idx).reshape(-1))
        for drawn, logits in self._stream(rows, max_new_tokens, sampling, generator):
            yield describe(int(drawn[0]), logits[0])

    def _stream(self, ids: Ids, max_new_tokens: int, sampling: Sampling, generator: Generator) -> Iterator[tuple[Ids, Array]]:
        if not ids.shape[1]:
            raise ShapeError("The prompt holds no token; give at least one, such as a newline's.")
        check_indices("A token id", ids, self.config.vocab_size)
        if max_new_tokens < 0:
            raise ValueError(f"max_new_tokens is at least 0; got {max_new_tokens}.")
        return stream_ids(self._next_logits(), ids, max_new_tokens, sampling, generator)

    def _next_logits(self) -> Callable[[Ids], Array]:
        """A function from all ids so far (B, T) to the next token's logits (B, V).

        It keeps keys and values while the text fits into the context and the weights stay as they are. Beyond the context
        every token's position shifts with each new one, so the last block_size tokens are computed afresh.
        """
        decoder: Decoder | None = None
        version = -1

        def next_logits(ids: Ids) -> Array:
            nonlocal decoder, version
            if decoder is None or version != self.wte.weight.version:  # trained on: what is kept is of older weights
                version = self.wte.weight.version
                arrays = {name: parameter.array for name, parameter in self.named_parameters()}
                decoder = Decoder(self.config, arrays, batch_size=len(ids))
            if ids.shape[1] > self.config.block_size:
                decoder.length = 0
                return decoder.logits(ids[:, -self.config.block_size :])
            return decoder.logits(ids[:, decoder.length :])

        return next_logits


def _as_ids(idx: Any) -> Tensor:
    ids = idx.array if isinstance(idx, Tensor) else np.asarray(idx)
    if ids.size and ids.dtype.kind not in "iu":
        raise ShapeError(f"Token ids are integers; got {ids.dtype}: use .long() on a tensor, or astype(int) on an array.")
    return idx if isinstance(idx, Tensor) else tensor(ids.astype(np.int64))


def _as_rows(prompt: Tensor) -> Ids:
    """A prompt's ids as (B, T)."""
    if prompt.ndim not in (1, 2):
        raise ShapeError(f"A prompt is ids (T,) or (B, T); got the shape {prompt.shape}.")
    return prompt.array.astype(np.int64).reshape(prompt.shape if prompt.ndim == 2 else (1, -1))
