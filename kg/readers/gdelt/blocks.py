"""What is read from a block of rows, and which identifiers occurred in the blocks before it.

A block is read independently of the others, so that several processes can read at once.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kg.readers.reading import REPEATED_IDENTIFIER, REPEATED_ROW
from kg.readers.record import NoteKind

_ASCENDING: Final = 20_000_000
_IN_NO_ORDER: Final = 4_000_000
_LONG: Final = 18

Known = dict[int, list[int]]
"""Identifiers of rows in earlier blocks, as numbers, each with the checksums of its rows."""

Row = tuple[str, int, str, str, str, str, bytes]
"""A row for previews: IRI, line, event type, day, actor, recipient (empty: none), line of its label."""

Described = tuple[str, str, bytes, int]
"""A thing that rows name: IRI, kind, N-Triples, line."""


@dataclass(slots=True)
class BlockRecords:
    """Everything read from one block, as plain values: `count` records of `rows_read` rows.

    `pieces` holds the N-Triples of each record, or `packed` the same compressed as one frame; `statements` is
    their number. `things` are described by the block for the first time. `rows` lists the first 200 records,
    or all of them. `identifiers` and `checksums` correspond to each other. `groups` is input for `Grouping`.
    """

    count: int = 0
    rows_read: int = 0
    statements: int = 0
    things: list[Described] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[tuple[NoteKind, str, str, int, int]] = field(default_factory=list)
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    identifiers: list[int] = field(default_factory=list)
    checksums: list[int] = field(default_factory=list)
    groups: bytes = b""
    packed: bytes = b""


@dataclass(frozen=True)
class RowOptions:
    """How rows are read: the end of each statement, whether all rows are listed, whether they are grouped."""

    ending: bytes = b" .\n"
    list_all: bool = False
    grouped: bool = False


class Repeats:
    """Finds rows of a block whose identifier occurred before, in the block or in earlier ones."""

    def __init__(self, known: Known, found: BlockRecords) -> None:
        self.first: dict[bytes, bytes] = {}
        self._known, self._found = known, found
        self._sums: dict[int, set[int]] = {}

    def again(self, identifier: bytes, text: bytes, line: int) -> bytes | None:
        """Return a suffix that makes a row's identifier unique; it is empty for a new identifier.

        Returns None for a repetition of the same row. Repetitions are noted.
        """
        number = _number(identifier)
        first = self.first.get(identifier)
        if first is None and number not in self._known:
            self.first[identifier] = text
            return b""
        if number not in self._sums:
            earlier = () if first is None else (zlib.crc32(first),)
            self._sums[number] = {*self._known.get(number, ()), *earlier}
        sums = self._sums[number]
        name, checksum = identifier.decode(), zlib.crc32(text)
        if checksum in sums:
            self._found.notes.append(("repeated row", name, REPEATED_ROW.format(name), line, 1))
            return None
        sums.add(checksum)
        self._found.identifiers.append(number)
        self._found.checksums.append(checksum)
        self._found.notes.append(("repeated id", name, REPEATED_IDENTIFIER.format(name), line, 1))
        return b"-" + hashlib.sha256(text).hexdigest()[:8].encode()

    def finish(self) -> None:
        """Add the identifiers of the block to its records."""
        if not self.first:
            return
        plain = min(self.first) >= b"1" and max(map(len, self.first)) <= _LONG
        self._found.identifiers += map(int if plain else _number, self.first)
        self._found.checksums += map(zlib.crc32, self.first.values())


def _number(identifier: bytes) -> int:
    """Return digits as a number: a negative hash for those with leading zeros and for long ones."""
    if len(identifier) <= _LONG and (identifier[0] != ord("0") or identifier == b"0"):
        return int(identifier)
    return -1 - int.from_bytes(hashlib.sha256(identifier).digest()[:7])


class Identifiers:
    """The identifiers of the rows read so far: 12 bytes each while they ascend from block to block.

    If they do not ascend, a set is kept as well. Beyond 20 million rows, or 4 million in no order, all are
    dropped and `forgot` is set: rows that far apart are not compared.
    """

    def __init__(self) -> None:
        self._blocks: list[tuple[array[int], array[int]]] = []
        self._count = 0
        self._highest: int | None = None
        self._seen: set[int] | None = None
        self.forgot = False

    def known(self, identifiers: Iterable[int]) -> Known:
        """Return the identifiers that occurred before, with the checksums of their rows."""
        lowest = min(identifiers, default=None)
        if lowest is None or self._highest is None:
            return {}
        if self._seen is None:
            if lowest > self._highest:
                return {}
            self._seen = {number for numbers, _ in self._blocks for number in numbers}
        found: Known = {number: [] for number in self._seen.intersection(identifiers)}
        for numbers, sums in self._blocks if found else ():
            for number, checksum in zip(numbers, sums, strict=True):
                if number in found:
                    found[number].append(checksum)
        return found

    def add(self, identifiers: list[int], checksums: list[int]) -> None:
        """Add the identifiers of a block and the checksums of its rows."""
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
