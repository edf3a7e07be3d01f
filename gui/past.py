"""Texts written beside the present model's: by the run as it was at its evaluations, kept within a budget, and by other runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from gui.commands import Generate
from gui.events import (
    EngineEvent,
    GenerationFinished,
    GenerationStarted,
    MomentsKept,
    ProblemFound,
    TextGenerated,
    WrittenBeside,
)
from gui.writer import Writer
from nanograd.errors import CheckpointError
from nanograd.graph import Array
from nanograd.text.tokenizer import Tokenizer
from nanograd.training.run import Run
from nanograd.training.saved_run import open_run
from nanograd.training.trainer import build_model

BUDGET_BYTES: Final = 128_000_000


class Past:
    """Keeps copies of the weights; where they are too many, every second of those between the first and the last goes."""

    def __init__(self, emit: Callable[[EngineEvent], None], budget_bytes: int = BUDGET_BYTES) -> None:
        self._emit = emit
        self._budget_bytes = budget_bytes
        self._weights: dict[int, dict[str, Array]] = {}
        self._has_other_tokens = False
        self._writer = Writer(self._pass_on)

    @property
    def is_writing(self) -> bool:
        """Whether a text is under way."""
        return self._writer.is_writing

    def keep(self, run: Run | None) -> None:
        """Keep the run's model as it stands, unless it is too large; what was kept from later steps is forgotten."""
        if run is None:
            return
        trainer = run.trainer
        size = sum(each.array.nbytes for each in trainer.model.parameters())
        if size > self._budget_bytes:
            return
        self._weights = {step: weights for step, weights in self._weights.items() if step < trainer.step}
        self._weights[trainer.step] = {name: each.array.copy() for name, each in trainer.model.named_parameters()}
        while len(self._weights) * size > self._budget_bytes:
            self._thin()
        self._emit(MomentsKept(steps=tuple(self._weights)))

    def forget(self) -> None:
        """Another run: nothing is kept of this one."""
        self.stop()
        self._weights.clear()
        self._emit(MomentsKept(steps=()))

    def start(self, request: Generate, run: Run | None, tokenizer: Tokenizer) -> None:
        """Write with the model that `request.beside` names, where it is kept; a text under way ends.

        What another run cannot do is told. `run` is the present one, None where it lacks its text, and `tokenizer` is its own.
        """
        self.stop()
        self._has_other_tokens = False
        match request.beside:
            case int():
                self._start_moment(request, run, request.beside)
            case Path():
                self._start_other(request, request.beside, tokenizer)

    def _start_moment(self, request: Generate, run: Run | None, step: int) -> None:
        weights = self._weights.get(step)
        if run is None or weights is None:
            return
        trainer = run.trainer
        model = build_model(trainer.settings, trainer.tokenizer.vocabulary_size)
        for name, parameter in model.named_parameters():
            parameter.array[...] = weights[name]
        self._writer.start(request, model.eval(), trainer.tokenizer, step)

    def _start_other(self, request: Generate, folder: Path, tokenizer: Tokenizer) -> None:
        try:
            saved = open_run(folder).saved
            model = saved.build_model()
        except CheckpointError as error:
            self._pass_on(ProblemFound(message=str(error)))
            return
        self._has_other_tokens = saved.tokenizer.vocabulary != tokenizer.vocabulary
        self._writer.start(request, model.eval(), saved.tokenizer, saved.step)

    def write_for(self, duration_s: float) -> None:
        """Write tokens until `duration_s` is over, one at least."""
        self._writer.write_for(duration_s)

    def stop(self) -> None:
        """End the text under way, if there is one, where it is."""
        self._writer.stop()

    def _thin(self) -> None:
        steps = sorted(self._weights)
        for step in steps[1:-1:2] or steps[:1]:
            del self._weights[step]

    def _pass_on(self, event: EngineEvent) -> None:
        if isinstance(event, GenerationStarted | TextGenerated | GenerationFinished | ProblemFound):
            self._emit(WrittenBeside(event=event, has_other_tokens=self._has_other_tokens))
