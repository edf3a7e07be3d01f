"""Runs as wholes in the window: changed while they train, copied, verified, deleted, brought back from what went wrong."""

import json
import shutil

from PySide6.QtCore import Qt

from nanograd.training.checkpoint import load_run, summarize
from nanograd.training.saved_run import open_run


def rows_of(person):
    tree = person.find("run_library")
    return [tree.topLevelItem(index) for index in range(tree.topLevelItemCount())]


def name_of(row):
    return row.data(0, Qt.ItemDataRole.UserRole)[0].name


def choose(person, name, checkpoint=None):
    """Choose a run's row or, by its step, one of its checkpoints; the list may still be on its way."""

    def find():
        runs = [row for row in rows_of(person) if name_of(row) == name]
        checkpoints = [row.child(index) for row in runs for index in range(row.childCount())]
        return next(iter(runs if checkpoint is None else [row for row in checkpoints if row.text(1) == str(checkpoint)]), None)

    person.action("runs_action").trigger()
    person.wait(lambda: find() is not None)
    person.find("run_library").setCurrentItem(find())


def test_a_rate_changed_while_training_is_applied_kept_and_marked(person, text_file, runs):
    person.train_past(text_file, 5, lr=1e-2, eval_interval=100_000)
    person.set("setting_lr", 5e-3)
    person.do("apply_settings_button")
    history = person.window.history
    person.wait(lambda: history.changes and history.steps[-1] > history.changes[-1].step)
    change = history.changes[-1]
    assert change.changes == (("lr", 1e-2, 5e-3),)
    assert person.window.run_state == "training"
    assert person.find("apply_settings_button").isHidden()
    person.wait(lambda: person.find("loss_plot").change_text == "Learning rate 0.01 → 5e-3")
    person.do("pause_action")
    person.wait_for_state("paused")
    directory = runs()[0]
    assert change.step in [kept.step for kept in directory.checkpoints.all()]
    assert directory.changes() == (change,)
    person.leave()


def test_changes_are_marked_again_when_the_run_is_opened(person, open_window, text_file, runs):
    person.train_past(text_file, 5)
    person.set("setting_eval_interval", 3)
    person.do("apply_settings_button")
    person.find("probe_edit").setText("the dog")
    person.wait(lambda: len(person.window.history.changes) == 2)
    known = person.window.history.changes
    person.do("stop_action")
    person.wait_for_state("finished")
    person.leave()
    again = open_window()
    again.open_checkpoint(runs()[0].path)
    assert again.window.history.changes == known
    assert [change.step for change in known] == sorted(change.step for change in known)


def test_a_length_below_the_present_step_ends_the_run(person, text_file):
    person.train_past(text_file, 5)
    person.set("setting_max_steps", 2)
    person.do("apply_settings_button")
    person.wait_for_state("finished")


def test_a_setting_out_of_bounds_cannot_be_applied(person, text_file):
    person.train_past(text_file, 3)
    person.set("setting_eval_interval", 0)
    assert not person.find("apply_settings_button").isEnabled()
    person.set("setting_eval_interval", 7)
    assert person.find("apply_settings_button").isEnabled()


def test_a_run_is_verified_by_its_button(person, text_file, runs):
    person.train(text_file)
    choose(person, runs()[0].path.name)
    person.do("verify_button")
    person.wait(lambda: "weights match at all" in person.message())
    assert person.find("verify_button").text() == "Verify"
    assert person.window.run_state == "finished"


def test_a_run_that_does_not_come_out_the_same_is_told(person, text_file, runs):
    person.train(text_file)
    path = runs()[0].path / "metrics.jsonl"
    path.write_text(path.read_text().replace('"weights_sha256": "', '"weights_sha256": "f', 1))
    person.do("verify_action")
    person.wait(lambda: "contradict each other" in person.message())


