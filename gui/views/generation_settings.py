"""How the model's tokens are drawn: the fields, and what is asked for with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QAbstractSpinBox, QGridLayout, QLabel, QWidget

from gui.text_size import sized
from gui.theme import scaled, set_role, set_style_property
from gui.views.number_field import IntegerField, NumberField

Problems = Mapping[str, str]
_FIELD_TEXTS: Final = (
    ("Temperature", "How much chance there is: 0 takes the likeliest token, 1 draws as the model thinks, more is wilder."),
    ("Top-k", "Draw only from so many of the likeliest tokens; 0 is all."),
    ("Top-p", "Draw only from the likeliest tokens that together have this probability; 1 is all."),
    (
        "Repetition",
        "Makes what the text holds already less likely: 1 is off, 1.2 is noticeable. "
        "With single characters as tokens more than a little spoils the spelling.",
    ),
    ("Length", "How many tokens to write."),
    ("Seed", "The same seed gives the same text; -1 is a new one each time."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """What the user asks for: `top_k` 0 and `top_p` 1 are off, `temperature` 0 takes the likeliest, `seed` -1 is a random one.

    `following` are the tokens after the prompt that are there already; `beside` is the step or the run whose model writes too.
    """

    prompt: str
    max_new_tokens: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    repetition_penalty: float = 1.0
    following: tuple[str, ...] = ()
    beside: int | Path | None = None

    def problems(self) -> dict[str, str]:
        """What is wrong with it: a field's name -> a message."""
        found = {}
        if self.temperature < 0:
            found["temperature"] = (
                f"Temperature {self.temperature:g} is below 0; choose 0 for the likeliest token, or more for chance."
            )
        if self.top_k < 0:
            found["top_k"] = f"Top-k {self.top_k} is below 0; choose 0 for all tokens, or how many of the likeliest to draw from."
        if not 0 < self.top_p <= 1:
            found["top_p"] = f"Top-p {self.top_p:g} is out of bounds; choose above 0, up to 1 for all tokens."
        if not self.repetition_penalty > 0:
            found["repetition_penalty"] = (
                f"Repetition {self.repetition_penalty:g} is out of bounds; choose 1 for off, or a little more."
            )
        if self.max_new_tokens < 1:
            found["max_new_tokens"] = f"Length {self.max_new_tokens} is below 1; choose how many tokens to write."
        if self.seed < -1:
            found["seed"] = f"Seed {self.seed} is below 0; choose -1 for a random one, or 0 and more."
        return found


class GenerationSettings(QWidget):
    """The fields for temperature, top-k, top-p, repetition, length and seed, three in a row."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.temperature_setting, self.top_p_setting, self.repetition_penalty_setting = (
            NumberField(),
            NumberField(),
            NumberField(),
        )
        self.top_k_setting, self.max_new_tokens_setting = IntegerField(), IntegerField()
        self.generation_seed_setting = IntegerField(is_grouped=False)
        self._fields: dict[str, QAbstractSpinBox] = {
            "temperature": self.temperature_setting,
            "top_k": self.top_k_setting,
            "top_p": self.top_p_setting,
            "repetition_penalty": self.repetition_penalty_setting,
            "max_new_tokens": self.max_new_tokens_setting,
            "seed": self.generation_seed_setting,
        }
        self._arrange()
        for whole in (self.top_k_setting, self.max_new_tokens_setting, self.generation_seed_setting):
            whole.valueChanged.connect(self._on_value_changed)
        for number in (self.temperature_setting, self.top_p_setting, self.repetition_penalty_setting):
            number.valueChanged.connect(self._on_value_changed)

    def request(self, prompt: str) -> GenerationRequest:
        """What the fields ask for now, whether it can be done or not."""
        return GenerationRequest(
            prompt=prompt,
            max_new_tokens=self.max_new_tokens_setting.value(),
            temperature=self.temperature_setting.value(),
            top_k=self.top_k_setting.value(),
            top_p=self.top_p_setting.value(),
            seed=self.generation_seed_setting.value(),
            repetition_penalty=self.repetition_penalty_setting.value(),
        )

    def show_problems(self, problems: Problems) -> None:
        """Mark the fields that something is wrong with."""
        for name, field in self._fields.items():
            set_style_property(field, "invalid", name in problems)

    def _arrange(self) -> None:
        for (name, field), (label, tip) in zip(self._fields.items(), _FIELD_TEXTS, strict=True):
            _prepare_field(field, "generation_seed_setting" if name == "seed" else f"{name}_setting", label, tip)
        self.temperature_setting.setValue(0.8)
        self.top_k_setting.setValue(40)
        self.top_p_setting.setValue(0.95)
        self.repetition_penalty_setting.setValue(1.0)
        self.max_new_tokens_setting.setValue(300)
        self.generation_seed_setting.setValue(-1)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        for index, field in enumerate(self._fields.values()):
            row, column = divmod(index, 3)
            title = QLabel(field.accessibleName())
            title.setToolTip(field.toolTip())
            title.setBuddy(field)
            set_role(title, "small")
            grid.addWidget(title, row, 2 * column)
            grid.addWidget(field, row, 2 * column + 1)
            grid.setColumnStretch(2 * column + 1, 1)

    @Slot()
    def _on_value_changed(self) -> None:
        self.changed.emit()


def _prepare_field(field: QAbstractSpinBox, name: str, label: str, tip: str) -> None:
    field.setObjectName(name)
    field.setAccessibleName(label)
    field.setToolTip(tip)
    sized(field, lambda: field.setMinimumWidth(scaled(48)))
