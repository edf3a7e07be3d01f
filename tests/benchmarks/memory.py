"""Peak resident size of training against PyTorch's, each in a process of its own, and how memory grows over many steps."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
from comparison import HAS_TORCH, SHAPES, VOCABULARY_SIZE, parse_arguments, ratio, report
from training import our_step, their_steps

from nanograd.gptlanguage import GPTLanguageModel
from nanograd.training.native import core_count

SHAPE = SHAPES[2]
GROWTH_SHAPE = (2, 2, 32, 32, 8)
STEPS, GROWTH_STEPS, SETTLING_STEPS = 8, 2000, 200


def main() -> None:
    """Measure and print."""
    arguments = parse_arguments(__doc__, only="")
    if arguments.only:
        print({"ours": our_peak, "torch": their_peak, "growth": growth}[arguments.only]())
        return
    ours, theirs = measure("ours"), measure("torch") if HAS_TORCH else None
    row = {
        "shape": str(SHAPE),
        "ours MB": ours / 1e6,
        "torch MB": None if theirs is None else theirs / 1e6,
        "ratio": ratio(theirs, ours),
    }
    report("peak resident size of training", [row], arguments.json)
    growth_row = {"shape": str(GROWTH_SHAPE), "steps": GROWTH_STEPS, "growth %": 100 * measure("growth")}
    report("growth of memory", [growth_row], arguments.json)


def measure(subject: str) -> float:
    """What this file prints in a process of its own."""
    outcome = subprocess.run([sys.executable, __file__, "--only", subject], capture_output=True, text=True, check=True)
    return float(outcome.stdout.splitlines()[-1])


def make(shape: tuple[int, ...]) -> tuple[GPTLanguageModel, np.ndarray]:
    """A model and a batch with the targets behind."""
    n_layer, n_head, n_embd, block_size, batch_size = shape
    model = GPTLanguageModel(VOCABULARY_SIZE, n_embd, n_head, n_layer, block_size)
    return model, np.random.default_rng(0).integers(0, VOCABULARY_SIZE, (batch_size, block_size + 1))


def our_peak() -> int:
    """Bytes at the peak of training here."""
    step = our_step(*make(SHAPE), core_count())
    for _ in range(STEPS):
        step()
    return peak_bytes()


def their_peak() -> int:
    """Bytes at the peak of training in PyTorch, eager, without the model here that its weights came from."""
    model, ids = make(SHAPE)
    step = their_steps(model, ids, kinds=("eager",))["eager"]
    del model
    for _ in range(STEPS):
        step()
    return peak_bytes()


def growth() -> float:
    """By which share the resident size grows from the first few hundred steps to the last."""
    step = our_step(*make(GROWTH_SHAPE), core_count())
    for _ in range(SETTLING_STEPS):
        step()
    before = resident_bytes()
    for _ in range(GROWTH_STEPS):
        step()
    return resident_bytes() / before - 1


def peak_bytes() -> int:
    """The most that this process and those it started have had in memory; what they share counts once."""
    unit = 1 if sys.platform == "darwin" else 1024
    of_helpers = sum(status["VmHWM"] - status["RssShmem"] for status in helpers())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit + of_helpers


def resident_bytes() -> int:
    """What this process and those it started have in memory now."""
    own = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return own + sum(status["VmRSS"] - status["RssShmem"] for status in helpers())


def helpers() -> list[dict[str, int]]:
    """The sizes in bytes that the system knows of each process that this one started; none where it cannot be asked."""
    sizes = []
    for listed in Path("/proc/self/task").glob("*/children"):
        for pid in listed.read_text().split():
            lines = [line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
            sizes.append({line[0].rstrip(":"): 1024 * int(line[1]) for line in lines if line[-1] == "kB"})
    return sizes


if __name__ == "__main__":
    main()
