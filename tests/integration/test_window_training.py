import numpy as np
import pytest

from nanograd.model_state import load_tensors
from nanograd.training.checkpoint import load_run
from nanograd.training.one_pass import look_through


def weights(path):
    return {name: array for name, array in load_tensors(path)[0].items() if not name.startswith("metrics.")}


def assert_same_weights(one, other):
    left, right = weights(one), weights(other)
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


def test_a_run_goes_from_a_text_to_finished(person, text_file):
    person.train(text_file)
    history = person.window.history
    assert person.states == ["training", "finished"]
    np.testing.assert_array_equal(history.steps, np.arange(1, 13))
    np.testing.assert_array_equal(history.validation_steps, [0, 4, 8, 12])
    assert history.train_loss.shape == (12,)
    assert history.train_loss[-1] < history.train_loss[0]
    assert history.validation_loss[-1] < history.validation_loss[0]
    assert person.find("run_state_label").text() == "Finished"
    assert person.errors == []


def test_pause_rests_and_train_goes_on(person, text_file):
    person.train_to(text_file, 3)
    reached = len(person.window.history.steps)
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) > reached)
    assert person.states == ["training", "paused", "training"]
    np.testing.assert_array_equal(np.diff(person.window.history.steps), 1)
    assert person.window.history.validation_steps[0] == 0


def test_what_was_evaluated_before_the_first_step_stays_when_the_run_goes_on(person, text_file):
    person.open(text_file)
    person.set_up()
    person.do("step_action")
    person.wait_for_state("paused")
    person.do("train_action")
    person.wait_for_state("finished")
    np.testing.assert_array_equal(person.window.history.validation_steps, [0, 4, 8, 12])


def test_pausing_and_stepping_change_nothing_in_what_is_learnt(open_window, text_file, tmp_path):
    straight = open_window()
    straight.train(text_file)
    straight.save(tmp_path / "straight.safetensors")
    halting = open_window()
    halting.open(text_file)
    halting.set_up()
    for step in (1, 2, 3):
        halting.do("step_action")
        halting.wait(lambda step=step: len(halting.window.history.steps) == step)
        halting.wait_for_state("paused")
        halting.generate()
        halting.find("probe_edit").setText("mat"[:step])
    halting.do("train_action")
    halting.wait_for_state("finished")
    halting.save(tmp_path / "halting.safetensors")
    assert_same_weights(tmp_path / "straight.safetensors", tmp_path / "halting.safetensors")
    np.testing.assert_array_equal(straight.window.history.train_loss, halting.window.history.train_loss)


def test_step_starts_a_run_and_does_one_step(person, text_file):
    person.open(text_file)
    person.set_up()
    person.do("step_action")
    person.wait_for_state("paused")
    assert person.window.history.steps.tolist() == [1]
    assert person.states == ["training", "paused"]


def test_step_goes_one_beyond_a_finished_run(person, text_file):
    person.train(text_file)
    person.do("step_action")
    person.wait_for_state("paused")
    assert person.window.history.steps[-1] == 13


def test_stop_saves_and_finishes(person, text_file, tmp_path):
    person.train_past(text_file, 3)
    person.do("stop_action")
    person.wait_for_state("finished")
    (saved,) = (tmp_path / "data" / "runs").glob("*/checkpoint.safetensors")
    assert int(load_tensors(saved)[1]["step"]) == person.window.history.steps[-1]


def test_stop_ends_a_paused_run(person, text_file):
    person.train_to(text_file, 2)
    person.do("stop_action")
    person.wait_for_state("finished")


def test_train_after_finished_is_a_new_run(person, text_file, tmp_path):
    person.train(text_file)
    first = person.window.history.train_loss.copy()
    person.do("train_action")
    person.wait(lambda: person.states[2:] == ["idle", "training", "finished"])
    np.testing.assert_array_equal(person.window.history.train_loss, first)
    assert len(list((tmp_path / "data" / "runs").iterdir())) == 2


def test_train_after_finished_goes_on_where_the_steps_were_raised(person, text_file, tmp_path):
    person.train(text_file)
    person.set("setting_max_steps", 15)
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) == 15)
    person.wait_for_state("finished")
    assert person.states == ["training", "finished", "training", "finished"]
    assert len(list((tmp_path / "data" / "runs").iterdir())) == 1


def test_train_after_finished_is_a_new_run_where_the_model_was_changed(person, text_file):
    person.train(text_file)
    person.set("setting_max_steps", 15)
    person.set("setting_n_embd", 8)
    person.do("train_action")
    person.wait(lambda: person.states[2:] == ["idle", "training", "finished"])
    assert len(person.window.history.steps) == 15


