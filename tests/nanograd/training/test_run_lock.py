import os
import signal
import subprocess
import sys

import pytest

from nanograd.errors import RunLockedError
from nanograd.training.run_lock import RunLock, is_locked

HOLD = """
import sys, time
from pathlib import Path
from nanograd.training.run_lock import RunLock
lock = RunLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_is_held_once_and_can_be_taken_again_when_it_is_released(tmp_path):
    path = tmp_path / "lock"
    assert not is_locked(path)
    lock = RunLock(path)
    assert is_locked(path)
    with pytest.raises(RunLockedError, match=rf"process {os.getpid()}\). Close it there"):
        RunLock(path)
    lock.release()
    lock.release()
    assert not is_locked(path)
    RunLock(path).release()


def test_a_killed_process_leaves_no_lock_behind(tmp_path):
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(RunLockedError, match=f"process {holder.pid}"):
            RunLock(path)
        holder.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    RunLock(path).release()
