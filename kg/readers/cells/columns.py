"""Columns of a format, found by their names in any order and subset, or by position without a header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from operator import itemgetter
from typing import Final

from kg.errors import DataSyntaxError
from kg.readers.cells.separators import Rows
from kg.readers.reading import ReadingJob
from kg.readers.sheets import rows_of

MISSING: Final = frozenset(
    {"NA", "N/A", "n/a", "NULL", "null", "\\N", "nan", "NaN", "NAN", "None", "none", "-", "--", "."}
)
"""Words that tables write for a missing value."""
MISSING_MEND: Final = "name the word as one for missing values (--missing {0}, or the field in the form)"
"""How to say that a word stands for a missing value."""
_DATED: Final = re.compile(r"(1[5-9]|20)\d\d-?\d\d|\d{1,2}\D\w{1,9}\D\d{4}")
_SAMPLED: Final = 20
_LISTED: Final = 12


def fold_name(name: str) -> str:
    """Return a column's name for comparison: R writes Actor1.Code and BigQuery actor1_code for Actor1Code."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@dataclass(frozen=True)
class Form:
    """The columns of a format: names in the documented order, and those that every table needs.

    `widths` are the numbers of columns of files without a header, `date` is the column of the day, and
    `other_names` are names that programs use instead, folded. Cells with a word of `missing` are empty.
    `several` has the columns with several values, and what separates these.
    """

    title: str
    names: tuple[str, ...]
    needed: tuple[str, ...]
    date: str
    widths: tuple[int, ...]
    missing: frozenset[str] = MISSING
    other_names: Mapping[str, str] = field(default_factory=dict)
    several: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _by_name(self) -> dict[str, str]:
        others = {folded: name for folded, name in self.other_names.items() if name in self.names}
        return others | {fold_name(name): name for name in self.names}

    def column(self, cell: str) -> str | None:
        """Return the column that a cell of a header names."""
        return self._by_name.get(fold_name(cell))

    def separator(self, cell: str) -> str | None:
        """Return what separates several values of a column; see `Separator`."""
        name = self.column(cell)
        return None if name is None else self.several.get(name, "")

    def recognises(self, row: list[str]) -> bool:
        """Return whether a row is a header of this format: it names all needed columns, or all but one."""
        named = {self.column(cell) for cell in row}
        return sum(name in named for name in self.needed) >= max(len(self.needed) - 1, 2)


def repeated_column(name: str, first: int, second: int, where: str) -> DataSyntaxError:
    """Build the error for a header with a column twice, at two positions from 0."""
    return DataSyntaxError(
        f"the column {name} stands twice in the header, as columns {first + 1} and {second + 1}",
        where=where,
        mend="Remove one of them, or rename the one that is not to be read.",
    )


def named_rows(job: ReadingJob, form: Form) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of all files with their cells in the order of `form.names`; absent columns are empty.

    Raises DataSyntaxError for a header without a needed column or with one twice; rows of another width are
    reported.
    """
    for name, rows in rows_of(job, form.separator, quoted_tabs=False):
        for line, cells in arranged_rows(job, form, name, rows):
            job.rows.read += 1
            yield line, cells


def arranged_rows(job: ReadingJob, form: Form, name: str, rows: Rows) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of one file as `named_rows` does; only rows of another width are counted."""
    filled = ((line, row) for line, row in rows if any(row))
    first = next(filled, None)
    if first is None:
        return
    line, header = first
    following = list(islice(filled, _SAMPLED))
    # Row 0 is the names of columns of a file that always has them.
    if line == 0 or form.recognises(header):
        columns = _Columns(form, header, f"{name}, line {line}" if line else name, following)
        columns.note(job, line)
    else:
        following.insert(0, first)
        width = _width(form, following)
        header = list(form.names[:width])
        columns = _Columns(form, header, name, following)
    words = form.missing | job.missing
    for line, row in chain(following, filled):
        if row == header or (row[0] == header[0] and form.recognises(row)):
            if row != header:
                columns = _Columns(form, row, f"{name}, line {line}", [])
                header = row
            continue
        cells = columns.pick(row)
        if cells is None:
            job.rows.read += 1
            job.fault(line, "", f"the row has {len(row)} columns in place of {columns.expected}")
            continue
        if words and not words.isdisjoint(cells):
            for at, cell in enumerate(cells):
                if cell in words:
                    job.missing_cell(cell, form.names[at], line)
                    cells[at] = ""
        yield line, cells


