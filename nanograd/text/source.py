"""Which files make a text, and how they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

WHOLE_FILE: Final = "*"
"""The field that stands for a table as it is, lines and all."""
DEFAULT_SEPARATOR: Final = "\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource:
    """Files and folders, in any order. `separator` comes between documents: files, and the rows of tables.

    `field` is the one to take from .jsonl, .csv and .tsv, picked where it is empty; `encoding` is that of files which are not
    Unicode. Windows line ends become plain ones unless `keeps_line_ends`.
    """

    paths: tuple[Path, ...]
    separator: str = DEFAULT_SEPARATOR
    field: str = ""
    encoding: str = ""
    keeps_line_ends: bool = False

    @property
    def name(self) -> str:
        """What to call it: the file or folder, and how many more there are."""
        first = self.paths[0].name or str(self.paths[0])
        return first if len(self.paths) == 1 else f"{first} and {len(self.paths) - 1:,} more"

    def as_dict(self) -> dict[str, Any]:
        """The source as JSON takes it."""
        return {
            "paths": [str(path) for path in self.paths],
            "separator": self.separator,
            "field": self.field,
            "encoding": self.encoding,
            "keeps_line_ends": self.keeps_line_ends,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self | None:
        """The source that `as_dict` describes; None for anything else."""
        paths, keeps = values.get("paths"), values.get("keeps_line_ends")
        texts = [values.get(name) for name in ("separator", "field", "encoding")]
        if not isinstance(paths, list) or not paths or not all(isinstance(value, str) for value in [*paths, *texts]):
            return None
        if not isinstance(keeps, bool):
            return None
        separator, field, encoding = map(str, texts)
        return cls(
            paths=tuple(map(Path, paths)), separator=separator, field=field, encoding=encoding, keeps_line_ends=keeps,
        )  # fmt: skip
