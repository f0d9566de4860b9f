"""Solutions for people: as a table on a terminal, and as a spreadsheet."""

from __future__ import annotations

import datetime
import io
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from kg.errors import TooLargeError
from kg.lazy import Late
from kg.store import Answer, Term
from kg.terms import PREFIXES, compact

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")

_XSD: Final = PREFIXES["xsd"]
_NARROWEST: Final = 8
_SHEET_ROWS: Final = 1_048_576
# A spreadsheet counts with 15 digits; a longer number stays text, so that none is rounded.
_SHEET_DIGITS: Final = 15
_NO_SHEET_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CELL_LENGTH: Final = 32_767

Cell = str | int | float | bool | datetime.date | None


def term_text(term: Term | None) -> str:
    """Write a term for people: an IRI shortened, a literal without its datatype, nothing when unbound."""
    if term is None:
        return ""
    value = getattr(term, "value", None)
    if value is None:
        return str(term)
    if hasattr(term, "datatype"):
        return str(value)
    return compact(value) if str(term).startswith("<") else str(term)


def text_table(columns: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> Iterator[str]:
    """Lay out lines of a table; cells that are too long for `width` (columns of a terminal) are wrapped."""
    cells = [[_printable(text) for text in row] for row in rows]
    widths = [max([_width(name), *(_width(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    if width is not None:
        _narrow(widths, width - 2 * (len(widths) - 1))
    yield from _lines(list(columns), widths)
    yield "  ".join("─" * size for size in widths)
    for row in cells:
        yield from _lines(row, widths)


def workbook(answer: Answer) -> bytes:
    """Write solutions as an Office Open XML spreadsheet; numbers, dates and truth values keep their type.

    Raises TooLargeError beyond the rows that a sheet can have.
    """
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Results")
    sheet.append(list(answer.variables))
    for number, row in enumerate(answer.rows(), start=2):
        if number > _SHEET_ROWS:
            raise TooLargeError(
                f"a sheet has {_SHEET_ROWS:,} rows at most", mend="Narrow the query, or ask for CSV."
            )
        cells = []
        for name in answer.variables:
            value = _cell_value(row.get(name))
            cell = openpyxl.cell.WriteOnlyCell(sheet, value)
            if isinstance(value, str):
                # Text that starts like a formula stays text.
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _cell_value(term: Term | None) -> Cell:
    if term is None:
        return None
    text = str(getattr(term, "value", term))
    datatype = getattr(getattr(term, "datatype", None), "value", "")
    kind = datatype.removeprefix(_XSD) if datatype.startswith(_XSD) else ""
    try:
        if kind == "integer" and len(text.lstrip("+-")) <= _SHEET_DIGITS:
            return int(text)
        if (
            kind in ("decimal", "double", "float")
            and re.search(r"\d", text)
            and len(text) <= _SHEET_DIGITS + 2
        ):
            return float(text)
        if kind == "boolean":
            return text in ("true", "1")
        if kind == "date":
            day = datetime.date.fromisoformat(text)
            return day if day.year >= 1900 else text
    except ValueError:
        pass
    if len(text) > _CELL_LENGTH:
        raise TooLargeError(f"a cell holds {_CELL_LENGTH:,} characters at most", mend="Ask for CSV.")
    return _NO_SHEET_TEXT.sub("\ufffd", text)


def _printable(text: str) -> str:
    # Text from outside must not steer the terminal.
    return "".join(char if char.isprintable() else " " for char in text)


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _narrow(widths: list[int], room: int) -> None:
    while sum(widths) > room:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1


def _lines(row: list[str], widths: list[int]) -> Iterator[str]:
    parts = [
        [text] if _width(text) <= size else textwrap.wrap(text, size) or [""]
        for text, size in zip(row, widths, strict=True)
    ]
    for i in range(max(map(len, parts), default=0)):
        cells = [part[i] if i < len(part) else "" for part in parts]
        padded = (cell + " " * (size - _width(cell)) for cell, size in zip(cells, widths, strict=True))
        yield "  ".join(padded).rstrip()
