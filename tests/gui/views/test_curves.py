import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from gui.run_history import RunHistory
from gui.views.course_plot import short_text
from gui.views.curves import COURSES, Curves
from nanograd.training.metrics import MetricsArrays


def run_of(steps=100, validation=(3.0, 2.0, 1.5)):
    along, places = np.arange(1, steps + 1), np.linspace(0, steps, len(validation)).astype(np.int64)
    history = RunHistory()
    history.reset(
        MetricsArrays(
            steps=along, train_loss=np.linspace(4, 1, steps), lr=np.linspace(1e-3, 1e-4, steps),
            gradient_norm=np.linspace(1, 0.5, steps), tokens_per_second=np.full(steps, 26_000.0),
            validation_steps=places, validation_loss=np.array(validation),
        )
    )  # fmt: skip
    return history


@pytest.fixture
def curves(qtbot):
    shown = Curves()
    qtbot.addWidget(shown)
    shown.resize(700, 420)
    shown.show()
    return shown


def test_the_curves_below_are_shown_and_hidden_one_by_one(curves):
    curves.show_history(run_of(), 100, 65, 0.9)
    assert [curves.courses[name].isVisible() for name in COURSES] == [False, False, False]
    curves.show_course("gradient_norm", True)
    assert [curves.courses[name].isVisible() for name in COURSES] == [False, True, False]
    assert curves.courses["gradient_norm"].label_text == "Gradient norm 0.50"
    curves.show_course("gradient_norm", False)
    assert not curves.courses["gradient_norm"].isVisible()


def test_the_lowest_plot_names_the_steps(curves):
    def names_steps(plot):
        return plot.getAxis("bottom").style["showValues"]

    curves.show_course("lr", True)
    curves.show_course("tokens_per_second", True)
    assert [names_steps(plot) for plot in (curves.loss_plot, *curves.courses.values())] == [False, False, False, True]
    curves.show_course("lr", False)
    curves.show_course("tokens_per_second", False)
    assert names_steps(curves.loss_plot)


def test_zooming_one_plot_zooms_all(curves):
    curves.show_history(run_of(), 100, 65, 0.9)
    curves.show_course("lr", True)
    curves.loss_plot.plotItem.getViewBox().setXRange(20, 40, padding=0)
    left, right = curves.courses["lr"].plotItem.getViewBox().viewRange()[0]
    assert (left, right) == (pytest.approx(20, abs=1), pytest.approx(40, abs=1))
    curves.courses["lr"].follow_requested.emit()
    assert curves.courses["lr"].plotItem.getViewBox().viewRange()[0][1] > 99


def test_pointing_at_the_loss_reads_off_every_curve(curves, move_mouse):
    curves.show_history(run_of(), 100, 65, 0.9)
    curves.show_course("lr", True)
    move_mouse(curves.loss_plot.viewport(), QPointF(curves.loss_plot.viewport().rect().center()))
    assert curves.courses["lr"].label_text != "Learning rate 1.0e-4"
    readout = curves.findChild(object, "loss_readout").text()
    for part in ("learning rate", "gradient norm", "tokens/s", "26,000"):
        assert part in readout


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_what_is_seen_can_be_saved(curves, tmp_path, ending):
    curves.show_history(run_of(), 100, 65, 0.9)
    curves.show_course("lr", True)
    path = tmp_path / f"curves.{ending}"
    assert curves.save(str(path))
    if ending == "png":
        assert QImage(str(path)).size() == curves.size() * 2
    else:
        assert QSvgRenderer(str(path)).isValid()
        assert "validation" in path.read_text()
    assert not curves.save(str(tmp_path / "missing" / f"curves.{ending}"))


def test_the_best_evaluation_is_named_once_there_are_later_ones(curves):
    curves.show_history(run_of(validation=(3.0, 2.0, 1.5)), 100, 65, 0.9)
    assert not curves.loss_plot._best_label.isVisible()
    curves.show_history(run_of(validation=(3.0, 1.5, 1.6)), 100, 65, 0.9)
    assert curves.loss_plot._best_label.toPlainText() == "best 1.500"


def test_overfitting_is_named_when_it_sets_in(curves):
    curves.show_history(run_of(validation=(3.0, 1.5, 1.6, 1.7, 1.8)), 100, 65, 0.9)
    assert curves.loss_plot.overfitting_text == "overfitting since step 25"
    curves.show_history(run_of(validation=(3.0, 1.5, 1.6, 1.4, 1.8)), 100, 65, 0.9)
    assert curves.loss_plot.overfitting_text == ""


def test_two_hundred_thousand_steps_are_drawn_in_few_points(curves):
    history = run_of(200_000, validation=np.linspace(3, 1, 800))
    curves.show_course("gradient_norm", True)
    curves.show_history(history, 200_000, 65, 0.9)
    assert len(curves.courses["gradient_norm"]._curve.getData()[0]) <= 2 * curves.width()


def test_a_run_without_steps_can_be_drawn(curves):
    curves.show_course("lr", True)
    curves.show_history(RunHistory(), 100, 65, 0.9)
    curves.grab()
    assert curves.courses["lr"].label_text == "Learning rate"


def test_figures_beside_an_axis_are_short():
    assert [short_text(value) for value in (0.0, 5e-4, 0.5, 20_000.0)] == ["0", "5e-4", "0.5", "20k"]


def test_courses_without_room_wait_until_there_is_some(qtbot):
    place = QWidget()
    qtbot.addWidget(place)
    curves = Curves(place)
    curves.resize(700, 420)
    place.show()
    for name in COURSES:
        curves.show_course(name, True)
    with qtbot.waitSignal(curves.courses_changed):
        curves.resize(700, 170)
    assert [curves.shows(name) for name in COURSES] == [True, False, False]
    qtbot.waitUntil(lambda: curves.loss_plot.geometry().bottom() < curves.courses["lr"].geometry().top())
    curves.resize(700, 420)
    assert all(curves.shows(name) for name in COURSES)
