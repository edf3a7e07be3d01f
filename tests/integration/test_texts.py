"""Texts through the real window: many files, any encoding, any tokenizer, large ones, and files that change."""

import random
import shutil

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from nanograd.text.byte_pair_training import train_byte_pair
from nanograd.text.gpt2_files import load_gpt2_files, save_gpt2_files
from nanograd.text.tokenizer import visible
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import open_run

SENTENCE = "the cat sat on the mat; the dog dug in the fog.\n"


@pytest.fixture
def hard_text(tmp_path):
    """A text whose byte-pair vocabulary of the largest size takes long to learn."""
    draw = random.Random(0)
    words = (chr(0x4E00 + draw.randrange(5000)) + chr(0x4E00 + draw.randrange(5000)) for _ in range(100_000))
    path = tmp_path / "hard.txt"
    path.write_text(" ".join(words), encoding="utf-8")
    return path


def shown(person, name):
    return person.find(name).text()


def is_shown(person, name):
    return person.find(name).isVisible()


def reopens(person, change):
    """Do something that has the text opened again, and wait for that."""
    with person.wait_for(person.window.corpus_opened):
        change()


def write(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def drop(widget, *paths):
    data, copy = QMimeData(), Qt.DropAction.CopyAction
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(widget, QDragEnterEvent(widget.rect().center(), copy, data, *none))
    QApplication.sendEvent(widget, QDropEvent(QPointF(widget.rect().center()), copy, data, *none))


# ---- many files -----------------------------------------------------------------------------------------------------------


def test_files_and_folders_that_are_dropped_make_one_text_in_a_stable_order(person, tmp_path):
    write(tmp_path / "folder" / "b.md", "second")
    write(tmp_path / "folder" / "deep" / "c.py", "third")
    first = write(tmp_path / "a.txt", "first")
    with person.wait_for(person.window.corpus_opened):
        drop(person.window, tmp_path / "folder", first)
    assert shown(person, "corpus_name_label") == "folder and 1 more"
    person.do("corpus_details_button")
    assert shown(person, "corpus_preview_label") == "first\n\nsecond\n"
    assert "20 characters" in shown(person, "corpus_size_label")


def test_all_texts_of_a_folder_are_opened(person, tmp_path, monkeypatch):
    write(tmp_path / "folder" / "a.txt", "some text")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "folder"))
    reopens(person, lambda: person.do("open_folder_button"))
    assert shown(person, "corpus_name_label") == "folder"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    person.do("open_folder_button")
    assert person.errors == []


def test_what_comes_between_documents_can_be_chosen(person, qtbot, tmp_path):
    paths = [write(tmp_path / name, text) for name, text in (("a.txt", "one"), ("b.txt", "two"))]
    reopens(person, lambda: person.window.open_corpus(*paths))
    person.do("corpus_details_button")
    field = person.find("separator_setting")
    assert field.text() == r"\n\n"
    field.setText(r"\n--\n")
    reopens(person, lambda: qtbot.keyClick(field, Qt.Key.Key_Return))
    assert shown(person, "corpus_preview_label") == "one\n--\ntwo"
    assert field.text() == r"\n--\n"


def test_windows_line_ends_can_be_kept(person, tmp_path):
    person.open(write(tmp_path / "windows.txt", "one\r\ntwo\r\n" * 30))
    assert "240 characters" in shown(person, "corpus_size_label")
    reopens(person, lambda: person.set("line_ends_setting", False))
    assert "300 characters" in shown(person, "corpus_size_label")
    reopens(person, lambda: person.set("line_ends_setting", True))
    assert "240 characters" in shown(person, "corpus_size_label")


def test_the_field_of_a_table_can_be_chosen(person, tmp_path):
    person.open(write(tmp_path / "table.csv", "title,text\nOne,first\nTwo,second\n"))
    person.do("corpus_details_button")
    assert shown(person, "corpus_preview_label") == "first\n\nsecond"
    reopens(person, lambda: person.set("field_setting", "title"))
    assert shown(person, "corpus_preview_label") == "One\n\nTwo"
    reopens(person, lambda: person.set("field_setting", "the whole file"))
    assert shown(person, "corpus_preview_label") == "title,text\nOne,first\nTwo,second"
    assert person.find("field_setting").isVisible()


