"""The files of a text: those that are named, and those with text in the folders that are named."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nanograd.errors import CorpusError

MAXIMUM_BYTES = 1 << 34
TABLE_SUFFIXES = frozenset({".jsonl", ".ndjson", ".csv", ".tsv"})
TEXT_SUFFIXES = TABLE_SUFFIXES | frozenset(
    [
        ".txt",
        ".text",
        ".md",
        ".markdown",
        ".rst",
        ".org",
        ".tex",
        ".log",
        ".srt",
        ".html",
        ".htm",
        ".xml",
        ".json",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".cfg",
        ".sql",
        ".sh",
        ".bash",
        ".bat",
        ".ps1",
        ".py",
        ".pyi",
        ".ipynb",
        ".c",
        ".h",
        ".cc",
        ".cpp",
        ".cxx",
        ".hpp",
        ".hh",
        ".cs",
        ".java",
        ".kt",
        ".scala",
        ".swift",
        ".m",
        ".go",
        ".rs",
        ".zig",
        ".js",
        ".mjs",
        ".ts",
        ".jsx",
        ".tsx",
        ".css",
        ".scss",
        ".vue",
        ".php",
        ".rb",
        ".pl",
        ".lua",
        ".r",
        ".jl",
        ".hs",
        ".ml",
        ".fs",
        ".ex",
        ".exs",
        ".erl",
        ".clj",
        ".lisp",
        ".el",
        ".scm",
        ".f",
        ".f90",
        ".pas",
        ".asm",
        ".s",
        ".cu",
        ".proto",
        ".tcl",
        ".vim",
        ".abc",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file as it was found: its size in bytes and when it was changed last, in nanoseconds."""

    path: Path
    size: int
    changed_ns: int
    is_named: bool


def find_files(paths: Sequence[Path]) -> tuple[TextFile, ...]:
    """The files, each once, in the order of their paths; CorpusError where one is missing, no file, or all are too large.

    Of folders it takes what has the ending of a text, and leaves out what is hidden.
    """
    found: dict[Path, TextFile] = {}
    for path in paths:
        try:
            for file in _files_in(path) if path.is_dir() else [_checked(path)]:
                found.setdefault(Path(os.path.abspath(file.path)), file)
        except CorpusError:
            raise
        except FileNotFoundError:
            raise CorpusError(f"There is no file {path}. It may have been moved or renamed; choose it again.") from None
        except PermissionError as error:
            raise _not_allowed(Path(error.filename or path)) from None
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from None
    files = tuple(sorted(found.values(), key=lambda file: (str(file.path).casefold(), str(file.path))))
    _check_total(files, paths)
    return files


def unreadable(path: Path, error: Exception) -> CorpusError:
    """What to say of a file that fails while it is read."""
    if isinstance(error, PermissionError):
        return _not_allowed(path)
    return CorpusError(f"{path.name} could not be read: {error}. Choose another text, or a copy of it elsewhere.")


def _not_allowed(path: Path) -> CorpusError:
    return CorpusError(f"{path.name} may not be read by you. Change its permissions, or choose another text.")


def _files_in(folder: Path) -> list[TextFile]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if path.suffix.lower() in TEXT_SUFFIXES and not name.startswith(".") and path.is_file():
                status = path.stat()
                found.append(TextFile(path=path, size=status.st_size, changed_ns=status.st_mtime_ns, is_named=False))
    if not found:
        raise CorpusError(
            f"{folder.name or folder} holds no texts. Choose a folder with plain text, Markdown, source code or tables."
        )
    return found


def _checked(path: Path) -> TextFile:
    status = path.stat()
    if not path.is_file():  # reading a pipe or a device may never end
        raise CorpusError(f"{path.name} is a device or a pipe. Choose a text file.")
    return TextFile(path=path, size=status.st_size, changed_ns=status.st_mtime_ns, is_named=True)


def _check_total(files: Sequence[TextFile], paths: Sequence[Path]) -> None:
    total = sum(file.size for file in files)
    name = paths[0].name if len(paths) == 1 else "This choice"
    if total > MAXIMUM_BYTES:
        raise CorpusError(
            f"{name} has {total / 1e9:.1f} GB, more than this program takes. Choose a part of at most {MAXIMUM_BYTES / 1e9:.0f} GB."
        )
    if not total:
        raise CorpusError(f"{name} is empty. Choose a text with at least a few thousand characters.")
