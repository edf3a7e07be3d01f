"""Writes text with a model, a few tokens at a time, so that training and commands come in between."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic

import numpy as np

from gui.commands import Generate
from gui.events import EngineEvent, GenerationFinished, GenerationStarted, NextPreviewed, ProblemFound, TextGenerated
from nanograd.errors import VocabularyError
from nanograd.generation import Ids, Sampling, TokenSampled
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.random import stream
from nanograd.text.tokenizer import Tokenizer, visible
from nanograd.training.looking import preview_next
from nanograd.training.trainer import first_prompt

_LARGEST_SEED = 2**31 - 1
_PREVIEWED_TOKENS = 16


class Writer:
    """At most one text at a time; a new one ends the one before. It draws from a generator of its own."""

    def __init__(self, emit: Callable[[EngineEvent], None]) -> None:
        self._emit = emit
        self._tokens: Iterator[TokenSampled] | None = None
        self._vocabulary: tuple[str, ...] = ()
        self._decode: Callable[[int], str] = str
        self._written = 0
        self._busy_s = 0.0

    @property
    def is_writing(self) -> bool:
        """Whether a text is under way."""
        return self._tokens is not None

    def start(self, request: Generate, model: GPTLanguageModel, tokenizer: Tokenizer, step: int) -> bool:
        """Begin a text with a model as it is after `step` steps, and tell whether it was begun.

        A request that cannot be met is reported, and the text under way goes on.
        """
        try:
            sampling = _sampling(request)
            prompt, following = _ids_of(request, tokenizer)
        except (VocabularyError, ValueError) as error:
            self._emit(ProblemFound(message=str(error), source="prompt"))
            return False
        self.stop()
        seed = with_seed(request).seed
        self._vocabulary = tokenizer.vocabulary
        self._decode = tokenizer.new_decoder()
        self._written, self._busy_s = 0, 0.0
        texts = [self._decode(token_id) for token_id in following]
        last_text = texts[-1] if texts else ""
        self._emit(GenerationStarted(prompt=request.prompt, seed=seed, last_text=last_text, step=step))
        self._tokens = model.stream(np.append(prompt, following), request.max_new_tokens, sampling, stream(seed, "generate"))
        return True

    def preview(self, request: Generate, model: GPTLanguageModel, tokenizer: Tokenizer) -> None:
        """Tell what could come after the prompt; a request that cannot be met shows nothing."""
        try:
            sampling = _sampling(request)
            prompt, following = _ids_of(request, tokenizer)
        except (VocabularyError, ValueError):
            return
        found = preview_next(model, np.append(prompt, following), sampling, _PREVIEWED_TOKENS)
        rivals = tuple((tokenizer.vocabulary[index], own, drawn) for index, own, drawn in found)
        self._emit(NextPreviewed(prompt=request.prompt, following=request.following, rivals=rivals))

    def write_for(self, duration_s: float) -> None:
        """Write tokens until `duration_s` is over, one at least."""
        began = monotonic()
        while self._tokens is not None:
            sampled = next(self._tokens, None)
            if sampled is None:
                self._busy_s += monotonic() - began
                self._finish(was_stopped=False)
                return
            self._written += 1
            self._emit(self._event(sampled))
            if monotonic() - began >= duration_s:
                break
        self._busy_s += monotonic() - began

    def stop(self) -> None:
        """End the text under way, if there is one, where it is."""
        if self._tokens is not None:
            self._finish(was_stopped=True)

    def _event(self, sampled: TokenSampled) -> TextGenerated:
        return TextGenerated(
            text=self._decode(sampled.id),
            token=self._vocabulary[sampled.id],
            probability=sampled.probability,
            rivals=tuple((self._vocabulary[rival], probability) for rival, probability in sampled.rivals),
        )

    def _finish(self, was_stopped: bool) -> None:
        self._tokens = None
        rate = self._written / self._busy_s if self._busy_s > 0 else 0.0
        self._emit(GenerationFinished(token_count=self._written, tokens_per_second=rate, was_stopped=was_stopped))


def _ids_of(request: Generate, tokenizer: Tokenizer) -> tuple[Ids, Ids]:
    """The ids of the prompt and of the tokens after it; raises VocabularyError for what the tokenizer does not know."""
    prompt = tokenizer.encode(request.prompt or first_prompt(tokenizer))
    id_of = {token: index for index, token in enumerate(tokenizer.vocabulary)} if request.following else {}
    unknown = [token for token in request.following if token not in id_of]
    if unknown:
        raise VocabularyError(
            f"The token “{visible(unknown[0])}” is not among the {tokenizer.vocabulary_size:,} that this model knows. "
            "The text was written by another model; press Generate to begin anew."
        )
    return prompt, np.array([id_of[token] for token in request.following], np.int64)


def with_seed(request: Generate) -> Generate:
    """The request with a seed: a random one where it has none."""
    if request.seed >= 0:
        return request
    return replace(request, seed=int(np.random.SeedSequence().generate_state(1)[0]) & _LARGEST_SEED)


def _sampling(request: Generate) -> Sampling:
    return Sampling(
        temperature=request.temperature,
        top_k=request.top_k or None,
        top_p=request.top_p,
        repetition_penalty=request.repetition_penalty,
    )
