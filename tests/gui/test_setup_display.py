from PySide6.QtCore import QPointF
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication

from nanograd.training.settings import PRESETS


def is_on_top(dock):
    return dock.isVisible() and not dock.visibleRegion().isEmpty()


def test_the_picture_and_the_schedule_follow_the_form(person):
    picture, plot = person.find("model_picture"), person.find("schedule_plot")
    person.find("preset_combo").setCurrentText("Tiny")
    assert picture.counts["attention"] == 2 * 4 * 32 * 32
    person.set("setting_n_layer", 5)
    assert picture.counts["attention"] == 5 * 4 * 32 * 32
    person.set("setting_warmup_steps", 77)
    assert plot.accessibleDescription() == "3e-3 after 77 steps, 3e-4 at the end"
    person.set("setting_n_head", 3)
    assert picture.part_rects() == []
    assert "n_head 3" in person.find("setup_problem_label").text()


def test_the_vocabulary_of_the_text_is_in_the_picture(person, text_file):
    person.open(text_file)
    vocabulary = len(set(text_file.read_text()))
    assert person.find("model_picture").counts["tokens"] == vocabulary * PRESETS["nanoGPT CPU"].n_embd


def test_a_setting_that_gets_the_focus_or_the_pointer_is_explained(person):
    words = person.find("setting_explanation")
    person.window.activateWindow()
    person.find("setting_n_embd").setFocus()
    person.wait(lambda: "Width" in words.text())
    assert "Twice as much: 3." in words.text()
    person.set("setting_n_embd", 64)
    assert "64" in words.text()
    row, place = person.find("setting_lr").parentWidget(), QPointF(3, 3)
    QApplication.sendEvent(row, QEnterEvent(place, place, QPointF(row.mapToGlobal(place))))
    assert "Learning rate" in words.text()
    assert "Twice as much" not in words.text()


def test_the_set_up_is_shown_before_a_run_and_gives_way_to_it(person, text_file):
    person.open(text_file)
    person.wait(lambda: is_on_top(person.find("setup_dock")))
    person.set_up()
    person.do("train_action")
    person.wait(lambda: is_on_top(person.find("attention_dock")))
    person.wait_for_state("finished")
    person.do("close_run_action")
    person.wait(lambda: is_on_top(person.find("setup_dock")))


def test_who_looks_elsewhere_is_left_there(person, text_file):
    person.open(text_file)
    person.wait(lambda: is_on_top(person.find("setup_dock")))
    person.find("inside_dock").raise_()
    person.wait(lambda: is_on_top(person.find("inside_dock")))
    person.set_up()
    person.do("train_action")
    person.wait_for_state("finished")
    assert is_on_top(person.find("inside_dock"))
