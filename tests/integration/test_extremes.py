"""Models and texts at the ends of what is allowed, in every panel of the real window."""

import numpy as np
import pytest

PANELS = ("attention", "probabilities", "inside", "setup", "generate", "samples", "progress")
LARGEST_VOCABULARY = 50_000


def vocabulary_of(size):
    """So many characters that can stand in a text."""
    return [chr(code) for code in (*range(0x61, 0x7B), *range(0x3400, 0x9FFF), *range(0xAC00, 0xD7A4), *range(0x10000, 0x18000))][
        :size
    ]


def write(path, vocabulary, length):
    path.write_text("".join(np.resize(vocabulary, length)), encoding="utf-8")
    return path


def look_everywhere(person):
    """Every panel is drawn once, in each layout, in both themes."""
    for theme in ("light", "dark"):
        person.do(f"theme_{theme}_action")
        for layout in ("inside", "write", "watch"):
            person.do(f"layout_{layout}_action")
            for panel in PANELS:
                person.find(f"{panel}_dock").raise_()
                person.wait(lambda panel=panel: not person.find(f"{panel}_dock").visibleRegion().isEmpty())
            person.window.grab()
    assert person.errors == []


@pytest.mark.parametrize("size", [2, LARGEST_VOCABULARY])
def test_vocabularies_of_two_and_of_fifty_thousand(person, tmp_path, size):
    text = write(tmp_path / "tokens.txt", vocabulary_of(size), max(3000, size + size // 2))
    person.train(text, max_steps=3, eval_interval=2, validation_fraction=0.3)
    assert f"{size:,} distinct" in person.find("corpus_size_label").text()
    assert person.find("model_picture").counts["tokens"] == size * 16
    look_everywhere(person)
    person.wait(lambda: person.find("probabilities_view").rows is not None)
    written = person.generate(prompt="", tokens=5)
    assert len(written) == 5
    assert len(person.find("next_distribution").rivals) <= size


@pytest.mark.parametrize(("n_layer", "n_head"), [(1, 1), (24, 16)])
def test_one_head_alone_and_many(person, text_file, n_layer, n_head):
    person.train(text_file, n_layer=n_layer, n_head=n_head, n_embd=32, max_steps=2, eval_interval=2)
    mosaic = person.find("attention_mosaic")
    person.wait(lambda: person.find("attention_map").weights.size > 0)
    look_everywhere(person)
    person.find("attention_dock").raise_()
    mosaic.head_chosen.emit(n_layer - 1, n_head - 1)
    assert person.find("attention_layer").currentText() == str(n_layer)
    assert person.find("attention_head").currentText() == str(n_head)
    tile = mosaic.tile_rect(n_layer - 1, n_head - 1)
    assert tile.width() >= 2
    assert mosaic.rect().contains(tile)


def test_a_context_of_a_thousand_tokens_with_a_probe_that_is_longer(person, tmp_path):
    text = write(tmp_path / "long.txt", list("the cat sat on a mat; "), 40_000)
    person.open(text)
    person.set_up(block_size=1024, batch_size=1, max_steps=2, eval_interval=2, eval_windows=1, sample_tokens=0)
    person.find("probe_edit").setText("the cat sat on a mat; " * 60)
    person.do("train_action")
    person.wait_for_state("finished")
    attention = person.find("attention_map")
    person.wait(lambda: len(attention.tokens) == 1024)
    assert "".join(attention.tokens) == ("the cat sat on a mat; " * 60)[-1024:]
    look_everywhere(person)


def test_a_probe_that_is_emptied_leaves_what_was_shown_and_says_what_to_do(person, text_file, qtbot):
    person.train(text_file)
    attention = person.find("attention_map")
    person.wait(lambda: attention.weights.size > 0)
    before = attention.tokens
    person.find("probe_edit").clear()
    person.wait(lambda: person.find("probe_problem_label").isVisible())
    assert attention.tokens == before
    look_everywhere(person)


def test_a_run_that_has_no_evaluation_yet_shows_what_it_has(person, tmp_path):
    person.open(write(tmp_path / "long.txt", list("the cat sat on a mat; "), 2_000_000))
    person.set_up(eval_windows=100_000, validation_fraction=0.5)
    person.do("train_action")
    person.wait(lambda: person.find("status_evaluation_label").text() != "")
    person.do("pause_action")
    person.wait_for_state("paused")
    assert person.window.history.validation_steps.size == 0
    assert person.find("time_slider").maximum() == 0
    look_everywhere(person)
    person.do("show_batch_action")
    person.do("log_axis_action")
    assert person.errors == []
