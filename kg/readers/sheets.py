"""Rows of cells from CSV, TSV and XLSX, with the number of their first line."""

from __future__ import annotations

import csv
import datetime
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any, Final

from kg.errors import DataSyntaxError, TooLargeError
from kg.readers.archives import Part
from kg.readers.reading import ReadingJob

_BOOK_LIMIT: Final = 1 << 30
_DELIMITERS: Final = (",", "\t", ";")


def rows_of(job: ReadingJob) -> Iterator[tuple[str, Iterator[tuple[int, list[str]]]]]:
    """Yield each file's name and rows; raises DataSyntaxError for broken quoting or a bad workbook."""
    for part, lines in job.files():
        if part.name.lower().endswith(".xlsx"):
            yield part.name, _workbook(part)
        else:
            yield part.name, _delimited(part.name, lines)


def _delimited(name: str, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    first = next(lines, (1, ""))
    delimiter = max(_DELIMITERS, key=first[1].count)
    texts = (text + "\n" for _, text in chain([first], lines))
    reader = csv.reader(texts, delimiter=delimiter, strict=True)
    while True:
        begun = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise DataSyntaxError(
                f"a quotation mark is missing or misplaced ({error})",
                where=f"{name}, line {begun}",
                mend='Close every quotation mark and double those inside quoted text ("").',
                line=begun,
            ) from None
        if row is None:
            return
        yield begun, row


def _workbook(part: Part) -> Iterator[tuple[int, list[str]]]:
    import openpyxl  # here, because few processes need it and it takes long

    with part.open() as stream, tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        _check_size(copy, part.name)
        try:
            book = openpyxl.load_workbook(copy, read_only=True, data_only=True)
            sheet = book.worksheets[0]
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                yield number, [_text(value) for value in row]
            book.close()
        except DataSyntaxError:
            raise
        except (KeyError, ValueError, IndexError, OSError, SyntaxError, zipfile.BadZipFile) as error:
            raise _damaged(part.name, str(error)) from None


def _check_size(file: IO[bytes], name: str) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _damaged(name, str(error)) from None
    if size > _BOOK_LIMIT:
        raise TooLargeError(
            f"the workbook unpacks to {size} bytes", where=name, mend="Save the sheet as CSV."
        )
    file.seek(0)


def _damaged(name: str, error: str) -> DataSyntaxError:
    return DataSyntaxError(
        f"the workbook cannot be read ({error})", where=name, mend="Save it again as .xlsx or as CSV."
    )


def _text(value: Any) -> str:
    if isinstance(value, datetime.date):  # or a datetime
        return f"{value:%Y-%m-%d}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
