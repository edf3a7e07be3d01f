"""The present run and another one side by side, from one prompt and seed."""

import shutil

import pytest

from nanograd.training.run_directory import RunDirectory

OTHER_TEXT = "zebras jump; quick foxes vex.\n" * 60


def offered(person):
    combo = person.find("beside_setting")
    return [combo.itemData(index) for index in range(combo.count())]


def choose(person, path):
    combo = person.find("beside_setting")
    person.wait(lambda: path in offered(person))
    combo.setCurrentIndex(offered(person).index(path))


def written(person):
    return [person.find(name).toPlainText() for name in ("generated_text", "beside_text")]


def write(person, prompt="the ", tokens=20):
    person.generate(prompt, tokens, seed=5, temperature=1.0)
    person.wait(lambda: not person.find("stop_generating_button").isEnabled())
    return written(person)


def problem(person):
    return person.find("beside_problem_label").text()


def test_another_run_writes_what_it_writes_alone_and_each_text_says_whose_it_is(person, text_file, runs):
    person.train(text_file)
    first = runs()[0].path
    alone, _ = write(person)
    person.do("close_run_action")
    person.wait_for_state("idle")
    person.train(text_file, n_layer=2, max_steps=14)
    second = runs()[0].path
    assert second != first
    own, _ = write(person)
    choose(person, first)
    assert second not in offered(person)
    assert write(person) == [own, alone]
    assert "step 14" in person.find("present_heading").text()
    assert "Layers 2" in person.find("present_heading").text()
    assert "step 12" in person.find("beside_heading").text()
    assert "Layers 1" in person.find("beside_heading").text()
    choose(person, None)
    assert write(person)[0] == own
    assert not person.find("beside_text").isVisible()


def test_a_run_with_other_tokens_says_so_and_what_it_cannot_read(person, text_file, tmp_path, runs):
    person.train(text_file)
    first = runs()[0].path
    other = tmp_path / "other.txt"
    other.write_text(OTHER_TEXT, encoding="utf-8")
    person.train(other)
    choose(person, first)
    assert all(len(text) == 20 for text in write(person, prompt="o"))
    assert "other tokens" in person.find("beside_heading").text()
    assert len(write(person, prompt="zebra")[0]) == 20
    assert "'z'" in problem(person) or "'b'" in problem(person)
    assert person.errors == []
    assert all(len(text) == 20 for text in write(person, prompt="o"))
    assert problem(person) == ""


@pytest.mark.parametrize("kind", ["gone", "damaged"])
def test_a_run_that_is_gone_or_damaged_says_so_and_the_present_one_writes(person, text_file, runs, kind):
    person.train(text_file)
    first = runs()[0].path
    person.do("close_run_action")
    person.wait_for_state("idle")
    person.train(text_file)
    choose(person, first)
    if kind == "gone":
        shutil.rmtree(first)
    else:
        for path in RunDirectory(first).checkpoints.paths():
            path.write_bytes(path.read_bytes()[:-50])
    own, beside = write(person)
    assert (len(own), beside) == (20, "")
    assert ("There is no" if kind == "gone" else "cut short") in problem(person)
    assert person.find("beside_problem_label").isVisible()


def test_stop_ends_both_texts_while_the_run_goes_on(person, text_file, runs):
    person.train(text_file)
    first = runs()[0].path
    person.do("close_run_action")
    person.wait_for_state("idle")
    person.train_past(text_file, 3)
    choose(person, first)
    person.begin_generating(tokens=1_000_000)
    person.wait(lambda: all(len(text) > 20 for text in written(person)))
    with person.wait_for(person.window.generation_finished):
        person.do("stop_generating_button")
    person.wait(lambda: not person.find("stop_generating_button").isEnabled())
    reached, texts = len(person.window.history.steps), written(person)
    person.wait(lambda: len(person.window.history.steps) > reached + 3)
    assert written(person) == texts
    assert person.errors == []
