"""Spreadsheets in Office Open XML (ECMA-376)."""

from __future__ import annotations

import datetime
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from kg.errors import TooLargeError
from kg.lazy import Late
from kg.store import Answer, Term
from kg.terms import PREFIXES

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")

_XSD: Final = PREFIXES["xsd"]
_ROWS: Final = 1_048_576
_CELL_LENGTH: Final = 32_767
# A spreadsheet computes with 15 digits; a longer number stays text, so that it is not rounded.
_DIGITS: Final = 15
# XML 1.0 cannot contain these.
_NOT_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_IN_MEMORY: Final = 16 * 1024**2
_CHUNK: Final = 256 * 1024

Cell = str | int | float | bool | datetime.date | None


def write_sheet(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Yield a spreadsheet with one sheet in pieces; numbers, dates and truth values keep their type.

    Raises TooLargeError for more rows than a sheet can have, and for a cell that is too long.
    """
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Results")
    sheet.append(list(columns))
    for number, row in enumerate(rows, start=2):
        if number > _ROWS:
            raise TooLargeError(
                f"a sheet has {_ROWS:,} rows at most", mend="Narrow the query or filter, or ask for CSV."
            )
        cells = []
        for value in row:
            if isinstance(value, str):
                if len(value) > _CELL_LENGTH:
                    raise TooLargeError(
                        f"a cell holds {_CELL_LENGTH:,} characters at most", mend="Ask for CSV."
                    )
                cell = openpyxl.cell.WriteOnlyCell(sheet, _NOT_XML.sub("\ufffd", value))
                # Text that begins like a formula stays text.
                cell.data_type = "s"
            else:
                cell = openpyxl.cell.WriteOnlyCell(sheet, value)
            cells.append(cell)
        sheet.append(cells)
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        book.save(spool)
        spool.seek(0)
        while chunk := spool.read(_CHUNK):
            yield chunk


def workbook(answer: Answer) -> bytes:
    """Return solutions as a spreadsheet; raises as `write_sheet` does."""
    names = answer.variables
    return b"".join(
        write_sheet(names, ([_cell_value(row.get(name)) for name in names] for row in answer.rows()))
    )


def _cell_value(term: Term | None) -> Cell:
    if term is None:
        return None
    text = str(getattr(term, "value", term))
    datatype = getattr(getattr(term, "datatype", None), "value", "")
    kind = datatype.removeprefix(_XSD) if datatype.startswith(_XSD) else ""
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
