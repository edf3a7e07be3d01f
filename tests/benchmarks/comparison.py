"""What the benchmarks share: timing in turns, tables, JSON, and PyTorch where it is installed."""

import argparse
import gc
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parents[1]
SHARED_DATA = TESTS.parents[1] / "shared" / "data"
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # its compiling processes would take the cores
HAS_TORCH = importlib.util.find_spec("torch") is not None
sys.path.insert(0, str(TESTS / "nanograd"))  # where the GPT's twin in PyTorch lies

# (n_layer, n_head, n_embd, block_size, batch_size)
SHAPES = ((4, 4, 128, 64, 12), (4, 4, 256, 128, 16), (6, 6, 384, 256, 4))
VOCABULARY_SIZE = 65
_REST_S = 0.25


def parse_arguments(description: str | None, **more: Any) -> argparse.Namespace:
    """The command line: --json, and for each of `more` an option with that default."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    for name, default in more.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    return parser.parse_args()


def in_turns(works: Mapping[str, Callable[[], Any]], rounds: int, warmup: int = 2, least_s: float = 0.3) -> dict[str, float]:
    """The median seconds of each work; each round runs all of them in turn, short ones several times over.

    Before each there is a rest, in which the threads of the one before stop spinning. What was imported, such as PyTorch,
    is no longer walked by Python's garbage collector, which otherwise would make the one pay for the other's objects.
    """
    gc.collect()
    gc.freeze()
    repeats = {}
    for name, work in works.items():
        for _ in range(warmup):
            began = perf_counter()
            work()
            repeats[name] = max(1, int(least_s / max(perf_counter() - began, 1e-9)))
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            sleep(_REST_S)
            began = perf_counter()
            for _ in range(repeats[name]):
                work()
            seconds[name].append((perf_counter() - began) / repeats[name])
    return {name: float(np.median(times)) for name, times in seconds.items()}


def report(title: str, rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows of one set of names as a table, or as a line of JSON."""
    if as_json:
        print(json.dumps({"subject": title, "rows": list(rows)}))
        return
    names = list(rows[0])
    cells = [names, *[[_shown(row[name]) for name in names] for row in rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    print(title)
    for line in cells:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def ratio(theirs: float | None, ours: float) -> float | None:
    """PyTorch's time over ours; None where PyTorch is not installed."""
    return None if theirs is None else theirs / ours


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )
