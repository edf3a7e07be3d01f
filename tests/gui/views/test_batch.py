import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF
from PySide6.QtGui import QHelpEvent, QTextCursor
from PySide6.QtWidgets import QApplication, QLabel, QToolTip

from gui.events import ReplayStarted
from gui.theme import LIGHT, mix
from gui.views.batch import BatchView
from nanograd.training.events import BatchSeen, ReplayAdvanced


@pytest.fixture
def view(qtbot):
    shown = BatchView()
    qtbot.addWidget(shown)
    shown.resize(420, 300)
    shown.show()
    return shown


def seen(texts=("abab", "bbba"), losses=((2.0, 1.0, 0.5), (0.25, 0.25, 0.25)), told=0.7084, step=12):
    ids = np.array([["ab".index(letter) for letter in text] for text in texts], np.int64)
    values = np.array(losses, np.float32)
    return BatchSeen(
        step=step, vocabulary=("a", "b"), ids=ids, losses=values, loss=float(values.mean()), told_loss=told, replayed_steps=2,
        replayed_from=9,
    )  # fmt: skip


def message(view):
    return view.findChild(QLabel, "batch_message_label").text()


def test_it_says_what_to_do_while_there_is_nothing(view):
    assert message(view) == view.EMPTY_TEXT


@pytest.mark.parametrize(
    ("begin", "steps", "expected"),
    [(9, 2, "2 steps again, from the checkpoint at step 9"), (0, 1, "1 step again, from the start of the run")],
)
def test_it_says_how_many_steps_are_gone_through_again(view, begin, steps, expected):
    view.show_started(ReplayStarted(step=12, replayed_from=begin, replayed_steps=steps))
    assert expected in message(view)
    view.show_advance(ReplayAdvanced(step=12, done=1, total=2))
    assert "step 1 of 2" in message(view)


def test_the_texts_come_with_their_losses_the_worst_first(view):
    view.show_batch(seen())
    lines = view.batch_texts.toPlainText().split("\n")
    assert lines == ["1 · loss 1.167", "abab", "2 · loss 0.250", "bbba"]
    assert view.header.findChild(QLabel, "batch_step_label").text() == "step 12 · loss 0.708 · 2 texts"


def test_tokens_are_shaded_by_their_loss_in_the_theme(view):
    view.show_theme(LIGHT)
    view.show_batch(seen(losses=((5.0, 0.6, 0.3), (0.25, 0.25, 0.25))))
    cursor = QTextCursor(view.batch_texts.document())
    start = view.batch_texts.toPlainText().index("abab")
    shades = []
    for place in range(start + 1, start + 5):
        cursor.setPosition(place)
        shades.append(cursor.charFormat().background().color().name().upper())
    assert shades[0] == LIGHT.panel
    assert shades[1] == mix(LIGHT.panel, LIGHT.validation, 0.6)
    assert len(set(shades)) == 4


def test_the_token_under_the_pointer_tells_its_loss(view, monkeypatch):
    told = []
    monkeypatch.setattr(QToolTip, "showText", lambda _place, text, _widget: told.append(text))
    view.show_batch(seen())
    texts = view.batch_texts
    cursor = QTextCursor(texts.document())
    cursor.setPosition(texts.toPlainText().index("abab") + 1)
    rect = texts.cursorRect(cursor)
    place = QPoint(rect.left() + 3, rect.center().y())
    QApplication.sendEvent(texts.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, texts.viewport().mapToGlobal(place)))
    assert told == ["“b”: 2.00 nats, 13.5% likely"]
    assert texts.token_at(QPointF(3, 3)) is None


def test_a_replay_that_came_out_elsewhere_says_so(view):
    view.show_batch(seen(told=0.6))
    assert view.batch_texts.toPlainText().startswith("The run itself had a loss of 0.600 here")
    view.show_batch(seen(told=None))
    assert view.batch_texts.toPlainText().startswith("1 · loss")


def test_of_a_large_batch_the_worst_texts_are_shown(view):
    count, length = 300, 100
    view.show_batch(seen(texts=["ab" * (length // 2)] * count, losses=[[1.0] * (length - 1)] * count))
    assert view.header.findChild(QLabel, "batch_step_label").text().endswith(f"{view.MOST_TOKENS // length} of {count} texts")
    view.clear()
    assert message(view) == view.EMPTY_TEXT
