"""Blocks of GDELT rows as its own files have them, made from tables in any other form."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Final

from kg.readers.archives import Part
from kg.readers.cells.columns import Form, arranged_rows
from kg.readers.cells.file_kinds import read_sample
from kg.readers.cells.separators import find_dialect, sample_rows
from kg.readers.gdelt.code_columns import Layout
from kg.readers.reading import Block, ReadingJob
from kg.readers.sheets import tables_of

HEADER: Final = b"globaleventid"
"""The first cell of a header, in lower case."""

_BLOCK: Final = 1 << 20
# In other columns a whole number with ".0" comes from a spreadsheet or from pandas.
_FRACTIONS: Final = ("FractionDate", "GoldsteinScale", "AvgTone", "_Lat", "_Long")
_ACTOR: Final = slice(2, 10)  # country and details among the ten columns of an actor
_SIDES: Final = (5, 15)
_SPACES: Final = str.maketrans("\t\n\r", "   ")


def ordered_blocks(job: ReadingJob, layout: Layout) -> Generator[Block, None, None]:
    """Yield the rows of all files in blocks; files of another form are brought into GDELT's own.

    Rows keep the numbers of their lines. Raises as `arranged_rows` and `ReadingJob.blocks` do.
    """
    for part in job.parts:
        if _is_original(job, part, layout.form):
            yield from _with_headers(job.blocks_of(part))
        else:
            for name, rows in tables_of(job, part, layout.form.separator, quoted_tabs=False):
                # Words for missing values are found in the blocks, by other processes in large files.
                form = replace(layout.form, missing=frozenset())
                yield from _joined(name, arranged_rows(job, form, name, rows), form)


def _is_original(job: ReadingJob, part: Part, form: Form) -> bool:
    """Return whether a file has GDELT's own form, so that its bytes need no rearranging."""
    sample = read_sample(part)
    if sample.kind != "text" or job.missing - form.missing:
        return False
    dialect = find_dialect(sample.text)
    if dialect.separator != "\t" or dialect.quoted:
        return False
    rows = sample_rows(sample.text, dialect)
    if not form.recognises(rows[0]):
        return len(rows[0]) in form.widths
    names = [form.column(cell) for cell in rows[0]]
    in_order = names[: len(form.names)] == list(form.names) and len(names) == len(form.names)
    return in_order and all(len(row) == len(names) for row in rows[1:2])


def _with_headers(blocks: Generator[Block, None, None]) -> Iterator[Block]:
    """Add to each block the last header line before it."""
    last = b""
    with closing(blocks):
        for block in blocks:
            yield replace(block, header=last) if last else block
            if HEADER in block.data.lower():
                for line in block.lines():
                    if line.partition(b"\t")[0].lower() == HEADER:
                        last = line.removesuffix(b"\r")


def _joined(name: str, rows: Iterator[tuple[int, list[str]]], form: Form) -> Iterator[Block]:
    """Join rows to blocks of lines; an empty line stands for each number without a row."""
    fractions = [at for at, column in enumerate(form.names) if column.endswith(_FRACTIONS)]
    whole = [at for at in range(len(form.names)) if at not in fractions]
    lines: list[str] = []
    first, size = 1, 0
    for line, cells in rows:
        for at in _SIDES:
            if not cells[at] and cells[at + 2]:
                # Without the column of codes: a code begins with the country and goes on with the rest.
                cells[at] = "".join(cells[at : at + 10][_ACTOR])
        text = "\t".join(cells)
        if text.count(".0\t") > sum(cells[at][-2:] == ".0" for at in fractions):
            for at in whole:
                if cells[at].endswith(".0") and cells[at][:-2].lstrip("-").isdigit():
                    cells[at] = cells[at][:-2]
            text = "\t".join(cells)
        if "\n" in text or "\r" in text or text.count("\t") >= len(cells):
            text = "\t".join(cell.translate(_SPACES) for cell in cells)
        if not lines:
            first = line
        lines += [""] * (line - first - len(lines))
        lines.append(text)
        size += len(text)
        if size > _BLOCK:
            yield Block(name, first, "\n".join(lines).encode())
            lines, size = [], 0
    if lines:
        yield Block(name, first, "\n".join(lines).encode())
