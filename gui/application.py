"""The Qt application: its name, locale, theme, and where faults are written down."""

import faulthandler
import locale
import logging
import sys
import threading
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

import platformdirs
from pyqtgraph.util.garbage_collector import GarbageCollector
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from gui.icons import logo
from gui.theme import prepare_style, system_theme

APPLICATION_NAME = "nanograd"
_GARBAGE_INTERVAL_S = 1.0
_log = logging.getLogger(__name__)


class Application(QApplication):
    """Holds the collector of garbage: Python's own may run in the training thread, and destroy Qt objects there."""

    def __init__(self, argv: Sequence[str]) -> None:
        super().__init__(list(argv))
        self._garbage_collector = GarbageCollector(interval=_GARBAGE_INTERVAL_S)
        self._garbage_collector.timer.setParent(self)


def create_application(argv: Sequence[str]) -> QApplication:
    """The one QApplication, ready for windows in the system's theme; the present one where there is one already."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else Application(argv)
    app.setApplicationName(APPLICATION_NAME)
    app.setApplicationDisplayName(APPLICATION_NAME)
    app.setDesktopFileName(APPLICATION_NAME)
    app.setWindowIcon(logo())
    locale.setlocale(locale.LC_NUMERIC, "C")  # Qt takes the desktop's: a decimal comma would confuse files
    prepare_style(app, system_theme(app))
    return app


def default_data_directory() -> Path:
    """Where runs and texts are kept for this user."""
    return Path(platformdirs.user_data_dir(APPLICATION_NAME, appauthor=False))


def default_cache_directory() -> Path:
    """Where encoded texts are kept for this user, to be opened faster."""
    return Path(platformdirs.user_cache_dir(APPLICATION_NAME, appauthor=False))


def keep_log(folder: Path) -> None:
    """Write warnings, Python's and Qt's unexpected errors, and crashes into `folder`; a folder that fails is done without."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        crash_file = (folder / "crash.log").open("a", encoding="utf-8")
        handler = RotatingFileHandler(folder / "nanograd.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8")
    except OSError:
        return
    faulthandler.enable(crash_file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    sys.excepthook = _log_exception
    threading.excepthook = _log_thread_exception
    qInstallMessageHandler(_log_qt_message)


def _log_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _log.error("An unexpected error.", exc_info=(kind, error, trace))
    sys.__excepthook__(kind, error, trace)


def _log_thread_exception(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        _log_exception(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _log_qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    if kind != QtMsgType.QtDebugMsg:
        _log.warning("Qt: %s", message)