def test_rows_without_the_field_are_left_out_and_the_notice_says_so(person, tmp_path):
    person.open(write(tmp_path / "rows.jsonl", '{"text": "one"}\n{"other": "two"}\nno json\n'))
    assert "2 of 3 rows of rows.jsonl have no text" in person.message()


def test_a_reading_that_fails_is_taken_back(person, text_file):
    person.open(text_file)
    text_file.unlink()
    person.set("line_ends_setting", False)
    assert "There is no file" in person.wait_for_error()
    person.wait(person.find("line_ends_setting").isChecked)
    assert shown(person, "corpus_name_label") == "cats.txt"


def test_a_bundled_text_can_be_told_in_other_tokens(person):
    reopens(person, lambda: person.do("bundled_sums_button"))
    person.do("corpus_details_button")
    assert not is_shown(person, "separator_setting")
    reopens(person, lambda: person.set("tokenizer_setting", "bytes"))
    assert "· 256 distinct" in shown(person, "corpus_size_label")
    assert shown(person, "corpus_name_label") == "Sums"


# ---- encodings ------------------------------------------------------------------------------------------------------------


def test_a_guess_shows_how_the_text_reads_and_a_click_on_it_opens_the_text(person, tmp_path):
    person.window.open_corpus(write(tmp_path / "alt.txt", "Жил-был у бабушки серенький козлик.\n" * 40, "koi8-r"))
    person.wait(lambda: is_shown(person, "encoding_question"))
    assert "Жил-был у бабушки" in person.find("guess_koi8-r_button").accessibleName()
    reopens(person, lambda: person.do("guess_koi8-r_button"))
    assert not is_shown(person, "encoding_question")
    person.do("corpus_details_button")
    assert shown(person, "corpus_preview_label").startswith("Жил-был у бабушки")
    reopens(person, lambda: person.set("line_ends_setting", False))  # the answer holds while the text is read anew
    assert shown(person, "corpus_preview_label").startswith("Жил-был у бабушки")


def test_an_encoding_beyond_the_guesses_can_be_chosen(person, tmp_path):
    person.window.open_corpus(write(tmp_path / "alt.txt", "Grüße aus Köln, schöne Äpfel.\n" * 40, "cp1252"))
    person.wait(lambda: is_shown(person, "encoding_question"))
    reopens(person, lambda: person.set("encoding_setting", "mac_roman"))
    person.do("corpus_details_button")
    assert "Gr¸ﬂe" in shown(person, "corpus_preview_label")


def test_the_question_can_be_left_and_the_text_before_stays(person, tmp_path, text_file):
    person.open(text_file)
    path = write(tmp_path / "alt.txt", "schöne Äpfel\n" * 40, "cp1252")
    for _ in range(2):
        person.window.open_corpus(path)
        person.wait(lambda: is_shown(person, "encoding_question"))
        person.do("dismiss_encoding_button")
        assert not is_shown(person, "encoding_question")
        assert not is_shown(person, "message_bar")
    assert shown(person, "corpus_name_label") == "cats.txt"


# ---- tokens ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "vocabulary"), [("bytes", 256), ("byte-pair", 280)])
def test_a_run_learns_in_other_tokens_and_writes(person, tmp_path, kind, vocabulary):
    person.open(write(tmp_path / "euro.txt", "Ein € und 东京, schöne Größe.\n" * 60))
    person.do("corpus_details_button")
    reopens(person, lambda: person.set("tokenizer_setting", kind))
    if kind == "byte-pair":
        reopens(person, lambda: person.set("vocabulary_size_setting", 260))
        person.set("vocabulary_size_setting", 270)  # as while a number is typed: only where it rests the text is read anew
        reopens(person, lambda: person.set("vocabulary_size_setting", vocabulary))
    assert f"· {vocabulary} distinct" in shown(person, "corpus_size_label")
    person.set_up()
    person.do("train_action")
    person.wait_for_state("finished")
    person.generate(prompt="€", tokens=12)
    assert len(person.find("generated_text").tokens) == 12
    person.wait(lambda: bool(person.find("next_distribution").rivals))


