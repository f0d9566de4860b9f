"""The result of reading a table: one record for each row, ready to be stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kg.terms import PREFIXES

INTERVAL: Final = PREFIXES["time"] + "ProperInterval"
"""Kind of the records of intervals."""


QUAD_CLASSES: Final = ("verbal-cooperation", "material-cooperation", "verbal-conflict", "material-conflict")
"""Classes of events in GDELT and POLECAT, numbered from 1."""


class CellError(ValueError):
    """A cell that cannot be read: name of its column, and the reason."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


@dataclass(frozen=True, slots=True)
class Record:
    """One thing described by a source, with all its triples.

    `ntriples` holds complete lines of N-Triples without blank nodes, literals in the engine's canonical form.
    `kind` is the class: a local name of the ontology (CodingRecord, Event …), the full IRI of another class,
    or empty if the record only adds to a thing. `line` is the number of the row, from 1. Event `type`, `day`
    (YYYY-MM-DD) and `actors` repeat the triples for previews.
    """

    iri: str
    kind: str
    ntriples: bytes
    line: int
    type: str | None = None
    day: str | None = None
    actors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that cannot be read: file, line from 1, name of the column, and the reason."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        """Return the fault in one line."""
        place = f"{self.file}, line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{place}: {self.reason}"
