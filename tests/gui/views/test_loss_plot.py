from math import log

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from gui.run_history import RunHistory
from gui.theme import LIGHT
from gui.views.loss_plot import LossPlot, envelope, nice_ticks, thinned
from gui.views.run_lines import RunCurve
from nanograd.training.events import EvaluationFinished, ProbeChanged, RunFailed, SettingsChanged, StepFinished


def history_of(losses, evaluations=()):
    history = RunHistory()
    for number, loss in enumerate(losses, 1):
        history.add(StepFinished(step=number, loss=loss, lr=1e-3, gradient_norm=0.5, tokens_per_second=1e4))
    for step, loss in evaluations:
        history.add(EvaluationFinished(step=step, loss=loss))
    return history


@pytest.fixture
def plot(qtbot):
    shown = LossPlot()
    qtbot.addWidget(shown)
    shown.resize(500, 250)
    shown.show()
    return shown


def ranges_of(plot):
    return plot.plotItem.getViewBox().viewRange()


def send_wheel(plot):
    place = QPointF(plot.viewport().rect().center())
    none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(place, plot.viewport().mapToGlobal(place), QPoint(0, 0), QPoint(0, 120), *none, False)
    QApplication.sendEvent(plot.viewport(), event)


def test_ticks_are_round_and_inside():
    assert nice_ticks(1.6, 4.4, 6) == (0.5, [2.0, 2.5, 3.0, 3.5, 4.0])
    assert nice_ticks(0, 3, 10, smallest_step=1.0) == (1.0, [0.0, 1.0, 2.0, 3.0])


def test_the_envelope_keeps_every_extreme():
    values = np.random.default_rng(0).normal(size=100_000)
    values[[123, 70_001]] = 50, -50
    x, y = envelope(np.arange(100_000.0), values, 300)
    assert len(y) <= 2 * 301
    assert (y.max(), y.min()) == (50, -50)
    assert (np.diff(x) >= 0).all()


def test_the_envelope_leaves_out_what_is_not_finite():
    values = np.full(10_000, np.nan)
    values[5_000] = 2.0
    _, y = envelope(np.arange(10_000.0), values, 100)
    assert set(y.tolist()) == {2.0}


def test_thinning_keeps_the_last_point():
    x, y = thinned(np.arange(1000.0), np.arange(1000.0), 64)
    assert len(x) <= 65
    assert (x[-1], y[-1]) == (999, 999)
    assert thinned(np.empty(0), np.empty(0), 64)[0].size == 0


def test_the_range_holds_all_steps_all_finite_losses_and_the_uniform_guess(plot):
    plot.show_history(history_of([3.0, np.inf, np.nan, 0.5], [(0, 5.0)]), 200, 65, 0.9)
    (left, right), (bottom, top) = ranges_of(plot)
    assert left <= 0 < 200 <= right < 300
    assert bottom < 0.5 < log(65) < 5.0 < top < 8


def test_the_range_is_the_same_when_a_step_changes_nothing_about_it(plot):
    history = history_of([4.0, 3.0])
    plot.show_history(history, 200, 65, 0.9)
    before = ranges_of(plot)
    history.add(StepFinished(step=3, loss=3.2, lr=1e-3, gradient_norm=0.5, tokens_per_second=1e4))
    plot.show_history(history, 200, 65, 0.9)
    assert ranges_of(plot) == before


@pytest.mark.parametrize("losses", [[], [np.nan], [0.0, 0.0], [1e30, 1.0], [-1.0]])
@pytest.mark.parametrize("is_logarithmic", [False, True])
def test_no_loss_is_too_odd_to_be_drawn(plot, losses, is_logarithmic):
    plot.show_history(history_of(losses), 10, 0, 0.9)
    plot.show_logarithmic(is_logarithmic)
    plot.grab()
    assert np.isfinite(ranges_of(plot)).all()


def test_the_wheel_zooms_and_a_double_click_follows_the_run_again(plot, qtbot):
    plot.show_history(history_of(np.linspace(4, 2, 100).tolist()), 200, 65, 0.9)
    whole = ranges_of(plot)
    with qtbot.waitSignal(plot.following_changed):
        send_wheel(plot)
    zoomed = ranges_of(plot)
    assert zoomed[0][1] - zoomed[0][0] < whole[0][1] - whole[0][0]
    plot.show_history(history_of(np.linspace(4, 2, 101).tolist()), 200, 65, 0.9)
    assert ranges_of(plot) == zoomed
    qtbot.mouseDClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=plot.viewport().rect().center())
    assert plot.is_following
    assert ranges_of(plot)[0] == whole[0]


