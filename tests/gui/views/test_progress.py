import numpy as np
import pytest

from gui.run_history import RunHistory
from gui.views.progress import ProgressView
from nanograd.training.events import EvaluationFinished, StepFinished


@pytest.fixture
def view(qtbot):
    shown = ProgressView()
    qtbot.addWidget(shown)
    qtbot.addWidget(shown.header)
    shown.resize(900, 260)
    shown.show()
    return shown


@pytest.fixture
def history():
    made = RunHistory()
    made.add(EvaluationFinished(step=0, loss=4.1744))
    made.add(StepFinished(step=1, loss=2.0, lr=6.1e-4, gradient_norm=0.42, tokens_per_second=26410.4))
    return made


def label(view, name):
    return (view.findChild(object, name) or view.header.findChild(object, name)).text()


def test_before_the_first_number_a_line_says_what_to_do(view, history, qtbot):
    assert view.findChild(object, "progress_empty_label").isVisible()
    view.show_history(history, 100, 65)
    qtbot.waitUntil(lambda: view.loss_plot.isVisible())
    view.clear()
    qtbot.waitUntil(lambda: not view.loss_plot.isVisible())


def test_the_latest_values_stand_in_the_legend_and_beside_the_plot(view, history, qtbot):
    view.show_history(history, 100, 65)
    qtbot.waitUntil(lambda: label(view, "training_loss_label") == "training 2.000")
    assert label(view, "validation_loss_label") == "validation 4.174"
    assert [label(view, name) for name in ("lr_label", "gradient_norm_label", "tokens_per_second_label")] == [
        "6.1e-4",
        "0.42",
        "26,410",
    ]


def test_the_training_value_is_the_smoothed_one(view, history, qtbot):
    history.add(StepFinished(step=2, loss=1.0, lr=1e-3, gradient_norm=1.0, tokens_per_second=1.0))
    view.smoothing_setting.setValue(0.5)
    view.show_history(history, 100, 65)
    qtbot.waitUntil(lambda: label(view, "training_loss_label") == "training 1.333")


def test_a_narrow_view_leaves_the_figures_out(view):
    assert view.findChild(object, "lr_label") is not None
    view.resize(500, 260)
    assert not view.findChild(object, "lr_label").isVisible()


def test_latest_is_offered_only_while_the_plot_does_not_follow(view, history, qtbot):
    view.header.resize(900, 30)
    view.header.show()
    view.show_history(history, 100, 65)
    assert not view.latest_button.isVisible()
    view.loss_plot.plotItem.sigRangeChangedManually.emit([True, True])
    assert view.latest_button.isVisible()
    view.latest_button.click()
    assert view.loss_plot.is_following
    assert not view.latest_button.isVisible()


def test_a_picture_that_cannot_be_written_is_told(view, tmp_path, qtbot):
    with qtbot.waitSignal(view.problem_found) as told:
        view.save_picture(str(tmp_path / "missing" / "loss.png"))
    assert "Choose another place." in told.args[0]


def test_a_long_run_is_drawn_in_few_points(view, qtbot):
    history = RunHistory()
    rng = np.random.default_rng(0)
    for step, loss in enumerate(rng.normal(2, 0.1, 20_000).tolist(), 1):
        history.add(StepFinished(step=step, loss=loss, lr=1e-3, gradient_norm=1.0, tokens_per_second=1.0))
    view.show_history(history, 20_000, 65)
    qtbot.waitUntil(lambda: view.loss_plot.isVisible())
    curves = [item for item in view.loss_plot.plotItem.items if hasattr(item, "getData") and item.getData()[0] is not None]
    assert max(len(curve.getData()[0]) for curve in curves) <= 2 * view.width()
