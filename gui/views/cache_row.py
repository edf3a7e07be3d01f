"""What the encoded texts take on the disk, how much they may, and a way to remove them."""

from typing import Final

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.format import bytes_text, count_text, tooltip_text
from gui.text_size import sized
from gui.theme import scaled, set_role, set_style_property
from gui.views.number_field import IntegerField

_GB: Final = 10**9
_MOST_GB: Final = 10_000
_HELP: Final = (
    "Texts lie encoded in the cache, so that they are there at once when they are opened again. Above the limit, those used "
    "longest ago are removed. Clearing it costs nothing but time."
)


class CacheRow(QWidget):
    """The size of the cache, its limit, and Clear."""

    limit_changed = Signal(object)
    """Carries the limit in bytes."""
    clear_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = QLabel()
        self._size.setObjectName("cache_size_label")
        set_role(self._size, "small")
        self._limit = IntegerField("GB")
        self._limit.setObjectName("cache_limit_setting")
        self._limit.setAccessibleName("Limit of the cache in GB")
        sized(self._limit, lambda: self._limit.setFixedSize(scaled(72), scaled(26)))
        self._clear = QPushButton("Clear")
        self._clear.setObjectName("clear_cache_button")
        self._clear.setAccessibleName("Clear the cache")
        set_role(self._clear, "small_link")
        self._problem = QLabel()
        self._problem.setObjectName("cache_limit_problem")
        self._problem.setWordWrap(True)
        set_role(self._problem, "problem")
        self._problem.hide()
        at_most = QLabel("up to")
        at_most.setBuddy(self._limit)
        set_role(at_most, "small")
        for widget in (self._size, at_most, self._limit):
            widget.setToolTip(tooltip_text(_HELP))
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._size)
        row.addWidget(self._clear)
        row.addStretch(1)
        row.addWidget(at_most)
        row.addWidget(self._limit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self._problem)
        self._limit.valueChanged.connect(self._on_limit_edited)
        self._clear.clicked.connect(self._on_clear_clicked)
        self.show_size(0)

    def show_size(self, size_bytes: int) -> None:
        """Show how much it takes."""
        self._size.setText(f"Cache {bytes_text(size_bytes)}")
        self._clear.setEnabled(size_bytes > 0)

    def show_limit(self, limit_bytes: int) -> None:
        """Show how much it may take."""
        with QSignalBlocker(self._limit):
            self._limit.setValue(round(limit_bytes / _GB))

    def _on_limit_edited(self, limit_gb: int) -> None:
        is_good = 0 <= limit_gb <= _MOST_GB
        self._problem.setText(
            "" if is_good else f"{count_text(limit_gb)} is out of bounds; choose 0 to {count_text(_MOST_GB)} GB."
        )
        self._problem.setVisible(not is_good)
        set_style_property(self._limit, "invalid", "false" if is_good else "true")
        if is_good:
            self.limit_changed.emit(limit_gb * _GB)

    def _on_clear_clicked(self) -> None:
        self.clear_requested.emit()