@pytest.fixture
def vocabulary(tmp_path):
    """The folder of a byte-pair vocabulary of 300 tokens that was learnt from another text."""
    folder = tmp_path / "a vocabulary with a rather long name"
    save_gpt2_files(train_byte_pair("the dog and the cat and the fog and the mat\n" * 20, 300), folder)
    return folder


def choose_files(person, monkeypatch, folder):
    """Point at a vocabulary's file in the dialog that the button opens."""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(folder / "merges.txt") if folder else "", ""))
    person.do("vocabulary_files_setting")


def test_a_run_learns_in_the_tokens_of_a_vocabulary_from_files(person, open_window, monkeypatch, text_file, vocabulary):
    person.open(text_file)
    person.do("corpus_details_button")
    before = shown(person, "corpus_size_label")
    person.set("tokenizer_setting", "from files")
    assert is_shown(person, "vocabulary_files_setting")
    assert not is_shown(person, "vocabulary_size_setting")
    choose_files(person, monkeypatch, None)
    assert shown(person, "corpus_size_label") == before
    reopens(person, lambda: choose_files(person, monkeypatch, vocabulary))
    expected = load_gpt2_files(vocabulary)
    count = len(expected.encode(text_file.read_text(encoding="utf-8")))
    assert shown(person, "corpus_size_label") == f"{count:,} tokens · {expected.vocabulary_size} distinct"
    assert str(vocabulary) in person.find("vocabulary_files_setting").toolTip()
    person.set_up()
    person.do("train_action")
    person.wait_for_state("finished")
    (run,) = RunDirectory.all(person.window.data_directory / "runs")
    assert open_run(run.path).saved.tokenizer.as_dict() == expected.as_dict()
    person.leave()
    shutil.rmtree(vocabulary)  # the run has what it needs
    later = open_window()
    later.open_checkpoint(run.path)
    later.generate()
    assert later.errors == []


def test_another_text_is_told_in_the_tokens_of_the_files_too_and_characters_are_a_choice_away(
    person, monkeypatch, tmp_path, text_file, vocabulary
):
    person.open(text_file)
    person.set("tokenizer_setting", "from files")
    reopens(person, lambda: choose_files(person, monkeypatch, vocabulary))
    size = load_gpt2_files(vocabulary).vocabulary_size
    person.open(write(tmp_path / "other.txt", "Größe und Übermut\n" * 60))
    assert shown(person, "corpus_size_label").endswith(f"· {size} distinct")
    reopens(person, lambda: person.set("tokenizer_setting", "characters"))
    assert not is_shown(person, "vocabulary_files_setting")
    reopens(person, lambda: person.set("tokenizer_setting", "from files"))  # the files are still known
    assert shown(person, "corpus_size_label").endswith(f"· {size} distinct")


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("vocab.json", "{", "vocab.json is no JSON"),
        ("merges.txt", None, "Choose a folder with vocab.json and merges.txt"),
        ("merges.txt", "x y\n", "names or makes a token that is not in the vocabulary"),
        ("vocab.json", '{"t": 0, "h": 1, "th": 2}', "The byte 65 is not among the 3 tokens"),
    ],
)
def test_files_that_do_not_fit_are_told_of_beside_the_choice(person, monkeypatch, text_file, vocabulary, name, data, told):
    person.open(text_file)
    person.do("corpus_details_button")
    before = shown(person, "corpus_size_label")
    person.set("tokenizer_setting", "from files")
    if data is None:
        (vocabulary / name).unlink()
    else:
        (vocabulary / name).write_text(data)
    if name == "vocab.json":
        (vocabulary / "merges.txt").write_text("t h\n")
    choose_files(person, monkeypatch, vocabulary)
    assert told in person.wait_for_error()
    assert told in shown(person, "vocabulary_size_problem")
    assert is_shown(person, "vocabulary_size_problem")
    assert is_shown(person, "vocabulary_files_setting")
    assert not is_shown(person, "message_bar")
    assert shown(person, "corpus_size_label") == before
    reopens(person, lambda: person.set("tokenizer_setting", "bytes"))
    assert not is_shown(person, "vocabulary_size_problem")


