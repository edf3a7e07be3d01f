"""Warns where a text does not suit the model, with figures, and offers what to do."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.events import CorpusOpened
from gui.format import count_text, short_count_text
from gui.theme import set_role
from nanograd.training.settings import RunSettings

HUGE_VOCABULARY = 1000
PARAMETERS_PER_TOKEN = 10


class TextWarning(QWidget):
    """What is wrong, and two buttons where other tokens would help."""

    tokenizer_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = QLabel()
        self._label.setObjectName("text_warning_label")
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        set_role(self._label, "warning")
        self._bytes = _button("use_bytes_button", "Use bytes")
        self._byte_pair = _button("use_byte_pair_button", "Use byte-pair")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(4)
        column.addWidget(self._label)
        row = QHBoxLayout()
        row.addWidget(self._bytes)
        row.addWidget(self._byte_pair)
        row.addStretch(1)
        column.addLayout(row)
        self._bytes.clicked.connect(self._on_bytes_clicked)
        self._byte_pair.clicked.connect(self._on_byte_pair_clicked)
        self.hide()

    def show_fit(self, corpus: CorpusOpened, learnt: int, settings: RunSettings, parameter_count: int) -> None:
        """Tell whether a text of which `learnt` tokens are learnt from suits a model; where it does, nothing shows."""
        is_huge = corpus.choice.kind == "character" and len(corpus.vocabulary) > HUGE_VOCABULARY
        found = []
        kept = corpus.token_count - learnt
        if min(learnt, kept) <= settings.block_size:
            part, count = ("learn from", learnt) if learnt <= kept else ("validate with", kept)
            found.append(
                f"Too short for a context of {count_text(settings.block_size)}: {count_text(count)} tokens to {part}, and "
                f"{count_text(settings.block_size + 1)} are needed."
            )
        elif parameter_count > PARAMETERS_PER_TOKEN * learnt:
            found.append(
                f"Small for this model: {short_count_text(parameter_count)} parameters learn {short_count_text(learnt)} tokens, "
                f"{parameter_count / learnt:,.0f} for each. It will know the text by heart; take a longer text or a smaller model."
            )
        if is_huge:
            found.append(
                f"{count_text(len(corpus.vocabulary))} distinct characters: "
                f"{short_count_text(len(corpus.vocabulary) * settings.n_embd)} of {short_count_text(parameter_count)} parameters "
                f"would only name them. Bytes need 256 tokens, byte-pair {count_text(corpus.choice.vocabulary_size)}."
            )
        self._label.setText("\n".join(found))
        self._bytes.setVisible(is_huge)
        self._byte_pair.setVisible(is_huge)
        self.setVisible(bool(found))

    def _on_bytes_clicked(self) -> None:
        self.tokenizer_chosen.emit("byte")

    def _on_byte_pair_clicked(self) -> None:
        self.tokenizer_chosen.emit("byte-pair")


def _button(name: str, text: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(text)
    set_role(button, "chip")
    return button
