"""How a text is read: its tokens, what stands between documents, which field of its tables is taken, and its line ends."""

import re
from pathlib import Path
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from gui.format import tooltip_text
from gui.text_size import sized
from gui.theme import scaled, set_role, set_style_property
from gui.views.number_field import FIELD_WIDTH_PX, IntegerField
from gui.views.setting_row import ChoiceField
from nanograd.errors import VocabularyError
from nanograd.text.choice import TokenizerChoice, TokenizerKind
from nanograd.text.source import DEFAULT_SEPARATOR, WHOLE_FILE, TextSource

KIND_NAMES: Final[dict[TokenizerKind, str]] = {"character": "characters", "byte": "bytes", "byte-pair": "byte-pair"}
FROM_FILES, NO_FILES = "from files", "Choose…"
FOUND_FIELD, WHOLE_TEXT = "automatic", "the whole file"
_PAUSE_MS: Final = 500
_PADDING_PX: Final = 24  # of a button, left and right of its text
_ESCAPES: Final = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\\": r"\\"}
_HELP: Final = {
    "tokenizer": "What the text is cut into. Characters: each is a token. Bytes: 256 tokens write any text. "
    "Byte-pair: pieces that are often found together, learnt from this text. From files: pieces that were learnt elsewhere.",
    "vocabulary_size": "How many tokens byte-pair has: the 256 bytes, and the pieces that it learns.",
    "vocabulary_files": "A byte-pair vocabulary as GPT-2 has it: a folder with vocab.json and merges.txt.",
    "separator": r"What comes between documents: files, and rows of tables. \n is a line end, \t a tab.",
    "field": "Which field of .jsonl, .csv and .tsv files is the text.",
    "line_ends": "Windows ends a line with two characters. As one they are what they are everywhere else.",
}


