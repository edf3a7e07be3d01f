"""What fills the centre before anything is opened: an invitation, and three texts one click away."""

from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.icons import logo
from gui.theme import SMALL_PX, mono_font, scaled, set_role, set_style_property
from resources import BUNDLED_CORPORA, BundledCorpus

LOGO_PX: Final = 56


class Welcome(QWidget):
    """A calm invitation. Text dropped anywhere on the window is as good as a click here."""

    open_requested = Signal()
    bundled_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setAccessibleName("Welcome")
        self._zone = QFrame()
        self._zone.setObjectName("drop_zone")
        set_role(self._zone, "drop")
        self._logo = QLabel()
        self._logo.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._open = _button("welcome_open_button", "Open a text…", "primary")
        self._cards = [BundledCard(text) for text in BUNDLED_CORPORA]
        self._arrange()
        self._open.clicked.connect(self._on_open_clicked)
        for card in self._cards:
            card.clicked.connect(self._on_card_clicked)

    def _arrange(self) -> None:
        column = QVBoxLayout()
        column.setSpacing(16)
        column.addStretch(2)
        column.addWidget(self._make_zone())
        column.addWidget(_label("Or begin with a text that is here already", "muted"))
        row = QHBoxLayout()
        row.setSpacing(12)
        for card in self._cards:
            row.addWidget(card)
        column.addLayout(row)
        column.addStretch(3)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(16, 16, 16, 16)
        outer.addStretch(1)
        outer.addLayout(column)
        outer.addStretch(1)

    def _make_zone(self) -> QFrame:
        column = QVBoxLayout(self._zone)
        column.setContentsMargins(24, 28, 24, 28)
        column.setSpacing(8)
        column.addWidget(self._logo)
        column.addSpacing(8)
        column.addWidget(_label("Watch a GPT learn your text", "figure"))
        column.addWidget(
            _label("Drop texts or folders here, or open some. Then press Train and look inside while it learns.", "muted")
        )
        column.addSpacing(12)
        column.addWidget(self._open, 0, Qt.AlignmentFlag.AlignHCenter)
        return self._zone

    def show_drop(self, is_over: bool) -> None:
        """Light up while a file is held over the window."""
        set_style_property(self._zone, "active", "true" if is_over else "false")

    def _on_open_clicked(self) -> None:
        self.open_requested.emit()

    def _on_card_clicked(self) -> None:
        card = self.sender()
        if isinstance(card, BundledCard):
            self.bundled_requested.emit(card.key)

    def showEvent(self, event: QShowEvent) -> None:
        """Draw the logo for the screen that the window is on."""
        super().showEvent(event)
        self._logo.setPixmap(logo().pixmap(QSize(LOGO_PX, LOGO_PX), self.devicePixelRatioF()))


class BundledCard(QPushButton):
    """A bundled text: its title, how it looks, and what there is to see."""

    def __init__(self, text: BundledCorpus, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = text.key
        self.setObjectName(f"welcome_{text.key}_button")
        self.setAccessibleName(f"Open the bundled text {text.title}")
        self.setAccessibleDescription(text.description)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(scaled(204), scaled(136))
        set_role(self, "card")
        excerpt = _label(text.excerpt, "accent_plain")
        excerpt.setFont(mono_font(SMALL_PX))
        description = _label(text.description, "small")
        description.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(6)
        for label in (_label(text.title, "heading"), excerpt, description):
            label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(label)
        column.addStretch(1)


def _label(text: str, role: str) -> QLabel:
    label = QLabel(text)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    set_role(label, role)
    return label


def _button(name: str, text: str, role: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(text.removesuffix("…"))
    set_role(button, role)
    return button
