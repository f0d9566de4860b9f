"""Rows of ours as files: CSV (RFC 4180), JSON, and a spreadsheet. Whole, or visibly broken off."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final

from flask import Response

from kg.errors import TooLargeError, UnsupportedFormatError
from kg.lazy import Late

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")

_SHEET_ROWS: Final = 1_048_576
_CELL: Final = 32_767
_CHUNK: Final = 256 * 1024
# What XML 1.0 cannot hold.
_NO_XML: Final = (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000))
_NOT_IN_A_SHEET: Final = dict.fromkeys(_NO_XML, "\ufffd")

Cell = str | Sequence[Mapping[str, str]]
Record = Mapping[str, Cell]
"""A row: texts, or lists of things with `iri` and `label`; tables join the labels with a semicolon."""

TYPES: Final = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


def send_rows(columns: Sequence[str], rows: Iterator[Record], form: str, name: str) -> Response:
    """Send rows as a file. What fails before the first row fails as an error; later, the transfer breaks.

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
        writer.writerow([_text(row[name]) for name in columns])
        if target.tell() > _CHUNK:
            yield target.getvalue().encode("utf-8", "replace")
            target.seek(0)
            target.truncate()
    yield target.getvalue().encode("utf-8", "replace")


def _json(columns: Sequence[str], rows: Iterator[Record]) -> Iterator[bytes]:
    yield b'{"rows": ['
    for number, row in enumerate(rows):
        listed = {name: row[name] if isinstance(row[name], str) else list(row[name]) for name in columns}
        yield (b",\n" if number else b"\n") + json.dumps(listed, ensure_ascii=False).encode(
            "utf-8", "replace"
        )
    yield b"\n]}\n"


def _xlsx(columns: Sequence[str], rows: Iterator[Record]) -> Iterator[bytes]:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Rows")
    sheet.append(list(columns))
    for number, row in enumerate(rows, start=2):
        if number > _SHEET_ROWS:
            raise TooLargeError(
                f"a sheet has {_SHEET_ROWS:,} rows at most", mend="Narrow the filter, or ask for CSV."
            )
        cells = []
        for name in columns:
            text = _text(row[name]).translate(_NOT_IN_A_SHEET)
            if len(text) > _CELL:
                raise TooLargeError(f"a cell holds {_CELL:,} characters at most", mend="Ask for CSV.")
            cell = openpyxl.cell.WriteOnlyCell(sheet, text)
            # Text that starts like a formula stays text.
            cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    with tempfile.SpooledTemporaryFile(max_size=16 * 1024**2) as spool:
        book.save(spool)
        spool.seek(0)
        while chunk := spool.read(_CHUNK):
            yield chunk


_WRITERS: Final[dict[str, Callable[[Sequence[str], Iterator[Record]], Iterator[bytes]]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "json": _json,
}