class TextReading(QWidget):
    """The fields of a TextSource and a TokenizerChoice. `changed` tells that another reading was chosen, once it is a possible one."""

    changed = Signal()
    files_requested = Signal()
    """The files of a vocabulary are to be chosen: see `choose_files`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = TokenizerChoice()
        self._folder: Path | None = None
        self._clock = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._tokenizer = ChoiceField((*KIND_NAMES.values(), FROM_FILES))
        self._vocabulary_size = IntegerField("tokens")
        self._vocabulary_size.setValue(self._choice.vocabulary_size)
        self._files = QPushButton(NO_FILES)
        set_role(self._files, "chip")
        self._separator = QLineEdit(shown_separator(DEFAULT_SEPARATOR))
        self._field = ChoiceField((FOUND_FIELD, WHOLE_TEXT))
        self._line_ends = QCheckBox()
        self._line_ends.setChecked(True)
        self._problem = QLabel()
        self._problem.setObjectName("vocabulary_size_problem")
        self._problem.setWordWrap(True)
        set_role(self._problem, "problem")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(2)
        self._rows = {
            name: _add_row(column, field, name, label)
            for name, field, label in (
                ("tokenizer", self._tokenizer, "Tokens"),
                ("vocabulary_size", self._vocabulary_size, "Vocabulary"),
                ("vocabulary_files", self._files, "Vocabulary"),
                ("separator", self._separator, "Between documents"),
                ("field", self._field, "Field of tables"),
                ("line_ends", self._line_ends, "Plain line ends"),
            )
        }
        column.insertWidget(3, self._problem)
        self._connect()
        self._show_rows(None, ())

    def _connect(self) -> None:
        self._clock.timeout.connect(self._on_edited)
        self._tokenizer.currentIndexChanged.connect(self._on_tokenizer_edited)
        self._vocabulary_size.valueChanged.connect(self._on_tokenizer_edited)
        self._files.clicked.connect(self._on_files_clicked)
        self._separator.editingFinished.connect(self._on_separator_edited)
        self._field.currentIndexChanged.connect(self._on_edited)
        self._line_ends.toggled.connect(self._on_edited)
        self._asked = self._values()

    def choice(self) -> TokenizerChoice:
        """The tokenizer that was chosen; where its fields hold none that is possible, the one before."""
        return self._choice

    def source_of(self, paths: tuple[Path, ...], encoding: str = "") -> TextSource:
        """These files, read as chosen."""
        field = self._field.currentText()
        return TextSource(
            paths=paths,
            separator=read_separator(self._separator.text()),
            field={FOUND_FIELD: "", WHOLE_TEXT: WHOLE_FILE}.get(field, field),
            encoding=encoding,
            keeps_line_ends=not self._line_ends.isChecked(),
        )

    def settle(self) -> None:
        """What is chosen is being asked for: a number that was just typed asks no more."""
        self._clock.stop()

    def choose(self, kind: TokenizerKind) -> None:
        """Choose a kind of tokenizer, as if by hand."""
        self._tokenizer.setCurrentText(KIND_NAMES[kind])

    def choose_files(self, folder: Path) -> None:
        """Choose the vocabulary whose files lie in `folder`, as if by hand."""
        self._folder = folder
        self._tokenizer.setCurrentText(FROM_FILES)
        self._on_tokenizer_edited()

    def show_files_problem(self, message: str) -> None:
        """Say why the files that were chosen do not do; others can be chosen."""
        blocker = QSignalBlocker(self._tokenizer)
        self._tokenizer.setCurrentText(FROM_FILES)
        blocker.unblock()
        self._folder = None
        self._show_tokens()
        self._show_problem(message)

    def show_reading(self, choice: TokenizerChoice, source: TextSource | None, fields: tuple[str, ...]) -> None:
        """Show how the open text was read; `fields` are those of its tables. A number that is being typed stays."""
        if self._clock.isActive():
            return
        self._choice = choice
        self._folder = choice.files or self._folder
        blockers = [
            QSignalBlocker(field)
            for field in (self._tokenizer, self._vocabulary_size, self._separator, self._field, self._line_ends)
        ]
        self._tokenizer.setCurrentText(FROM_FILES if choice.files else KIND_NAMES[choice.kind])
        self._vocabulary_size.setValue(choice.vocabulary_size)
        self._field.clear()
        self._field.addItems([FOUND_FIELD, WHOLE_TEXT, *fields])
        if source is not None:
            self._separator.setText(shown_separator(source.separator))
            shown = {"": FOUND_FIELD, WHOLE_FILE: WHOLE_TEXT}.get(source.field, source.field)
            if self._field.findText(shown) < 0:
                self._field.addItem(shown)
            self._field.setCurrentText(shown)
            self._line_ends.setChecked(not source.keeps_line_ends)
        for blocker in blockers:
            blocker.unblock()
        self._asked = self._values()
        self._show_problem("")
        self._show_rows(source, fields)

    def _values(self) -> tuple[TokenizerChoice, TextSource]:
        return self._choice, self.source_of(())

    def _show_rows(self, source: TextSource | None, fields: tuple[str, ...]) -> None:
        self._show_tokens()
        self._rows["separator"].setVisible(source is not None)
        self._rows["line_ends"].setVisible(source is not None)
        self._rows["field"].setVisible(bool(fields) or (source is not None and bool(source.field)))

    def _show_tokens(self) -> None:
        """Show what there is to tell of the chosen kind of tokens."""
        kind = self._tokenizer.currentText()
        self._rows["vocabulary_size"].setVisible(kind == KIND_NAMES["byte-pair"])
        self._rows["vocabulary_files"].setVisible(kind == FROM_FILES)
        name = (self._folder.name or str(self._folder)) if self._folder else NO_FILES
        room = scaled(FIELD_WIDTH_PX - _PADDING_PX)
        self._files.setText(self._files.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, room))
        self._files.setToolTip(tooltip_text(f"{_HELP['vocabulary_files']}\n\n{self._folder or ''}".strip()))

    def _show_problem(self, message: str) -> None:
        self._problem.setText(message)
        self._problem.setVisible(bool(message))
        set_style_property(self._vocabulary_size, "invalid", "true" if message else "false")

    def _chosen(self) -> TokenizerChoice:
        """What the fields hold; VocabularyError where that is not possible."""
        name = self._tokenizer.currentText()
        if name == FROM_FILES:
            return TokenizerChoice(kind="byte-pair", vocabulary_size=self._choice.vocabulary_size, files=self._folder)
        kind = next(kind for kind, shown in KIND_NAMES.items() if shown == name)
        size = self._vocabulary_size.value() if kind == "byte-pair" else self._choice.vocabulary_size
        return TokenizerChoice(kind=kind, vocabulary_size=size)

    def _on_files_clicked(self) -> None:
        self.files_requested.emit()

    def _on_tokenizer_edited(self) -> None:
        self._show_tokens()
        if self._tokenizer.currentText() == FROM_FILES and self._folder is None:  # there is nothing to ask for yet
            self._clock.stop()
            self._show_problem("")
            return
        try:
            self._choice = self._chosen()
        except VocabularyError as error:
            self._clock.stop()
            self._show_problem(str(error))
            return
        self._show_problem("")
        if self.sender() is self._vocabulary_size:
            self._clock.start()  # while a number is typed, each digit makes another
        else:
            self._on_edited()

    def _on_separator_edited(self) -> None:
        if self._values() != self._asked:
            self._on_edited()

    def _on_edited(self) -> None:
        self._clock.stop()
        self._asked = self._values()
        self.changed.emit()


def shown_separator(separator: str) -> str:
    r"""A separator on one line: a line end is \n, a tab \t."""
    return "".join(_ESCAPES.get(character, character) for character in separator)


def read_separator(shown: str) -> str:
    """The separator that `shown_separator` shows so; a backslash before anything else stands for itself."""
    signs = {escape: character for character, escape in _ESCAPES.items()}
    return re.sub(r"\\[ntr\\]", lambda found: signs[found[0]], shown)


def _add_row(column: QVBoxLayout, field: QWidget, name: str, text: str) -> QWidget:
    row = QWidget()
    row.setMinimumHeight(scaled(26))
    label = QLabel(text)
    set_role(label, "small")
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(label)
    line.addStretch(1)
    line.addWidget(field)
    label.setBuddy(field)
    field.setObjectName(f"{name}_setting")
    field.setAccessibleName(text)
    field.setAccessibleDescription(_HELP[name])
    for widget in (label, field):
        widget.setToolTip(tooltip_text(_HELP[name]))
    if isinstance(field, QCheckBox):
        sized(field, lambda: field.setMinimumHeight(scaled(26)))
    else:
        sized(field, lambda: field.setFixedSize(scaled(FIELD_WIDTH_PX), scaled(26)))
    column.addWidget(row)
    return row
