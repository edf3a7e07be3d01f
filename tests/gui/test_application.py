import locale
import subprocess
import sys

from PySide6.QtWidgets import QApplication

from gui.application import Application, create_application, default_data_directory

CRASH = """
import logging, sys, threading
from pathlib import Path
from PySide6.QtCore import QTimer, qWarning
from gui.application import create_application, keep_log
app = create_application(["nanograd"])
keep_log(Path(sys.argv[1]))
def fail(): raise RuntimeError("in a thread")
thread = threading.Thread(target=fail); thread.start(); thread.join()
qWarning("from Qt")
logging.getLogger("gui.engine").error("from the engine")
raise ValueError("in the main thread")
"""


def test_there_is_one_application(qapp):
    assert isinstance(qapp, Application)
    assert create_application(["again"]) is qapp
    assert QApplication.instance() is qapp


def test_it_has_its_name_its_icon_and_its_style(qapp):
    assert qapp.applicationName() == "nanograd"
    assert not qapp.windowIcon().isNull()
    assert qapp.style().name() == "fusion"


def test_numbers_are_written_with_a_point_whatever_the_desktop_does(qapp):
    assert locale.localeconv()["decimal_point"] == "."


def test_the_data_folder_is_the_users_own():
    assert default_data_directory().name == "nanograd"


def test_unexpected_errors_and_warnings_are_written_down(tmp_path):
    ended = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path / "logs")], capture_output=True, text=True, timeout=60)
    log = (tmp_path / "logs" / "nanograd.log").read_text(encoding="utf-8")
    for said in ("in a thread", "Qt: from Qt", "from the engine", "in the main thread", "Traceback"):
        assert said in log, log
    assert ended.returncode == 1
    assert "in the main thread" in ended.stderr
    assert (tmp_path / "logs" / "crash.log").exists()


def test_a_log_folder_that_cannot_be_made_is_done_without(tmp_path):
    (tmp_path / "logs").write_text("a file is in the way", encoding="utf-8")
    ended = subprocess.run([sys.executable, "-c", CRASH, str(tmp_path / "logs")], capture_output=True, text=True, timeout=60)
    assert "in the main thread" in ended.stderr
