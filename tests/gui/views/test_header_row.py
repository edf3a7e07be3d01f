import pytest
from PySide6.QtWidgets import QLabel

from gui.views.header_row import HeaderRow


@pytest.fixture
def row(qtbot):
    made = HeaderRow()
    qtbot.addWidget(made)
    made.controls = [QLabel(text) for text in ("always", "first to go", "second to go")]
    for control, rank in zip(made.controls, (0, 2, 1), strict=True):
        made.add(control, rank)
    made.resize(made.sizeHint())
    made.show()
    return made


def visible(row):
    return [control.text() for control in row.controls if control.isVisible()]


def test_the_highest_rank_goes_first_and_rank_zero_stays(row):
    assert len(visible(row)) == 3
    row.resize(row.sizeHint().width() - 1, 28)
    assert visible(row) == ["always", "second to go"]
    row.resize(row.minimumSizeHint())
    assert visible(row) == ["always"]


def test_controls_stand_in_order_at_the_right_end(row):
    row.resize(600, 28)
    lefts = [control.x() for control in row.controls]
    assert lefts == sorted(lefts)
    assert row.controls[-1].geometry().right() == 599


def test_a_control_can_be_taken_out_and_put_back(row):
    row.show_control(row.controls[0], False)
    assert visible(row) == ["first to go", "second to go"]
    row.show_control(row.controls[0], True)
    assert len(visible(row)) == 3
