"""Loading and encoding a corpus of 100 MB, in a process of its own; and the share of a step that batches and metrics take."""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
from comparison import SHAPES, in_turns, parse_arguments, report
from training import our_step

from nanograd.text.corpus import load_corpus, sample_batch
from nanograd.training.events import StepFinished
from nanograd.training.metrics import Metrics
from nanograd.training.native import core_count
from resources import corpus_text

CORPUS_BYTES = 100_000_000


def main() -> None:
    """Measure and print."""
    arguments = parse_arguments(__doc__, load="")
    if arguments.load:
        load(Path(arguments.load))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.txt"
        text = corpus_text("tales")
        path.write_text(text * (CORPUS_BYTES // len(text) + 1), encoding="utf-8")
        outcome = subprocess.run([sys.executable, __file__, "--load", str(path)], capture_output=True, text=True, check=True)
    seconds, peak = map(float, outcome.stdout.split())
    report("a corpus of 100 MB, characters", [{"seconds": seconds, "peak MB": peak / 1e6}], arguments.json)
    report("share of a step", [shares()], arguments.json)


def load(path: Path) -> None:
    """Print how many seconds loading takes, and the peak of memory in bytes."""
    began = perf_counter()
    load_corpus(path)
    print(perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def shares() -> dict[str, float]:
    """The time of sampling a batch and of keeping the metrics, as shares of a training step."""
    from memory import make

    _, _, _, block_size, batch_size = SHAPES[0]
    ids, generator, metrics = np.zeros(1_000_000, np.uint8), np.random.default_rng(0), Metrics()
    numbers = iter(range(1, 1_000_000_000))
    seconds = in_turns(
        {
            "step": our_step(*make(SHAPES[0]), core_count()),
            "batch": lambda: sample_batch(ids, block_size, batch_size, generator),
            "metrics": lambda: metrics.add(
                StepFinished(step=next(numbers), loss=1.0, lr=1.0, gradient_norm=1.0, tokens_per_second=1.0)
            ),
        },
        rounds=7,
    )
    return {f"{name} %": 100 * seconds[name] / seconds["step"] for name in ("batch", "metrics")}


if __name__ == "__main__":
    main()
