"""Training as a generator: each event it yields is a place to pause, to look, or to stop."""

from collections.abc import Generator as Steps
from collections.abc import Iterator
from dataclasses import asdict
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanograd.errors import SettingsError
from nanograd.generation import Ids, Sampling
from nanograd.gptlanguage import GPTLanguageModel
from nanograd.graph import Array
from nanograd.module import Parameter
from nanograd.optimizer import AdamW, Muon, Optimizer
from nanograd.parameter_groups import Group
from nanograd.random import Generator, stream, using
from nanograd.text.corpus import Corpus, check_corpus_fits, evaluation_windows, sample_batch
from nanograd.text.tokenizer import Tokenizer
from nanograd.training.digest import DigestChain, weights_digest
from nanograd.training.estimate import learning_rate, model_config
from nanograd.training.events import (
    EvaluationAdvanced,
    EvaluationFinished,
    Inside,
    LossSpiked,
    ProbeTaken,
    RunFailed,
    RunFinished,
    RunStarted,
    SampleAdvanced,
    SampleWritten,
    StepFinished,
    TrainingEvent,
)
from nanograd.training.faults import SpikeWatch, describe_broken_gradient, describe_largest_gradient
from nanograd.training.inside import Change, change_since, sample_weights
from nanograd.training.looking import look_at
from nanograd.training.metrics import Metrics
from nanograd.training.parts import Parts
from nanograd.training.settings import RunSettings, declared_settings

PROBE_TOKENS = 24
_PROBE_INTERVAL_S = 1.0
_LOOKING_SHARE = 0.02
EVALUATED_TOKENS_AT_ONCE = 2048
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
    return corpus.tokenizer.decode(corpus.ids[:PROBE_TOKENS]).removesuffix("\ufffd")  # a character that the cut left unfinished


