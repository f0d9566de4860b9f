"""What reading a block of rows gives, and how blocks come together in the order of the file.

A block is read without knowing the others, so that several processes can read; what depends on the rows
before it is settled here: things that were described already, and identifiers that come again.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from kg.readers.reading import Block, NoteKind, Reading
from kg.readers.record import Record, RowFault

_ASCENDING: Final = 20_000_000
_IN_NO_ORDER: Final = 4_000_000
_LONG: Final = 18

Known = dict[int, list[int]]
"""Identifiers of rows of earlier blocks, as numbers, each with the checksums of its rows."""

Row = tuple[str, int, str, str, str, str, bytes]
"""A row for previews: IRI, line, event type, day, actor, recipient (empty: none), line of its label."""


Thing = tuple[str, str, bytes, int]
"""What rows name: IRI, kind, N-Triples, line."""


@dataclass(slots=True)
class Told:
    """What a block gave: all of it plain values, which travel between processes.

    `things` are what its rows name; `pieces` the lines of each record, with
    the ending that was asked for; `statements` counts those; `rows` tell of records, the first 200 or all;
    `identifiers` and `checksums` belong together; `groups` are lines for a `Grouping`. Another process
    gives the pieces together, compressed as one frame (`packed`).
    """

    count: int = 0
    statements: int = 0
    things: list[Thing] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[tuple[NoteKind, str, str, int, str | None, int]] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    identifiers: list[int] = field(default_factory=list)
    checksums: list[int] = field(default_factory=list)
    groups: bytes = b""
    packed: bytes = b""


class RowReader(Protocol):
    """Reads the rows of one block. `header` is the first cell, in lower case, of a line that is no row."""

    header: bytes

    def read(self, block: Block, known: Known) -> Told:
        """Read a block; rows whose identifiers are `known` come again."""
        ...


ReadBlocks = Callable[[Iterable[Block]], Iterator[tuple[Block, Told]]]


@dataclass(frozen=True)
class Rows:
    """How rows are to be read: what ends a statement, whether all are told of, whether they are grouped."""

    ending: bytes = b" .\n"
    all_rows: bool = False
    grouped: bool = False


class Repeats:
    """Tells rows of a block whose identifier was there before, in the block or in earlier ones."""

    def __init__(self, known: Known, told: Told) -> None:
        self.first: dict[bytes, bytes] = {}
        self._known, self._told = known, told
        self._sums: dict[int, set[int]] = {}

    def again(self, identifier: bytes, text: bytes, line: int) -> bytes | None:
        """Note a row whose identifier may have been there before.

        Gives None for the same row again, which would add nothing; for another row a suffix that keeps the
        two apart, made from its text; an empty text for a new identifier.
        """
        number = _number(identifier)
        first = self.first.get(identifier)
        if first is None and number not in self._known:
            self.first[identifier] = text
            return b""
        sums = self._sums.get(number)
        if sums is None:
            sums = self._sums[number] = set(self._known.get(number, ()))
            if first is not None:
                sums.add(zlib.crc32(first))
        said, checksum = identifier.decode(), zlib.crc32(text)
        if checksum in sums:
            again = f"the row {said} comes again; it was kept once"
            self._told.notes.append(("repeated row", said, again, line, None, 1))
            return None
        sums.add(checksum)
        self._told.identifiers.append(number)
        self._told.checksums.append(checksum)
        several = f"identifier {said} stands for several rows; each was kept as a record of its own"
        self._told.notes.append(("repeated id", said, several, line, None, 1))
        return b"-" + hashlib.sha256(text).hexdigest()[:8].encode()

    def finish(self) -> None:
        """Tell of the identifiers of the block."""
        if not self.first:
            return
        plain = min(self.first) >= b"1" and max(map(len, self.first)) <= _LONG
        self._told.identifiers += map(int if plain else _number, self.first)
        self._told.checksums += map(zlib.crc32, self.first.values())


def _number(identifier: bytes) -> int:
    """Give digits as a number; what has zeros before it, or is long, gets a negative one made from it."""
    if len(identifier) <= _LONG and (identifier[0] != ord("0") or identifier == b"0"):
        return int(identifier)
    return -1 - int.from_bytes(hashlib.sha256(identifier).digest()[:7])


class Identifiers:
    """The identifiers of the rows read so far, 12 bytes each, while they rise from block to block.

    Where they do not, a set is kept besides. Beyond 20 million rows, or 4 million in no order, it forgets and
    begins anew: rows that far apart are then no longer seen to share an identifier, and `forgot` says so.
    """

    def __init__(self) -> None:
        self._blocks: list[tuple[array[int], array[int]]] = []
        self._count = 0
        self._highest: int | None = None
        self._seen: set[int] | None = None
        self.forgot = False

    def known(self, identifiers: Iterable[int]) -> Known:
        """Give those that came before, with the checksums of their rows."""
        lowest = min(identifiers, default=None)
        if lowest is None or self._highest is None:
            return {}
        if self._seen is None:
            if lowest > self._highest:
                return {}
            self._seen = set()
            for numbers, _ in self._blocks:
                self._seen.update(numbers)
        common = self._seen.intersection(identifiers)
        found: Known = {number: [] for number in common}
        if common:
            for numbers, sums in self._blocks:
                for at, number in enumerate(numbers):
                    if number in common:
                        found[number].append(sums[at])
        return found

    def add(self, identifiers: list[int], checksums: list[int]) -> None:
        """Remember the identifiers of a block and the checksums of its rows."""
        if not identifiers:
            return
        if self._count + len(identifiers) > (_ASCENDING if self._seen is None else _IN_NO_ORDER):
            self._blocks.clear()
            self._count, self._highest, self._seen = 0, None, None
            self.forgot = True
        self._blocks.append((array("q", identifiers), array("I", checksums)))
        self._count += len(identifiers)
        highest = max(identifiers)
        self._highest = highest if self._highest is None else max(self._highest, highest)
        if self._seen is not None:
            self._seen.update(identifiers)


def merged(
    job: Reading, reader: RowReader, identifiers: Identifiers, read: ReadBlocks | None = None
) -> Iterator[Told]:
    """Read the blocks of a source in order; each comes with what it is the first to describe.

    Faults, notes and pairs of rows go where `job` says. `read` reads blocks elsewhere.
    """
    blocks = headed(job.blocks(), reader.header)
    found = read(blocks) if read is not None else ((block, reader.read(block, {})) for block in blocks)
    for block, told in found:
        yield settled(job, block, told, reader, identifiers)


def headed(blocks: Iterable[Block], header: bytes) -> Iterator[Block]:
    """Tell each block the last header line before it."""
    last = b""
    for block in blocks:
        yield replace(block, header=last) if last else block
        if header in block.data.lower():
            for line in block.lines():
                if line.partition(b"\t")[0].lower() == header:
                    last = line.removesuffix(b"\r")


def settled(job: Reading, block: Block, told: Told, reader: RowReader, identifiers: Identifiers) -> Told:
    """Give what a block tells beyond the blocks before it; it is read again where rows come again."""
    known = identifiers.known(told.identifiers)
    if known:
        again = reader.read(block, known)
        again.things = told.things + again.things
        told = again
    identifiers.add(told.identifiers, told.checksums)
    for line, column, reason in told.faults:
        job.on_fault(RowFault(block.name, line, column, reason))
    for note in told.notes:
        job.notes.add(*note)
    if job.grouping is not None:
        job.grouping.add_lines(told.groups)
    told.things = [thing for thing in told.things if job.once.first(thing[0])]
    return told


def records(told: Told) -> Iterator[Record]:
    """Give what a block tells as records: what its rows name, then the rows."""
    for iri, kind, lines, line in told.things:
        yield Record(iri, kind, lines, line)
    for (iri, line, type_, day, actor, recipient, _), lines in zip(told.rows, told.pieces, strict=True):
        who = tuple([one for one in (actor, recipient) if one])
        yield Record(iri, "CodingRecord", lines, line, type_, day, who)
