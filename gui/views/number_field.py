"""Number fields: a spin box without arrows, its unit muted at its right end, whose range bends no value."""

from math import floor, log10
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QSpinBox, QWidget

from gui.format import count_text, number_text
from gui.text_size import sized
from gui.theme import scaled, set_role

MARGIN_PX: Final = 8
FIELD_WIDTH_PX: Final = 112
INTEGER_LIMIT: Final = 2**31 - 1
NUMBER_LIMIT: Final = 1e12


class IntegerField(QSpinBox):
    """A whole number, its thousands apart unless `is_grouped` is false; any value of 32 bits can stand in it."""

    def __init__(self, unit: str = "", parent: QWidget | None = None, *, is_grouped: bool = True) -> None:
        super().__init__(parent)
        self._is_grouped = is_grouped
        self.setRange(-INTEGER_LIMIT - 1, INTEGER_LIMIT)
        self._unit = _prepare(self, unit)

    def textFromValue(self, value: int) -> str:
        """The value as it is shown."""
        return count_text(value) if self._is_grouped else str(value)

    def valueFromText(self, text: str) -> int:
        """The value of a text that `validate` accepted."""
        return int(_bare(text))

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept whole numbers, with or without separators."""
        bare = _bare(text)
        if bare in ("", "-", "+"):
            return QValidator.State.Intermediate, text, position
        try:
            value = int(bare)
        except ValueError:
            return QValidator.State.Invalid, text, position
        state = QValidator.State.Acceptable if abs(value) <= INTEGER_LIMIT else QValidator.State.Invalid
        return state, text, position

    def sizeHint(self) -> QSize:
        """The one size that all fields have."""
        return _field_size()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the unit at the right end."""
        super().resizeEvent(event)
        _place_unit(self, self._unit)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page that scrolls, unless this field has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NumberField(QDoubleSpinBox):
    """A real number in full precision, shown and read in the shortest notation: 0.1, 1e-3, 2.5e-4."""

    def __init__(self, unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(30)  # a spin box rounds its value to these; so many keep every digit a double has
        self.setRange(-NUMBER_LIMIT, NUMBER_LIMIT)
        self._unit = _prepare(self, unit)

    def textFromValue(self, value: float) -> str:
        """The value as it is shown."""
        return number_text(value)

    def valueFromText(self, text: str) -> float:
        """The value of a text that `validate` accepted."""
        return float(_bare(text))

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept decimal and scientific notation; a beginning of either may stand while it is typed."""
        bare = _bare(text).casefold()
        if not set(bare) <= set("0123456789+-.e"):
            return QValidator.State.Invalid, text, position
        try:
            value = float(bare)
        except ValueError:
            return QValidator.State.Intermediate, text, position
        state = QValidator.State.Acceptable if abs(value) <= NUMBER_LIMIT else QValidator.State.Invalid
        return state, text, position

    def stepBy(self, steps: int) -> None:
        """Move by a tenth of the value's own order of magnitude, so that rates and shares both move sensibly."""
        value = self.value()
        step = 10.0 ** (floor(log10(abs(value))) - 1) if value else 0.01
        self.setValue(float(f"{value + steps * step:.12g}"))
        self.selectAll()

    def sizeHint(self) -> QSize:
        """The one size that all fields have."""
        return _field_size()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the unit at the right end."""
        super().resizeEvent(event)
        _place_unit(self, self._unit)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page that scrolls, unless this field has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def _prepare(field: QSpinBox | QDoubleSpinBox, unit: str) -> QLabel:
    """Set up what both kinds of field share, and return the label of the unit.

    The arrows are hidden by the style sheet: Qt lays the text out wrongly where NoButtons meets a style sheet.
    """
    field.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    sized(field, lambda: field.setFixedHeight(scaled(26)))
    label = QLabel(unit, field)
    set_role(label, "muted")
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    label.setVisible(bool(unit))
    sized(label, lambda: _place_unit(field, label))
    return label


def _place_unit(field: QSpinBox | QDoubleSpinBox, unit: QLabel) -> None:
    width = unit.sizeHint().width() if unit.text() else 0
    unit.setGeometry(field.width() - MARGIN_PX - width, 0, width, field.height())
    field.lineEdit().setTextMargins(MARGIN_PX, 0, MARGIN_PX + (width + 2 if width else 2), 0)


def _field_size() -> QSize:
    return QSize(scaled(FIELD_WIDTH_PX), scaled(26))


def _bare(text: str) -> str:
    return text.replace(",", "").replace(" ", "").replace("_", "").strip()
