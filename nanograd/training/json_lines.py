"""Files of JSON lines: what a killed process left of a last line is dropped, and damaged lines are left out."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nanograd.atomic_file import write_atomically


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, damaged ones left out; none where it cannot be read."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return []
    return [row for row in map(_parse, lines) if row is not None]


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Add a row at the end; raises OSError where that fails."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(_line(row))


def rewrite_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Put these rows in place of all that are there; raises OSError where that fails."""
    write_atomically(path, lambda stream: stream.write("".join(map(_line, rows)).encode()))


def drop_torn_line(path: Path) -> None:
    """Cut off a last line that has no end, so that the next row begins a line; raises OSError where that fails."""
    if not path.exists():
        return
    with path.open("r+b") as stream:
        data = stream.read()
        if data and not data.endswith(b"\n"):
            stream.truncate(data.rfind(b"\n") + 1)


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
