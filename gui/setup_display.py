"""Shows what the settings in the form describe and take: counted at once, estimated, then measured by the engine."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gui.events import CostEstimated
from gui.format import bytes_text, number_text, short_count_text
from gui.window_layout import WindowLayout
from nanograd.training.estimate import (
    ASSUMED_VOCABULARY_SIZE,
    learning_rate,
    memory_bytes,
    model_config,
    parameter_count,
    step_flop,
)
from nanograd.training.model_parts import model_parts
from nanograd.training.settings import RunSettings, declared_settings

_ESTIMATE_DELAY_MS: Final = 250
_POINTS: Final = 120
_DOUBLED: Final = ("n_layer", "n_embd", "block_size", "batch_size")


class SetupDisplay(QObject):
    """Keeps the picture of the model, the schedule, the words and the costs to what the form says.

    `estimate_requested` carries the RunSettings whose cost is to be measured, `problem_found` what is newly wrong.
    """

    estimate_requested = Signal(object)
    problem_found = Signal(str)

    def __init__(self, views: WindowLayout, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.vocabulary_size = ASSUMED_VOCABULARY_SIZE
        self._views = views
        self._problem = ""
        self._clock = QTimer(self, singleShot=True, interval=_ESTIMATE_DELAY_MS)
        self._clock.timeout.connect(self._on_estimate_due)
        views.settings_form.settings_changed.connect(self.show_settings)
        views.settings_form.setting_pointed_at.connect(self._on_setting_pointed_at)

    @Slot()
    def show_settings(self) -> None:
        """Show what the form describes now, and ask for what it costs."""
        views, form = self._views, self._views.settings_form
        settings, problems = form.settings(), form.problems()
        message = " ".join(problems.values())
        if problems:
            views.cost_card.show_unknown()
            views.setup.show_problem(message)
        else:
            self._show_model(settings)
            self._clock.start()
        if form.pointed_at:
            self._on_setting_pointed_at(form.pointed_at)
        if message and message != self._problem:
            self.problem_found.emit(message)
        self._problem = message

    def show_cost(self, event: CostEstimated, is_training: bool) -> None:
        """Show what the engine found, where it is about what the form says now; a run knows its own pace better."""
        if event.settings == self._views.settings_form.settings():
            card = self._views.cost_card
            (card.show_memory if is_training else card.show_cost)(event)

    def _show_model(self, settings: RunSettings) -> None:
        views = self._views
        views.cost_card.show_parameter_count(parameter_count(settings, self.vocabulary_size))
        views.setup.show_model(model_parts(model_config(settings, self.vocabulary_size)), settings.n_head)
        ends = [min(settings.warmup_steps, settings.max_steps), settings.max_steps]
        steps = sorted({*(round(settings.max_steps * index / _POINTS) for index in range(_POINTS)), *ends})
        views.setup.schedule_plot.show_schedule(steps, [learning_rate(settings, step) for step in steps], settings.warmup_steps)

    @Slot(str)
    def _on_setting_pointed_at(self, name: str) -> None:
        form = self._views.settings_form
        setting, settings = declared_settings()[name], form.settings()
        value = getattr(settings, name)
        shown = value if isinstance(value, str) else ("yes" if value else "no") if isinstance(value, bool) else number_text(value)
        effects = [] if form.problems() else self._effects(name, settings)
        self._views.setup.explain(setting, f"{shown} {setting.unit}".strip(), effects)

    def _effects(self, name: str, settings: RunSettings) -> list[str]:
        """What twice and half as much would take, where that can be counted."""
        if name not in _DOUBLED:
            return []
        value = getattr(settings, name)
        others = {"Twice as much": 2 * value, "Half as much": value // 2}
        lines = []
        for title, other in others.items():
            changed = replace(settings, **{name: other})
            if not changed.problems():
                lines.append(f"{title}: {self._compare(settings, changed)}.")
        return lines

    def _compare(self, settings: RunSettings, changed: RunSettings) -> str:
        def ratio(count: Callable[[RunSettings, int], float]) -> float:
            return count(changed, self.vocabulary_size) / count(settings, self.vocabulary_size)

        parameters = short_count_text(parameter_count(changed, self.vocabulary_size))
        memory = bytes_text(memory_bytes(changed, self.vocabulary_size))
        return f"{parameters} parameters, {memory}, a step × {ratio(step_flop):.2g}"

    @Slot()
    def _on_estimate_due(self) -> None:
        self.estimate_requested.emit(self._views.settings_form.settings())
