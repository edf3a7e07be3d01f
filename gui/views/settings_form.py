"""The form of a run's settings, built from their declarations: two cards, presets, errors beside the fields."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gui.theme import set_role
from gui.views.panel import Card
from gui.views.setting_row import ChoiceField, SettingRow
from nanograd.training.settings import FIXED_BY_WEIGHTS, PRESETS, RunSettings, declared_settings

CUSTOM: Final = "Custom"


class SettingsForm(QWidget):
    """Every setting of a run. It holds whatever is typed; `problems` says what is wrong with it.

    A preset fills the form. What differs from the preset chosen last is marked, and Reset goes back to that preset.
    """

    settings_changed = Signal()
    setting_pointed_at = Signal(str)
    """Carries the name of the setting that got the pointer or the focus."""
    apply_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pointed_at = ""
        self._preset_name = next(name for name, preset in PRESETS.items() if preset == RunSettings())
        self._is_filling = False
        self._outer_problems: dict[str, str] = {}
        self._rows = {
            name: SettingRow(name, setting, getattr(RunSettings(), name)) for name, setting in declared_settings().items()
        }
        self.preset_combo = _PresetCombo()
        self._reset = QPushButton("Reset")
        self._reset.setObjectName("reset_settings_button")
        self._reset.setAccessibleName("Reset the settings to the preset")
        set_role(self._reset, "small_link")
        self._apply = QPushButton("Apply")
        self._apply.setObjectName("apply_settings_button")
        self._apply.setAccessibleName("Let the run go on with these settings")
        self._apply.setToolTip("Save a checkpoint, then go on with these settings; the change is marked on the curve")
        self._apply.hide()
        set_role(self._apply, "primary_small")
        self._running: RunSettings | None = None
        groups = dict.fromkeys(row.setting.group for row in self._rows.values())
        self._sections = {group: _Section(group, self._rows_of(group)) for group in groups}
        self._arrange()
        self._connect()
        self.show_settings(RunSettings(), self._preset_name)

    def _rows_of(self, group: str) -> list[SettingRow]:
        return [row for row in self._rows.values() if row.setting.group == group]

    def _arrange(self) -> None:
        first, *_, last = self._sections.values()
        for section in self._sections.values():
            section.add_control(section.more)
        first.add_control(self.preset_combo)
        last.add_control(self._reset)
        last.add_control(self._apply)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for section in self._sections.values():
            column.addWidget(section)
        self._order_tabs()

    def _order_tabs(self) -> None:
        """The Tab key goes down the form as the eye does."""
        stops: list[QWidget] = []
        for group, section in self._sections.items():
            rows = sorted(self._rows_of(group), key=lambda row: row.setting.is_advanced)
            stops += [section.more, *(row.field for row in rows)]
        stops[1:1] = [self.preset_combo]
        stops.append(self._reset)
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def _connect(self) -> None:
        for row in self._rows.values():
            row.edited.connect(self._on_edited)
            row.pointed_at.connect(self._on_pointed_at)
        self.preset_combo.currentTextChanged.connect(self._on_preset_chosen)
        self._reset.clicked.connect(self._on_reset_clicked)
        self._apply.clicked.connect(self.apply_requested)

    def settings(self) -> RunSettings:
        """The values as they stand in the form, unchecked."""
        return RunSettings(**{name: row.value() for name, row in self._rows.items()})

    def problems(self) -> dict[str, str]:
        """What is wrong with the values, by field: what the settings themselves find, and what the window added."""
        return self._outer_problems | self.settings().problems()

    def show_settings(self, settings: RunSettings, preset_name: str | None = None) -> None:
        """Fill the form. Without a name, the preset counts as chosen that these values come closest to, where they are new."""
        if preset_name is None and settings != self.settings():
            preset_name = _nearest_preset(settings)
        self._preset_name = preset_name or self._preset_name
        self._is_filling = True
        for name, row in self._rows.items():
            row.show_value(getattr(settings, name))
        self._is_filling = False
        self._on_edited()

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Show what the form cannot know by itself, such as a text shorter than the context; it stands until the next edit."""
        self._outer_problems = dict(problems)
        self._show_problems()

    def show_running(self, settings: RunSettings | None) -> None:
        """A run goes on with these settings: what is changed here waits to be applied. None is no run that goes on."""
        self._running = settings
        self._show_appliable()

    def _show_appliable(self) -> None:
        is_waiting = self._running is not None and self.settings() != self._running
        self._apply.setVisible(is_waiting)
        self._apply.setEnabled(is_waiting and not self.problems())
        self._reset.setVisible(not is_waiting)

    def set_locked(self, is_locked: bool, is_fork: bool = False) -> None:
        """Lock what cannot change in a run, or in a fork of one, or unlock it all."""
        for name, row in self._rows.items():
            row.set_locked(is_locked and (not is_fork or name in FIXED_BY_WEIGHTS))
        self.preset_combo.setEnabled(not is_locked)
        self._reset.setEnabled(not is_locked)

    def _show_problems(self) -> None:
        problems = self.problems()
        for name, row in self._rows.items():
            row.show_problem(problems.get(name, ""))
            if name in problems and row.setting.is_advanced:
                self._sections[row.setting.group].show_more()

    def _on_edited(self) -> None:
        if self._is_filling:
            return
        preset = PRESETS[self._preset_name]
        for name, row in self._rows.items():
            row.show_difference(getattr(preset, name), self._preset_name)
        self._outer_problems = {}
        self._show_problems()
        self._show_appliable()
        self.preset_combo.show_choice(_matching_preset(self.settings()) or CUSTOM)
        self.settings_changed.emit()

    def _on_pointed_at(self, name: str) -> None:
        self.pointed_at = name
        self.setting_pointed_at.emit(name)

    def _on_preset_chosen(self, name: str) -> None:
        if name in PRESETS:
            self.show_settings(PRESETS[name], name)

    def _on_reset_clicked(self) -> None:
        self.show_settings(PRESETS[self._preset_name], self._preset_name)


