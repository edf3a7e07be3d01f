"""`python -m nanograd`: the command line, with the runs in the user's data folder."""

import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from nanograd.training import command_line


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` asks; returns the exit status."""
    data_directory = Path(platformdirs.user_data_dir("nanograd", appauthor=False))
    cache_directory = Path(platformdirs.user_cache_dir("nanograd", appauthor=False))
    return command_line.main(sys.argv[1:] if argv is None else argv, data_directory, cache_directory)


if __name__ == "__main__":
    sys.exit(main())
