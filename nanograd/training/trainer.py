"""Training as a generator: each event it yields is a place to pause, to look, or to stop."""

from collections.abc import Generator, Iterator
from dataclasses import asdict
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np

from nanograd.errors import SettingsError
from nanograd.generation import Sampling
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.graph import Array
from nanograd.module import Parameter
from nanograd.optimizer import AdamW, Muon, Optimizer
from nanograd.parameter_groups import Group
from nanograd.random import stream, using
from nanograd.text.corpus import Corpus, check_corpus_fits, evaluation_windows, sample_batch
from nanograd.text.tokenizer import CharacterTokenizer
from nanograd.training.estimate import model_config, warmup_decay
from nanograd.training.events import (
    EvaluationAdvanced,
    EvaluationFinished,
    Inside,
    ProbeTaken,
    RunFailed,
    RunFinished,
    RunStarted,
    SampleAdvanced,
    SampleWritten,
    StepFinished,
    TrainingEvent,
)
from nanograd.training.inside import Change, change_since, sample_weights
from nanograd.training.looking import look_at
from nanograd.training.metrics import Metrics
from nanograd.training.parts import Parts
from nanograd.training.settings import RunSettings, declared_settings

PROBE_TOKENS = 24
_PROBE_INTERVAL_S = 1.0
_LOOKING_SHARE = 0.02
_EVALUATED_TOKENS_AT_ONCE = 2048
_SAMPLED_TOKENS_AT_ONCE = 16


def build_model(settings: RunSettings, vocabulary_size: int) -> GPTLanguageModel:
    """The model that `settings` describe, with the initial weights that their seed gives."""
    with using(stream(settings.seed, "parameters")):
        return GPTLanguageModel(**asdict(model_config(settings, vocabulary_size)))


class MuonWithAdamW(Muon, AdamW, lr=1e-3, eps=1e-8, weight_decay=1e-2, muon=False):
    """Muon for the groups whose setting "muon" is True, which are of matrices, and AdamW for the others: one optimizer.

    >>> from nanograd.tensor import Tensor
    >>> matrix, vector = Tensor([[1.0]], requires_grad=True), Tensor([1.0], requires_grad=True)
    >>> optimizer = MuonWithAdamW([{"params": [matrix], "muon": True, "lr": 0.02}, {"params": [vector]}], lr=0.001)
    >>> [group["muon"] for group in optimizer.param_groups]
    [True, False]
    """

    def _check(self, group: Group) -> None:
        (Muon if group["muon"] else AdamW)._check(self, group)

    def _update(self, parameter: Array, gradient: Array, state: dict[str, Any], group: Group) -> None:
        (Muon if group["muon"] else AdamW)._update(self, parameter, gradient, state, group)


def build_optimizer(model: GPTLanguageModel, settings: RunSettings) -> Optimizer:
    """The optimizer that `settings` name: its first group holds the matrices, which alone decay.

    AdamW's matrices are all there are; Muon's are those inside the blocks, and AdamW has the rest.
    """
    is_muon = settings.optimizer == "muon"
    matrices: list[Parameter] = []
    rest: list[Parameter] = []
    for name, parameter in model.named_parameters():
        is_inside = parameter.ndim == 2 and (not is_muon or name.startswith("h."))
        (matrices if is_inside else rest).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    betas = (settings.beta1, settings.beta2)
    if is_muon:
        groups[0]["muon"] = True
        return MuonWithAdamW(groups, lr=settings.lr, betas=betas)
    return AdamW(groups, lr=settings.lr, betas=betas)


def default_probe(corpus: Corpus) -> str:
    """The beginning of the text."""
    return corpus.tokenizer.decode(corpus.ids[:PROBE_TOKENS])


def first_prompt(tokenizer: CharacterTokenizer) -> str:
    """What a text begins after where no prompt is given: a new line where the model knows one."""
    return "\n" if "\n" in tokenizer.vocabulary else tokenizer.vocabulary[0]


