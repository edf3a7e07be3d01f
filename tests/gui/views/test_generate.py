import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QFileDialog

from gui.events import GenerationFinished, GenerationStarted, NextPreviewed, TextGenerated
from gui.theme import DARK, LIGHT
from gui.views.generate import GenerateView, GenerationRequest


@pytest.fixture
def view(qtbot):
    shown = GenerateView()
    qtbot.addWidget(shown)
    shown.resize(400, 340)
    shown.set_available(True)
    shown.show()
    return shown


def tokens(text):
    return [
        TextGenerated(text=character, token=character, probability=0.5, rivals=(("e", 0.5), ("a", 0.25))) for character in text
    ]


def begin(view, prompt="ROMEO:", seed=42):
    view.show_started(GenerationStarted(prompt=prompt, seed=seed))


def finish(view, was_stopped=False):
    view.show_finished(GenerationFinished(token_count=3, tokens_per_second=1204.4, was_stopped=was_stopped))


def test_generate_carries_prompt_and_settings(view, qtbot):
    view.prompt_edit.setPlainText("ROMEO:\n")
    view.temperature_setting.setValue(0.0)
    view.top_k_setting.setValue(0)
    view.top_p_setting.setValue(1.0)
    view.max_new_tokens_setting.setValue(7)
    view.generation_seed_setting.setValue(3)
    with qtbot.waitSignal(view.generate_requested) as requested:
        view.generate_button.click()
    assert requested.args == [GenerationRequest(prompt="ROMEO:\n", max_new_tokens=7, temperature=0.0, top_k=0, top_p=1.0, seed=3)]


def test_control_and_return_generates(view, qtbot):
    view.activateWindow()
    view.prompt_edit.setFocus()
    with qtbot.waitSignal(view.generate_requested):
        qtbot.keyClick(view.prompt_edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert view.prompt_edit.toPlainText() == ""


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("temperature_setting", -0.5, "Temperature -0.5 is below 0"),
        ("top_k_setting", -1, "Top-k -1 is below 0"),
        ("top_p_setting", 1.5, "Top-p 1.5 is out of bounds"),
        ("top_p_setting", 0.0, "Top-p 0 is out of bounds"),
        ("repetition_penalty_setting", 0.0, "Repetition 0 is out of bounds"),
        ("max_new_tokens_setting", 0, "Length 0 is below 1"),
        ("generation_seed_setting", -2, "Seed -2 is below 0"),
    ],
)
def test_a_bad_setting_is_told_beside_the_fields_and_nothing_is_asked_for(view, qtbot, field, value, part):
    setting = getattr(view, field)
    good = setting.value()
    with qtbot.waitSignal(view.problem_found):
        setting.setValue(value)
    label = view.findChild(object, "generation_problem_label")
    assert part in label.text()
    assert label.isVisible()
    with qtbot.assertNotEmitted(view.generate_requested):
        view.generate_button.click()
    setting.setValue(good)
    assert not label.isVisible()


def test_without_a_model_the_view_says_what_to_do(view):
    view.set_available(False, "Train first.")
    assert not view.generate_button.isEnabled()
    assert view.findChild(object, "generation_reason_label").text() == "Train first."


def test_stop_can_be_pressed_only_while_a_text_is_written(view, qtbot):
    assert not view.stop_generating_button.isEnabled()
    begin(view)
    assert not view.generate_button.isEnabled()
    with qtbot.waitSignal(view.stop_requested):
        view.stop_generating_button.click()
    finish(view, was_stopped=True)
    assert not view.stop_generating_button.isEnabled()
    assert view.generate_button.isEnabled()


def test_the_text_holds_the_continuation_only_and_a_new_one_replaces_it(view):
    begin(view)
    view.append(tokens("ab\n"))
    view.append(tokens("c"))
    assert view.generated_text.toPlainText() == "ab\nc"
    begin(view)
    assert view.generated_text.toPlainText() == ""


def test_seed_and_speed_stand_in_the_header(view, qtbot):
    qtbot.addWidget(view.header)
    begin(view, seed=7)
    finish(view)
    assert view.header.findChild(object, "generation_seed_label").text() == "seed 7"
    assert view.header.findChild(object, "generation_status_label").text() == "3 tokens · 1,204 tokens/s"


def test_copy_takes_prompt_and_text_to_the_letter(view):
    begin(view, prompt="One ")
    view.append(tokens("two\xa0\r\nthree"))
    view.copy_button.click()
    assert QGuiApplication.clipboard().text() == "One two\xa0\r\nthree"


def test_a_problem_of_the_prompt_goes_when_it_is_edited(view):
    view.show_prompt_problem("The character '€' is unknown.")
    label = view.findChild(object, "prompt_problem_label")
    assert label.isVisible()
    view.prompt_edit.setPlainText("E")
    assert not label.isVisible()


def test_editing_the_prompt_does_not_end_a_text_under_way(view):
    begin(view)
    view.prompt_edit.setPlainText("another")
    assert view.stop_generating_button.isEnabled()


def test_the_text_stays_at_its_end_unless_the_user_scrolled_up(view):
    begin(view)
    bar = view.generated_text.verticalScrollBar()
    view.append(tokens("line\n" * 60))
    assert bar.value() == bar.maximum() > 0
    bar.setValue(3)
    view.append(tokens("line\n" * 60))
    assert bar.value() == 3