def test_a_replay_can_be_stopped_and_training_ends_it(person, text_file, runs):
    person.train(text_file, n_layer=2, n_embd=64, block_size=32, batch_size=8, max_steps=300, eval_interval=150)
    choose(person, runs()[0].path.name)
    person.do("verify_button")
    person.wait(lambda: person.find("verify_button").text() == "Stop")
    person.do("verify_button")
    person.wait(lambda: person.find("verify_button").text() == "Verify")
    assert "until there nothing differed" in person.find("verify_progress_label").text()


def test_a_copy_from_an_older_checkpoint_trains_on_with_other_settings(person, text_file, runs):
    person.train(text_file)
    parent = runs()[0]
    choose(person, parent.path.name, checkpoint=8)
    with person.wait_for(person.window.checkpoint_opened):
        person.do("fork_button")
    person.wait_for_state("paused")
    assert not person.find("setting_n_embd").isEnabled()
    assert person.find("setting_batch_size").isEnabled()
    person.set("setting_batch_size", 2)
    person.set("setting_max_steps", 20)
    person.do("train_action")
    person.wait_for_state("finished")
    assert len(runs()) == 2
    child = runs()[0]
    assert child.parent() == (parent.path.name, 8)
    assert load_run(child.checkpoint_path).settings.batch_size == 2
    assert load_run(child.checkpoint_path).step == 20
    assert load_run(parent.checkpoint_path).step == 12


def test_a_deleted_run_can_be_put_back(person, text_file, runs, tmp_path):
    person.train(text_file)
    first = runs()[0]
    person.do("train_action")  # a finished run: a new one begins
    person.wait(lambda: len(runs()) == 2)
    person.wait_for_state("finished")
    choose(person, first.path.name)
    files = sorted(path.relative_to(first.path) for path in first.path.rglob("*"))
    person.do("delete_run_button")
    person.wait(lambda: [name_of(row) for row in rows_of(person)] == [runs()[0].path.name])
    assert len(runs()) == 1
    person.do("undo_delete_button")
    person.wait(lambda: len(rows_of(person)) == 2)
    assert sorted(path.relative_to(first.path) for path in first.path.rglob("*")) == files
    assert open_run(first.path).saved.step == 12


def test_the_loaded_run_cannot_be_deleted_and_the_trash_can_be_emptied(person, text_file, runs, tmp_path):
    person.train(text_file)
    choose(person, runs()[0].path.name)
    assert not person.find("delete_run_button").isEnabled()
    person.do("close_run_action")
    person.wait_for_state("idle")
    person.do("delete_run_button")
    person.wait(lambda: not runs())
    person.do("empty_trash_button")
    person.wait(lambda: not list((tmp_path / "data" / "trash").iterdir()))


def test_after_a_loss_that_is_not_finite_the_last_good_checkpoint_goes_on_at_a_lower_rate(person, text_file):
    person.open(text_file)
    person.set_up(lr=1000.0, min_lr=0.0, grad_clip=0.0, warmup_steps=0, max_steps=500)
    person.do("train_action")
    person.wait_for_state("failed")
    assert "step" in person.message()
    assert "Lower the learning rate" in person.message()
    button = person.find("remedy_button")
    person.wait(button.isVisible)
    assert button.text().endswith("with rate 100")
    person.set("setting_max_steps", 3)
    person.do("remedy_button")
    person.wait(
        lambda: person.window.run_state in ("training", "finished", "failed") and person.find("setting_lr").value() == 100.0
    )


def test_a_spike_pauses_the_run_and_offers_a_way_back(person, text_file, runs):
    person.train_past(text_file, 60, lr=3e-3, eval_interval=50, grad_clip=0.0)
    person.set("setting_lr", 30.0)
    person.do("apply_settings_button")
    person.wait(lambda: person.window.run_state in ("paused", "failed"))
    assert person.window.run_state == "paused"
    assert "The loss jumped to" in person.message()
    assert "The gradient is largest in" in person.message()
    person.wait(person.find("remedy_button").isVisible)
    spiked_at = int(person.window.history.steps[-1])
    person.do("remedy_button")
    person.wait(lambda: person.find("setting_lr").value() == 15.0)
    changes = [json.loads(line) for line in (runs()[0].path / "changes.jsonl").read_text().splitlines()]
    assert changes[-1]["settings"]["lr"][1] == 15.0
    assert changes[-1]["step"] < spiked_at


