"""Rows of cells from text tables, JSON lines, workbooks and Parquet, with the number of their first line."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from codecs import BOM_UTF8
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from typing import IO, Any, Final

from kg.errors import DataSyntaxError, TooLargeError, UnsupportedFormatError
from kg.readers.archives import MAX_RATIO, UNCHECKED, Part
from kg.readers.cells.file_kinds import Sample, read_sample
from kg.readers.cells.parquet import parquet_rows
from kg.readers.cells.separators import (
    LONGEST_CELL,
    Rows,
    check_spaces,
    find_dialect,
    sample_rows,
    split_rows,
)
from kg.readers.cells.values import cell_text
from kg.readers.reading import LONGEST_LINE, ReadingJob

_BOOK_LIMIT: Final = 1 << 30
_SAMPLED: Final = 20
_SHOWN: Final = 60
_NOT_PLAIN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Of a sheet of Excel.
_MOST_ROWS: Final = 1 << 20


Separator = Callable[[str], str | None]
"""What separates several values of a column, by its name: empty if it has one, None if it is not read."""


def rows_of(job: ReadingJob, separator: Separator, *, quoted_tabs: bool = True) -> Iterator[tuple[str, Rows]]:
    """Yield the name and rows of each file, and of each sheet of a workbook with the header of the first.

    Cells with a word of `job.missing` are empty. A list in a JSON object or Parquet file is several values;
    where a column has one, the row is reported. Raises DataSyntaxError for broken quoting or a bad workbook,
    UnsupportedFormatError for a file that is not a table.
    """
    for part in job.parts:
        yield from tables_of(job, part, separator, quoted_tabs=quoted_tabs)


def tables_of(
    job: ReadingJob, part: Part, separator: Separator, *, quoted_tabs: bool
) -> Iterator[tuple[str, Rows]]:
    """Yield the names and rows of one file, as `rows_of` does."""
    for name, rows in _tables(job, part, separator, quoted_tabs):
        job.begin(name)
        yield name, _without_missing(rows, job.missing) if job.missing else rows


def first_rows(part: Part, sample: Sample, *, quoted_tabs: bool) -> list[list[str]]:
    """Return up to 20 rows from the beginning of a file, for finding its format."""
    if sample.kind == "text":
        check_spaces(part.name, sample.text)
        return sample_rows(sample.text, find_dialect(sample.text, quoted_tabs=quoted_tabs))
    if sample.kind == "json lines":
        with part.open() as stream:
            lines = iter(lambda: stream.readline(LONGEST_LINE), b"")
            keys = _object(next(line for line in lines if line.strip()).removeprefix(BOM_UTF8))
        return [list(keys)] if isinstance(keys, dict) else []
    if sample.kind == "parquet":
        with closing(parquet_rows(part)) as found:
            return [list(map(cell_text, row)) for _, row in islice(found, _SAMPLED)]
    with closing(_sheets(part)) as sheets:
        return [row for _, row in islice(next(sheets)[1], _SAMPLED)]


def _tables(
    job: ReadingJob, part: Part, separator: Separator, quoted_tabs: bool
) -> Iterator[tuple[str, Rows]]:
    sample = read_sample(part)
    if sample.kind == "workbook":
        for name, sheet in _like_the_first(job, part):
            yield name, _plain_rows(job, sheet)
    elif sample.kind == "parquet":
        yield part.name, _plain_rows(job, _flat_rows(job, parquet_rows(part), separator))
    elif sample.kind == "json lines":
        found = _json_rows(job, part, job.lines_of(part))
        yield part.name, _plain_rows(job, _flat_rows(job, found, separator))
    else:
        if re.match(r"\s*\[\s*\{\s*\"", sample.text):
            raise UnsupportedFormatError(
                "the file is one list of JSON objects",
                where=part.name,
                mend="Write one object per line, without the list: jq -c '.[]' FILE > FILE.jsonl",
            )
        check_spaces(part.name, sample.text)
        dialect = find_dialect(sample.text, quoted_tabs=quoted_tabs)
        yield part.name, split_rows(part.name, job.lines_of(part), dialect)


def _plain_rows(job: ReadingJob, rows: Rows) -> Rows:
    """Yield rows that a text file could hold; those with control characters or long cells are reported."""
    for line, row in rows:
        if max(map(len, row), default=0) > LONGEST_CELL:
            column = max(range(len(row)), key=lambda at: len(row[at])) + 1
            job.rows.read += 1
            job.fault(line, str(column), f"the cell has more than {LONGEST_CELL:,} characters; shorten it")
        elif wrong := _NOT_PLAIN.search("\n".join(row)):
            column = next(at for at, cell in enumerate(row, 1) if wrong[0] in cell)
            job.rows.read += 1
            job.fault(line, str(column), f"control character U+{ord(wrong[0]):04X}; remove it")
        else:
            yield line, row


def _without_missing(rows: Rows, words: frozenset[str]) -> Rows:
    for line, row in rows:
        yield line, row if words.isdisjoint(row) else ["" if cell in words else cell for cell in row]


# JSON lines, and values of Parquet


def _flat_rows(job: ReadingJob, rows: Iterator[tuple[int, list[Any]]], separator: Separator) -> Rows:
    """Yield the header and the rows as texts; report rows with lists or objects that are not texts."""
    number, header = next(rows)
    yield number, list(map(str, header))
    separators = [separator(name) for name in header]
    for number, row in rows:
        if not any(isinstance(value, dict | list) for value in row):
            yield number, list(map(cell_text, row))
            continue
        cells, faults = [], []
        for name, value, between in zip(header, row, separators, strict=True):
            cell = _flat(value, between)
            faults += [(name, value)] if cell is None else []
            cells.append(cell or "")
        for name, value in faults:
            kind = "an object" if isinstance(value, dict) else "a list"
            job.fault(number, name, f"{cell_text(value)[:_SHOWN]} is {kind}; {_mend(name, separator(name))}")
        job.rows.read += bool(faults)
        if not faults:
            yield number, cells


def _flat(value: Any, separator: str | None) -> str | None:
    """Return a value as text, a list with the separator of its column; None if that cannot be written."""
    if not isinstance(value, dict | list) or separator is None:
        return "" if separator is None else cell_text(value)
    texts = [cell_text(one) for one in value]
    if not separator or isinstance(value, dict) or any(isinstance(one, dict | list) for one in value):
        return None
    return None if any(separator in text for text in texts) else f"{separator} ".join(texts)


def _mend(name: str, separator: str | None) -> str:
    if separator:
        return f'write texts without “{separator}” in a list, such as {{"{name}": ["a", "b"]}}'
    return f'the column has one value: write a text or a number, such as {{"{name}": "a"}}'


def _json_rows(
    job: ReadingJob, part: Part, lines: Iterable[tuple[int, str]]
) -> Iterator[tuple[int, list[Any]]]:
    """Yield all keys of the file as row 0, then its objects; an absent key is an empty cell."""
    header: dict[str, None] = {}
    with part.open() as stream:
        for text in iter(lambda: stream.readline(LONGEST_LINE), b""):
            if isinstance(row := _object(text), dict):
                header.update(dict.fromkeys(row))
    yield 0, list(header)
    for number, line in lines:
        if not line.strip():
            continue
        row = _object(line)
        if not isinstance(row, dict):
            reason = row if isinstance(row, str) else "the line is not a JSON object"
            job.rows.read += 1
            job.fault(number, "", f"{reason}; each line must be one object, {{…}}")
            continue
        yield number, [row.get(key) for key in header]


def _object(line: str | bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        return f"the line is not JSON ({error})"
    except RecursionError:
        return "the line has objects or lists too deep in one another"


# Workbooks


def _like_the_first(job: ReadingJob, part: Part) -> Iterator[tuple[str, Rows]]:
    """Yield the sheets with the header of the first sheet, in any order of columns; the others are noted."""
    wanted: frozenset[str] | None = None
    for title, rows in _sheets(part):
        first = next(((line, row) for line, row in rows if any(row)), None)
        if first is None:
            if wanted is not None:
                job.notes.add("file", title, f"sheet “{title}” of {part.name} is empty", 0)
            continue
        header = frozenset(cell.strip().lower() for cell in first[1] if cell.strip())
        if wanted is None:
            wanted = header
            yield part.name, chain([first], rows)
        elif header == wanted:
            yield f"{part.name}, sheet {title}", chain([first], rows)
        else:
            count = sum(1 for _, row in rows if any(row)) + 1
            text = f"sheet “{title}” of {part.name} was left out ({count:,} rows): it has other columns"
            job.notes.add("file", title, f"{text} than the first sheet; load it as a table of its own", 0)
    if wanted is None:
        raise DataSyntaxError("the workbook is empty", where=part.name, mend="Choose the file with the data.")


def _sheets(part: Part) -> Generator[tuple[str, Rows], None, None]:
    import openpyxl  # here, because few processes need it and it takes long

    with part.open() as stream, tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        _check_size(copy, part.name)
        try:
            book = openpyxl.load_workbook(copy, read_only=True, data_only=True)
            for sheet in book.worksheets:
                # Some programs write a range of cells into the sheet that leaves rows out.
                sheet.reset_dimensions()
                yield sheet.title, _sheet_rows(part.name, sheet.iter_rows(values_only=True))
            book.close()
        except (KeyError, ValueError, IndexError, OSError, SyntaxError, zipfile.BadZipFile) as error:
            raise _damaged(part.name, str(error)) from None


def _sheet_rows(name: str, rows: Iterable[tuple[Any, ...]]) -> Rows:
    """Yield the rows of a sheet, as wide as the first one with a value or wider."""
    width = 0
    for number, row in enumerate(rows, 1):
        if number > _MOST_ROWS:
            raise _damaged(name, f"a sheet has more than {_MOST_ROWS:,} rows")
        cells = list(map(cell_text, row))
        width = width or (len(cells) if any(cells) else 0)
        yield number, cells + [""] * (width - len(cells))


def _check_size(file: IO[bytes], name: str) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile as error:
        raise _damaged(name, str(error)) from None
    size, packed = sum(one.file_size for one in members), sum(one.compress_size for one in members)
    if size > _BOOK_LIMIT or size > max(UNCHECKED, MAX_RATIO * packed):
        raise TooLargeError(
            f"the workbook unpacks from {packed:,} to {size:,} bytes",
            where=name,
            mend="Save the sheet as CSV.",
        )
    file.seek(0)


def _damaged(name: str, error: str) -> DataSyntaxError:
    return DataSyntaxError(
        f"the workbook cannot be read ({error})", where=name, mend="Save it again as .xlsx or as CSV."
    )
