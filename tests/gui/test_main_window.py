import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QDoubleSpinBox, QFileDialog, QMenu, QSpinBox, QWidget

from gui.theme import DARK, LIGHT
from nanograd.training.settings import PRESETS, RunSettings, declared_settings

ACTIONS = (
    "open_corpus_action", "train_action", "pause_action", "step_action", "stop_action", "save_checkpoint_action",
    "open_checkpoint_action", "theme_action", "log_axis_action", "export_csv_action", "export_image_action",
)  # fmt: skip
CONTROLS = (
    "preset_combo", "parameter_count_label", "loss_plot", "attention_map", "attention_layer", "attention_head", "probe_edit",
    "prompt_edit", "repetition_penalty_setting", "head_scores_plot", "attention_mosaic", "probabilities_view", "logit_lens_view",
    "smoothing_setting", "next_distribution", "temperature_setting", "top_k_setting", "top_p_setting", "max_new_tokens_setting",
    "generation_seed_setting", "generate_button", "stop_generating_button", "generated_text", "message_bar",
    "run_state_label", "corpus_name_label", "bundled_tales_button", "bundled_sums_button", "bundled_echo_button",
    "samples_view", "memory_label", "time_label", "continue_button",
    *(f"setting_{name}" for name in declared_settings()),
)  # fmt: skip


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_has_its_name_and_a_text(person, name):
    actions = person.window.findChildren(QAction, name)
    assert len(actions) == 1
    assert actions[0].text()


def test_every_control_has_its_name_once_and_an_accessible_name(person):
    for name in CONTROLS:
        found = person.window.findChildren(QWidget, name)
        assert len(found) == 1, name
        assert found[0].accessibleName(), name


def test_numbers_reach_beyond_their_bounds(person):
    for name, setting in declared_settings().items():
        field = person.find(f"setting_{name}")
        if isinstance(field, QSpinBox | QDoubleSpinBox):
            assert field.minimum() < setting.minimum, name
            assert field.maximum() > setting.maximum or field.maximum() == 2**31 - 1, name


def test_a_new_window_is_idle_and_lets_only_what_makes_sense_be_done(person):
    assert person.window.run_state == "idle"
    assert len(person.window.history.steps) == 0
    assert len(person.window.history.validation_loss) == 0
    possible = {name: person.action(name).isEnabled() for name in ACTIONS}
    assert {name for name, can in possible.items() if not can} == {"pause_action", "stop_action", "save_checkpoint_action"}
    assert not person.find("generate_button").isEnabled()


def test_actions_follow_the_state(person, text_file):
    def possible():
        names = ("train_action", "pause_action", "step_action", "stop_action", "save_checkpoint_action")
        return [name for name in names if person.action(name).isEnabled()]

    person.train_past(text_file, 2)
    assert possible() == ["pause_action", "stop_action", "save_checkpoint_action"]
    person.do("pause_action")
    person.wait_for_state("paused")
    assert possible() == ["train_action", "step_action", "stop_action", "save_checkpoint_action"]
    person.do("stop_action")
    person.wait_for_state("finished")
    assert possible() == ["train_action", "step_action", "save_checkpoint_action"]


def test_a_preset_fills_the_form_and_counts_its_parameters(person):
    person.find("preset_combo").setCurrentText("Tiny")
    for name, value in PRESETS["Tiny"].as_dict().items():
        assert shown_in(person.find(f"setting_{name}")) == value, name
    tiny = person.find("parameter_count_label").text()
    person.find("preset_combo").setCurrentText("Medium")
    assert person.find("parameter_count_label").text() != tiny


def shown_in(field):
    match field:
        case QComboBox():
            return field.currentText()
        case QCheckBox():
            return field.isChecked()
        case _:
            return field.value()


def test_who_trains_before_the_estimate_came_is_told_the_memory_all_the_same(person, text_file):
    person.train_past(text_file, 1)
    person.wait(lambda: person.find("memory_label").text().endswith("MB"))


def test_memory_and_time_are_estimated_and_then_measured(person):
    person.set_up()
    person.wait(lambda: person.find("memory_label").text().endswith("MB"))
    person.wait(lambda: person.find("step_time_label").text().endswith("measured"))
    assert person.find("time_label").text() != "–"


def test_the_probe_applies_300_ms_after_typing(person, text_file, qtbot):
    person.train(text_file)
    attention, edit = person.find("attention_map"), person.find("probe_edit")
    edit.clear()
    qtbot.keyClicks(edit, "the dog")
    assert attention.tokens != tuple("the dog")
    person.wait(lambda: attention.tokens == tuple("the dog"))
    np.testing.assert_allclose(attention.weights.sum(axis=-1), 1, rtol=1e-5)


def test_a_probe_chosen_before_the_run_is_looked_at_in_it(person, text_file):
    person.open(text_file)
    person.find("probe_edit").setText("the mat")
    person.set_up()
    person.do("train_action")
    person.wait_for_state("finished")
    person.wait(lambda: person.find("attention_map").tokens == tuple("the mat"))