def test_a_run_that_is_opened_again_has_its_moments_in_the_slider(person, open_window, text_file, runs):
    person.train(text_file)
    steps = person.find("time_slider").maximum()
    assert steps > 3
    person.leave()
    again = open_window()
    again.open_checkpoint(runs()[0].path)
    slider = again.find("time_slider")
    again.wait(lambda: slider.maximum() == steps)
    slider.setValue(0)
    again.wait(lambda: again.find("attention_step_label").text() == "step 0")


def texts_of(person, name):
    """The chosen run's notes, as the folder has them."""
    return (person.window.data_directory / "runs" / name / "notes.txt").read_text(encoding="utf-8")


def is_done(run):
    summary = summarize(run.checkpoint_path)
    return summary is not None and summary.step == summary.max_steps


def test_two_runs_are_compared_by_the_keyboards_action(person, text_file, runs):
    person.train(text_file)
    first = runs()[0].path.name
    person.set("setting_lr", 3e-3)
    person.do("train_action")
    person.wait(lambda: len(runs()) == 2 and all(map(is_done, runs())))
    person.wait_for_state("finished")
    choose(person, first)
    person.wait(lambda: len(rows_of(person)) == 2)
    assert not person.action("compare_runs_action").isEnabled()
    for row in rows_of(person):
        row.setSelected(True)
    person.do("compare_runs_action")
    plot, table = person.find("comparison_plot"), person.find("differences_table")
    person.wait(lambda: len(plot.drawn) == 4 and all(count > 2 for *_, count in plot.drawn))
    assert plot.isVisible()
    assert [table.verticalHeaderItem(row).text() for row in range(table.rowCount())] == ["Learning rate"]
    legend = person.find("comparison_legend").text()
    assert "Learning rate 3e-3" in legend
    assert "Layers" not in legend
    person.do("end_comparison_button")
    person.wait(person.find("run_library").isVisible)


def test_notes_are_written_into_the_runs_folder_also_when_the_window_closes_at_once(person, open_window, text_file, runs):
    person.train(text_file)
    name = runs()[0].path.name
    choose(person, name)
    notes = person.find("run_notes_edit")
    notes.setPlainText("good: ä → b")
    person.wait(lambda: texts_of(person, name) == "good: ä → b")
    notes.setPlainText("better")
    person.leave()
    assert (runs()[0].path / "notes.txt").read_text() == "better"
    again = open_window()
    choose(again, name)
    again.wait(lambda: again.find("run_notes_edit").toPlainText() == "better")


def test_damaged_and_newer_runs_show_what_is_there_and_say_what_is_not(person, text_file, runs):
    person.train(text_file)
    whole = runs()[0].path
    newer, bare = whole.with_name("newer"), whole.with_name("bare")
    for path in (newer, bare):
        shutil.copytree(whole, path)
    (newer / "metrics.jsonl").unlink()
    data = (newer / "checkpoint.safetensors").read_bytes()
    assert data.count(b'"version":"1"') == 1
    (newer / "checkpoint.safetensors").write_bytes(data.replace(b'"version":"1"', b'"version":"2"'))
    for path in [bare / "checkpoint.safetensors", *(bare / "checkpoints").glob("*.safetensors")]:
        path.unlink()
    (bare / "settings.json").write_text("{")
    (bare / "parent.json").write_text("[")
    problem = person.find("run_problem_label")
    choose(person, "newer")
    assert "newer version" in problem.text()
    assert "no curves" in problem.text()
    choose(person, whole.name)
    assert problem.text() == ""
    for row in rows_of(person):
        row.setSelected(True)
    person.do("compare_runs_action")
    plot, missing = person.find("comparison_plot"), person.find("comparison_problem_label")
    person.wait(lambda: bool(missing.text()))
    assert "newer version" in missing.text()
    counts = [count for name, _, count in plot.drawn if name == "validation"]
    assert len(counts) == len(rows_of(person))
    assert sum(count > 2 for count in counts) == len(counts) - 1
