"""Where the user has the model write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.events import GenerationFinished, GenerationStarted, TextGenerated
from gui.theme import Theme, mono_font, scaled, set_role, set_style_property
from gui.views.header_row import HeaderRow
from gui.views.number_field import IntegerField, NumberField
from gui.views.written_text import WrittenText

Problems = Mapping[str, str]
_FIELD_TEXTS: Final = (
    ("Temperature", "How much chance there is: 0 takes the likeliest token, 1 draws as the model thinks, more is wilder."),
    ("Top-k", "Draw only from so many of the likeliest tokens; 0 is all."),
    ("Top-p", "Draw only from the likeliest tokens that together have this probability; 1 is all."),
    ("Length", "How many tokens to write."),
    ("Seed", "The same seed gives the same text; -1 is a new one each time."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """What the user asks for: `top_k` 0 and `top_p` 1 are off, `temperature` 0 takes the likeliest, `seed` -1 is a random one."""

    prompt: str
    max_new_tokens: int
    temperature: float
    top_k: int
    top_p: float
    seed: int

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
        if self.max_new_tokens < 1:
            found["max_new_tokens"] = f"Length {self.max_new_tokens} is below 1; choose how many tokens to write."
        if self.seed < -1:
            found["seed"] = f"Seed {self.seed} is below 0; choose -1 for a random one, or 0 and more."
        return found


class GenerateView(QWidget):
    """A prompt, the text that the model makes of it token by token, and how its tokens are drawn.

    `header` holds the seed of the text shown, for the panel's title bar.
    """

    generate_requested = Signal(object)
    """Carries a GenerationRequest."""
    stop_requested = Signal()
    problem_found = Signal(str)

    PLACEHOLDER: Final = "Begin a text for the model to go on with. Left empty, it begins by itself."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_available = False
        self._is_generating = False
        self._prompt = ""
        self.prompt_edit = QPlainTextEdit()
        self.generated_text = WrittenText()
        self.temperature_setting = NumberField()
        self.top_k_setting, self.max_new_tokens_setting, self.generation_seed_setting = (
            IntegerField(),
            IntegerField(),
            IntegerField(is_grouped=False),
        )
        self.top_p_setting = NumberField()
        self._fields: dict[str, QAbstractSpinBox] = {
            "temperature": self.temperature_setting,
            "top_k": self.top_k_setting,
            "top_p": self.top_p_setting,
            "max_new_tokens": self.max_new_tokens_setting,
            "seed": self.generation_seed_setting,
        }
        self.generate_button = QPushButton("Generate")
        self.stop_generating_button = QPushButton("Stop")
        self.copy_button = QPushButton("Copy")
        self._prompt_problem, self._setting_problem = QLabel(), QLabel()
        self._reason = QLabel()
        self._status = QLabel()
        self._seed = QLabel()
        self.header = HeaderRow()
        self.header.add(self._status, 1)
        self.header.add(self._seed)
        self._prepare()
        self._arrange()
        self._connect()
        self.set_available(False, "Open a text and train on it; then the model can write.")

    def request(self) -> GenerationRequest:
        """What the fields ask for now, whether it can be done or not."""
        return GenerationRequest(
            prompt=self.prompt_edit.toPlainText(),
            max_new_tokens=self.max_new_tokens_setting.value(),
            temperature=self.temperature_setting.value(),
            top_k=self.top_k_setting.value(),
            top_p=self.top_p_setting.value(),
            seed=self.generation_seed_setting.value(),
        )

    def set_available(self, is_available: bool, reason: str = "") -> None:
        """Whether there is a model to write; otherwise `reason` says what to do."""
        self._is_available = is_available
        self._reason.setText("" if is_available else reason)
        self._reason.setVisible(bool(self._reason.text()))
        self._show_possible()

    def show_started(self, event: GenerationStarted) -> None:
        """A new text begins."""
        self._is_generating = True
        self._prompt = event.prompt
        self.generated_text.begin()
        self.show_prompt_problem("")
        self._seed.setText(f"seed {event.seed}")
        self._show_status("writing")
        self._show_possible()

    def append(self, tokens: Sequence[TextGenerated]) -> None:
        """Put what has gathered at the end of the text."""
        self.generated_text.append_tokens(tokens)

    def show_finished(self, event: GenerationFinished) -> None:
        """The text is complete, or was stopped."""
        self._is_generating = False
        self.generated_text.end()
        plural = "" if event.token_count == 1 else "s"
        stopped = "stopped · " if event.was_stopped else ""
        self._show_status(f"{stopped}{event.token_count:,} token{plural} · {event.tokens_per_second:,.0f} tokens/s")
        self._show_possible()

    def show_prompt_problem(self, message: str) -> None:
        """Say under the prompt what is wrong with it; an empty message takes that back."""
        self._prompt_problem.setText(message)
        self._prompt_problem.setVisible(bool(message))
        set_style_property(self.prompt_edit, "invalid", bool(message))

    def show_setting_problems(self, problems: Problems) -> None:
        """Say under the fields what is wrong with them: a field's name -> a message."""
        for name, field in self._fields.items():
            set_style_property(field, "invalid", name in problems)
        self._setting_problem.setText(" ".join(problems.values()))
        self._setting_problem.setVisible(bool(problems))
        self._show_possible()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self.generated_text.show_theme(theme)

    def _prepare(self) -> None:
        self.prompt_edit.setObjectName("prompt_edit")
        self.prompt_edit.setAccessibleName("Prompt")
        self.prompt_edit.setPlaceholderText(self.PLACEHOLDER)
        self.prompt_edit.setFont(mono_font())
        self.prompt_edit.setTabChangesFocus(True)
        for button, name, accessible_name, role in (
            (self.generate_button, "generate_button", "Generate text", "primary"),
            (self.stop_generating_button, "stop_generating_button", "Stop generating", ""),
            (self.copy_button, "copy_generated_button", "Copy prompt and text", "flat"),
        ):
            button.setObjectName(name)
            button.setAccessibleName(accessible_name)
            set_role(button, role)
        self.generate_button.setToolTip("Let the model go on after the prompt (Ctrl+Return)")
        self.copy_button.setToolTip("Copy the prompt and what follows")
        for label, name in ((self._prompt_problem, "prompt_problem_label"), (self._setting_problem, "generation_problem_label")):
            label.setObjectName(name)
            label.setWordWrap(True)
            set_role(label, "problem")
            label.hide()
        self._status.setObjectName("generation_status_label")
        set_role(self._status, "muted")
        self._seed.setObjectName("generation_seed_label")
        set_role(self._seed, "muted")
        self._reason.setObjectName("generation_reason_label")
        self._reason.setWordWrap(True)
        set_role(self._reason, "small")

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.prompt_edit.setFixedHeight(scaled(50))
        column.addWidget(self.prompt_edit)
        column.addWidget(self._prompt_problem)
        column.addWidget(self.generated_text, 1)
        column.addLayout(self._build_settings())
        column.addWidget(self._setting_problem)
        column.addWidget(self._reason)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.generate_button)
        buttons.addWidget(self.stop_generating_button)
        buttons.addStretch(1)
        buttons.addWidget(self.copy_button)
        column.addLayout(buttons)

    def _build_settings(self) -> QGridLayout:
        for (name, field), (label, tip) in zip(self._fields.items(), _FIELD_TEXTS, strict=True):
            _prepare_field(field, "generation_seed_setting" if name == "seed" else f"{name}_setting", label, tip)
        self.temperature_setting.setValue(0.8)
        self.top_k_setting.setValue(40)
        self.top_p_setting.setValue(0.95)
        self.max_new_tokens_setting.setValue(300)
        self.generation_seed_setting.setValue(-1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        for column, field in enumerate(self._fields.values()):
            title = QLabel(field.accessibleName())
            title.setToolTip(field.toolTip())
            title.setBuddy(field)
            set_role(title, "small")
            grid.addWidget(title, 0, column)
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, 1)
        return grid

    def _connect(self) -> None:
        self.generate_button.clicked.connect(self._on_generate_clicked)
        self.stop_generating_button.clicked.connect(self._on_stop_clicked)
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.generated_text.textChanged.connect(self._on_text_changed)
        self.prompt_edit.textChanged.connect(self._on_prompt_changed)
        for whole in (self.top_k_setting, self.max_new_tokens_setting, self.generation_seed_setting):
            whole.valueChanged.connect(self._on_setting_changed)
        for number in (self.temperature_setting, self.top_p_setting):
            number.valueChanged.connect(self._on_setting_changed)
        for key in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self._on_generate_clicked)

    def _show_status(self, text: str) -> None:
        self._status.setText(text)
        self.header.arrange()

    def _show_possible(self) -> None:
        """Enable what can be done now."""
        self.generate_button.setEnabled(self._is_available and not self._is_generating)
        self.stop_generating_button.setEnabled(self._is_generating)
        self.copy_button.setEnabled(not self.generated_text.document().isEmpty())

    @Slot()
    def _on_generate_clicked(self) -> None:
        if not self.generate_button.isEnabled():
            return
        problems = self.request().problems()
        if problems:
            self._refuse(problems)
        else:
            self.generate_requested.emit(self.request())

    @Slot()
    def _on_stop_clicked(self) -> None:
        self.stop_requested.emit()

    @Slot()
    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self._prompt + self.generated_text.text)

    @Slot()
    def _on_text_changed(self) -> None:
        self.copy_button.setEnabled(not self.generated_text.document().isEmpty())

    @Slot()
    def _on_prompt_changed(self) -> None:
        self.show_prompt_problem("")

    @Slot()
    def _on_setting_changed(self) -> None:
        problems = self.request().problems()
        if problems:
            self._refuse(problems)
        else:
            self.show_setting_problems({})

    def _refuse(self, problems: Problems) -> None:
        self.show_setting_problems(problems)
        self.problem_found.emit(" ".join(problems.values()))


def _prepare_field(field: QAbstractSpinBox, name: str, label: str, tip: str) -> None:
    field.setObjectName(name)
    field.setAccessibleName(label)
    field.setToolTip(tip)
    field.setMinimumWidth(scaled(48))
