"""The documents of a text: whole files, or a field of each row of a table, one after the other with a separator between."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, Final

from nanograd.errors import CorpusError
from nanograd.text.encodings import EncodingError, decoded
from nanograd.text.files import TABLE_SUFFIXES, TextFile
from nanograd.text.source import WHOLE_FILE, TextSource

_USUAL_FIELDS: Final = ("text", "content", "body", "document", "story", "message")
_ROWS_LOOKED_AT: Final = 100
_LONGEST_FIELD: Final = 1 << 28
_PIECE: Final = 1 << 20
Document = Iterator[str]


class TextReader:
    """Reads a source. `done_bytes` tells how far it is, `remarks` what was left out, `fields` which the tables have."""

    def __init__(self, source: TextSource, files: tuple[TextFile, ...]) -> None:
        self.source = source
        self.files = files
        self.done_bytes = 0
        self.remarks: list[str] = []
        self.fields: tuple[str, ...] = ()
        self._left_out: list[str] = []

    def pieces(self) -> Iterator[str]:
        """The text, of a size that can be handled; raises CorpusError where a file cannot be read or is no text."""
        self.done_bytes, self.remarks, self._left_out = 0, [], []
        return _joined(self._all_pieces())

    def _all_pieces(self) -> Iterator[str]:
        is_first = True
        for file in self.files:
            try:
                for document in self._documents(file):
                    is_begun = False
                    for piece in filter(None, document):
                        if not (is_begun or is_first):
                            yield self.source.separator
                        is_begun, is_first = True, False
                        yield piece
            except EncodingError:
                raise
            except CorpusError:
                if file.is_named:
                    raise
                self._left_out.append(file.path.name)  # from where that shows
        if self._left_out:
            names = ", ".join(self._left_out[:3]) + (", …" if len(self._left_out) > 3 else "")
            self.remarks.append(f"Left out because they are no texts: {len(self._left_out):,} files ({names}).")

    def _documents(self, file: TextFile) -> Iterator[Document]:
        suffix = file.path.suffix.lower()
        pieces = decoded(file.path, self.source.encoding, self._advance, self.remarks.append)
        if suffix not in TABLE_SUFFIXES or self.source.field == WHOLE_FILE:
            yield self._plain(pieces)
            return
        rows = _json_rows(pieces) if suffix in (".jsonl", ".ndjson") else _csv_rows(pieces, file.path.name)
        for document in self._fields_of(rows, file.path.name):
            yield self._plain(iter([document]))

    def _plain(self, pieces: Iterator[str]) -> Document:
        return pieces if self.source.keeps_line_ends else _with_plain_line_ends(pieces)

    def _advance(self, count: int) -> None:
        self.done_bytes += count

    def _fields_of(self, rows: Iterator[Any], name: str) -> Iterator[str]:
        """The chosen field of each row, or the one that looks like the text."""
        head = list(islice(rows, _ROWS_LOOKED_AT))
        sizes = _text_sizes(head)
        self.fields = tuple(dict.fromkeys([*self.fields, *sizes]))
        field = self.source.field or next((field for field in _USUAL_FIELDS if field in sizes), None)
        if field is None and sizes:
            field = max(sizes, key=sizes.__getitem__)
        taken = missing = 0
        for row in chain(head, rows):
            text = row if isinstance(row, str) else row.get(field) if isinstance(row, dict) else None
            if isinstance(text, str):
                taken += 1
                yield text
            else:
                missing += 1
        if not taken:
            if not sizes:
                raise CorpusError(f"{name} has no field with text in it. Choose to read the whole file, or another text.")
            known = ", ".join(sizes)
            raise CorpusError(
                f"{name} has no text in the field {field!r}. It has {known}; choose one of those, or the whole file."
            )
        if missing:
            self.remarks.append(
                f"{missing:,} of {taken + missing:,} rows of {name} have no text in {field!r}, and were left out."
            )


def _text_sizes(rows: list[Any]) -> dict[str, int]:
    """How much text each field has in these rows."""
    sizes: Counter[str] = Counter()
    for row in rows:
        for key, value in row.items() if isinstance(row, dict) else ():
            if isinstance(value, str) and isinstance(key, str):
                sizes[key] += len(value)
    return dict(sizes)


def _json_rows(pieces: Iterator[str]) -> Iterator[Any]:
    """What each line holds; None where it is no JSON."""
    for line in _lines(pieces):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                yield None


def _csv_rows(pieces: Iterator[str], name: str) -> Iterator[dict[str, Any]]:
    lines = _lines(pieces)
    heading = next(lines, "")
    delimiter = max(",;\t|", key=heading.count)
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield from csv.DictReader(chain([heading], lines), delimiter=delimiter)
    except csv.Error as error:
        raise CorpusError(f"{name} is no table that can be read ({error}). Mend it, or choose to read the whole file.") from None


def _lines(pieces: Iterator[str]) -> Iterator[str]:
    rest: list[str] = []
    for piece in pieces:
        *whole, last = piece.split("\n")
        for line in whole:
            yield "".join([*rest, line, "\n"])
            rest = []
        rest.append(last)
    if any(rest):
        yield "".join(rest)


def _with_plain_line_ends(pieces: Iterator[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        text = held + piece
        held = "\r" if text.endswith("\r") else ""
        yield text[: len(text) - len(held)].replace("\r\n", "\n")
    yield held


def _joined(pieces: Iterator[str]) -> Iterator[str]:
    """Small pieces together: millions of short rows cost less so."""
    gathered: list[str] = []
    size = 0
    for piece in pieces:
        gathered.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield "".join(gathered)
            gathered, size = [], 0
    if size:
        yield "".join(gathered)
