"""Where the user has the model write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.events import GenerationFinished, GenerationStarted, NextPreviewed, TextGenerated
from gui.theme import Theme, mono_font, scaled, set_role, set_style_property
from gui.views.header_row import HeaderRow
from gui.views.next_distribution import NextDistribution
from gui.views.number_field import IntegerField, NumberField
from gui.views.written_text import WrittenText

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

    `following` are the tokens after the prompt that are there already.
    """

    prompt: str
    max_new_tokens: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    repetition_penalty: float = 1.0
    following: tuple[str, ...] = ()

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


class GenerateView(QWidget):
    """A prompt, the text that the model makes of it token by token, and how its tokens are drawn.

    A rival that is clicked takes its token's place, and the model goes on from there; Back returns to the text before.

    `header` holds the seed of the text shown, for the panel's title bar.
    """

    generate_requested = Signal(object)
    """Carries a GenerationRequest."""
    preview_requested = Signal(object)
    """Carries a GenerationRequest for the text so far."""
    stop_requested = Signal()
    problem_found = Signal(str)

    PREVIEW_PAUSE_MS: Final = 150
    PLACEHOLDER: Final = "Begin a text for the model to go on with. Left empty, it begins by itself."

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_available = False
        self._is_generating = False
        self._prompt = ""
        self._branch: tuple[str, list[TextGenerated]] | None = None
        self._former: list[tuple[str, tuple[TextGenerated, ...]]] = []
        self._preview_clock = QTimer(self, singleShot=True, interval=self.PREVIEW_PAUSE_MS)
        self.next_distribution = NextDistribution()
        self.prompt_edit = QPlainTextEdit()
        self.generated_text = WrittenText()
        self.temperature_setting = NumberField()
        self.top_k_setting, self.max_new_tokens_setting, self.generation_seed_setting = (
            IntegerField(),
            IntegerField(),
            IntegerField(is_grouped=False),
        )
        self.top_p_setting = NumberField()
        self.repetition_penalty_setting = NumberField()
        self._fields: dict[str, QAbstractSpinBox] = {
            "temperature": self.temperature_setting,
            "top_k": self.top_k_setting,
            "top_p": self.top_p_setting,
            "repetition_penalty": self.repetition_penalty_setting,
            "max_new_tokens": self.max_new_tokens_setting,
            "seed": self.generation_seed_setting,
        }
        self.generate_button = QPushButton("Generate")
        self.stop_generating_button = QPushButton("Stop")
        self.copy_button = QPushButton("Copy")
        self.save_button = QPushButton("Save…")
        self.back_button = QPushButton("Back")
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
            repetition_penalty=self.repetition_penalty_setting.value(),
        )

    def set_available(self, is_available: bool, reason: str = "") -> None:
        """Whether there is a model to write; otherwise `reason` says what to do."""
        self._is_available = is_available
        self._reason.setText("" if is_available else reason)
        self._reason.setVisible(bool(self._reason.text()))
        self._show_possible()
        self.next_distribution.setVisible(is_available)
        if is_available:
            self._preview_clock.start()
        else:
            self.next_distribution.show_rivals(())

    def show_started(self, event: GenerationStarted) -> None:
        """A new text begins, or one goes on from a rival that was chosen."""
        self._is_generating = True
        prompt, kept = self._branch or (event.prompt, [])
        self._branch = None
        if kept:
            kept[-1] = replace(kept[-1], text=event.last_text)
        else:
            self._former.clear()
        self._prompt = prompt
        self.generated_text.begin()
        self.generated_text.append_tokens(kept)
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
        self._preview_clock.start()
        self._show_status(f"{stopped}{event.token_count:,} token{plural} · {event.tokens_per_second:,.0f} tokens/s")
        self._show_possible()

    def show_preview(self, event: NextPreviewed) -> None:
        """Draw what could come after the text so far; an answer to an older text is left out."""
        if (event.prompt, event.following) == self._so_far() and self._is_available:
            self.next_distribution.show_rivals(event.rivals)

    def note_change(self) -> None:
        """The model has moved on: what could come next is asked for anew, where it is seen."""
        if self.isVisible() and not self._is_generating:
            self._preview_clock.start()

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
        self.next_distribution.show_theme(theme)

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
            (self.save_button, "save_generated_button", "Save prompt and text", "flat"),
            (self.back_button, "branch_back_button", "Back to the text before", "flat"),
        ):
            button.setObjectName(name)
            button.setAccessibleName(accessible_name)
            set_role(button, role)
        self.generate_button.setToolTip("Let the model go on after the prompt (Ctrl+Return)")
        self.save_button.setToolTip("Save the prompt and what follows as a text")
        self.back_button.setToolTip("Back to the text from before a rival was chosen")
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
        column.addWidget(self.next_distribution)
        column.addLayout(self._build_settings())
        column.addWidget(self._setting_problem)
        column.addWidget(self._reason)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.generate_button)
        buttons.addWidget(self.stop_generating_button)
        buttons.addStretch(1)
        buttons.setSpacing(4)
        for quiet in (self.back_button, self.copy_button, self.save_button):
            buttons.addWidget(quiet)
        column.addLayout(buttons)

    def _build_settings(self) -> QGridLayout:
        for (name, field), (label, tip) in zip(self._fields.items(), _FIELD_TEXTS, strict=True):
            _prepare_field(field, "generation_seed_setting" if name == "seed" else f"{name}_setting", label, tip)
        self.temperature_setting.setValue(0.8)
        self.top_k_setting.setValue(40)
        self.top_p_setting.setValue(0.95)
        self.repetition_penalty_setting.setValue(1.0)
        self.max_new_tokens_setting.setValue(300)
        self.generation_seed_setting.setValue(-1)
        grid = QGridLayout()
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
        return grid

    def _connect(self) -> None:
        self.generate_button.clicked.connect(self._on_generate_clicked)
        self.stop_generating_button.clicked.connect(self._on_stop_clicked)
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.save_button.clicked.connect(self._on_save_clicked)
        self.back_button.clicked.connect(self._on_back_clicked)
        self.generated_text.rival_chosen.connect(self._on_rival_chosen)
        self.next_distribution.token_clicked.connect(self._on_next_clicked)
        self._preview_clock.timeout.connect(self._on_preview_due)
        self.generated_text.textChanged.connect(self._on_text_changed)
        self.prompt_edit.textChanged.connect(self._on_prompt_changed)
        for whole in (self.top_k_setting, self.max_new_tokens_setting, self.generation_seed_setting):
            whole.valueChanged.connect(self._on_setting_changed)
        for number in (self.temperature_setting, self.top_p_setting, self.repetition_penalty_setting):
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
        self.save_button.setEnabled(self.copy_button.isEnabled())
        self.back_button.setVisible(bool(self._former))

    def _so_far(self) -> tuple[str, tuple[str, ...]]:
        """The prompt, and the tokens that were made of it, where it is still the prompt."""
        prompt = self.prompt_edit.toPlainText()
        return prompt, tuple(token.token for token in self.generated_text.tokens) if prompt == self._prompt else ()

    def _go_on_from(self, place: int, token: TextGenerated) -> None:
        """Keep the tokens before `place`, put `token` there, and have the model write the rest."""
        problems = self.request().problems()
        if problems or not self._is_available:
            self._refuse(problems)
            return
        tokens = self.generated_text.tokens
        if len(tokens) > place:
            self._former.append((self._prompt, tokens))
        kept = [*tokens[:place], token]
        self._branch = (self._prompt, kept)
        following = tuple(each.token for each in kept)
        self.generate_requested.emit(replace(self.request(), prompt=self._prompt, following=following))

    @Slot(int, object)
    def _on_rival_chosen(self, place: int, text: str) -> None:
        token = self.generated_text.tokens[place]
        probability = dict(token.rivals).get(text, 0.0)
        self._go_on_from(place, replace(token, token=text, probability=probability))

    @Slot(object)
    def _on_next_clicked(self, text: str) -> None:
        rivals = tuple((token, own) for token, own, _ in self.next_distribution.rivals)
        if self._prompt != self.prompt_edit.toPlainText():
            self._prompt = self.prompt_edit.toPlainText()
            self.generated_text.begin()
        token = TextGenerated(text="", token=text, probability=dict(rivals)[text], rivals=rivals[:5])
        self._go_on_from(len(self.generated_text.tokens), token)

    @Slot()
    def _on_back_clicked(self) -> None:
        if self._is_generating:
            self.stop_requested.emit()
        prompt, tokens = self._former.pop()
        self._prompt = prompt
        self.generated_text.begin()
        self.generated_text.append_tokens(tokens)
        self.generated_text.end()
        self._show_possible()
        self._preview_clock.start()

    @Slot()
    def _on_preview_due(self) -> None:
        prompt, following = self._so_far()
        request = replace(self.request(), prompt=prompt, following=following)
        if self._is_available and not self._is_generating and not request.problems():
            self.preview_requested.emit(request)

    @Slot()
    def _on_save_clicked(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the text", "written.txt", "Texts (*.txt)")
        if not path:
            return
        try:
            Path(path).write_text(self._prompt + self.generated_text.text, encoding="utf-8")
        except OSError as error:
            reason = error.strerror or error
            self.problem_found.emit(f"The text could not be written to {path}: {reason}. Choose another place.")

    @Slot()
    def _on_generate_clicked(self) -> None:
        if not self.generate_button.isEnabled():
            return
        self._branch = None
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
        self.save_button.setEnabled(self.copy_button.isEnabled())

    @Slot()
    def _on_prompt_changed(self) -> None:
        self.show_prompt_problem("")
        self._preview_clock.start()

    @Slot()
    def _on_setting_changed(self) -> None:
        problems = self.request().problems()
        if problems:
            self._refuse(problems)
        else:
            self.show_setting_problems({})
            self._preview_clock.start()

    def _refuse(self, problems: Problems) -> None:
        self.show_setting_problems(problems)
        self.problem_found.emit(" ".join(problems.values()))


def _prepare_field(field: QAbstractSpinBox, name: str, label: str, tip: str) -> None:
    field.setObjectName(name)
    field.setAccessibleName(label)
    field.setToolTip(tip)
    field.setMinimumWidth(scaled(48))