def test_pointing_at_a_token_shows_its_rivals(view, move_mouse):
    begin(view)
    text = view.generated_text
    view.append(
        [*tokens("a"), TextGenerated(text="b", token="b", probability=0.1, rivals=(("x", 0.6), ("\n", 0.3))), *tokens("c")]
    )
    card = text.findChild(object, "rivals_card")
    cursor = QTextCursor(text.document())
    cursor.setPosition(1)
    place = text.cursorRect(cursor).center()
    width = text.fontMetrics().horizontalAdvance("b")
    for offset in (2, width - 2):
        move_mouse(text.viewport(), place + QPoint(offset, 0))
        assert card.isVisible()
        assert card.accessibleDescription() == "x 60%, ↵ 30%, b 10%"
    assert view.window().rect().contains(card.geometry())
    move_mouse(text.viewport(), QPoint(text.viewport().width() - 3, text.viewport().height() - 3))
    assert not card.isVisible()


def test_surer_tokens_are_shaded_more_in_either_theme(view):
    begin(view)
    view.append([TextGenerated(text=text, token=text, probability=p, rivals=()) for text, p in (("a", 0.0), ("b", 1.0))])
    cursor = QTextCursor(view.generated_text.document())
    for theme in (DARK, LIGHT):
        view.show_theme(theme)
        shades = []
        for position in (1, 2):
            cursor.setPosition(position)
            shades.append(cursor.charFormat().background().color().name().upper())
        assert shades[0] == theme.panel
        assert shades[1] != theme.panel


def written(view, text="abc", prompt="ROMEO:"):
    view.prompt_edit.setPlainText(prompt)
    begin(view, prompt)
    view.append(tokens(text))
    finish(view)


def place_of(view, index):
    cursor = QTextCursor(view.generated_text.document())
    cursor.setPosition(index)
    rect = view.generated_text.cursorRect(cursor)
    return QPoint(rect.left() + 3, rect.center().y())


def test_a_click_keeps_the_rivals_and_a_click_on_one_goes_on_from_there(view, qtbot):
    written(view)
    text = view.generated_text
    qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place_of(view, 1))
    card = view.window().findChild(object, "rivals_card")
    assert card.isVisible()
    with qtbot.waitSignal(view.generate_requested) as requested:
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton, pos=card.row_center(2))
    assert (requested.args[0].prompt, requested.args[0].following) == ("ROMEO:", ("a", "a"))
    view.show_started(GenerationStarted(prompt="ROMEO:", seed=1, last_text="a"))
    view.append(tokens("xy"))
    assert text.text == "aaxy"
    view.copy_button.click()
    assert QGuiApplication.clipboard().text() == "ROMEO:aaxy"


def test_back_returns_to_the_text_before(view, qtbot):
    written(view)
    assert not view.back_button.isVisible()
    view.generated_text.rival_chosen.emit(0, "e")
    view.show_started(GenerationStarted(prompt="ROMEO:", seed=1, last_text="e"))
    finish(view)
    assert view.generated_text.text == "e"
    view.back_button.click()
    assert view.generated_text.text == "abc"
    assert not view.back_button.isVisible()


def test_a_second_click_or_escape_puts_the_card_away(view, qtbot):
    written(view)
    text = view.generated_text
    card = view.window().findChild(object, "rivals_card")
    qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place_of(view, 1))
    qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place_of(view, 1))
    assert not card.isVisible()
    qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place_of(view, 2))
    qtbot.keyClick(text, Qt.Key.Key_Escape)
    assert not card.isVisible()


def test_what_comes_next_is_asked_for_whenever_a_setting_changes(view, qtbot):
    written(view)
    with qtbot.waitSignal(view.preview_requested) as asked:
        view.repetition_penalty_setting.setValue(1.3)
    assert (asked.args[0].prompt, asked.args[0].repetition_penalty) == ("ROMEO:", 1.3)
    assert asked.args[0].following == ("a", "b", "c")
    view.show_preview(NextPreviewed(prompt="older", rivals=(("x", 0.5, 0.5),)))
    assert view.next_distribution.rivals == ()
    view.show_preview(NextPreviewed(prompt="ROMEO:", following=("a", "b", "c"), rivals=(("x", 0.6, 0.9), ("y", 0.4, 0.1))))
    assert view.next_distribution.accessibleDescription() == "“x” 60.0%, drawn with 90.0%, “y” 40.0%, drawn with 10.0%"
    with qtbot.waitSignal(view.generate_requested) as requested:
        place = view.next_distribution.column_center(1).toPoint()
        qtbot.mouseClick(view.next_distribution, Qt.MouseButton.LeftButton, pos=place)
    assert (requested.args[0].prompt, requested.args[0].following) == ("ROMEO:", ("a", "b", "c", "y"))


def test_prompt_and_text_are_saved(view, tmp_path, monkeypatch, qtbot):
    written(view)
    path = tmp_path / "text.txt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    view.save_button.click()
    assert path.read_text(encoding="utf-8") == "ROMEO:abc"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "missing" / "text.txt"), ""))
    with qtbot.waitSignal(view.problem_found):
        view.save_button.click()


def test_what_comes_next_is_asked_for_anew_when_the_model_has_moved_on(view, qtbot):
    written(view)
    view._preview_clock.stop()
    with qtbot.waitSignal(view.preview_requested):
        view.note_change()
    begin(view)
    with qtbot.assertNotEmitted(view.preview_requested, wait=2 * view.PREVIEW_PAUSE_MS):
        view.note_change()
