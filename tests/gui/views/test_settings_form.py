from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QDoubleSpinBox, QLabel, QPushButton, QSpinBox, QWidget

from gui.views.settings_form import SettingsForm
from nanograd.training.settings import PRESETS, RunSettings, declared_settings


@pytest.fixture
def form(qtbot):
    form = SettingsForm()
    qtbot.addWidget(form)
    form.show()
    return form


def field(form, name):
    return form.findChild(QWidget, f"setting_{name}")


def problem(form, name):
    return form.findChild(QLabel, f"problem_{name}")


def test_every_setting_has_a_field_that_suits_it(form):
    kinds = {int: QSpinBox, float: QDoubleSpinBox, bool: QCheckBox, str: QComboBox}
    for name, setting in declared_settings().items():
        widget = field(form, name)
        assert isinstance(widget, kinds[type(getattr(RunSettings(), name))])
        assert widget.accessibleName() == setting.label
        for text in (setting.help, setting.up, setting.down):
            assert text in widget.accessibleDescription()


def test_the_form_begins_with_the_defaults(form):
    assert form.settings() == RunSettings()
    assert form.preset_combo.currentText() == "nanoGPT CPU"
    assert form.problems() == {}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_the_form(qtbot, form, name):
    form.preset_combo.setCurrentText("Tiny" if name == "nanoGPT CPU" else "nanoGPT CPU")
    with qtbot.waitSignal(form.settings_changed):
        form.preset_combo.setCurrentText(name)
    assert form.settings() == PRESETS[name]
    assert form.preset_combo.currentText() == name


def test_an_edit_makes_the_preset_custom_and_reset_brings_it_back(form):
    field(form, "dropout").setValue(0.1)
    assert form.preset_combo.currentText() == "Custom"
    form.findChild(QPushButton, "reset_settings_button").click()
    assert form.settings() == RunSettings()
    assert form.preset_combo.currentText() == "nanoGPT CPU"


def test_what_differs_from_the_preset_is_marked(form):
    field(form, "dropout").setValue(0.1)
    marked = [mark for mark in form.findChildren(QWidget) if mark.property("role") == "mark" and mark.isVisible()]
    assert [mark.toolTip() for mark in marked] == ["nanoGPT CPU has 0"]


def test_a_bad_value_stays_and_says_beside_its_field_what_is_wrong(form):
    field(form, "batch_size").setValue(-3)
    assert form.settings().batch_size == -3
    assert "out of bounds" in problem(form, "batch_size").text()
    assert problem(form, "batch_size").isVisible()
    assert field(form, "batch_size").property("invalid") == "true"
    field(form, "batch_size").setValue(3)
    assert not problem(form, "batch_size").isVisible()
    assert field(form, "batch_size").property("invalid") == "false"


def test_heads_that_do_not_divide_the_width_say_so(form):
    field(form, "n_head").setValue(5)
    assert "does not divide" in problem(form, "n_head").text()


def test_a_problem_from_outside_stands_until_the_next_edit(form):
    form.show_problems({"block_size": "The text is shorter than the context."})
    assert form.problems() == {"block_size": "The text is shorter than the context."}
    assert problem(form, "block_size").isVisible()
    field(form, "block_size").setValue(16)
    assert form.problems() == {}


def test_advanced_settings_show_themselves_where_one_is_wrong(form):
    assert not field(form, "beta1").isVisible()
    field(form, "beta1").setValue(2.0)
    assert field(form, "beta1").isVisible()
    assert problem(form, "beta1").isVisible()


def test_a_locked_form_leaves_only_what_can_change_in_a_run(form):
    form.set_locked(True)
    for name, setting in declared_settings().items():
        assert field(form, name).isEnabled() == setting.changeable
    assert not form.preset_combo.isEnabled()
    assert "fixed" in field(form, "n_layer").toolTip()
    form.set_locked(False)
    assert field(form, "n_layer").isEnabled()


def test_settings_that_are_shown_come_back_as_they_were(qtbot, form):
    shown = replace(RunSettings(), lr=1.2345678901234567e-5, min_lr=1e-8, bias=True, activation="relu", seed=2**31 - 1)
    with qtbot.waitSignal(form.settings_changed):
        form.show_settings(shown)
    assert form.settings() == shown


def test_settings_of_another_run_are_measured_by_the_preset_they_come_closest_to(form):
    form.show_settings(replace(PRESETS["Tiny"], max_steps=77))
    marked = [mark for mark in form.findChildren(QWidget) if mark.property("role") == "mark" and mark.isVisible()]
    assert [mark.toolTip() for mark in marked] == ["Tiny has 2000"]
    form.findChild(QPushButton, "reset_settings_button").click()
    assert form.settings() == PRESETS["Tiny"]


def test_a_whole_preset_is_told_once(form):
    told = []
    form.settings_changed.connect(lambda: told.append(form.settings()))
    form.preset_combo.setCurrentText("Tiny")
    assert told == [PRESETS["Tiny"]]


def test_the_tab_key_goes_down_the_form(form):
    stops, widget = [], form.findChild(QPushButton, "more_model_button")
    while "reset_settings_button" not in stops:
        stops.append(widget.objectName())
        widget = widget.nextInFocusChain()
    named = [stop for stop in stops if stop.startswith(("preset", "setting", "more", "reset"))]
    assert named[:4] == ["more_model_button", "preset_combo", "setting_n_layer", "setting_n_head"]
    assert named.index("setting_dropout") < named.index("more_training_button") < named.index("setting_batch_size")


def test_changes_to_a_run_that_goes_on_wait_to_be_applied(qtbot, form):
    apply = form.findChild(QPushButton, "apply_settings_button")
    field(form, "lr").setValue(0.25)
    assert not apply.isVisible()
    form.show_running(RunSettings())
    assert apply.isVisible()
    with qtbot.waitSignal(form.apply_requested):
        apply.click()
    form.show_running(form.settings())
    assert not apply.isVisible()
    field(form, "lr").setValue(-1.0)
    assert apply.isVisible()
    assert not apply.isEnabled()
    form.show_running(None)
    assert not apply.isVisible()


def test_a_copy_unlocks_all_that_its_weights_allow(form):
    form.set_locked(True, is_fork=True)
    assert field(form, "batch_size").isEnabled()
    assert field(form, "dropout").isEnabled()
    assert not any(field(form, name).isEnabled() for name in ("n_layer", "n_head", "block_size", "activation", "optimizer"))
    form.set_locked(True)
    assert not field(form, "batch_size").isEnabled()
    assert field(form, "lr").isEnabled()


def test_a_field_that_is_locked_hands_the_focus_to_nothing_else(form, qtbot):
    form.activateWindow()
    field(form, "n_embd").setFocus()
    qtbot.waitUntil(field(form, "n_embd").hasFocus)
    form.set_locked(True)
    assert QApplication.focusWidget() is None
    field(form, "lr").setFocus()
    form.set_locked(True)
    assert field(form, "lr").hasFocus()
