"""Shows the run in all the views that tell of it: its state, its curve, its figures, what it does with the probe, and its samples."""

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from time import monotonic
from typing import Final

from gui.events import CheckpointOpened, ReplayStarted, RunState
from gui.moments import Moments
from gui.pace import Pace
from gui.run_history import RunHistory
from gui.window_layout import WindowLayout
from nanograd.training.events import (
    BatchSeen,
    EvaluationFinished,
    ProbeChanged,
    ProbeTaken,
    ReplayAdvanced,
    RunStarted,
    SampleWritten,
    SettingsChanged,
    StepFinished,
)
from nanograd.training.settings import RunSettings

_READING_INTERVAL_S: Final = 0.25
_NO_MODEL: Final = "Train a model on a text first; then it can write."


class RunDisplay:
    """Keeps the history of the run that is loaded, where the window `has_run`, and shows what is new in it.

    `step` is the last one finished.
    """

    def __init__(self, views: WindowLayout) -> None:
        self.history = RunHistory()
        self.step = 0
        self.has_run = False
        self._views = views
        self._pace = Pace()
        self._moments = Moments()
        self._max_steps, self._eval_interval = 0, 1
        self._vocabulary_size = 0
        self._is_fork = False
        self._settings: RunSettings | None = None
        self._read_at_s = -_READING_INTERVAL_S
        views.time_bar.moment_chosen.connect(self._show_moment)
        views.attention.probe_changed.connect(views.time_bar.go_live)

    def show_started(self, event: RunStarted) -> None:
        """A run begins or goes on after `event.step`: what was known beyond it, of a run that failed, is forgotten."""
        self.has_run = True
        if not event.step:
            self._pace.reset()
            self._views.show_first(has_run=True)
        self._pace.note_start(event.at_s, event.step)
        self.history.truncate(event.step)
        self.history.expect(event.settings.max_steps)
        self._moments.truncate(event.step)
        self._show_moments()
        self._show_samples()
        self._is_fork = False
        self._max_steps, self._eval_interval = event.settings.max_steps, event.settings.eval_interval
        self._settings = event.settings
        self._vocabulary_size = event.vocabulary_size
        self._views.settings_form.show_settings(event.settings)
        self._views.attention.set_layout(event.settings.n_layer, event.settings.n_head)
        self._views.attention.show_history(self.history, self._max_steps)
        self._views.progress.show_history(self.history, self._max_steps, event.vocabulary_size)

    def show_checkpoint(self, event: CheckpointOpened) -> None:
        """A run was loaded."""
        self.has_run = True
        self._pace.reset()
        self.history.reset(event.metrics)
        self._moments.clear()
        self._views.time_bar.go_live()
        evaluated = set(event.metrics.validation_steps.tolist())
        for look in event.looks:
            self.history.add(look)
            self._moments.add(look, is_evaluated=look.step in evaluated)
        self._show_moments()
        for sample in event.samples:
            self.history.add(sample)
        for change in event.changes:
            self.history.add(change)
        self._show_samples()
        self._is_fork = event.is_fork
        self._max_steps, self._eval_interval = event.settings.max_steps, event.settings.eval_interval
        self._settings = event.settings
        self._vocabulary_size = len(event.vocabulary)
        views = self._views
        views.settings_form.show_settings(event.settings)
        views.attention.set_layout(event.settings.n_layer, event.settings.n_head)
        views.attention.show_history(self.history, self._max_steps)
        views.attention.show_probe_text(event.probe)
        views.show_first(has_run=True)
        views.progress.show_history(self.history, self._max_steps, len(event.vocabulary))
        if len(event.metrics.validation_loss):
            views.status_line.show_validation(float(event.metrics.validation_loss[-1]))

    def show_steps(self, steps: Sequence[StepFinished]) -> None:
        """Steps were finished. Figures that people read change at most four times a second."""
        for event in steps:
            self.history.add(event)
            self._pace.note_step(event.at_s, event.step)
        last, now_s = steps[-1], monotonic()
        self.step = last.step
        self._views.progress.request_redraw()
        if now_s - self._read_at_s >= _READING_INTERVAL_S:
            self._read_at_s = now_s
            self._show_figures(last)

    def show_change(self, event: SettingsChanged | ProbeChanged) -> None:
        """Something was changed on the way."""
        self.history.add(event)
        views = self._views
        if isinstance(event, SettingsChanged) and self._settings is not None:
            self._settings = replace(self._settings, **{name: after for name, _, after in event.changes})
            self._max_steps = self._settings.max_steps
            views.progress.show_history(self.history, self._max_steps, self._vocabulary_size)
            views.attention.show_history(self.history, self._max_steps)
            views.settings_form.show_running(self._settings)
        views.progress.request_redraw()

    def show_evaluation(self, event: EvaluationFinished) -> None:
        """The validation loss was measured."""
        self.history.add(event)
        self._pace.note_evaluation()
        self._views.status_line.show_validation(event.loss)
        self._views.progress.request_redraw()

    def show_probe(self, event: ProbeTaken) -> None:
        """The model was watched as it read the probe."""
        self.history.add(event)
        self._moments.add(event, is_evaluated=event.step in self.history.validation_steps[-1:])
        self._show_moments()
        self._views.generate.note_change()
        if self._views.time_bar.is_live:
            self._draw_probe(event)

    def _draw_probe(self, event: ProbeTaken) -> None:
        for view in (self._views.attention, self._views.probabilities, self._views.inside):
            view.show_probe(event)

    def _show_moments(self) -> None:
        self._views.time_bar.show_moments(self._moments.steps, self._moments.evaluated)

    def _show_moment(self, place: int | None) -> None:
        """Every panel shows one moment of the run; None is the latest."""
        step = None if place is None else self._moments[place].step
        self._views.progress.show_moment(step)
        self._views.samples.show_moment(step)
        if len(self._moments):
            shown, latest = self._moments[-1 if place is None else place], self._moments[-1]
            self._draw_probe(shown)
            self._views.time_bar.show_probe_differs("" if shown.tokens == latest.tokens else "".join(shown.tokens))

    def show_sample(self, event: SampleWritten) -> None:
        """The model has written a sample."""
        self.history.add(event)
        self._views.samples.add(event, self._validation_losses().get(event.step))

    def show_replay(self, event: ReplayStarted | ReplayAdvanced | BatchSeen) -> None:
        """The texts of a step were asked for, are on their way, or are here."""
        match event:
            case ReplayStarted():
                self._views.batch.show_started(event)
                self._views.show_batch()
                self._views.progress.loss_plot.show_batch(event.step)
            case ReplayAdvanced():
                self._views.batch.show_advance(event)
            case BatchSeen():
                self._views.batch.show_batch(event)

    def show_state(self, state: RunState, step: int) -> None:
        """The run is in `state` after `step` steps; "idle" is no run at all."""
        views = self._views
        self.step = step
        views.setup.schedule_plot.show_step(step)
        if state == "idle":
            self._forget()
        views.control_bar.show_state(state)
        views.control_bar.show_step(step, self._max_steps)
        views.settings_form.set_locked(state in ("training", "paused", "failed"), self._is_fork)
        views.settings_form.show_running(self._settings if state == "training" else None)
        views.generate.set_available(self.has_run, _NO_MODEL)
        if state != "training":
            self._rest()

    def _rest(self) -> None:
        self._show_measured_step()
        losses = self.history.train_loss
        self._views.status_line.show_idle(float(losses[-1]) if len(losses) else None)

    def _show_figures(self, last: StepFinished) -> None:
        self._views.control_bar.show_step(last.step, self._max_steps)
        self._views.setup.schedule_plot.show_step(last.step)
        self._views.status_line.show_step(last.loss, last.tokens_per_second, self.seconds_left)
        self._show_measured_step()

    def _show_measured_step(self) -> None:
        if isfinite(self._pace.step_s):
            self._views.cost_card.show_measured_step(self._pace.step_s, self.seconds_left)

    @property
    def seconds_left(self) -> float:
        """Seconds until the run is over; nan before its pace is known."""
        return self._pace.seconds_left(self.step, self._max_steps, self._eval_interval)

    def _show_samples(self) -> None:
        losses = self._validation_losses()
        self._views.samples.show_samples([(sample, losses.get(sample.step)) for sample in self.history.samples])

    def _validation_losses(self) -> dict[int, float]:
        return dict(zip(self.history.validation_steps.tolist(), self.history.validation_loss.tolist(), strict=True))

    def _forget(self) -> None:
        if not self.has_run:
            return
        views = self._views
        self.has_run = False
        self._max_steps = 0
        self._pace.reset()
        self.history.reset()
        self._moments.clear()
        views.time_bar.go_live()
        self._show_moments()
        views.progress.clear()
        views.samples.clear()
        views.attention.clear()
        views.probabilities.clear()
        views.inside.clear()
        views.batch.clear()
        views.progress.loss_plot.show_batch(None)
        views.show_first(has_run=False)
        views.status_line.clear()