def test_a_number_that_was_just_typed_counts_for_the_text_that_is_opened_next(person, tmp_path, text_file):
    person.open(text_file)
    reopens(person, lambda: person.set("tokenizer_setting", "byte-pair"))
    person.set("vocabulary_size_setting", 258)
    person.open(write(tmp_path / "other.txt", "another text\n" * 60))
    assert shown(person, "corpus_name_label") == "other.txt"
    assert "· 258 distinct" in shown(person, "corpus_size_label")
    assert person.find("vocabulary_size_setting").value() == 258


def test_a_vocabulary_out_of_bounds_is_refused_beside_its_field(person, text_file):
    person.open(text_file)
    person.do("corpus_details_button")
    reopens(person, lambda: person.set("tokenizer_setting", "byte-pair"))
    before = shown(person, "corpus_size_label")
    person.set("vocabulary_size_setting", 12)
    assert "choose 257 to 32,768" in shown(person, "vocabulary_size_problem")
    assert person.find("vocabulary_size_setting").value() == 12
    reopens(person, lambda: person.set("tokenizer_setting", "characters"))
    assert shown(person, "corpus_size_label") != before
    assert not is_shown(person, "vocabulary_size_problem")


def test_tokens_that_are_no_whole_character_are_shown_by_their_bytes_and_can_be_gone_on_from(person, qtbot, tmp_path):
    person.open(write(tmp_path / "euro.txt", "€é" * 400))
    reopens(person, lambda: person.set("tokenizer_setting", "bytes"))
    person.set_up()
    person.do("train_action")
    person.wait_for_state("finished")
    person.find("probe_edit").setText("é€")
    attention = person.find("attention_map")
    person.wait(lambda: [visible(token) for token in attention.tokens] == ["‹C3›", "‹A9›", "‹E2›", "‹82›", "‹AC›"])
    person.window.grab()
    person.generate(prompt="€", tokens=6)
    text = person.find("generated_text")
    partial = next(token for token, _ in text.tokens[2].rivals if visible(token).startswith("‹"))
    with person.wait_for(person.window.generation_finished):
        text.rival_chosen.emit(2, partial)
    assert text.tokens[2].token == partial
    assert len(text.tokens) == 3 + 6
    following = person.find("next_distribution")
    person.wait(lambda: any(visible(token).startswith("‹") for token, _, _ in following.rivals))
    place = next(index for index, (token, _, _) in enumerate(following.rivals) if visible(token).startswith("‹"))
    chosen = following.rivals[place][0]
    with person.wait_for(person.window.generation_finished):
        qtbot.mouseClick(following, Qt.MouseButton.LeftButton, pos=following.column_center(place).toPoint())
    assert text.tokens[9].token == chosen
    assert len(text.tokens) == 10 + 6


def test_a_huge_character_vocabulary_is_warned_of_with_figures_and_byte_pair_is_one_click_away(person, tmp_path):
    person.open(write(tmp_path / "huge.txt", "".join(map(chr, range(0x4E00, 0x4E00 + 1500))) * 30))
    person.set_up(n_embd=16)
    assert "1,500 distinct characters: 24.0 k of" in shown(person, "text_warning_label")
    reopens(person, lambda: person.do("use_byte_pair_button"))
    assert person.find("tokenizer_setting").currentText() == "byte-pair"
    assert "distinct characters" not in shown(person, "text_warning_label")
    assert not is_shown(person, "use_bytes_button")


def test_a_text_too_small_for_the_model_is_warned_of_with_figures(person, text_file):
    person.open(text_file)  # 1,728 tokens to learn from
    person.set_up()
    assert not is_shown(person, "text_warning_label")
    person.set("setting_n_embd", 64)
    assert "1,728 tokens" in shown(person, "text_warning_label")
    assert is_shown(person, "text_warning_label")
    person.set("setting_block_size", 200)
    assert "Too short for a context of 200: 192 tokens to validate with, and 201 are needed" in shown(
        person, "text_warning_label"
    )


