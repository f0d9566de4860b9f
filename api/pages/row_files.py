"""Rows as files: CSV (RFC 4180), JSON and XLSX. A file is complete, or its transfer fails."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from flask import Response

from api.pages.spreadsheets import spreadsheet
from kg.errors import UnsupportedFormatError

_CHUNK: Final = 256 * 1024
_NUMBER: Final = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")

Cell = str | Sequence[Mapping[str, str]]
Record = Mapping[str, Cell]
"""A row: texts, or lists of things with `iri` and `label`; tables join the labels with a semicolon."""

TYPES: Final = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


def send_rows(columns: Sequence[str], rows: Iterator[Record], form: str, name: str) -> Response:
    """Send rows as a file. A failure before the first row is an error response; later, the transfer breaks.

    Raises UnsupportedFormatError, TooLargeError beyond the rows of a sheet.
    """
    if form not in _WRITERS:
        raise UnsupportedFormatError(
            f"rows are not written as {form[:20]}", mend=f"Use one of: {', '.join(_WRITERS)}."
        )
    first = next(rows, None)
    whole = chain([first], rows) if first is not None else rows
    pieces = _WRITERS[form](columns, whole)
    response = Response(chain([next(pieces, b"")], pieces), content_type=TYPES[form])
    response.headers["Content-Disposition"] = f"attachment; filename={name}.{form}"
    return response


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else "; ".join(found["label"] for found in cell)


def _csv(columns: Sequence[str], rows: Iterator[Record]) -> Iterator[bytes]:
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(_text(row[name])) for name in columns])
        if target.tell() > _CHUNK:
            yield target.getvalue().encode("utf-8", "replace")
            target.seek(0)
            target.truncate()
    yield target.getvalue().encode("utf-8", "replace")


def _harmless(text: str) -> str:
    # A spreadsheet would carry out a text that begins like a formula; numbers are safe.
    if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def _json(columns: Sequence[str], rows: Iterator[Record]) -> Iterator[bytes]:
    yield b'{"rows": ['
    for number, row in enumerate(rows):
        listed = {name: row[name] if isinstance(row[name], str) else list(row[name]) for name in columns}
        yield (b",\n" if number else b"\n") + json.dumps(listed, ensure_ascii=False).encode(
            "utf-8", "replace"
        )
    yield b"\n]}\n"


def _xlsx(columns: Sequence[str], rows: Iterator[Record]) -> Iterator[bytes]:
    return spreadsheet("Rows", columns, ([_text(row[name]) for name in columns] for row in rows))


_WRITERS: Final[dict[str, Callable[[Sequence[str], Iterator[Record]], Iterator[bytes]]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "json": _json,
}
