import pytest

from gui.run_history import SAMPLES_KEPT
from gui.theme import LIGHT
from gui.views.samples import SamplesView
from nanograd.training.events import SampleWritten


@pytest.fixture
def view(qtbot):
    shown = SamplesView()
    qtbot.addWidget(shown)
    shown.resize(300, 200)
    shown.show()
    return shown


def sample(step, text="once upon\na time"):
    return SampleWritten(step=step, prompt="\n", text=text)


def test_the_newest_sample_is_on_top_under_its_step_and_loss(view):
    view.add(sample(100, "first"), 2.5)
    view.add(sample(1200, "second"), 2.134)
    view.show_theme(LIGHT)
    assert view.samples_view.toPlainText() == "step 1,200 · validation 2.13\nsecond\nstep 100 · validation 2.50\nfirst"


def test_a_sample_without_a_loss_has_its_step_alone(view):
    view.add(sample(5, "words"))
    assert view.samples_view.toPlainText() == "step 5\nwords"


def test_a_prompt_with_words_stands_before_the_text(view):
    view.add(SampleWritten(step=5, prompt="Once", text=" upon"))
    assert view.samples_view.toPlainText() == "step 5\nOnce upon"


def test_only_the_last_samples_are_kept(view):
    for step in range(SAMPLES_KEPT + 3):
        view.add(sample(step))
    text = view.samples_view.toPlainText()
    assert text.count("once upon") == SAMPLES_KEPT
    assert "step 2\n" not in text


def test_who_reads_an_older_sample_is_not_moved(view):
    for step in range(10):
        view.add(sample(step))
    bar = view.samples_view.verticalScrollBar()
    bar.setValue(bar.maximum())
    view.add(sample(10))
    assert bar.value() == bar.maximum()


def test_before_the_first_sample_and_after_clear_a_line_tells_what_comes(view):
    empty = view.findChild(object, "samples_empty_label")
    assert empty.isVisible()
    view.add(sample(1))
    assert not empty.isVisible()
    view.clear()
    assert empty.isVisible()
    assert view.samples_view.toPlainText() == ""