def test_shortcuts_trigger_their_actions(person, text_file, qtbot):
    person.open(text_file)
    person.set_up(max_steps=person.ENDLESS)
    person.window.activateWindow()
    person.wait(person.window.isActiveWindow)
    qtbot.keyClick(person.window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    person.wait_for_state("training")
    person.wait(lambda: len(person.window.history.steps) > 1)
    qtbot.keyClick(person.window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    person.wait_for_state("paused")
    reached = len(person.window.history.steps)
    qtbot.keyClick(person.window, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: len(person.window.history.steps) == reached + 1 and person.window.run_state == "paused")
    qtbot.keyClick(person.window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    person.wait_for_state("finished")


def test_no_two_actions_share_a_shortcut(person):
    keys = [action.shortcut() for action in person.window.findChildren(QAction) if action.objectName()]
    named = [key.toString(QKeySequence.SequenceFormat.PortableText) for key in keys if not key.isEmpty()]
    assert len(named) == len(set(named))


def test_chosen_files_are_opened_and_saved_under_their_ending(person, text_file, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(text_file)], ""))
    with person.wait_for(person.window.corpus_opened):
        person.do("open_corpus_action")
    person.set_up()
    person.do("train_action")
    person.wait_for_state("finished")
    suggested = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: suggested.append(given[2]) or (str(tmp_path / "mine"), ""))
    with person.wait_for(person.window.checkpoint_saved) as saved:
        person.do("save_checkpoint_action")
    assert suggested == ["cats-12.safetensors"]
    assert saved.args == [tmp_path / "mine.safetensors"]
    assert saved.args[0].exists()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(saved.args[0]), ""))
    with person.wait_for(person.window.checkpoint_opened):
        person.do("open_checkpoint_action")


def test_the_numbers_of_a_run_are_saved_as_a_table(person, text_file, tmp_path, monkeypatch):
    person.train(text_file)
    table = tmp_path / "progress.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(table), ""))
    person.do("progress_csv_button")
    person.wait(table.exists)
    assert table.read_text() == person.window.history.metrics.as_csv()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "missing" / "progress.csv"), ""))
    person.do("progress_csv_button")
    assert "Choose another place." in person.wait_for_error()


def test_the_curves_are_saved_as_a_drawing_and_the_axis_turns_logarithmic(person, text_file, tmp_path, monkeypatch):
    person.train(text_file)
    drawing = tmp_path / "loss.svg"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(drawing), ""))
    person.do("show_lr_action")
    person.wait(lambda: person.find("lr_plot").isVisible())
    person.do("export_image_action")
    assert "Learning rate" in drawing.read_text(encoding="utf-8")
    person.do("log_axis_action")
    assert person.find("log_axis_button").isChecked()
    person.find("log_axis_button").click()
    assert not person.action("log_axis_action").isChecked()


def test_closing_the_file_chooser_changes_nothing(person, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([], ""))
    person.action("open_corpus_action").trigger()
    person.action("open_checkpoint_action").trigger()
    assert person.errors == []
    assert person.window.run_state == "idle"


def drop(widget, url):
    """Drag something over a widget and let it go there; returns whether it was taken."""
    data, copy = QMimeData(), Qt.DropAction.CopyAction
    data.setUrls([url])
    data.setText(url.toString())  # as file managers do
    none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entered = QDragEnterEvent(widget.rect().center(), copy, data, *none)
    QApplication.sendEvent(widget, entered)
    dropped = QDropEvent(QPointF(widget.rect().center()), copy, data, *none)
    QApplication.sendEvent(widget, dropped)
    return entered.isAccepted(), dropped.isAccepted()


def test_a_text_dropped_on_the_window_is_opened(person, text_file):
    with person.wait_for(person.window.corpus_opened):
        assert drop(person.window, QUrl.fromLocalFile(str(text_file))) == (True, True)
    assert person.find("corpus_name_label").text() == "cats.txt"


@pytest.mark.parametrize("name", ["prompt_edit", "probe_edit", "setting_lr", "generated_text"])
def test_a_file_dropped_on_a_field_is_opened_too(person, text_file, name):
    person.open(text_file)
    other = text_file.with_name("other.txt")
    other.write_text("another text\n" * 40, encoding="utf-8")
    field = person.find(name)
    target = field.viewport() if hasattr(field, "viewport") else field
    with person.wait_for(person.window.corpus_opened):
        drop(target, QUrl.fromLocalFile(str(other)))
    assert person.find("corpus_name_label").text() == "other.txt"
    assert person.find("prompt_edit").toPlainText() == ""


def test_a_checkpoint_dropped_on_the_window_is_opened(person, text_file, tmp_path):
    person.train(text_file)
    person.save(tmp_path / "run.safetensors")
    with person.wait_for(person.window.checkpoint_opened):
        drop(person.window, QUrl.fromLocalFile(str(tmp_path / "run.safetensors")))


def test_an_address_dropped_on_the_window_is_refused(person):
    drop(person.window, QUrl("https://example.org/text.txt"))
    assert "Only files on this computer" in person.message()