def test_the_readout_tells_step_training_and_validation(plot):
    plot.show_history(history_of([4.0, 2.0], [(0, 4.2), (2, 2.5)]), 10, 65, 0.5)
    text = plot.readout_at(2)
    for part in ("step 2", "2.000", f"{(0.25 * 4 + 0.5 * 2) / 0.75:.3f}", "validation", "2.500"):
        assert part in text
    assert "validation at 0" in plot.readout_at(1)
    assert "4.200" in plot.readout_at(0)


def test_pointing_at_the_run_shows_the_readout(plot, move_mouse):
    plot.show_history(history_of([4.0] * 100), 100, 65, 0.0)
    place = QPointF(plot.viewport().rect().center())
    move_mouse(plot.viewport(), place)
    assert "training" in plot.findChild(object, "loss_readout").text()
    assert plot.findChild(object, "loss_readout").isVisible()


def test_a_loss_that_is_no_number_is_marked_with_a_word(plot):
    history = history_of([4.0, np.nan])
    plot.show_history(history, 10, 65, 0.9)
    assert plot.failure_text == "not a number at step 2"
    history.truncate(1)
    plot.show_history(history, 10, 65, 0.9)
    assert plot.failure_text == ""
    history.add(RunFailed(step=2, message="The gradient is not finite."))
    plot.show_history(history, 10, 65, 0.9)
    assert plot.failure_text == "not a number at step 2"


def test_the_plot_has_the_theme_s_ground(plot):
    plot.show_theme(LIGHT)
    plot.show_history(history_of([4.0]), 10, 65, 0.9)
    assert plot.grab().toImage().pixelColor(2, 2).name().upper() == LIGHT.panel


def test_changes_on_the_way_are_marked_and_named(plot):
    history = history_of([4.0, 3.0, 2.0, 2.0])
    plot.show_history(history, 10, 5, 0.0)
    assert plot.change_text == ""
    history.add(SettingsChanged(step=2, changes=(("lr", 1e-3, 5e-4), ("eval_interval", 10, 20))))
    plot.show_history(history, 10, 5, 0.0)
    assert plot.change_text == "Learning rate 1e-3 → 5e-4 and 1 more"
    assert "Learning rate 1e-3 → 5e-4, Evaluate every 10 → 20" in plot.readout_at(2)
    assert "Learning rate" not in plot.readout_at(3)
    history.add(ProbeChanged(step=3, before="a", after="b"))
    plot.show_history(history, 10, 5, 0.0)
    assert plot.change_text == "Probe changed"
    history.truncate(2)
    plot.show_history(history, 10, 5, 0.0)
    assert plot.change_text.startswith("Learning rate")


def curve_of(length, height=2.0, look=0):
    steps = np.arange(1.0, length + 1)
    return RunCurve(
        look=look, steps=steps, train_loss=np.full(length, height), validation_steps=steps[::10], validation_loss=np.full(len(steps[::10]), height + 1),
    )  # fmt: skip


def test_other_runs_lie_behind_in_few_points_and_all_of_them_is_in_sight(plot):
    plot.show_history(history_of([4.0, 3.0]), 10, 0, 0.9)
    plot.show_others([curve_of(200_000, 7.0), curve_of(30, look=1)])
    plot.show_history(history_of([4.0, 3.0]), 10, 0, 0.9)
    assert [count <= 2 * 501 for name, _, count in plot.others.drawn if name == "training"] == [True, True]
    (left, right), (low, high) = ranges_of(plot)
    assert left <= 0
    assert right >= 200_000
    assert low <= 2
    assert high >= 8
    assert "■</span> validation" in plot.readout_at(1)
    lines = plot.others.drawn
    plot.show_logarithmic(True)
    assert plot.others.drawn == lines
    assert ranges_of(plot)[1][1] < 1.2
    plot.show_others([])
    plot.show_history(history_of([4.0, 3.0]), 10, 0, 0.9)
    assert plot.others.drawn == []
    assert ranges_of(plot)[0][1] < 20
