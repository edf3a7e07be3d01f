"""Runs the benchmarks of this folder, each in a process of its own: all of them, or those named as arguments."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def find_benchmarks() -> dict[str, Path]:
    """The benchmarks of this folder, by name without the ending."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.py")) if path.name not in ("run.py", "comparison.py")}


def main(names: list[str]) -> int:
    """Runs the benchmarks named, or all; the exit status is the number that failed."""
    benchmarks = find_benchmarks()
    unknown = [name for name in names if name not in benchmarks]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. These are there: {', '.join(benchmarks)}.", file=sys.stderr)
        return 2
    failures = 0
    for name in names or list(benchmarks):
        print(f"\n{name}", flush=True)
        failures += subprocess.run([sys.executable, benchmarks[name]], cwd=FOLDER.parents[1]).returncode != 0
    return failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
