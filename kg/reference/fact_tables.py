"""The tables of ontology/reference/: facts collected from libraries, and those written by hand."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kg.bundled import ONTOLOGY_FOLDER

_FOLDER: Final = ONTOLOGY_FOLDER / "reference"
_VERSION: Final = re.compile(r"([a-z][\w-]*) (\d[\w.]*\w)")

Row = dict[str, str]


@dataclass(frozen=True)
class Table:
    """The rows of a table, by column, and the libraries and versions that its comments name."""

    rows: tuple[Row, ...]
    sources: tuple[str, ...]


def read_table(name: str) -> Table:
    """Read a tab-separated table that starts with comment lines; an empty cell is an empty string."""
    text = (_FOLDER / name).read_text(encoding="utf-8")
    lines = text.splitlines()
    head = [line for line in lines if line.startswith("#")]
    rows = tuple(csv.DictReader(lines[len(head) :], delimiter="\t"))
    return Table(rows, tuple(" ".join(found) for line in head for found in _VERSION.findall(line)))


def parts(cell: str, separator: str = " ") -> Iterator[str]:
    """Yield the values of a cell that holds several."""
    return (part for part in cell.split(separator) if part)
