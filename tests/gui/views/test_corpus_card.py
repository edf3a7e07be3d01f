import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from gui.events import CorpusOpened
from gui.views.corpus_card import CorpusCard


@pytest.fixture
def card(qtbot):
    card = CorpusCard()
    qtbot.addWidget(card)
    card.setFixedWidth(280)
    card.show()
    return card


def corpus(name="tales.txt"):
    counts = ((" ", 40), ("e", 30), ("\n", 2))
    return CorpusOpened(
        name=name,
        path=None,
        byte_count=72,
        character_count=72,
        vocabulary=("\n", " ", "e"),
        token_count=72,
        token_counts=counts,
        preview="e e\ne <b>",
    )


def label(card, name):
    return card.findChild(QLabel, name)


def test_an_open_text_is_told_by_name_and_size(card):
    card.show_corpus(corpus(), 0.1)
    assert label(card, "corpus_name_label").text() == "tales.txt"
    assert label(card, "corpus_size_label").text() == "72 characters · 3 distinct"
    assert label(card, "corpus_split_label").text() == "72 B · 64 to learn from · 8 kept for validation"


def test_a_long_name_is_elided_and_kept_whole_in_its_tooltip(qtbot, card):
    name = "a_very_long_name_that_somebody_gave_to_a_novel_" * 4 + ".txt"
    card.show_corpus(corpus(name), 0.1)
    card.grab()
    assert card.width() == 280
    assert label(card, "corpus_name_label").text() == name
    assert name in label(card, "corpus_name_label").toolTip()


def test_the_first_lines_show_on_demand(qtbot, card):
    card.show_corpus(corpus(), 0.1)
    assert not label(card, "corpus_preview_label").isVisible()
    qtbot.mouseClick(card.findChild(QPushButton, "corpus_details_button"), Qt.MouseButton.LeftButton)
    assert label(card, "corpus_preview_label").isVisible()
    assert label(card, "corpus_preview_label").text() == "e e\ne <b>"


def test_without_a_text_the_card_invites(card):
    assert "Open texts" in label(card, "corpus_hint_label").text()
    assert not label(card, "corpus_size_label").isVisible()


def test_a_text_that_is_gone_is_named(card):
    card.show_corpus(corpus(), 0.1)
    card.show_missing("gone.txt")
    assert label(card, "corpus_name_label").text() == "gone.txt"
    assert "open the text again" in label(card, "corpus_hint_label").text()


@pytest.mark.parametrize("name", ["tales", "sums", "echo"])
@pytest.mark.parametrize("is_open", [False, True])
def test_the_bundled_texts_are_one_click_away(qtbot, card, name, is_open):
    if is_open:
        card.show_corpus(corpus(), 0.1)
    button = card.findChild(QPushButton, f"bundled_{name}_button")
    with qtbot.waitSignal(card.bundled_requested) as requested:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert requested.args == [name]


def test_the_link_asks_for_another_text(qtbot, card):
    with qtbot.waitSignal(card.open_requested):
        qtbot.mouseClick(card.findChild(QPushButton, "replace_corpus_button"), Qt.MouseButton.LeftButton)
