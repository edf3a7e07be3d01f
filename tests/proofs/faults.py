"""Lets each operation on a run's files fail in turn, below the file functions: a full disk, no permission, a read error.

    python tests/proofs/faults.py

Each time the run says so clearly, goes on in memory to the same weights, and is saved whole once the disk is back; until
then what lies on the disk opens. A read that fails is told, or an older checkpoint opens.
"""

import argparse
import errno
import io
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nanograd.errors import NanogradError
from nanograd.text.corpus import Corpus
from nanograd.training.checkpoint import load_run
from nanograd.training.events import CheckpointFailed, CheckpointSaved, StepFinished
from nanograd.training.run import Run, find_corpus
from nanograd.training.run_directory import RunDirectory
from nanograd.training.saved_run import open_run
from nanograd.training.settings import RunSettings

TEXT = "the cat sat on the mat; the dog dug in the fog.\n" * 40
SETTINGS = RunSettings(
    n_layer=1, n_head=2, n_embd=8, block_size=8, batch_size=2, dropout=0.1, max_steps=8, eval_interval=2, eval_windows=8,
    sample_tokens=4, warmup_steps=2, parts=1, seed=7,
)  # fmt: skip
CHANGED = replace(SETTINGS, lr=5e-4)
WRITE_ERRORS = {errno.ENOSPC: "No space left on device", errno.EACCES: "Permission denied", errno.EIO: "Input/output error"}
LENGTHS = (1, 3, 10)  # how many operations in a row fail


