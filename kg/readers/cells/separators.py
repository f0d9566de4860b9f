"""How the cells of a text table are separated and quoted, and its rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kg.errors import DataSyntaxError, UnsupportedFormatError

SEPARATORS: Final = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}
_QUOTE: Final = '"'
_SAMPLED: Final = 20
LONGEST_CELL: Final = csv.field_size_limit()
"""Most characters of a cell."""

Rows = Iterator[tuple[int, list[str]]]
"""The rows of a table, each with the number of its first line."""


@dataclass(frozen=True)
class CellDialect:
    """The separator of cells, and whether a quotation mark encloses a cell (RFC 4180) or is a character."""

    separator: str
    quoted: bool


def find_dialect(sample: str, *, quoted_tabs: bool = False) -> CellDialect:
    """Find the separator that gives the first line the most cells.

    In tab-separated files quotation marks are characters, as GDELT and ICEWS write them, unless a fifth of
    the cells are enclosed in them; `quoted_tabs` makes them enclose cells always.
    """
    lines = [line.rstrip("\r") for line in sample.split("\n") if line.strip()][:_SAMPLED]
    first = lines[0] if lines else ""
    separator = max(SEPARATORS, key=lambda one: len(_cells(first, one)))
    return CellDialect(separator, separator != "\t" or quoted_tabs or _are_enclosed(lines))


def check_spaces(name: str, sample: str) -> None:
    """Raise UnsupportedFormatError for cells separated by spaces, as R's write.table writes them."""
    lines = [line.rstrip("\r") for line in sample.split("\n") if line.strip()][:2]
    if len(lines) < 2 or any(len(_cells(lines[0], one)) > 1 for one in SEPARATORS):
        return
    first, second = (_cells(line, " ") for line in lines)
    quoted = lines[0].startswith(_QUOTE) and len(first) == len(second) > 1
    if quoted or (len(second) == len(first) + 1 > 2 and second[0] == "1"):
        raise UnsupportedFormatError(
            f"its {len(second)} columns are separated by spaces, as R's write.table does without sep",
            where=name,
            mend='Write it with write.csv(table, "FILE.csv", row.names = FALSE), or with sep = "\\t".',
        )


def split_rows(name: str, lines: Iterator[tuple[int, str]], dialect: CellDialect) -> Rows:
    """Yield the rows of a file from its lines. Raises DataSyntaxError for broken quoting."""
    if not dialect.quoted:
        for number, line in lines:
            yield number, line.split(dialect.separator)
        return
    texts = (text + "\n" for _, text in lines)
    reader = csv.reader(texts, delimiter=dialect.separator, strict=True)
    while True:
        begun = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataSyntaxError(
                f"a quotation mark is missing or misplaced, or a cell has more than {LONGEST_CELL:,} "
                f"characters ({error})",
                where=f"{name}, line {begun}",
                mend='Close every quotation mark and double those inside quoted text ("").',
                line=begun,
            ) from None
        if row is None:
            return
        # A whole line in quotation marks.
        if len(row) == 1 and dialect.separator in row[0]:
            row = row[0].split(dialect.separator)
        yield begun, row


def sample_rows(sample: str, dialect: CellDialect) -> list[list[str]]:
    """Return up to 20 rows from the beginning of a file; the last line may be cut off and is left out."""
    lines = [line.rstrip("\r") for line in sample.split("\n")]
    if len(lines) > 1:
        lines = lines[:-1]
    lines = [line for line in lines if line.strip()][:_SAMPLED]
    if not dialect.quoted:
        return [line.split(dialect.separator) for line in lines]
    rows: list[list[str]] = []
    try:
        for row in csv.reader((line + "\n" for line in lines), delimiter=dialect.separator):
            rows.append(row[0].split(dialect.separator) if len(row) == 1 else row)
    except csv.Error:
        pass  # reported with its line when the file is read
    return rows


def _cells(line: str, separator: str) -> list[str]:
    if separator == "\t":
        return line.split("\t")
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)


def _are_enclosed(lines: list[str]) -> bool:
    cells = [cell for line in lines for cell in line.split("\t")]
    enclosed = sum(_encloses(cell) for cell in cells)
    whole = sum(_encloses(line) and "\t" in line for line in lines)
    return enclosed * 5 >= len(cells) or whole * 2 > len(lines)


def _encloses(cell: str) -> bool:
    return len(cell) >= 2 and cell[0] == cell[-1] == _QUOTE
