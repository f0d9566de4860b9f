"""What a reader of tables gives: one record for each row, ready to be stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kg.terms import PREFIXES

INTERVAL: Final = PREFIXES["time"] + "ProperInterval"
"""The kind of records of times."""


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that a source tells of, with all its triples.

    `ntriples` are whole lines of N-Triples, without blank nodes, literals in the engine's canonical form.
    `kind` is its class: the local name of one of ours (CodingRecord, Event …), the whole IRI of another, or
    empty where a record only adds to a thing; `line` is the row's in the file, from 1.
    `type` (of event), `day` (YYYY-MM-DD) and `actors` serve previews; they repeat what the triples say.
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
    """A row, or a part of one, that cannot be read: file, line from 1, column by name, and the reason."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        """Give it as one line for people."""
        place = f"{self.file}, line {self.line}" + (f", column {self.column}" if self.column else "")
        return f"{place}: {self.reason}"