class _Section(Card):
    """A card with one group of settings; the advanced ones lie under "More"."""

    def __init__(self, name: str, rows: Iterable[SettingRow]) -> None:
        super().__init__(name)
        self.more = QPushButton()
        self.more.setCheckable(True)
        self.more.setObjectName(f"more_{name.casefold()}_button")
        self.more.setAccessibleName(f"More {name.casefold()} settings")
        set_role(self.more, "small_link")
        self._advanced = QWidget()
        advanced = QVBoxLayout(self._advanced)
        advanced.setContentsMargins(0, 0, 0, 0)
        advanced.setSpacing(2)
        self.body.setSpacing(2)
        for row in rows:
            (advanced if row.setting.is_advanced else self.body).addWidget(row)
        self.body.addWidget(self._advanced)
        self.set_bottom_margin(8)
        self.more.toggled.connect(self._on_more_toggled)
        self._on_more_toggled(False)

    def show_more(self) -> None:
        """Open what lies under "More"."""
        self.more.setChecked(True)

    def _on_more_toggled(self, is_open: bool) -> None:
        self.more.setText("Less" if is_open else "More")
        self._advanced.setVisible(is_open)


class _PresetCombo(ChoiceField):
    """The presets, as wide as the one it shows. "Custom" shows that the values are no preset's; it cannot be chosen."""

    def __init__(self) -> None:
        super().__init__((*PRESETS, CUSTOM))
        self.setObjectName("preset_combo")
        self.setAccessibleName("Preset")
        self.setToolTip("A preset fills in every setting.")
        set_role(self, "link")
        model = self.model()
        if isinstance(model, QStandardItemModel):
            model.item(self.count() - 1).setEnabled(False)
        self.view().setMinimumWidth(150)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.currentTextChanged.connect(self._on_text_changed)

    def show_choice(self, name: str) -> None:
        """Show a choice without making it."""
        self.blockSignals(True)
        self.setCurrentText(name)
        self.blockSignals(False)
        self.updateGeometry()

    def _on_text_changed(self) -> None:
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """As wide as the text that is shown."""
        return QSize(self.fontMetrics().horizontalAdvance(self.currentText()) + 26, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """The same: a preset's name is never cut."""
        return self.sizeHint()


def _nearest_preset(settings: RunSettings) -> str:
    """The preset that has the most values in common with `settings`."""
    values = settings.as_dict().items()
    return max(PRESETS, key=lambda name: len(values & PRESETS[name].as_dict().items()))


def _matching_preset(settings: RunSettings) -> str | None:
    return next((name for name, preset in PRESETS.items() if preset == settings), None)