def _width(form: Form, rows: Rows | list[tuple[int, list[str]]]) -> int:
    """Return the documented width that most of the first rows have, give or take one column."""
    found = [len(row) for _, row in rows]
    near = [width for width in form.widths if width in found]
    return near[0] if near else form.widths[0]


class _Columns:
    """Where the columns of a format stand in the rows of one file."""

    def __init__(self, form: Form, header: list[str], where: str, rows: list[tuple[int, list[str]]]) -> None:
        self._form = form
        self._width = len(header)
        self._documented = [form.column(cell) for cell in header[: len(form.names)]] == list(form.names)
        self.others: list[str] = []
        found: dict[str, int] = {}
        for at, cell in enumerate(header):
            name = form.column(cell)
            if name is None:
                self.others += [cell.strip()] if cell.strip() else []
            elif name in found:
                raise repeated_column(name, found[name], at, where)
            else:
                found[name] = at
        for name in form.needed:
            if name not in found:
                raise DataSyntaxError(
                    f"the table has no column {name}, which {form.title} needs",
                    where=where,
                    mend=f"Add the column {name} to the header and the rows; other columns may be missing.",
                )
        self.absent = [name for name in form.names if name not in found]
        self._picks = [found.get(name, -1) for name in form.names]
        self._in_order = self._picks == list(range(self._width))
        self._take = itemgetter(*self._picks)
        self._shift = self._rows_are_named(rows)
        self.expected = str(self._width)
        if header == list(form.names[: self._width]) and len(form.widths) > 1:
            self.expected = " or ".join(map(str, sorted(form.widths)))

    def _rows_are_named(self, rows: list[tuple[int, list[str]]]) -> bool:
        """Return whether each row begins with a name or number of its own, as R and pandas write them."""
        longer = [row for _, row in rows if len(row) == self._width + 1]
        if not longer or len(longer) * 2 < len(rows):
            return False
        # With a separator at the end of each row instead, the date stands where the header has it.
        at = self._picks[self._form.names.index(self._form.date)]
        return any(_DATED.match(row[at + 1]) and not _DATED.match(row[at]) for row in longer)

    def pick(self, row: list[str]) -> list[str] | None:
        """Return the cells of a row in the order of the format; None for a row of another width."""
        if len(row) != self._width:
            if self._shift and len(row) == self._width + 1:
                row = row[1:]
            elif len(row) > self._width and not any(row[self._width :]):
                row = row[: self._width]
            elif not (self._documented and len(row) in self._form.widths):
                return None
            else:
                row = row + [""] * (self._width - len(row))
        if self._in_order:
            return row
        row.append("")
        return list(self._take(row))

    def note(self, job: ReadingJob, line: int) -> None:
        """Note the columns that are not read and those that are absent."""
        title = self._form.title
        if self.others:
            names = listed(self.others)
            job.notes.add("column", names, f"not read, since {title} has no such column: {names}", line)
        if self.absent:
            count = len(self._form.names) - len(self.absent)
            text = f"the table has {count} of the {len(self._form.names)} columns of {title}; it has no"
            job.notes.add("column", title, f"{text} {listed(self.absent)}", line)


def width_fault(row: list[str], width: int, number: int) -> str | None:
    """Return what is wrong with the width of a row, given its number from 1; empty cells at its end are not.

    R's write.table numbers the rows without naming the column.
    """
    numbered = len(row) == width + 1 and row[0] == str(number)
    if len(row) == width or (len(row) > width and not any(row[width:]) and not numbered):
        return None
    more = "; write the table without the numbers of rows (row.names = FALSE)" if numbered else ""
    return f"the row has {len(row)} columns in place of {width}{more}"


def listed(names: list[str]) -> str:
    """Return names as a text, with the number of those beyond the limit."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
