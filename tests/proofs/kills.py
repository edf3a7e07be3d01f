"""Kills training processes at random moments, lets each run go on, and holds that nothing but the newest steps was lost.

    python tests/proofs/kills.py --kills 200

Each time the run opens at its newest checkpoint or a later one, and in the end its weights and its curve are those of an
undisturbed run. A part of the kills waits for a file that is half-written.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic, sleep

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nanograd.training.checkpoint import load_run
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import open_run

EVAL_INTERVAL = 20
SETTINGS = {
    "n-layer": 2, "n-head": 2, "n-embd": 32, "block-size": 16, "batch-size": 8, "dropout": 0.1, "max-steps": 300,
    "eval-interval": EVAL_INTERVAL, "eval-windows": 600, "sample-tokens": 10, "warmup-steps": 5, "keep-every": 100, "parts": 1,
}  # fmt: skip
LONGEST_LIFE_S = 1.6
WAITING_FOR_A_WRITE = 0.3


class Life:
    """One process that trains, from its start to its death or its end."""

    def __init__(self, words: list[str], data: Path) -> None:
        self._data = data
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115  # as long as the life itself
        command = [sys.executable, "-m", "nanograd", *words, "--json", "--data-directory", str(data)]
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(command, stdout=self._told, stderr=subprocess.PIPE, text=True, cwd=root, env=environment)

    def end(self) -> str:
        """Wait for the end; raises RuntimeError where it was no good one."""
        _, errors = self._process.communicate()
        if self._process.returncode != 0:
            raise RuntimeError(f"A process ended with {self._process.returncode}: {errors}")
        return errors

    def kill_after(self, delay_s: float, waits_for_a_write: bool) -> bool:
        """Kill it without warning; whether it was still alive then."""
        until = monotonic() + delay_s
        while monotonic() < until and self._process.poll() is None:
            sleep(0.001)
        until = monotonic() + 2 * LONGEST_LIFE_S
        while waits_for_a_write and not self._half_written() and monotonic() < until and self._process.poll() is None:
            pass
        is_alive = self._process.poll() is None
        self._process.send_signal(signal.SIGKILL)
        errors = self._process.communicate()[1]
        if "Traceback" in errors:
            raise RuntimeError(errors)
        return is_alive

    def events(self) -> list[dict]:
        """What it told before its death."""
        self._told.seek(0)
        lines = self._told.read().split("\n")[:-1]  # the last may be cut
        return [json.loads(line) for line in lines]

    def moment(self) -> str:
        """What it was doing when it died."""
        half_written = self._half_written()
        if half_written:
            return "text cache" if "corpora" in half_written[0].parts else "writing"
        events = [event for event in self.events() if event["event"] in ("step_finished", "evaluation_finished", "run_started")]
        if not events:
            return "start"
        last = events[-1]
        is_evaluating = last["event"] != "evaluation_finished" and last["step"] % EVAL_INTERVAL == 0
        return "evaluation" if is_evaluating else "training"

    def _half_written(self) -> list[Path]:
        try:
            return [*self._data.rglob(".*.part"), *self._data.glob("runs/.new-*")]
        except OSError:
            return []


def the_run(data: Path) -> RunDirectory | None:
    """The one run in a data folder; None where none was begun yet."""
    runs = RunDirectory.all(data / "runs")
    assert len(runs) <= 1, runs
    return runs[0] if runs else None


def contents(data: Path) -> dict[str, np.ndarray]:
    """All arrays of a run's newest checkpoint but the speed, which no two runs share."""
    run = the_run(data)
    assert run is not None
    tensors = load_run(run.checkpoint_path).tensors
    return {name: array for name, array in tensors.items() if name != "metrics.tokens_per_second"}


def write_text(path: Path) -> None:
    """A text of about 1 MB, always the same."""
    words = [
        "the",
        "a",
        "cat",
        "dog",
        "fox",
        "hen",
        "sat",
        "ran",
        "dug",
        "hid",
        "on",
        "in",
        "by",
        "mat",
        "log",
        "fog",
        "den",
        "and",
        "but",
        "so",
        "then",
    ]
    chosen = random.Random(0).choices(words, k=250_000)
    path.write_text(" ".join(chosen), encoding="utf-8")


def prove(kill_count: int, seed: int, folder: Path) -> None:
    """Kill so many processes; raises AssertionError where a run loses what it should not, or comes to other weights."""
    chance = random.Random(seed)
    text = folder / "text.txt"
    write_text(text)
    train = ["train", str(text), *(f"--{name}={value}" for name, value in SETTINGS.items())]
    undisturbed = folder / "undisturbed"
    Life(train, undisturbed).end()
    expected = contents(undisturbed)
    moments: Counter[str] = Counter()
    most_lost, run_count = 0, 0
    while sum(moments.values()) < kill_count:
        run_count += 1
        data = folder / f"run-{run_count}"
        saved = 0
        is_over = False
        while not is_over and sum(moments.values()) < kill_count:
            run = the_run(data)
            life = Life(train if run is None else ["resume", run.path.name], data)
            first_write = run is None and chance.random() < WAITING_FOR_A_WRITE  # that of the text's ids
            delay_s = 0.0 if first_write else chance.uniform(0, LONGEST_LIFE_S)
            if not life.kill_after(delay_s, first_write or chance.random() < WAITING_FOR_A_WRITE):
                is_over = True
                continue
            moments[life.moment()] += 1
            events = life.events()
            saved = max([saved, *(event["step"] for event in events if event["event"] == "checkpoint_saved")])
            reached = max([saved, *(event["step"] for event in events if event["event"] == "step_finished")])
            run = the_run(data)
            if run is None:
                assert saved == 0, f"the run of {data} is gone"
                continue
            opened = open_run(run.path)
            assert opened.saved.step >= saved, f"step {saved} was saved, and {opened.saved.step} opens"
            assert not opened.notice, opened.notice
            most_lost = max(most_lost, reached - opened.saved.step)
            is_over = opened.saved.step >= SETTINGS["max-steps"]
        run = the_run(data)
        if run is None or open_run(run.path).saved.step < SETTINGS["max-steps"]:
            Life(train if run is None else ["resume", run.path.name], data).end()
        found = contents(data)
        assert found.keys() == expected.keys()
        for name, array in expected.items():
            assert np.array_equal(array, found[name]), f"{name} differs after {dict(moments)}"
    print(f"{kill_count} kills in {run_count} runs: {dict(moments)}; every run opened, and came to the same weights and curve.")
    print(f"At most {most_lost} steps were lost; a run is saved every {EVAL_INTERVAL}.")
    assert most_lost <= EVAL_INTERVAL


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prove(arguments.kills, arguments.seed, Path(folder))
