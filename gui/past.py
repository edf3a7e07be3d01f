"""The model as it was at the run's evaluations, kept in memory within a budget, and texts written with it beside the present's."""

from collections.abc import Callable
from typing import Final

from gui.commands import Generate
from gui.events import EngineEvent, GenerationFinished, GenerationStarted, MomentsKept, TextGenerated, WrittenBeside
from gui.writer import Writer
from nanograd.graph import Array
from nanograd.training.run import Run
from nanograd.training.trainer import build_model

BUDGET_BYTES: Final = 128_000_000


class Past:
    """Keeps copies of the weights; where they are too many, every second of those between the first and the last goes."""

    def __init__(self, emit: Callable[[EngineEvent], None], budget_bytes: int = BUDGET_BYTES) -> None:
        self._emit = emit
        self._budget_bytes = budget_bytes
        self._weights: dict[int, dict[str, Array]] = {}
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

    def start(self, request: Generate, run: Run | None) -> None:
        """Write with the run's model of `request.beside_step`, where that is kept; a text under way ends."""
        self.stop()
        weights = self._weights.get(-1 if request.beside_step is None else request.beside_step)
        if run is None or weights is None:
            return
        trainer = run.trainer
        model = build_model(trainer.settings, trainer.tokenizer.vocabulary_size)
        for name, parameter in model.named_parameters():
            parameter.array[...] = weights[name]
        self._writer.start(request, model.eval(), trainer.tokenizer)

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
        if isinstance(event, GenerationStarted | TextGenerated | GenerationFinished):  # the other writer tells of problems
            self._emit(WrittenBeside(event=event))
