"""What people look at and try in the real window: heads, curves, writing, the library of runs, the set-up."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QWidget

FIXED_WIDGETS = (
    "time_slider", "play_button", "live_button", "attention_mosaic", "head_scores_plot", "probabilities_view", "logit_lens_view",
    "run_library", "smoothing_setting", "model_picture", "repetition_penalty_setting",
)  # fmt: skip
FIXED_ACTIONS = ("compare_runs_action", "log_axis_action", "export_csv_action", "export_image_action")
FIXED_MENUS = ("theme_menu", "layout_menu")


def test_what_others_look_for_by_name_is_there_once(person):
    for name in FIXED_WIDGETS:
        assert len(person.window.findChildren(QWidget, name)) == 1, name
    for name in FIXED_MENUS:
        assert len(person.window.findChildren(QMenu, name)) == 1, name
    for name in FIXED_ACTIONS:
        assert person.action(name).text(), name


def test_a_head_is_opened_from_the_mosaic_and_looked_into(person, text_file, qtbot, move_mouse):
    person.train(text_file, n_layer=2)
    mosaic, attention = person.find("attention_mosaic"), person.find("attention_map")
    person.wait(lambda: attention.weights.size > 0 and mosaic.isVisible())
    before = attention.weights
    qtbot.mouseClick(mosaic, Qt.MouseButton.LeftButton, pos=mosaic.tile_rect(1, 1).center())
    assert (person.find("attention_layer").currentText(), person.find("attention_head").currentText()) == ("2", "2")
    person.wait(lambda: (attention.weights != before).any())
    label = QPoint(4, round(attention.cell_center(5, 0).y()))
    move_mouse(attention, label)
    assert attention.looking_token == 5
    qtbot.mouseClick(attention, Qt.MouseButton.LeftButton, pos=label)
    move_mouse(attention, attention.rect().bottomRight())
    assert attention.looking_token == 5
    second = attention.weights
    person.do("mean_heads_button")
    person.wait(lambda: (attention.weights != second).any())
    assert person.window.history.head_scores(1, 1).shape == (len(person.window.history.score_steps), 3)
    assert person.find("head_scores_plot").isVisible()


def test_the_curves_are_read_off_smoothed_and_joined_by_others(person, text_file, move_mouse):
    person.train(text_file)
    plot = person.find("loss_plot")
    person.wait(plot.isVisible)
    move_mouse(plot.viewport(), plot.viewport().rect().center())
    readout = person.find("loss_readout")
    assert readout.isVisible()
    for word in ("step 6", "training", "smoothed", "validation", "learning rate", "gradient norm", "tokens/s"):
        assert word in readout.text()
    person.set("smoothing_setting", 0.0)

    def shows_smoothed():
        move_mouse(plot.viewport(), plot.viewport().rect().center())
        return "smoothed" in readout.text()

    person.wait(lambda: not shows_smoothed())
    for name in ("lr", "gradient_norm", "tokens_per_second"):
        person.do(f"show_{name}_action")
        assert person.action(f"show_{name}_action").isChecked()
    assert person.window.history.best_evaluation is not None


def test_a_text_is_copied_and_saved_and_repetition_costs_as_much_as_is_asked(person, text_file, tmp_path, monkeypatch):
    person.train(text_file)
    plain = person.generate(tokens=40, temperature=0.0)
    person.set("repetition_penalty_setting", 3.0)
    varied = person.generate(tokens=40, temperature=0.0)
    assert len(set(varied)) > len(set(plain))
    person.do("copy_generated_button")
    assert QApplication.clipboard().text() == "the " + varied
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "written.txt"), ""))
    person.do("save_generated_button")
    assert (tmp_path / "written.txt").read_text(encoding="utf-8") == "the " + varied


def test_the_library_is_searched_and_sorted(person, text_file, tmp_path):
    person.train(text_file)
    other = tmp_path / "fables.txt"
    other.write_text("the fox and the crow; " * 100, encoding="utf-8")
    person.train(other, max_steps=20)
    person.action("runs_action").trigger()
    tree = person.find("run_library")

    def shown():
        rows = [tree.topLevelItem(index) for index in range(tree.topLevelItemCount())]
        return [row.text(1) for row in rows if not row.isHidden()]

    person.wait(lambda: sorted(shown()) == ["12", "20"])
    person.find("run_search_field").setText("CATS")
    assert shown() == ["12"]
    person.find("run_search_field").clear()
    for order, expected in ((Qt.SortOrder.AscendingOrder, ["12", "20"]), (Qt.SortOrder.DescendingOrder, ["20", "12"])):
        tree.header().setSortIndicator(1, order)
        assert shown() == expected
