"""One setting in the form: its label, a mark where it differs from the preset, its field, and what is wrong with it."""

from typing import Any, Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QEnterEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout, QLabel, QStyledItemDelegate, QVBoxLayout, QWidget

from gui.format import number_text, tooltip_text
from gui.text_size import sized
from gui.theme import scaled, set_role, set_style_property
from gui.views.number_field import FIELD_WIDTH_PX, IntegerField, NumberField
from nanograd.training.settings import Setting

LOCKED_HELP: Final = "This is fixed for the run that is loaded. A new run can change it."

Field = IntegerField | NumberField | QComboBox | QCheckBox


class SettingRow(QWidget):
    """A setting's line in the form. Its field is named `setting_<name>`."""

    edited = Signal()
    pointed_at = Signal(str)

    def __init__(self, name: str, setting: Setting, default: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setting = setting
        self._name = name
        self._help = " ".join([setting.help, *_effects(setting)])
        self.field = _make_field(name, setting, default)
        self.field.setObjectName(f"setting_{name}")
        self.field.setAccessibleName(setting.label)
        self.field.setAccessibleDescription(self._help)
        self.field.installEventFilter(self)
        self._label = QLabel(setting.label)
        self._label.setBuddy(self.field)
        self._mark = QFrame()
        set_role(self._mark, "mark")
        self._mark.hide()
        self._problem = QLabel()
        self._problem.setObjectName(f"problem_{name}")
        self._problem.setWordWrap(True)
        set_role(self._problem, "problem")
        self._problem.hide()
        self._arrange()
        self._connect()
        self._show_help(self._help)

    def _arrange(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(7)
        line.addWidget(self._label)
        line.addWidget(self._mark)
        line.addStretch(1)
        line.addWidget(self.field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(line)
        column.addWidget(self._problem)

    def _connect(self) -> None:
        match self.field:
            case QComboBox():
                self.field.currentIndexChanged.connect(self._on_edited)
            case QCheckBox():
                self.field.toggled.connect(self._on_edited)
            case _:
                self.field.valueChanged.connect(self._on_edited)

    def value(self) -> Any:
        """What stands in the field, unchecked."""
        match self.field:
            case QComboBox():
                return self.field.currentText()
            case QCheckBox():
                return self.field.isChecked()
            case _:
                return self.field.value()

    def show_value(self, value: Any) -> None:
        """Put a value in the field."""
        match self.field:
            case QComboBox():
                self.field.setCurrentText(str(value))
            case QCheckBox():
                self.field.setChecked(bool(value))
            case _:
                self.field.setValue(value)

    def show_problem(self, message: str) -> None:
        """Say under the field what is wrong with it; an empty message says that all is well."""
        self._problem.setText(message)
        self._problem.setVisible(bool(message))
        set_style_property(self.field, "invalid", "true" if message else "false")

    def show_difference(self, preset_value: Any, preset_name: str) -> None:
        """Mark the setting where its value is not the preset's."""
        self._mark.setVisible(self.value() != preset_value)
        self._mark.setToolTip(f"{preset_name} has {_shown(preset_value)}")

    def set_locked(self, is_locked: bool) -> None:
        """Keep the setting from being edited while a run needs it as it is."""
        locked = is_locked and not self.setting.changeable
        if locked and self.field.hasFocus():
            self.field.clearFocus()  # which Qt would give to whatever comes next
        self.field.setEnabled(not locked)
        self._show_help(f"{self._help}\n\n{LOCKED_HELP}" if locked else self._help)

    def _show_help(self, text: str) -> None:
        for widget in (self._label, self.field):
            widget.setToolTip(tooltip_text(text))

    def _on_edited(self) -> None:
        self.edited.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        """The pointer is here."""
        self.pointed_at.emit(self._name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The field got the focus."""
        if event.type() == QEvent.Type.FocusIn:
            self.pointed_at.emit(self._name)
        return False


class ChoiceField(QComboBox):
    """A choice that leaves the wheel to the page that scrolls, unless it has the focus."""

    def __init__(self, choices: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.addItems(choices)
        self.setItemDelegate(QStyledItemDelegate(self))  # the only kind of delegate that a style sheet reaches
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the choice only where it has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def _make_field(name: str, setting: Setting, default: Any) -> Field:
    if isinstance(default, bool):
        box = QCheckBox()
        sized(box, lambda: box.setMinimumHeight(scaled(26)))
        return box
    if setting.choices:
        choice = ChoiceField(setting.choices)
        sized(choice, lambda: choice.setFixedSize(scaled(FIELD_WIDTH_PX), scaled(26)))
        return choice
    if isinstance(default, int):
        return _sized(IntegerField(setting.unit, is_grouped=name != "seed"))
    return _sized(NumberField(setting.unit))


def _effects(setting: Setting) -> list[str]:
    """What comes of more and of less, a sentence each."""
    return [f"{name}: {text}." for name, text in (("More", setting.up), ("Less", setting.down)) if text]


def _sized(field: IntegerField | NumberField) -> IntegerField | NumberField:
    sized(field, lambda: field.setFixedWidth(scaled(FIELD_WIDTH_PX)))
    return field


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else number_text(value)
