"""Groups likely duplicates among records, with a method and a score; nothing is merged."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from kg.rdf.ntriples import LABEL, TYPE, decimal, dg, english, statements, thing
from kg.rdf.sorted_lines import RUN_BYTES, read_lines, sort_lines
from kg.readers.record import Record
from kg.terms import ID

METHOD: Final = "day-pair-type"
"""Slug of the method under `id/grouping-method/`, defined in ontology/event-types.ttl."""
_RECORD: Final = f"{ID}record/"

_Row = list[str]


class Grouping:
    """Collects records in a file while they are read, so that memory is bounded. Raises OSError.

    Two records are linked if day, actor, recipient and type are equal and they share the document or, where
    both sides are known, a place finer than a country. Records linked directly or indirectly form a group.
    """

    def __init__(self, folder: Path) -> None:
        """Use a folder inside `folder`, which `close` removes."""
        self._folder = folder / "grouping"
        self._held: list[bytes] = []
        self._size = 0

    def add(
        self, iri: str, day: str, actor: str, recipient: str, kind: str, place: str, document: str
    ) -> None:
        """Add a record; unknown values are empty, and so is a place not finer than a country."""
        self.add_lines("\t".join((day, actor, recipient, kind, iri, place, document)).encode() + b"\n")

    def add_lines(self, lines: bytes) -> None:
        """Add records as lines of day, actor, recipient, type, IRI, place and document, separated by tabs."""
        self._held.append(lines)
        self._size += len(lines)
        if self._size >= RUN_BYTES:
            self._write()

    def groups(self) -> Iterator[Record]:
        """Yield a dg:RecordGroup for each group of two or more records.

        The order of the groups does not depend on the order of the records.
        """
        self._write()
        sort_lines(read_lines(self._folder / "lines"), self._folder / "sorted")
        # Lines with the same day, actor, recipient and type.
        for _, lines in groupby(read_lines(self._folder / "sorted"), lambda line: line.split(b"\t", 4)[:4]):
            yield from _groups(list(lines))

    def close(self) -> None:
        """Remove the collection; safe to call twice."""
        self._held = []
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self) -> None:
        self._folder.mkdir(exist_ok=True)
        with (self._folder / "lines").open("ab") as file:
            file.writelines(self._held)
        self._held, self._size = [], 0


def _groups(lines: list[bytes]) -> Iterator[Record]:
    block = [line[:-1].decode().split("\t") for line in lines]
    if len(block) < 2:
        return
    above = list(range(len(block)))

    def top(index: int) -> int:
        while above[index] != index:
            above[index] = above[above[index]]
            index = above[index]
        return index

    first: dict[tuple[str, str], int] = {}
    both = bool(block[0][1] and block[0][2])
    for index, (_, _, _, _, _, place, document) in enumerate(block):
        for link in (("document", document), ("place", place if both else "")):
            if link[1]:
                one, other = top(first.setdefault(link, index)), top(index)
                above[max(one, other)] = min(one, other)
    members: dict[int, list[_Row]] = {}
    for index, row in enumerate(block):
        members.setdefault(top(index), []).append(row)
    for rows in members.values():
        if len({row[4] for row in rows}) > 1:
            yield _group(rows)


def _group(rows: list[_Row]) -> Record:
    day, actor, recipient, kind = rows[0][:4]
    iris = sorted({row[4] for row in rows}, key=lambda iri: (len(iri), iri))
    iri = f"{ID}record-group/{iris[0].removeprefix(_RECORD)}"
    score = (_agreement([row[6] for row in rows]) + _agreement([row[5] for row in rows])) / 2
    lines = statements(
        f"<{iri}>",
        (TYPE, dg("RecordGroup")),
        (LABEL, english(f"{len(iris)} records of {day}, likely duplicates")),
        (dg("groupingMethod"), thing("grouping-method", METHOD)),
        (dg("groupingScore"), decimal(f"{score:.2f}")),
        *((dg("groupMember"), f"<{member}>") for member in iris),
    )
    who = tuple(one for one in (actor, recipient) if one)
    return Record(iri, "RecordGroup", lines.encode(), 0, kind, day, who)


def _agreement(values: list[str]) -> float:
    """Return the share of records with the most frequent value; unknown values never agree."""
    known = Counter(value for value in values if value)
    return max(known.values()) / len(values) if known else 0.0