class Trainer:
    """Trains a GPT on a corpus. All chance is a function of the seed and the step, so a run can go on from any step.

    `run()` may be dropped at any event and called again: it goes on where the model stands.
    """

    def __init__(self, settings: RunSettings, corpus: Corpus, probe: str | None = None) -> None:
        self.settings = settings.check()
        check_corpus_fits(corpus, settings.block_size, settings.validation_fraction)
        self.corpus = corpus
        self.tokenizer: CharacterTokenizer = corpus.tokenizer
        self.model = build_model(settings, self.tokenizer.vocabulary_size)
        self.optimizer = build_optimizer(self.model, settings)
        self.step = 0
        self.metrics = Metrics()
        self._parts = Parts(settings.parts)
        self._train_ids, self._validation_ids = corpus.split(settings.validation_fraction)
        self._probed_at_s = -np.inf
        self._probe_cost_s = 0.0
        self._change: Change | None = None
        self._former_inside: Inside | None = None
        self.set_probe(default_probe(corpus) if probe is None else probe)

    # ---- what can change in a run -------------------------------------------------------------------------------------

    def change_settings(self, settings: RunSettings) -> None:
        """Go on with other settings; raises SettingsError where one differs that is fixed for the whole run."""
        settings.check()
        fixed = settings.fixed_differences(self.settings)
        if fixed:
            labels = declared_settings()
            raise SettingsError(
                {name: f"{labels[name].label} is fixed for this run; start a new run to change it." for name in fixed}
            )
        self.settings = settings
        self.optimizer.param_groups[0]["weight_decay"] = settings.weight_decay

    def set_probe(self, text: str) -> None:
        """Watch the attention over `text`; raises VocabularyError for characters that the model does not know."""
        self._probe_ids = self.tokenizer.encode(text)
        self.probe = text

    # ---- the run ------------------------------------------------------------------------------------------------------

    def run(self, single_step: bool = False) -> Iterator[TrainingEvent]:
        """Train until `max_steps`, or for one step even beyond it; the model is consistent at each event."""
        yield RunStarted(
            step=self.step,
            settings=self.settings,
            vocabulary_size=self.tokenizer.vocabulary_size,
            parameter_count=self.model.config.parameter_count(),
        )
        while True:
            if self._evaluation_is_due():
                failure = yield from self._evaluate()
                if failure is not None:
                    yield failure
                    return
                yield from self._look()
                yield from self._write_sample()
            if self.step >= self.settings.max_steps and not single_step:
                yield RunFinished(step=self.step)
                return
            event = self._take_step(is_watched=single_step or self._probe_comes())
            yield event
            if isinstance(event, RunFailed):
                return
            if single_step or self._probe_is_due():
                yield from self._look()
            if single_step:
                return

    def _take_step(self, is_watched: bool) -> StepFinished | RunFailed:
        """One batch, one change of the weights; none where the loss or the gradient is not finite."""
        began = perf_counter()
        settings, number = self.settings, self.step + 1
        generator = stream(settings.seed, "batch", self.step)
        inputs, targets = sample_batch(self._train_ids, settings.block_size, settings.batch_size, generator.numpy)
        lr = self.learning_rate(self.step)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what overflows shows in the loss, below
            self.model.train()
            loss, norm = self._parts.gradients(
                self.model, inputs, targets, lambda part: stream(settings.seed, "dropout", self.step, part)
            )
            if not (isfinite(loss) and isfinite(norm)):
                what = f"The gradient's norm became {norm}" if isfinite(loss) else f"The loss became {loss}"
                return RunFailed(step=number, message=self._failure(what, number, lr))
            for group in self.optimizer.param_groups:
                group["lr"] = lr * settings.muon_lr / settings.lr if group.get("muon") else lr
            before = sample_weights(self.model) if is_watched else None
            self._parts.step(self.optimizer, min(1.0, (settings.grad_clip or np.inf) / (norm + 1e-6)))
        if before is not None:
            self._change = change_since(self.model, before, number)
        self.model.zero_grad()
        self.step = number
        event = StepFinished(
            step=number,
            loss=loss,
            lr=lr,
            gradient_norm=norm,
            tokens_per_second=inputs.size / (perf_counter() - began),
        )
        self.metrics.add(event)
        return event

    def _failure(self, what: str, number: int, lr: float) -> str:
        return f"{what} at step {number:,}. Lower the learning rate, {lr:.2g} at that step, to a tenth of it, and press Train."

    def learning_rate(self, step: int) -> float:
        """The rate for the step after `step` finished ones."""
        settings = self.settings
        return warmup_decay(
            step,
            lr=settings.lr,
            min_lr=settings.min_lr,
            warmup_steps=settings.warmup_steps,
            max_steps=settings.max_steps,
            decay=settings.decay,
        )

    # ---- looking: none of it changes the run --------------------------------------------------------------------------

    def _evaluation_is_due(self) -> bool:
        is_evaluated = self.metrics.last_validation_step == self.step
        return not is_evaluated and (self.step % self.settings.eval_interval == 0 or self.step >= self.settings.max_steps)

    def _evaluate(self) -> Generator[EvaluationAdvanced | EvaluationFinished, None, RunFailed | None]:
        """Measure the validation loss; what failed is returned where it is not finite."""
        block_size = self.settings.block_size
        inputs, targets = evaluation_windows(self._validation_ids, block_size, self.settings.eval_windows)
        at_once = max(1, _EVALUATED_TOKENS_AT_ONCE // block_size)
        total = 0.0
        for begin in range(0, len(inputs), at_once):
            part = slice(begin, begin + at_once)
            total += self._evaluation_loss(inputs[part], targets[part]) * len(inputs[part])
            yield EvaluationAdvanced(step=self.step, done=min(begin + at_once, len(inputs)), total=len(inputs))
        loss = total / len(inputs)
        if not isfinite(loss):
            lr = self.learning_rate(max(0, self.step - 1))
            return RunFailed(step=self.step, message=self._failure(f"The validation loss became {loss}", self.step, lr))
        event = EvaluationFinished(step=self.step, loss=loss)
        self.metrics.add(event)
        yield event
        return None

    def _evaluation_loss(self, inputs: Any, targets: Any) -> float:
        self.model.eval()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._parts.loss(self.model, inputs, targets)

    def _probe_is_due(self) -> bool:
        interval = self.settings.probe_interval
        if interval:
            return self.step % interval == 0
        return perf_counter() - self._probed_at_s >= max(_PROBE_INTERVAL_S, self._probe_cost_s / _LOOKING_SHARE)

    def _probe_comes(self) -> bool:
        """Whether the model is likely looked at after the next step."""
        number, settings = self.step + 1, self.settings
        if number % settings.eval_interval == 0 or number >= settings.max_steps:
            return True
        return number % settings.probe_interval == 0 if settings.probe_interval else self._probe_is_due()

    def _look(self) -> Iterator[ProbeTaken]:
        event = self.take_probe()
        if event is not None:
            yield event

    def take_probe(self) -> ProbeTaken | None:
        """What the model does with the probe as it stands; None for an empty probe."""
        self._probed_at_s = perf_counter()
        event = look_at(self.model, self.tokenizer, self._probe_ids, self.step, self._change, self._former_inside)
        self._former_inside = event.inside if event else None
        self._probe_cost_s = perf_counter() - self._probed_at_s
        return event

    def _write_sample(self) -> Iterator[SampleAdvanced | SampleWritten]:
        length = self.settings.sample_tokens
        if not length:
            return
        prompt = first_prompt(self.tokenizer)
        generator = stream(self.settings.seed, "sample", self.step)
        ids: list[int] = []
        sampling = Sampling(temperature=0.8)
        for sampled in self.model.stream(self.tokenizer.encode(prompt), length, sampling, generator):
            ids.append(sampled.id)
            if len(ids) % _SAMPLED_TOKENS_AT_ONCE == 0:
                yield SampleAdvanced(step=self.step, done=len(ids), total=length)
        yield SampleWritten(step=self.step, prompt=prompt, text=self.tokenizer.decode(ids))