def test_a_very_long_file_name_widens_nothing(person, text_file, tmp_path):
    person.open(text_file)
    width = person.window.minimumSizeHint().width()
    path = tmp_path / ("a very long name " * 14 + ".txt")
    path.write_text(text_file.read_text(encoding="utf-8"), encoding="utf-8")
    person.open(path)
    assert person.window.minimumSizeHint().width() <= width
    person.set_up()
    person.do("train_action")
    person.wait_for_state("finished")
    (run,) = (tmp_path / "data" / "runs").iterdir()
    assert len(run.name) < 80
    assert person.errors == []


def test_the_name_suggested_for_a_checkpoint_is_never_too_long(person, text_file, tmp_path, monkeypatch):
    path = tmp_path / ("n" * 250 + ".txt")
    path.write_text(text_file.read_text(encoding="utf-8"), encoding="utf-8")
    person.train(path)
    suggested = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: suggested.append(given[2]) or ("", ""))
    person.do("save_checkpoint_action")
    assert len(suggested[0]) < 100


def test_figures_of_a_finished_run_rest(person, text_file):
    person.train(text_file)
    assert person.find("step_number_label").text() == "12"
    last_loss = f"{person.window.history.train_loss[-1]:.3f}"
    person.wait(lambda: person.find("status_loss_label").text() == last_loss)
    person.wait(lambda: person.find("status_rate_label").text() == "")
    assert person.find("status_time_left_label").text() == ""


def test_what_a_run_takes_is_done_at_its_end_and_estimated_anew_when_it_is_closed(person, text_file):
    person.train(text_file)
    assert person.find("time_label").text() == "done"
    person.do("close_run_action")
    person.wait(lambda: person.find("time_label").text() not in ("done", "–"))


def test_closing_the_run_clears_what_was_shown_of_it(person, text_file):
    person.train(text_file)
    person.do("close_run_action")
    person.wait_for_state("idle")
    assert person.find("attention_map").tokens == ()
    assert person.find("samples_view").toPlainText() == ""
    assert not person.find("step_number_label").isVisible()
    assert person.find("status_loss_label").text() == ""
    assert not person.find("generate_button").isEnabled()


def test_the_window_remembers_its_size(open_window):
    first = open_window()
    first.window.resize(first.window.width(), 767)
    first.leave()
    assert open_window().window.height() == 767  # the width is bent to the screen, which offscreen is a narrow one


def test_calls_return_before_their_outcome(person, text_file):
    opened = QSignalSpy(person.window.corpus_opened)
    person.window.open_corpus(text_file)
    assert opened.count() == 0
    person.wait(lambda: opened.count() == 1)


def test_the_form_shows_the_settings_of_what_is_loaded(person, text_file, tmp_path):
    person.train(text_file)
    person.save(tmp_path / "run.safetensors")
    filled = {name: person.find(f"setting_{name}").value() for name in ("n_layer", "n_embd", "lr", "max_steps", "seed")}
    person.find("preset_combo").setCurrentText("Medium")
    person.open_checkpoint(tmp_path / "run.safetensors")
    for name, value in filled.items():
        assert person.find(f"setting_{name}").value() == value
    assert person.find("setting_dropout").value() == RunSettings().dropout


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_three_layouts_arrange_the_docks_and_fit_the_window(person, text_file, size, qtbot):
    person.window.resize(*size)
    person.train(text_file)
    on_top = {
        "watch": {"progress_dock", "attention_dock", "generate_dock"},
        "inside": {"attention_dock", "probabilities_dock", "progress_dock", "inside_dock"},
        "write": {"generate_dock", "samples_dock", "progress_dock"},
    }
    docks = set().union(*on_top.values())
    for name in ("inside", "write", "watch"):
        person.do(f"layout_{name}_action")
        person.wait(lambda name=name: {dock for dock in docks if is_on_top(person.find(dock))} == on_top[name])
        assert person.find("layout_button").text() == person.action(f"layout_{name}_action").text()
        qtbot.wait(50)
        assert person.window.height() <= size[1], name


def is_on_top(dock):
    return dock.isVisible() and not dock.visibleRegion().isEmpty()


def test_the_layout_is_remembered(open_window, text_file):
    first = open_window()
    first.open(text_file)
    first.do("layout_write_action")
    first.leave()
    second = open_window()
    second.open(text_file)
    assert second.find("layout_button").text() == "Write"
    second.wait(lambda: is_on_top(second.find("samples_dock")))


def test_the_menus_offer_the_themes_and_the_layouts(person, qapp):
    themes, layouts = (person.window.findChild(QMenu, name) for name in ("theme_menu", "layout_menu"))
    assert [action.text() for action in layouts.actions()] == ["Watch", "Look inside", "Write"]
    for name, theme in (("light", LIGHT), ("dark", DARK)):
        person.do(f"theme_{name}_action")
        assert qapp.palette().window().color().name().upper() == theme.ground
        assert [action.text() for action in themes.actions() if action.isChecked()] == [name.capitalize()]
    person.do("theme_system_action")
