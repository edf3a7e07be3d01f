"""The thread that the engine runs in, and the place where its events wait for the window."""

import threading
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from gui.commands import Command
from gui.engine import Engine
from gui.events import EngineEvent


class Worker(QThread):
    """Runs an Engine. Events gather behind a lock; `events_ready` is emitted when the first one since `take_events` came."""

    events_ready = Signal()

    def __init__(self, data_directory: Path, cache_directory: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = Engine(data_directory, self._collect, cache_directory)
        self._lock = threading.Lock()
        self._events: list[EngineEvent] = []

    def post(self, command: Command) -> None:
        """Ask the engine for something; returns at once."""
        self._engine.post(command)

    def take_events(self) -> list[EngineEvent]:
        """What has happened since the last call, in order."""
        with self._lock:
            events, self._events = self._events, []
        return events

    def run(self) -> None:
        """The thread's own life, until Shutdown."""
        self._engine.run()

    def _collect(self, event: EngineEvent) -> None:
        with self._lock:
            self._events.append(event)
            is_first = len(self._events) == 1
        if is_first:
            self.events_ready.emit()
