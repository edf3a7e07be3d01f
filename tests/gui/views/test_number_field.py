import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent

from gui.views.number_field import IntegerField, NumberField


@pytest.fixture
def number_field(qtbot):
    field = NumberField()
    qtbot.addWidget(field)
    return field


@pytest.fixture
def integer_field(qtbot):
    field = IntegerField("tokens")
    qtbot.addWidget(field)
    return field


@pytest.mark.parametrize("value", [1e-3, 0.1, 3e-4, 1e-8, 1e-12, 0.999999, 1 / 3 * 1e-5, 1000.0, 0.0, -1.0])
def test_a_number_keeps_every_digit(number_field, value):
    number_field.setValue(value)
    assert number_field.value() == value
    assert float(number_field.text()) == value


@pytest.mark.parametrize(("typed", "value"), [("2.5e-4", 2.5e-4), ("0.0003", 3e-4), ("1E-3", 1e-3), ("-2", -2.0), (".5", 0.5)])
def test_numbers_are_read_in_either_notation(qtbot, number_field, typed, value):
    number_field.selectAll()
    qtbot.keyClicks(number_field, typed)
    assert number_field.value() == value


def test_letters_do_not_enter_a_number(qtbot, number_field):
    number_field.setValue(0.5)
    number_field.selectAll()
    qtbot.keyClicks(number_field, "nan")
    assert number_field.value() == 0.5


def test_a_number_moves_by_a_tenth_of_its_magnitude(number_field):
    number_field.setValue(1e-3)
    number_field.stepBy(-1)
    assert number_field.value() == 9e-4


def test_thousands_are_shown_apart_and_read_either_way(qtbot, integer_field):
    integer_field.setValue(2000)
    assert integer_field.text() == "2,000"
    integer_field.selectAll()
    qtbot.keyClicks(integer_field, "12,345")
    assert integer_field.value() == 12345


def test_a_value_far_out_of_bounds_stands_as_typed(qtbot, integer_field):
    integer_field.selectAll()
    qtbot.keyClicks(integer_field, "-70000")
    assert integer_field.value() == -70000


def test_the_wheel_moves_a_field_only_where_it_has_the_focus(qtbot, integer_field):
    integer_field.setValue(5)
    integer_field.show()
    integer_field.wheelEvent(wheel())
    assert integer_field.value() == 5


def wheel():
    modifiers = Qt.KeyboardModifier.NoModifier
    point, phase = QPointF(5, 5), Qt.ScrollPhase.NoScrollPhase
    return QWheelEvent(point, point, QPoint(0, 0), QPoint(0, 120), Qt.MouseButton.NoButton, modifiers, phase, False)