def first_prompt(tokenizer: Tokenizer) -> str:
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
        self.tokenizer: Tokenizer = corpus.tokenizer
        self.model = build_model(settings, self.tokenizer.vocabulary_size)
        self.optimizer = build_optimizer(self.model, settings)
        self.step = 0
        self.metrics = Metrics()
        self.digests = DigestChain()
        self._spikes = SpikeWatch()
        self._spike: LossSpiked | None = None
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
        self.check_change(settings)
        self.settings = settings
        self.apply_settings()

    def check_change(self, settings: RunSettings) -> None:
        """Raise SettingsError where the run cannot go on with these settings."""
        settings.check()
        fixed = settings.fixed_differences(self.settings)
        if fixed:
            labels = declared_settings()
            raise SettingsError(
                {name: f"{labels[name].label} is fixed for this run; start a new run to change it." for name in fixed}
            )

    def apply_settings(self) -> None:
        """Tell the optimizer what it keeps of the settings by itself, such as after its state was loaded."""
        groups = self.optimizer.param_groups
        groups[0]["weight_decay"] = self.settings.weight_decay
        for group in groups:
            group["betas"] = (self.settings.beta1, self.settings.beta2)

    @property
    def part_count(self) -> int:
        """In how many parts each batch is computed here."""
        return self._parts.count

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
            parameter_count=sum(parameter.numel() for parameter in self.model.parameters()),
        )
        self.metrics.expect(self.settings.max_steps)
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
            event = self.take_step(is_watched=single_step or self._probe_comes())
            yield event
            if isinstance(event, RunFailed):
                return
            if self._spike is not None:
                yield self._spike
            if single_step or self._probe_is_due():
                yield from self._look()
            if single_step:
                return

    def take_step(self, is_watched: bool = False, lr: float | None = None) -> StepFinished | RunFailed:
        """One batch, one change of the weights; none where the loss or the gradient is not finite.

        Where it `is_watched`, the next look at the model tells what the step did. `lr` takes the place of the schedule's rate.
        """
        began = perf_counter()
        settings, number = self.settings, self.step + 1
        inputs, targets = self._batch()
        lr = learning_rate(settings, self.step) if lr is None else lr
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what overflows shows in the loss, below
            self.model.train()
            loss, norm = self._parts.gradients(self.model, inputs, targets, self._dropout)
            if not (isfinite(loss) and isfinite(norm)):
                what = f"The gradient's norm became {norm}" if isfinite(loss) else f"The loss became {loss}"
                where = describe_broken_gradient(self.model, inputs)
                return RunFailed(step=number, message=self._failure(what, number, lr, where))
            for group in self.optimizer.param_groups:
                group["lr"] = lr * settings.muon_lr / settings.lr if group.get("muon") else lr
            before = sample_weights(self.model) if is_watched else None
            self._parts.step(self.optimizer, min(1.0, (settings.grad_clip or np.inf) / (norm + 1e-6)))
        if before is not None:
            self._change = change_since(self.model, before, number)
        self._spike = self._find_spike(number, loss, lr)
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

    def _batch(self) -> tuple[Ids, Ids]:
        """The inputs and targets (B, T) of the next step."""
        settings = self.settings
        generator = stream(settings.seed, "batch", self.step)
        return sample_batch(self._train_ids, settings.block_size, settings.batch_size, generator.numpy)

    def _dropout(self, part: int) -> Generator:
        return stream(self.settings.seed, "dropout", self.step, part)

    def look_at_batch(self) -> tuple[Ids, NDArray[np.float32]]:
        """The texts of the next step (B, T + 1), and the loss (B, T) of each token but the first as that step finds it."""
        inputs, targets = self._batch()
        self.model.train()
        losses = self._parts.token_losses(self.model, inputs, targets, self._dropout)
        return np.concatenate([inputs, targets[:, -1:]], axis=1), losses

    def _failure(self, what: str, number: int, lr: float, where: str = "") -> str:
        advice = f"Lower the learning rate, {lr:.2g} at that step, to a tenth of it, and go on."
        return " ".join(filter(None, [f"{what} at step {number:,}.", where, advice]))

    def _find_spike(self, number: int, loss: float, lr: float) -> LossSpiked | None:
        usual = self._spikes.usual
        if not self._spikes.is_spike(loss):
            return None
        where = describe_largest_gradient(self.model)
        what = f"The loss jumped to {loss:.3g} at step {number:,}, from {usual:.3g} before. {where}"
        return LossSpiked(step=number, message=f"{what} The learning rate was {lr:.2g} at that step; half of it may do.")

    # ---- looking: none of it changes the run --------------------------------------------------------------------------

    def _evaluation_is_due(self) -> bool:
        is_evaluated = self.metrics.last_validation_step == self.step
        return not is_evaluated and (self.step % self.settings.eval_interval == 0 or self.step >= self.settings.max_steps)

    def _evaluate(self) -> Steps[EvaluationAdvanced | EvaluationFinished, None, RunFailed | None]:
        """Measure the validation loss; what failed is returned where it is not finite."""
        block_size = self.settings.block_size
        inputs, targets = evaluation_windows(self._validation_ids, block_size, self.settings.eval_windows)
        at_once = max(1, EVALUATED_TOKENS_AT_ONCE // block_size)
        total = 0.0
        for begin in range(0, len(inputs), at_once):
            part = slice(begin, begin + at_once)
            total += self._evaluation_loss(inputs[part], targets[part]) * len(inputs[part])
            yield EvaluationAdvanced(step=self.step, done=min(begin + at_once, len(inputs)), total=len(inputs))
        loss = total / len(inputs)
        if not isfinite(loss):
            lr = learning_rate(self.settings, max(0, self.step - 1))
            return RunFailed(step=self.step, message=self._failure(f"The validation loss became {loss}", self.step, lr))
        link = self.digests.at(self.step) or self.digests.add(self.step, weights_digest(self.model))
        event = EvaluationFinished(step=self.step, loss=loss, digest=link.digest, chain=link.chain)
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