class Disk:
    """Counts the operations on files below a folder, and lets those of `failing` fail, which are numbers from 0."""

    def __init__(self, folder: Path, failing: range = range(0), code: int = errno.ENOSPC, reads: bool = False) -> None:
        self._folder = str(folder)
        self._failing = failing
        self._code = code
        self._reads = reads
        self.count = 0

    def pass_or_fail(self, path: Any, is_read: bool = False) -> None:
        """One operation on `path`; raises OSError where its turn is to fail."""
        if is_read != self._reads or not str(path).startswith(self._folder):
            return
        number, self.count = self.count, self.count + 1
        if number in self._failing:
            raise OSError(self._code, WRITE_ERRORS[self._code], str(path))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The system's own functions, with this disk below them."""
        real = {name: getattr(os, name) for name in ("replace", "rename", "mkdir", "fsync", "ftruncate", "truncate", "unlink")}
        real_open, real_os_open = io.open, os.open
        paths: dict[int, str] = {}
        disk = self

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                try:
                    disk.pass_or_fail(self.name)
                except OSError:
                    super().write(memoryview(data).cast("B")[: len(data) // 2])  # a full disk takes a part
                    raise
                return super().write(data)

            def truncate(self, size: int | None = None) -> int:
                disk.pass_or_fail(self.name)
                return super().truncate(size)

            def readinto(self, buffer: Any) -> int | None:
                disk.pass_or_fail(self.name, is_read=True)
                return super().readinto(buffer)

            def readall(self) -> bytes:
                disk.pass_or_fail(self.name, is_read=True)
                return super().readall()

        def open_(
            file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, errors: Any = None, newline: Any = None
        ) -> Any:
            if isinstance(file, int) or not str(file).startswith(disk._folder):
                return real_open(file, mode, buffering, encoding, errors, newline)
            is_write = any(letter in mode for letter in "wax+")
            disk.pass_or_fail(file, is_read=not is_write)
            raw = Raw(str(file), mode.replace("b", "").replace("t", ""))
            paths[raw.fileno()] = str(file)
            if "+" in mode:
                buffered: Any = io.BufferedRandom(raw)
            else:
                buffered = io.BufferedWriter(raw) if is_write else io.BufferedReader(raw)
            return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)

        def os_open(path: Any, flags: int, *rest: Any, **named: Any) -> int:
            if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
                disk.pass_or_fail(path)
            descriptor = real_os_open(path, flags, *rest, **named)
            paths[descriptor] = str(path)
            return descriptor

        def failing(name: str) -> Callable[..., Any]:
            def call(target: Any, *rest: Any, **named: Any) -> Any:
                disk.pass_or_fail(paths.get(target, "") if isinstance(target, int) else target)
                return real[name](target, *rest, **named)

            return call

        try:
            io.open, os.open = open_, os_open
            for name in real:
                setattr(os, name, failing(name))
            yield
        finally:
            io.open, os.open = real_open, real_os_open
            for name, function in real.items():
                setattr(os, name, function)


def train(folder: Path, disk: Disk) -> tuple[Run, list[str]]:
    """A run of eight steps with a change of its rate, on that disk; the run, and what it said of the disk."""
    corpus = Corpus.from_text(TEXT, name="cats.txt")
    told = []
    with disk.in_place():
        run = Run.start(SETTINGS, corpus, folder)
        for event in run.events():
            happened = [event]
            if isinstance(event, StepFinished) and event.step == 5:
                happened += run.change_settings(CHANGED)
            told += [each.message for each in happened if isinstance(each, CheckpointFailed)]
        saved = run.save()
    if isinstance(saved, CheckpointFailed):
        told.append(saved.message)
    saved = run.save()  # now the disk is back in any case
    assert isinstance(saved, CheckpointSaved), saved
    run.close()
    return run, told


def weights(run: Run) -> list[np.ndarray]:
    return [parameter.array for parameter in run.trainer.model.parameters()]


def check(folder: Path, run: Run, expected: list[np.ndarray]) -> None:
    """What lies on the disk is the run, whole, and nothing half-written is taken for a run."""
    for left, right in zip(weights(run), expected, strict=True):
        assert np.array_equal(left, right)
    (directory,) = RunDirectory.all(folder / "runs")
    opened = open_run(directory.path)
    assert (opened.saved.step, opened.saved.settings, opened.notice) == (8, CHANGED, "")
    assert opened.saved.metrics.steps.tolist() == list(range(1, 9))
    for path in directory.checkpoints.paths():
        load_run(path)
    rows = [json.loads(line) for line in (directory.path / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "train_loss" in row] == list(range(1, 9)), rows
    assert [change.changes for change in directory.changes()] == [(("lr", SETTINGS.lr, CHANGED.lr),)]
    corpus = find_corpus(opened.saved, folder)
    assert corpus is None or corpus.digest == run.trainer.corpus.digest


def prove_writes(expected: list[np.ndarray], every: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(Path(folder))
        train(Path(folder), disk)
    cases: Counter[str] = Counter()
    silent = 0
    for code, name in WRITE_ERRORS.items():
        for length in LENGTHS:
            for first in range(0, disk.count, every):
                with tempfile.TemporaryDirectory() as folder:
                    run, told = train(Path(folder), Disk(Path(folder), range(first, first + length), code))
                    check(Path(folder), run, expected)
                assert all(
                    name in message or "could not be written" in message or "cannot be written" in message for message in told
                )
                cases[name] += 1
                silent += not told
    print(
        f"{sum(cases.values())} runs with faults at each of {disk.count} writes: {dict(cases)}; each went on to the same weights"
    )
    print(f"and lies whole on the disk. In {silent} of them only what tidies up failed, and nothing had to be told.")


def prove_reads(every: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run, _ = train(folder, Disk(folder))
        assert run.directory is not None

        def read(disk: Disk) -> int:
            with disk.in_place():
                opened = open_run(run.directory.path)
                find_corpus(opened.saved, folder)
                run.directory.samples(8)
                return opened.saved.step

        disk = Disk(folder, reads=True)
        assert read(disk) == 8
        outcomes: Counter[str] = Counter()
        for length in LENGTHS:
            for first in range(0, disk.count, every):
                try:
                    step = read(Disk(folder, range(first, first + length), errno.EIO, reads=True))
                    outcomes["opened" if step == 8 else "an older checkpoint opened"] += 1
                except NanogradError:
                    outcomes["told"] += 1
    print(f"{sum(outcomes.values())} openings with faults at each of {disk.count} reads: {dict(outcomes)}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="try every n-th operation")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as undisturbed:
        good, messages = train(Path(undisturbed), Disk(Path(undisturbed)))
        assert not messages
        check(Path(undisturbed), good, weights(good))
        prove_writes(weights(good), arguments.every)
        prove_reads(arguments.every)
