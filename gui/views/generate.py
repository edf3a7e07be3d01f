"""Where the user has the model write."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.events import GenerationFinished, GenerationStarted, NextPreviewed, RunsListed, TextGenerated, WrittenBeside
from gui.text_size import sized
from gui.theme import Theme, mono_font, scaled, set_role, set_style_property
from gui.views.beside import Beside, BesideChoice, BesideText
from gui.views.branch_tree import Branch, BranchTree
from gui.views.elided_label import ElidedLabel
from gui.views.generation_settings import GenerationRequest, GenerationSettings, Problems
from gui.views.header_row import HeaderRow
from gui.views.next_distribution import NextDistribution
from gui.views.written_text import WrittenText


class GenerateView(QWidget):
    """A prompt, the text that the model makes of it token by token, and how its tokens are drawn.

    A rival that is clicked takes its token's place, and the model goes on from there; Back returns to the text before; the branches are kept.

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
        self._is_leaving = False
        self._fork: tuple[int, TextGenerated] | None = None
        self._preview_clock = QTimer(self, singleShot=True, interval=self.PREVIEW_PAUSE_MS)
        self.next_distribution = NextDistribution()
        self.prompt_edit = QPlainTextEdit()
        self.generated_text = WrittenText()
        self.settings = GenerationSettings()
        self.branches = BranchTree()
        self.beside_setting = BesideChoice()
        self.beside_text = BesideText("beside_text")
        self._beside: Beside = None
        self._step = 0
        self._heading = ElidedLabel()
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
        self.header.add(self.beside_setting)
        self.header.add(self._status, 2)
        self.header.add(self._seed, 1)
        self._prepare()
        self.write_actions = self._make_actions()
        self._arrange()
        self._connect()
        self.set_available(False, "Open a text and train on it; then the model can write.")

    def request(self) -> GenerationRequest:
        """What the fields ask for now, whether it can be done or not."""
        return replace(self.settings.request(self.prompt_edit.toPlainText()), beside=self.beside_setting.beside)

    def set_available(self, is_available: bool, reason: str = "") -> None:
        """Whether there is a model to write; otherwise `reason` says what to do."""
        self._is_available = is_available
        self.beside_setting.set_available(is_available)
        self.header.arrange()
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
        self._is_leaving = False
        self._is_generating = True
        if self._fork is None:
            self.branches.begin(event.prompt)
        else:
            place, token = self._fork
            self.branches.fork(place, replace(token, text=event.last_text))
            self._fork = None
        self.generated_text.begin()
        self.generated_text.append_tokens(self.branches.current.tokens)
        self.show_prompt_problem("")
        self._seed.setText(f"seed {event.seed}")
        self._step = event.step
        self._show_beside()
        self._show_status("writing")
        self._show_possible()

    def append(self, tokens: Sequence[TextGenerated]) -> None:
        """Put what has gathered at the end of the text, unless another branch is shown by now."""
        if self._is_leaving:
            return
        self.generated_text.append_tokens(tokens)
        self.branches.append(tokens)

    def show_finished(self, event: GenerationFinished) -> None:
        """The text is complete, or was stopped."""
        self._is_generating = self._is_leaving = False
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
        self.settings.show_problems(problems)
        self._setting_problem.setText(" ".join(problems.values()))
        self._setting_problem.setVisible(bool(problems))
        self._show_possible()

    def show_theme(self, theme: Theme) -> None:
        """Draw in this theme's colours from now on."""
        self.generated_text.show_theme(theme)
        self.beside_text.show_theme(theme)
        self.next_distribution.show_theme(theme)

    def _prepare(self) -> None:
        self.prompt_edit.setObjectName("prompt_edit")
        self.prompt_edit.setAccessibleName("Prompt")
        self.prompt_edit.setPlaceholderText(self.PLACEHOLDER)
        sized(self.prompt_edit, lambda: self.prompt_edit.setFont(mono_font()))
        sized(self.prompt_edit, lambda: self.prompt_edit.document().setDefaultFont(mono_font()))
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
        sized(self.prompt_edit, lambda: self.prompt_edit.setFixedHeight(scaled(50)))
        column.addWidget(self.prompt_edit)
        column.addWidget(self._prompt_problem)
        column.addLayout(self._build_texts(), 1)
        column.addWidget(self.branches)
        column.addWidget(self.next_distribution)
        column.addWidget(self.settings)
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

    def _build_texts(self) -> QHBoxLayout:
        """The text, and that of an earlier moment or another run at its right."""
        present = QVBoxLayout()
        present.setSpacing(4)
        self._heading.setObjectName("present_heading")
        self._heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        set_role(self._heading, "small")
        self._heading.hide()
        present.addWidget(self._heading)
        present.addWidget(self.generated_text, 1)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(present, 1)
        row.addWidget(self.beside_text, 1)
        return row

    def show_moments(self, steps: Sequence[int]) -> None:
        """Offer the moments that the model is kept from."""
        self.beside_setting.show_moments(steps)
        self.header.arrange()
        if not steps:
            self._beside = None
            self._show_beside()

    def show_runs(self, event: RunsListed) -> None:
        """Offer the other runs to write beside this one."""
        self.beside_setting.show_runs(event)
        self.header.arrange()

    def show_beside(self, event: WrittenBeside) -> None:
        """The text of the earlier moment or the other run begins, grows, is complete, or cannot be written."""
        heading = self._headings(event.event.step)[1] if isinstance(event.event, GenerationStarted) else ""
        self.beside_text.show_event(event, heading)
        self._show_possible()

    def _show_beside(self) -> None:
        """Make room for the second text that was asked for, or take it back."""
        present, other = self._headings(0)
        self._heading.setText(present)
        self._heading.setVisible(self._beside is not None)
        if self._beside is not None:
            self.beside_text.begin(other)
        else:
            self.beside_text.end()

    def _headings(self, step_beside: int) -> tuple[str, str]:
        """What to write over the text and over the one beside it: whose each is."""
        if isinstance(self._beside, Path):
            return self.beside_setting.headings(self._beside, self._step, step_beside)
        return f"now, step {self._step:,}", f"step {self._beside or 0:,}"

    def _action_buttons(self) -> tuple[QPushButton, ...]:
        return self.generate_button, self.stop_generating_button, self.back_button, self.copy_button, self.save_button

    def _make_actions(self) -> tuple[QAction, ...]:
        """What the buttons do, with keys; Ctrl+Return writes only where the keyboard is in this panel."""
        keys = (("Ctrl+Return", "Ctrl+Enter"), ("Ctrl+Backspace",), ("Alt+Backspace",), ("Ctrl+Shift+C",), ("Ctrl+Shift+S",))
        made = []
        for button, shortcuts in zip(self._action_buttons(), keys, strict=True):
            action = QAction(button.accessibleName(), self)
            action.setObjectName(button.objectName().replace("_button", "_action"))
            action.setShortcuts([QKeySequence(key) for key in shortcuts])
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self.addAction(action)
            made.append(action)
        return tuple(made)

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
        self.settings.changed.connect(self._on_setting_changed)
        self.beside_setting.currentIndexChanged.connect(self.header.arrange)
        self.branches.branch_chosen.connect(self._on_branch_chosen)
        for button, action in zip(self._action_buttons(), self.write_actions, strict=True):
            action.triggered.connect(button.click)

    def _show_status(self, text: str) -> None:
        self._status.setText(text)
        self.header.arrange()

    def _show_possible(self) -> None:
        """Enable what can be done now."""
        self.generate_button.setEnabled(self._is_available and not self._is_generating)
        self.stop_generating_button.setEnabled(self._is_generating or self.beside_text.is_writing)
        self.copy_button.setEnabled(not self.generated_text.document().isEmpty())
        self.save_button.setEnabled(self.copy_button.isEnabled())
        self.back_button.setVisible(self.branches.current.parent is not None)

    def _so_far(self) -> tuple[str, tuple[str, ...]]:
        """The prompt, and the tokens that were made of it, where it is still the prompt."""
        prompt = self.prompt_edit.toPlainText()
        is_same = prompt == self.branches.current.prompt
        return prompt, tuple(token.token for token in self.generated_text.tokens) if is_same else ()

    def _go_on_from(self, place: int, token: TextGenerated) -> None:
        """Keep the tokens before `place`, put `token` there, and have the model write the rest."""
        problems = self.request().problems()
        if problems or not self._is_available:
            self._refuse(problems)
            return
        branch = self.branches.current
        self._fork = place, token
        following = tuple(each.token for each in [*branch.tokens[:place], token])
        self._beside = None
        self.generate_requested.emit(replace(self.request(), prompt=branch.prompt, following=following, beside=None))

    @Slot(int, object)
    def _on_rival_chosen(self, place: int, text: str) -> None:
        token = self.generated_text.tokens[place]
        probability = dict(token.rivals).get(text, 0.0)
        self._go_on_from(place, replace(token, token=text, probability=probability))

    @Slot(object)
    def _on_next_clicked(self, text: str) -> None:
        rivals = tuple((token, own) for token, own, _ in self.next_distribution.rivals)
        if self.branches.current.prompt != self.prompt_edit.toPlainText():
            self.branches.begin(self.prompt_edit.toPlainText())
            self.generated_text.begin()
        token = TextGenerated(text="", token=text, probability=dict(rivals)[text], rivals=rivals[:5])
        self._go_on_from(len(self.generated_text.tokens), token)

    @Slot()
    def _on_back_clicked(self) -> None:
        parent = self.branches.current.parent
        if parent is not None:
            self.branches.show_branch(parent)
            self._on_branch_chosen(parent)

    @Slot(object)
    def _on_branch_chosen(self, branch: Branch) -> None:
        """Show another text of the same prompt; the one under way ends."""
        if self._is_generating:
            self._is_leaving = True
            self.stop_requested.emit()
        self.generated_text.begin()
        self.generated_text.append_tokens(branch.tokens)
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
            Path(path).write_text(self.branches.current.prompt + self.generated_text.text, encoding="utf-8")
        except OSError as error:
            reason = error.strerror or error
            self.problem_found.emit(f"The text could not be written to {path}: {reason}. Choose another place.")

    @Slot()
    def _on_generate_clicked(self) -> None:
        if not self.generate_button.isEnabled():
            return
        self._fork = None
        problems = self.request().problems()
        if problems:
            self._refuse(problems)
        else:
            self._beside = self.beside_setting.beside
            self.generate_requested.emit(self.request())

    @Slot()
    def _on_stop_clicked(self) -> None:
        self.stop_requested.emit()

    @Slot()
    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self.branches.current.prompt + self.generated_text.text)

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
