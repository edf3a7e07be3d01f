"""The long proofs in `tests/proofs/`, each in a short form; what they hold is told in the files themselves."""

import subprocess
import sys
from pathlib import Path

import pytest

PROOFS = Path(__file__).resolve().parents[1] / "proofs"


def prove(name, *words):
    """Run a proof to its end, and return what it says."""
    done = subprocess.run([sys.executable, PROOFS / name, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_twenty_killed_processes_lose_no_more_than_their_newest_steps():
    assert prove("kills.py", "--kills", 20, "--seed", 1).startswith("20 kills in ")


@pytest.mark.timeout(300)
def test_faults_at_the_writes_and_reads_of_a_run_lose_nothing():
    assert "each went on to the same weights" in prove("faults.py", "--every", 9)


def test_damaged_files_are_refused_or_load_what_they_hold():
    told = prove("damage.py", "--checkpoints", 240, "--others", 120, "--seed", 1)
    assert "code run: 0 times" in told
    assert "refused" in told
