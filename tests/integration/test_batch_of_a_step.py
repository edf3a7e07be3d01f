"""From a point of the loss to the texts that caused it."""

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QLabel


def click_step(person, qtbot, step):
    """Click the loss plot where a step lies."""
    plot = person.find("loss_plot")
    person.wait(lambda: plot.plotItem.getViewBox().viewRange()[0][1] > step)
    box = plot.plotItem.getViewBox()
    middle = sum(box.viewRange()[1]) / 2
    place = plot.mapFromScene(box.mapViewToScene(QPointF(step, middle)))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=place)


def texts(person):
    return person.find("batch_texts").toPlainText()


def header(person):
    return person.window.findChild(QLabel, "batch_step_label").text()


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_click_on_the_loss_shows_the_texts_of_that_step(person, qtbot, text_file, dropout):
    person.train(text_file, dropout=dropout, max_steps=12)
    click_step(person, qtbot, 6)
    person.wait(lambda: "texts" in header(person))
    loss = person.window.history.train_loss[5]
    assert header(person) == f"step 6 · loss {loss:.3f} · 4 texts"
    assert person.find("loss_plot").batch_step == 6
    corpus = text_file.read_text().replace(" ", "·").replace("\n", "↵")
    assert all(line in corpus for line in texts(person).split("\n")[1::2])
    person.wait(lambda: not person.find("batch_dock").visibleRegion().isEmpty())


def test_the_nearest_checkpoint_saves_most_of_the_way(person, qtbot, text_file):
    person.train_to(text_file, 21, eval_interval=10)
    told = []
    person.window._worker.events_ready.connect(lambda: told.append(person.window.findChild(QLabel, "batch_message_label").text()))
    last = len(person.window.history.steps)
    saved = (last - 1) // 10 * 10  # so that the run has taken the step behind it
    person.window._views.progress.step_chosen.emit(saved + 1)
    person.wait(lambda: f"step {saved + 1:,} · loss" in header(person))
    person.window._views.progress.step_chosen.emit(3)
    person.wait(lambda: header(person).startswith("step 3 · loss"))


def test_the_texts_are_found_while_the_run_goes_on(person, text_file):
    person.train_past(text_file, 8)
    person.window._views.progress.step_chosen.emit(5)
    person.wait(lambda: header(person).startswith("step 5 · loss"))
    reached = len(person.window.history.steps)
    person.wait(lambda: len(person.window.history.steps) > reached)
    assert person.errors == []


def test_by_keyboard_the_moment_under_the_slider_is_asked_for(person, text_file):
    person.train(text_file)
    person.do("earlier_action")
    person.do("earlier_action")
    step = int(person.find("moment_label").text().removeprefix("step "))
    person.do("show_batch_action")
    person.wait(lambda: header(person).startswith(f"step {step} · loss"))


def test_a_run_that_was_closed_takes_its_texts_along(person, text_file):
    person.train(text_file)
    person.do("show_batch_action")
    person.wait(lambda: "texts" in header(person))
    person.do("close_run_action")
    person.wait_for_state("idle")
    assert header(person) == ""
    person.do("show_batch_action")
    assert person.errors == []
