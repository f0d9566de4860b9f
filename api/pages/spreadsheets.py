"""Spreadsheets (Office Open XML) of rows and of query results."""

from __future__ import annotations

import datetime
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from kg.errors import TooLargeError
from kg.lazy import LazyModule
from kg.store import Answer, Term
from kg.terms import PREFIXES

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = LazyModule("openpyxl")

Cell = str | int | float | bool | datetime.date | None

_ROWS: Final = 1_048_576
_CELL_LENGTH: Final = 32_767
# A spreadsheet calculates with 15 digits; longer numbers stay text, so that they are not rounded.
_DIGITS: Final = 15
_CHUNK: Final = 256 * 1024
# Written as _x0001_, and an underscore before such a text as _x005F_ (ECMA-376 part 1, section 22.9.2.19).
_ESCAPED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def spreadsheet(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Write rows as a spreadsheet, in pieces.

    Raises TooLargeError, before the first piece, for more rows or longer cells than a sheet can have.
    """
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.append(list(columns))
    for number, row in enumerate(rows, start=2):
        if number > _ROWS:
            raise TooLargeError(
                f"a sheet has at most {_ROWS:,} rows", mend="Narrow the filter or the query, or use CSV."
            )
        cells = []
        for value in row:
            text = isinstance(value, str)
            cell = openpyxl.cell.WriteOnlyCell(sheet, _clean(value) if isinstance(value, str) else value)
            if text:
                # Text that starts like a formula stays text.
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    with tempfile.SpooledTemporaryFile(max_size=16 * 1024**2) as spool:
        book.save(spool)
        spool.seek(0)
        while chunk := spool.read(_CHUNK):
            yield chunk


def workbook(answer: Answer) -> bytes:
    """Write solutions as a spreadsheet; numbers, dates and booleans keep their type.

    Raises TooLargeError for more rows or longer cells than a sheet can have.
    """
    columns = answer.variables
    rows = ([_value(row.get(name)) for name in columns] for row in answer.rows())
    return b"".join(spreadsheet("Results", columns, rows))


def _clean(text: str) -> str:
    if len(text) > _CELL_LENGTH:
        raise TooLargeError(f"a cell has at most {_CELL_LENGTH:,} characters", mend="Use CSV.")
    plain = text.encode("utf-8", "replace").decode()
    return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", plain)


def _value(term: Term | None) -> Cell:
    if term is None:
        return None
    text = str(getattr(term, "value", term))
    kind = getattr(getattr(term, "datatype", None), "value", "").removeprefix(PREFIXES["xsd"])
    try:
        if kind == "integer" and len(text.lstrip("+-")) <= _DIGITS:
            return int(text)
        if kind in ("decimal", "double", "float") and re.search(r"\d", text) and len(text) <= _DIGITS + 2:
            return float(text)
        if kind == "boolean":
            return text in ("true", "1")
        if kind == "date":
            day = datetime.date.fromisoformat(text)
            return day if day.year >= 1900 else text
    except ValueError:
        pass
    return text