# ---- large texts ----------------------------------------------------------------------------------------------------------


def choose_most_tokens(person):
    person.set("tokenizer_setting", "byte-pair")
    person.set("vocabulary_size_setting", 32_768)


def open_hard(person, path):
    """Have a text opened that takes long, and wait until the card tells how far it is."""
    person.window.open_corpus(path)
    person.wait(lambda: is_shown(person, "opening_bar"))


def test_opening_shows_how_far_it_is_and_can_be_given_up(person, hard_text):
    choose_most_tokens(person)
    open_hard(person, hard_text)
    person.wait(lambda: shown(person, "opening_label") == "Learning tokens of hard.txt")
    assert "of 32,768 · about" in shown(person, "opening_figures_label")
    person.do("cancel_opening_button")
    person.wait(lambda: not is_shown(person, "opening_bar"))
    assert shown(person, "corpus_name_label") == "No text yet"
    person.set("tokenizer_setting", "characters")
    person.open(hard_text)
    assert shown(person, "corpus_name_label") == "hard.txt"


def test_a_run_goes_on_while_a_text_is_opened_and_closing_gives_it_up(person, text_file, hard_text):
    choose_most_tokens(person)
    person.train_past(text_file, 2)
    open_hard(person, hard_text)
    reached = len(person.window.history.steps)
    person.wait(lambda: len(person.window.history.steps) > reached + 2)
    assert is_shown(person, "opening_bar")
    assert person.states == ["training"]


# ---- the cache ------------------------------------------------------------------------------------------------------------


def test_the_cache_is_measured_cleared_and_limited(person, open_window, text_file):
    person.open(text_file)
    person.do("corpus_details_button")
    assert shown(person, "cache_size_label") != "Cache 0 B"
    person.do("clear_cache_button")
    person.wait(lambda: shown(person, "cache_size_label") == "Cache 0 B")
    assert not person.find("clear_cache_button").isEnabled()
    person.set("cache_limit_setting", -1)
    assert "choose 0 to" in shown(person, "cache_limit_problem")
    person.set("cache_limit_setting", 3)
    assert not is_shown(person, "cache_limit_problem")
    person.leave()
    assert open_window().find("cache_limit_setting").value() == 3


def test_a_text_that_was_cleared_from_the_cache_trains_on(person, text_file):
    person.train_to(text_file, 2)
    person.do("corpus_details_button")
    person.do("clear_cache_button")
    reached = len(person.window.history.steps)
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) > reached)


# ---- files that change ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_run_says_that_its_file_has_changed_and_trains_on(person, open_window, text_file, is_gone):
    person.train_to(text_file, 4)
    person.leave()
    text_file.unlink() if is_gone else text_file.write_text("something else\n" * 50, encoding="utf-8")
    later = open_window()
    later.wait(later.find("continue_button").isVisible)
    with later.wait_for(later.window.checkpoint_opened):
        later.do("continue_button")
    expected = "cats.txt cannot be found" if is_gone else "cats.txt has changed"
    later.wait(lambda: expected in later.message())
    assert later.find("message_bar").isVisible()
    reached = len(later.window.history.steps)
    later.do("train_action")
    later.wait(lambda: len(later.window.history.steps) > reached)


def test_a_file_that_changes_while_the_window_is_open_is_told_once_when_training_goes_on(person, text_file):
    person.train_to(text_file, 2)
    text_file.write_text("something else\n" * 50, encoding="utf-8")
    person.do("train_action")
    person.wait(lambda: "cats.txt has changed" in person.message() and is_shown(person, "message_bar"))
    person.do("close_message_button")
    person.do("pause_action")
    person.wait_for_state("paused")
    reached = len(person.window.history.steps)
    person.do("train_action")
    person.wait(lambda: len(person.window.history.steps) > reached)
    assert not is_shown(person, "message_bar")
