import errno
import os

import numpy as np
import pytest

from nanograd.model_state import load_tensors


def runs(tmp_path):
    return sorted((tmp_path / "data" / "runs").glob("*/checkpoint.safetensors"))


@pytest.fixture
def full_disk(monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)


def test_closing_in_training_saves_and_the_next_window_offers_to_go_on_bit_for_bit(open_window, text_file, tmp_path):
    straight = open_window()
    straight.train(text_file, max_steps=400, eval_interval=100)
    straight.save(tmp_path / "straight.safetensors")
    expected = straight.window.history.train_loss.copy()
    straight.leave()
    first = open_window()
    first.train_past(text_file, 5, max_steps=400, eval_interval=100)
    first.leave()
    losses = first_part = load_tensors(runs(tmp_path)[-1])[0]["metrics.train_loss"]
    assert 5 <= len(first_part) < 400
    second = open_window()
    second.wait(lambda: second.find("continue_button").isVisible())
    assert "cats.txt" in second.message()
    assert "of 400" in second.message()
    with second.wait_for(second.window.checkpoint_opened):
        second.do("continue_button")
    np.testing.assert_array_equal(second.window.history.train_loss, losses)
    assert not second.find("continue_button").isVisible()
    second.do("train_action")
    second.wait_for_state("finished")
    second.save(tmp_path / "resumed.safetensors")
    np.testing.assert_array_equal(second.window.history.train_loss, expected)
    one, other = (load_tensors(tmp_path / f"{name}.safetensors")[0] for name in ("straight", "resumed"))
    for name, array in one.items():
        if name != "metrics.tokens_per_second":
            np.testing.assert_array_equal(array, other[name], err_msg=name)
    assert len(runs(tmp_path)) == 2


def test_the_next_window_offers_nothing_where_no_run_was_kept(open_window, text_file):
    open_window().leave()
    second = open_window()
    second.open(text_file)  # an offer would have come before
    assert not second.find("continue_button").isVisible()


def test_a_new_run_takes_the_offer_back(open_window, text_file):
    first = open_window()
    first.train(text_file)
    first.leave()
    second = open_window()
    second.wait(lambda: second.find("continue_button").isVisible())
    second.train(text_file)
    assert not second.find("continue_button").isVisible()


def test_closing_a_run_that_cannot_be_saved_keeps_the_window_until_asked_again(person, qapp, text_file, full_disk):
    quits = []
    qapp.lastWindowClosed.connect(lambda: quits.append(True))
    person.train_past(text_file, 3)
    assert not person.window.close()
    assert person.window.isVisible()
    assert person.window.run_state == "paused"
    assert os.strerror(errno.ENOSPC) in person.message()
    assert "Close the window again" in person.message()
    assert quits == []
    assert len(person.generate()) == 8
    assert person.window.close()
    assert not person.window.isVisible()


def test_who_trains_on_after_a_refusal_is_asked_anew(person, text_file, full_disk):
    person.train_past(text_file, 3)
    assert not person.window.close()
    person.do("train_action")
    person.wait_for_state("training")
    assert not person.window.close()


def test_closing_while_text_is_written_ends_it(person, text_file):
    person.train(text_file)
    person.begin_generating(tokens=100_000)
    person.wait(lambda: person.find("stop_generating_button").isEnabled())
    assert person.window.close()


def test_closing_at_once_works(open_window):
    assert open_window().window.close()


def test_closing_twice_works(person):
    assert person.window.close()
    assert person.window.close()


def test_closing_keeps_the_checkpoint_of_a_finished_run_as_it_is(person, text_file, tmp_path):
    person.train(text_file)
    (path,) = runs(tmp_path)
    before = path.read_bytes()
    person.leave()
    assert path.read_bytes() == before


def test_the_next_window_shows_the_docks_as_they_were_left(open_window, text_file):
    def open_docks():
        person = open_window()
        person.window.resize(1280, 800)
        person.open(text_file)
        return person

    def sizes(person):
        return [person.find(f"{name}_dock").size().toTuple() for name in ("progress", "setup", "generate")]

    first = open_docks()
    first.wait(lambda: first.find("setup_dock").width() > first.find("generate_dock").width())
    left = sizes(first)
    first.leave()
    open_window().leave()  # one that never shows them
    later = open_docks()
    later.wait(lambda: sizes(later) == left)
