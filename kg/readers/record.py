"""The result of reading a table: a record for each row, ready to be stored, faults of rows, and notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from kg.terms import PREFIXES

INTERVAL: Final = PREFIXES["time"] + "ProperInterval"
"""Kind of the records of intervals."""

QUAD_CLASSES: Final = ("verbal-cooperation", "material-cooperation", "verbal-conflict", "material-conflict")
"""Classes of events in GDELT and POLECAT, numbered from 1."""
_LONGEST_MESSAGE: Final = 400

_Things = Literal["place", "event type", "country code", "repaired code", "wire service", "lookup"]
_Zeros = Literal["kept zero", "lost zero"]
_Losses = Literal["file", "column", "missing value", "dropped value", "date"]
NoteKind = Literal[_Losses, _Things, _Zeros, "repeated id", "repeated row", "no record"]


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


@dataclass
class Note:
    """Something people should know about a table: a sentence, how often it applies, and where first.

    `line` is that of `file`, a file of an archive or folder or a sheet; 0 if it is about no row.
    """

    kind: NoteKind
    value: str
    text: str
    line: int
    count: int = 1
    file: str = ""


@dataclass
class Notes:
    """Notes of one reading, one for each kind and value; at most 100,000 are kept. `file` is being read."""

    file: str = ""
    found: dict[tuple[NoteKind, str], Note] = field(default_factory=dict)

    def add(self, kind: NoteKind, value: str, text: str, line: int, count: int = 1) -> None:
        """Add a note, or increase the count of the same note."""
        note = self.found.get((kind, value))
        if note is not None:
            note.count += count
        elif len(self.found) < 100_000:
            self.found[kind, value] = Note(kind, value, shortened(text), line, count, self.file)

    def add_all(self, notes: Iterable[tuple[NoteKind, str, str]], line: int) -> None:
        """Add notes given as kind, value and text."""
        for kind, value, text in notes:
            self.add(kind, value, text, line)

    def of(self, kind: NoteKind) -> list[Note]:
        """Return the notes of a kind, the most frequent first; a table with a leading zero has lost none."""
        if kind == "kept zero" or (kind == "lost zero" and ("kept zero", "") in self.found):
            return []
        chosen = [note for note in self.found.values() if note.kind == kind]
        return sorted(chosen, key=lambda note: (-note.count, note.line, note.value))


def shortened(text: str) -> str:
    """Return a message without the middle if a cell in it is very long."""
    half = _LONGEST_MESSAGE // 2
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:half]} … {text[-half:]}"