def test_train_goes_on_with_a_stopped_run_that_came_from_a_checkpoint(person, text_file, tmp_path):
    person.train_to(text_file, 2)
    person.save(tmp_path / "run.safetensors")
    person.open_checkpoint(tmp_path / "run.safetensors")
    reached = len(person.window.history.steps)
    person.do("stop_action")
    person.wait_for_state("finished")
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) > reached)
    assert person.states[-2:] == ["finished", "training"]


def test_settings_that_may_change_in_a_run_take_effect_when_it_goes_on(person, text_file):
    person.train_to(text_file, 2, warmup_steps=0)
    person.set("setting_lr", 5e-4)
    person.set("setting_min_lr", 5e-4)
    reached = len(person.window.history.steps)
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) > reached)
    assert person.window.history.lr[-1] == pytest.approx(5e-4)


def test_what_is_fixed_is_locked_until_a_new_run(person, text_file):
    person.train_to(text_file, 2)
    assert not person.find("setting_n_layer").isEnabled()
    assert not person.find("preset_combo").isEnabled()
    assert person.find("setting_lr").isEnabled()
    person.do("close_run_action")
    person.wait_for_state("idle")
    assert person.find("setting_n_layer").isEnabled()
    assert len(person.window.history.steps) == 0
    assert not person.action("save_checkpoint_action").isEnabled()


def test_a_saved_run_opens_in_another_window_and_goes_on_bit_for_bit(open_window, text_file, tmp_path):
    first = open_window()
    first.train_to(text_file, 3, max_steps=40)
    first.save(tmp_path / "middle.safetensors")
    losses = first.window.history.train_loss.copy()
    first.do("train_action")
    first.wait_for_state("finished")
    first.save(tmp_path / "straight.safetensors")
    second = open_window()
    second.open_checkpoint(tmp_path / "middle.safetensors")
    np.testing.assert_array_equal(second.window.history.train_loss, losses)
    assert second.find("setting_n_embd").value() == 16
    assert second.find("corpus_name_label").text() == "cats.txt"
    second.do("train_action")
    second.wait_for_state("finished")
    second.save(tmp_path / "resumed.safetensors")
    assert_same_weights(tmp_path / "straight.safetensors", tmp_path / "resumed.safetensors")
    np.testing.assert_array_equal(first.window.history.train_loss, second.window.history.train_loss)


def test_opening_a_checkpoint_in_training_saves_the_run_first(person, text_file, tmp_path):
    person.train(text_file)
    person.save(tmp_path / "old.safetensors")
    person.do("close_run_action")
    person.wait_for_state("idle")
    person.train_past(text_file, 3, seed=5)
    reached = len(person.window.history.steps)
    person.open_checkpoint(tmp_path / "old.safetensors")
    person.wait_for_state("finished")
    assert person.window.history.steps[-1] == 12
    newest = max((tmp_path / "data" / "runs").glob("*/checkpoint.safetensors"), key=lambda path: path.stat().st_mtime_ns)
    assert int(load_tensors(newest)[1]["step"]) >= reached
    assert person.errors == []


def test_opening_the_own_checkpoint_of_the_run_under_way_loses_no_step(person, text_file, tmp_path):
    person.train_past(text_file, 6, eval_interval=100_000)
    (saved,) = (tmp_path / "data" / "runs").glob("*/checkpoint.safetensors")
    person.open_checkpoint(saved)
    assert person.window.history.steps[-1] >= 6


