"""Writing the records of a table as they are read; repetitions are found in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from kg.errors import UnreadableRowsError
from kg.load.model import Progress, counted
from kg.load.staged.tally import AGENTS, KINDS, Tally, types_of
from kg.rdf.compression import frame
from kg.readers.gdelt.blocks import BlockRecords
from kg.readers.periods import ORDER_UNKNOWN
from kg.readers.record import Record, RowFault
from kg.terms import ONTOLOGY

_TYPE: Final = b"> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <"
_LISTED_FAULTS: Final = 100
_UNREADABLE, _BROKEN = "cannot be read", "would break the shapes"
_SHARED: Final = 500_000
_IDS: Final = 2_000_000
_TICK: Final = 2_000
_FRAME: Final = 1024 * 1024


@dataclass
class Faults:
    """Rows of a file with faults; more than `limit` and 100 stop the reading.

    `rows` is their number, `broken` the number of those that can be read but do not conform to the shapes.
    """

    name: str
    limit: int
    rows: int = 0
    broken: int = 0
    listed: list[str] = field(default_factory=list)
    _rows: set[tuple[str, int]] = field(default_factory=set)

    def take(self, fault: RowFault, *, broken: bool = False) -> None:
        """Add a fault; raises UnreadableRowsError if there are too many rows to continue."""
        if (fault.file, fault.line) not in self._rows:
            self._rows.add((fault.file, fault.line))
            self.rows += 1
            self.broken += broken
        if self.rows > max(self.limit, _LISTED_FAULTS):
            verb = _BROKEN if broken else _UNREADABLE
            raise self._error(f"more than {self.rows - 1} rows {verb}; the rest was not checked")
        self.listed.append(str(fault))

    def check(self) -> None:
        """Raise UnreadableRowsError if more rows have faults than allowed."""
        if self.rows > self.limit:
            raise self._error(f"{self.text}; nothing was stored")

    @property
    def text(self) -> str:
        """How many rows have faults, and how many faults they have if there are more."""
        kinds = ((self.rows - self.broken, _UNREADABLE), (self.broken, _BROKEN))
        text = " and ".join(f"{counted(number, 'row')} {verb}" for number, verb in kinds if number)
        faults = len(self.listed)
        return text + (f", with {counted(faults, 'fault')}" if faults > self.rows else "")

    def _error(self, detail: str) -> UnreadableRowsError:
        what = "these rows or the mapping (docs/mapping.md lists what each class needs)"
        mend = f"Correct {what if self.broken else 'these rows'}, or allow that they are left out."
        if any(ORDER_UNKNOWN in fault for fault in self.listed):
            mend = f"Give the order of dates (--date-order, or “Order of dates” in the form). {mend}"
        return UnreadableRowsError(detail, findings=tuple(self.listed), where=self.name, mend=mend)


@dataclass
class Duplicates:
    """Counts rows with a repeated id, and rows with the same day, type and actors."""

    records: int = 0
    repeated: int = 0
    bounded: bool = False
    grouped: bool = False
    groups: int = 0
    _ids: set[int] = field(default_factory=set)
    _alike: Counter[int] = field(default_factory=Counter)

    def is_new(self, record: Record) -> bool:
        """Count a record; return whether its IRI is new."""
        if not record.kind:
            return False  # it only adds to a thing that has a record
        key = hash(record.iri)
        if key in self._ids:
            self.repeated += 1
            return False
        if len(self._ids) < _IDS:
            self._ids.add(key)
        else:
            self.bounded = True
        self.groups += record.kind == "RecordGroup"
        if record.kind == "CodingRecord":
            self.records += 1
            if not self.grouped and record.day and record.type and len(self._alike) < _IDS:
                self._alike[hash((record.day, record.type, record.actors))] += 1
        return True

    def lines(self) -> tuple[str, ...]:
        """Return the counts as sentences."""
        found = []
        if self.repeated:
            found.append(f"{counted(self.repeated, 'row')} with the id of an earlier row, joined with it")
        if self.groups:
            found.append(f"{counted(self.groups, 'set')} of likely duplicates, grouped; nothing was merged")
        if alike := [count for count in self._alike.values() if count > 1]:
            found.append(
                f"{sum(alike):,} records with the same day, type and actors, in "
                f"{counted(len(alike), 'group')}: possible duplicates; nothing was merged"
            )
        return tuple(found)


def write_raw(records: Iterable[Record], target: Path, progress: Progress, duplicates: Duplicates) -> None:
    """Write the lines of all records in the order they are read."""
    with target.open("wb", buffering=1024 * 1024) as out:
        for number, record in enumerate(records, 1):
            duplicates.is_new(record)
            out.write(record.ntriples)
            if number % _TICK == 0:
                progress("reading rows", number)


@dataclass
class FirstLoad:
    """Writes the records of a new source as compressed N-Quads and counts them.

    There is nothing to compare with, so the lines are not sorted unless there are too many things for memory
    (`forgot`). `ending` is that of each line, and `watch` is called with each new record.
    """

    out: BinaryIO
    ending: bytes
    tally: Tally
    duplicates: Duplicates
    watch: Callable[[Record], None]
    progress: Progress
    forgot: bool = False
    _held: list[bytes] = field(default_factory=list)
    _size: int = 0
    _shared: set[bytes] = field(default_factory=set)
    _number: int = 0
    _reported: int = 0

    def take(self, record: Record) -> None:
        """Write a record."""
        self._number += 1
        tally = self.tally
        new = self.duplicates.is_new(record)
        subject = b"<" + record.iri.encode() + b"> "
        size = record.ntriples.count(b"\n")
        if (
            new
            and record.ntriples.count(b"\n" + subject) == size - 1
            and subject == record.ntriples[: len(subject)]
        ):
            # Usually all lines are about the record, and no line has to be checked.
            tally.added += size
            self._keep(record.ntriples.replace(b" .\n", self.ending))
            _count(tally, record)
            self.watch(record)
        else:
            self._take_lines(record, new, subject)
        if self._number - self._reported >= _TICK:
            self._reported = self._number
            self.progress("reading rows", self._number)

    def _take_lines(self, record: Record, new: bool, subject: bytes) -> None:
        lines = record.ntriples.splitlines(keepends=True)
        kept = []
        for line in lines:
            if new and line.startswith(subject):
                kept.append(line)
            elif line not in self._shared:
                kept.append(line)
                if len(self._shared) < _SHARED:
                    self._shared.add(line)
                else:
                    self.forgot = True
                if _TYPE in line and not line.startswith(subject):
                    _count_shared(self.tally, line, lines)
        if new:
            _count(self.tally, record)
            self.watch(record)
        self.tally.added += len(kept)
        self._keep(b"".join(kept).replace(b" .\n", self.ending))

    def _keep(self, lines: bytes) -> None:
        self._held.append(lines)
        self._size += len(lines)
        if self._size >= _FRAME:
            self.flush()

    def flush(self) -> None:
        """Write the lines held in memory."""
        if self._held:
            self.out.write(frame(self._held))
            self._held, self._size = [], 0

    def take_block(self, found: BlockRecords) -> None:
        """Write the records of a block of rows: all are new, and their lines end with `ending`."""
        for iri, kind, lines, line in found.things:
            self.take(Record(iri, kind, lines, line))
        self.flush()
        self.out.write(found.packed or frame(found.pieces))
        self._number += found.count
        self._reported = self._number
        tally = self.tally
        tally.added += found.statements
        tally.count((ONTOLOGY + "CodingRecord",), "new", found.count)
        tally.show_rows([(row[0], row[6]) for row in found.rows], found.count)
        self.duplicates.records += found.count
        self.progress("reading rows", self._number)


def _count(tally: Tally, record: Record) -> None:
    if not record.kind:
        return
    # A class of another vocabulary has its full IRI.
    name = record.kind if ":" in record.kind else ONTOLOGY + record.kind
    tally.count((name,), "new")
    kind = KINDS.get(record.kind)
    if kind is not None:
        tally.show(record.iri, kind, "new", record.ntriples)
    elif name in AGENTS:
        tally.agent(record.iri, record.ntriples.splitlines(keepends=True))


def _count_shared(tally: Tally, line: bytes, lines: list[bytes]) -> None:
    classes = types_of((line,))
    tally.count(classes, "new")
    if not AGENTS.isdisjoint(classes):
        subject = line[: line.index(b" ") + 1]
        tally.agent(subject[1:-2].decode(), [one for one in lines if one.startswith(subject)])
