"""One line under the controls for what went wrong, what is good to know, and what can be done about it."""

from typing import Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from gui.format import tooltip_text
from gui.icons import icon
from gui.text_size import sized
from gui.theme import DARK, Theme, scaled, set_role, set_style_property

LONGEST_MESSAGE: Final = 400


class MessageBar(QFrame):
    """Hidden while there is nothing to say. `text` is the last message, also after it was closed.

    An offer, such as to go on with a former run, gives way to messages and comes back when they are closed.
    """

    continue_requested = Signal()
    remedy_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message_bar")
        self.setAccessibleName("Message")
        set_role(self, "message")
        self._theme = DARK
        self._message = ""
        self._details = ""
        self._is_error = False
        self._offer = ""
        self._icon = QLabel()
        self._label = QLabel()
        self._label.setObjectName("message_label")
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._continue = _button("continue_button", "Continue", "primary_small")
        self._remedy = _button("remedy_button", "", "primary_small")
        self._copy = _button("copy_details_button", "Copy details", "link")
        self._close = _button("close_message_button", "", "link")
        self._close.setAccessibleName("Close the message")
        self._arrange()
        self._continue.clicked.connect(self._on_continue_clicked)
        self._remedy.clicked.connect(self.remedy_requested)
        self._copy.clicked.connect(self._on_copy_clicked)
        self._close.clicked.connect(self.clear)
        self.hide()

    def _arrange(self) -> None:
        sized(self._label, lambda: self._label.setMinimumHeight(scaled(20)))
        self._close.setIconSize(QSize(14, 14))
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 7, 12, 7)
        row.setSpacing(10)
        row.addWidget(self._icon)
        row.addWidget(self._label, 1)
        for button in (self._continue, self._remedy, self._copy, self._close):
            row.addWidget(button)

    def text(self) -> str:
        """The last message, whole."""
        return self._message

    def show_error(self, message: str, details: str = "") -> None:
        """Say what went wrong. Details, such as a traceback, can be copied."""
        self._show(message, details=details, is_error=True)

    def offer_remedy(self, text: str) -> None:
        """Offer a way out of the error that is shown; a click emits `remedy_requested`."""
        self._remedy.setText(text)
        self._remedy.setAccessibleName(text)
        self._remedy.setVisible(self._is_error and not self.isHidden())

    def show_notice(self, message: str) -> None:
        """Say something good to know."""
        self._show(message)

    def offer(self, message: str) -> None:
        """Offer to go on; a click on Continue emits `continue_requested`."""
        self._offer = message
        self._show(message)

    def withdraw_offer(self) -> None:
        """Take back an offer that has lost its sense."""
        if self._message == self._offer:
            self.hide()
        self._offer = ""
        self._continue.hide()

    @Slot()
    def clear(self) -> None:
        """Hide the message; an offer that stands comes back."""
        if self._offer and self._message != self._offer:
            self.offer(self._offer)
        else:
            self._offer = ""
            self.hide()

    def withdraw_error(self) -> None:
        """Hide an error that is over; a notice stays."""
        if self._is_error:
            self.clear()

    def show_theme(self, theme: Theme) -> None:
        """Draw the icons in the theme's colours."""
        self._theme = theme
        self._close.setIcon(icon("close", theme.muted))
        name, color = ("warning", theme.bad) if self._is_error else ("info", theme.accent_text)
        self._icon.setPixmap(icon(name, color).pixmap(QSize(16, 16), self.devicePixelRatioF()))

    def _show(self, message: str, *, details: str = "", is_error: bool = False) -> None:
        self._message, self._details, self._is_error = message, details, is_error
        is_long = len(message) > LONGEST_MESSAGE
        self._label.setText(message[:LONGEST_MESSAGE] + "…" if is_long else message)
        self._label.setToolTip(tooltip_text(message) if is_long else "")
        set_style_property(self, "error", "true" if is_error else "false")
        self._continue.setVisible(message == self._offer)
        self._remedy.hide()
        self._copy.setText("Copy details")
        self._copy.setVisible(bool(details))
        self.show_theme(self._theme)
        self.show()

    def _on_continue_clicked(self) -> None:
        self.withdraw_offer()
        self.continue_requested.emit()

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(f"{self._message}\n\n{self._details}")
        self._copy.setText("Copied")


def _button(name: str, text: str, role: str) -> QPushButton:
    button = QPushButton(text)
    button.setObjectName(name)
    button.setAccessibleName(text)
    set_role(button, role)
    return button