def test_opening_another_text_in_training_saves_and_closes_the_run_and_says_so(person, text_file, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("an entirely different text, with other words in it.\n" * 40, encoding="utf-8")
    person.train_past(text_file, 3)
    reached = len(person.window.history.steps)
    person.open(other)
    assert person.window.run_state == "idle"
    assert person.find("corpus_name_label").text() == "other.txt"
    assert person.message().startswith("The run on cats.txt is closed at step ")
    (saved,) = (tmp_path / "data" / "runs").glob("*/checkpoint.safetensors")
    assert str(saved.parent) in person.message()
    assert int(load_tensors(saved)[1]["step"]) >= reached
    assert len(person.window.history.steps) == 0


def test_opening_the_same_text_again_leaves_the_run_alone(person, text_file):
    person.train_past(text_file, 3)
    person.open(text_file)
    assert person.window.run_state == "training"
    assert person.states == ["training"]


def test_a_run_whose_text_is_gone_writes_and_asks_for_it_and_goes_on_once_it_is_there(person, open_window, text_file, tmp_path):
    person.train_to(text_file, 2, max_steps=2000)
    checkpoint, text = tmp_path / "run.safetensors", text_file.read_text(encoding="utf-8")
    person.save(checkpoint)
    person.leave()
    text_file.unlink()
    for folder in ("corpora", "cache"):
        for cached in (tmp_path / "data" / folder).iterdir():
            cached.unlink()
    later = open_window()
    later.open_checkpoint(checkpoint)
    assert later.find("corpus_name_label").text() == "cats.txt"
    assert len(later.generate()) == 8
    later.find("probe_edit").setText("fog")
    later.wait(lambda: later.find("attention_map").tokens == ("f", "o", "g"))
    later.do("train_action")
    assert "cats.txt" in later.wait_for_error()
    assert later.window.run_state == "paused"
    later.save(tmp_path / "copy.safetensors")
    assert_same_weights(checkpoint, tmp_path / "copy.safetensors")
    moved = tmp_path / "moved.txt"
    moved.write_text(text, encoding="utf-8")
    later.open(moved)
    reached = len(later.window.history.steps)
    later.do("train_action")
    later.wait(lambda: len(later.window.history.steps) > reached)


@pytest.mark.parametrize("state", ["training", "paused", "finished"])
def test_text_is_written_in_any_state_of_the_run(person, text_file, state):
    if state == "finished":
        person.train(text_file)
    else:
        person.train_past(text_file, 2)
    if state == "paused":
        person.do("pause_action")
        person.wait_for_state("paused")
    text = person.generate(prompt="the cat", tokens=12)
    assert len(text) == 12
    assert set(text) <= set(text_file.read_text(encoding="utf-8"))
    assert person.window.run_state == state


def test_writing_in_training_changes_nothing_in_what_is_learnt(open_window, text_file, tmp_path):
    alone = open_window()
    alone.train(text_file, max_steps=300, eval_interval=100)
    busy = open_window()
    busy.open(text_file)
    busy.set_up(max_steps=300, eval_interval=100)
    busy.do("train_action")
    busy.wait(lambda: busy.find("generate_button").isEnabled())
    busy.generate(tokens=40)
    busy.wait_for_state("finished")
    np.testing.assert_array_equal(alone.window.history.train_loss, busy.window.history.train_loss)


def test_a_fixed_seed_gives_the_same_text_and_a_random_one_says_what_it_was(person, text_file):
    person.train(text_file)
    one, other = person.generate(tokens=40, seed=5), person.generate(tokens=40, seed=5)
    assert one == other
    drawn = person.generate(tokens=40, seed=-1)
    seed = int(person.find("generation_seed_label").text().removeprefix("seed "))
    assert person.generate(tokens=40, seed=seed) == drawn
    assert person.generate(tokens=40, seed=-1) != drawn


def test_writing_can_be_stopped(person, text_file):
    person.train(text_file)
    person.begin_generating(tokens=100_000)
    person.wait(lambda: len(person.find("generated_text").toPlainText()) > 3)
    with person.wait_for(person.window.generation_finished):
        person.do("stop_generating_button")
    assert 3 < len(person.find("generated_text").toPlainText()) < 100_000
    assert person.find("generate_button").isEnabled()


def test_an_empty_prompt_lets_the_model_begin(person, text_file):
    person.train(text_file)
    assert len(person.generate(prompt="")) == 8


def test_generated_text_does_not_repeat_the_prompt(person, text_file):
    person.train(text_file)
    assert len(person.generate(prompt="the dog dug in the fog", tokens=3)) == 3


def test_samples_are_written_at_each_evaluation_and_are_there_again_after_opening(person, open_window, text_file, tmp_path):
    person.train(text_file)
    shown = person.find("samples_view").toPlainText()
    assert [line.split(" ·")[0] for line in shown.splitlines() if line.startswith("step ")] == [
        "step 12", "step 8", "step 4", "step 0",
    ]  # fmt: skip
    person.leave()
    later = open_window()
    (saved,) = (tmp_path / "data" / "runs").glob("*/checkpoint.safetensors")
    later.open_checkpoint(saved)
    assert later.find("samples_view").toPlainText() == shown


def test_the_map_shows_what_the_model_gives(person, text_file, tmp_path):
    person.open(text_file)
    person.set_up(n_layer=2)
    person.do("train_action")
    person.wait_for_state("finished")
    person.save(tmp_path / "run.safetensors")
    person.find("probe_edit").setText("the fog")
    person.find("attention_layer").setCurrentText("2")
    person.find("attention_head").setCurrentText("1")
    attention = person.find("attention_map")
    person.wait(lambda: attention.tokens == tuple("the fog"))
    saved = load_run(tmp_path / "run.safetensors")
    expected, _ = look_through(saved.build_model(), saved.tokenizer.encode("the fog"))
    np.testing.assert_array_equal(attention.weights, expected[1, 0])
    assert [person.find("attention_layer").itemText(index) for index in range(2)] == ["1", "2"]
    assert [person.find("attention_head").itemText(index) for index in range(2)] == ["1", "2"]


@pytest.mark.parametrize("name", ["tales", "sums", "echo"])
def test_a_bundled_text_opens_with_one_click(person, name):
    with person.wait_for(person.window.corpus_opened):
        person.do(f"bundled_{name}_button")
    assert person.find("corpus_name_label").text() == name.capitalize()


def test_the_probabilities_follow_the_probe_of_a_run_under_way_and_of_one_that_ended(person, text_file):
    person.train_past(text_file, 2)
    person.find("probabilities_dock").raise_()
    grid = person.find("probabilities_view")
    person.wait(lambda: grid.rows is not None)
    person.do("stop_action")
    person.wait_for_state("finished")
    person.find("probe_edit").setText("the dog")
    person.wait(lambda: list(grid.rows.columns) == ["t", "h", "e", "·", "d", "o", "g"])
    assert person.find("logit_lens_view").rows.ids.shape == (2, 7)
    person.do("close_run_action")
    person.wait(lambda: person.find("probabilities_empty_label").isVisible())


def test_a_rival_takes_its_place_and_the_model_goes_on_from_there(person, text_file):
    person.train(text_file)
    person.generate(prompt="the ", tokens=8)
    person.wait(lambda: bool(person.find("next_distribution").rivals))
    before = person.find("generated_text").text
    text = next(rival for rival, _ in person.find("generated_text").tokens[3].rivals if rival != before[3])
    with person.wait_for(person.window.generation_finished):
        person.find("generated_text").rival_chosen.emit(3, text)
    after = person.find("generated_text").text
    assert after.startswith(before[:3] + text)
    assert len(after) == 4 + 8
    person.do("branch_back_button")
    assert person.find("generated_text").text == before
    person.set("temperature_setting", 0.0)
    person.wait(lambda: sum(share == 1 for _, _, share in person.find("next_distribution").rivals) == 1)


def test_the_inside_shows_tokens_and_the_numbers_of_each_layer(person, text_file):
    person.train(text_file, n_layer=2)
    person.find("inside_dock").raise_()
    grid = person.find("histogram_grid")
    person.wait(lambda: "Layer 2: weights" in grid.describe() and "updates" in grid.describe())
    person.find("embedding_map").point_at(3)
    assert "is nearest to" in person.find("neighbours_label").text()
    assert person.window.minimumSizeHint().width() <= 1280


def test_every_panel_shows_the_moment_that_the_slider_stands_at(person, text_file):
    person.train(text_file)
    slider = person.find("time_slider")
    person.wait(lambda: slider.maximum() > 4)
    person.wait(lambda: person.find("attention_step_label").text() == "step 12")
    weights, samples = person.find("attention_map").weights, person.find("samples_view").toPlainText()
    slider.setValue(0)
    person.wait(lambda: person.find("attention_step_label").text() == "step 0")
    assert (person.find("attention_map").weights != weights).any()
    assert person.find("loss_plot")._now.value() == 0
    assert person.find("moment_label").text() == "step 0"
    assert len(person.find("samples_view").toPlainText()) < len(samples)
    for dock, label in (("probabilities_dock", "probabilities_step_label"), ("inside_dock", "inside_step_label")):
        person.find(dock).raise_()
        person.wait(lambda label=label: person.find(label).text() == "step 0")
    person.do("live_button")
    person.wait(lambda: person.find("inside_step_label").text() == "step 12")
    assert person.find("samples_view").toPlainText() == samples


def test_a_new_probe_is_looked_at_live(person, text_file):
    person.train(text_file)
    person.wait(lambda: person.find("time_slider").maximum() > 4)
    person.find("time_slider").setValue(1)
    person.find("probe_edit").setText("the dog")
    person.wait(lambda: person.find("attention_map").tokens == tuple("the dog"))
    assert person.find("moment_label").text() == "step 12"
    person.find("time_slider").setValue(1)
    assert person.find("moment_label").text().endswith("of another probe")
    assert "he mat" in person.find("moment_label").toolTip()
    person.do("live_button")
    assert person.find("moment_label").text() == "step 12"


def test_a_run_opened_from_a_single_file_shows_its_only_moment_as_the_latest(person, text_file, tmp_path):
    person.train(text_file)
    person.save(tmp_path / "alone.safetensors")
    person.open_checkpoint(tmp_path / "alone.safetensors")
    person.wait(lambda: person.find("moment_label").text() == "step 12 · the only moment so far")
    slider = person.find("time_slider")
    assert slider.value() == slider.maximum() > slider.minimum()
