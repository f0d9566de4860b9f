"""Records that seem to tell of one occurrence: grouped with a method and a score, never merged."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Final

from kg.errors import StoreFailedError
from kg.readers.ntriples import LABEL, TYPE, decimal, dg, english, thing
from kg.readers.record import Record
from kg.terms import ID

METHOD: Final = "day-pair-type"
"""Slug of the method in `id/grouping-method/`; its definition is in ontology/event-types.ttl."""
_BATCH: Final = 20_000
_RECORD: Final = f"{ID}record/"

_Row = tuple[str, str, str, str, str, str, str]


class Grouping:
    """Collects records while they are read, on disk, so that memory stays bounded at any number of rows.

    Two records go together when day, actor, recipient and type are the same and they share the document, or,
    where both sides are known, a place finer than a country. What is linked by steps forms one group.
    """

    def __init__(self, folder: Path) -> None:
        """Keep the collection in a file of `folder`; it is gone after `close`."""
        self._path = folder / "grouping.sqlite"
        self._base = sqlite3.connect(self._path, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode=OFF")
        self._base.execute("PRAGMA synchronous=OFF")
        self._base.execute("PRAGMA temp_store=FILE")
        self._base.execute("CREATE TABLE rec (day, actor, recipient, type, place, document, iri)")
        self._waiting: list[_Row] = []

    def add(
        self, iri: str, day: str, actor: str, recipient: str, kind: str, place: str, document: str
    ) -> None:
        """Take in one record; what is not known is an empty text, a place only when finer than a country."""
        self._waiting.append((day, actor, recipient, kind, place, document, iri))
        if len(self._waiting) >= _BATCH:
            self._flush()

    def groups(self, without: Container[str] = frozenset()) -> Iterator[Record]:
        """Give a dg:RecordGroup for every two records or more that go together; `without` leaves IRIs out.

        The same records give the same groups in the same order, whatever order they came in.
        """
        self._flush()
        rows = self._base.execute("SELECT DISTINCT * FROM rec ORDER BY day, actor, recipient, type, iri")
        block: list[_Row] = []
        for row in _read(rows):
            if row[6] in without:
                continue
            if block and block[0][:4] != row[:4]:
                yield from _groups(block)
                block = []
            block.append(row)
        yield from _groups(block)

    def close(self) -> None:
        """Remove the collection; safe to call twice."""
        self._base.close()
        self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        try:
            with self._base:
                self._base.executemany("INSERT INTO rec VALUES (?, ?, ?, ?, ?, ?, ?)", self._waiting)
        except sqlite3.Error as error:
            raise _failed(error) from None
        self._waiting.clear()


def _read(rows: Iterator[_Row]) -> Iterator[_Row]:
    try:
        yield from rows
    except sqlite3.Error as error:
        raise _failed(error) from None


def _failed(error: sqlite3.Error) -> StoreFailedError:
    return StoreFailedError(
        f"what is grouped could not be kept on disk ({error})", mend="Make room on the disk, and load again."
    )


def group_records(grouping: Grouping, without: Container[str] = frozenset()) -> Iterator[Record]:
    """Give the groups of everything that readers put into a grouping, as records of kind RecordGroup."""
    yield from grouping.groups(without)


def _groups(block: list[_Row]) -> Iterator[Record]:
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
    for index, (_, _, _, _, place, document, _) in enumerate(block):
        for link in (("document", document), ("place", place if both else "")):
            if link[1]:
                one, other = top(first.setdefault(link, index)), top(index)
                above[max(one, other)] = min(one, other)
    members: dict[int, list[_Row]] = {}
    for index, row in enumerate(block):
        members.setdefault(top(index), []).append(row)
    for rows in members.values():
        if len({row[6] for row in rows}) > 1:
            yield _group(rows)


def _group(rows: list[_Row]) -> Record:
    day, actor, recipient, kind = rows[0][:4]
    iris = sorted({row[6] for row in rows}, key=lambda iri: (len(iri), iri))
    iri = f"{ID}record-group/{iris[0].removeprefix(_RECORD)}"
    node = f"<{iri}>"
    score = (_agreement([row[5] for row in rows]) + _agreement([row[4] for row in rows])) / 2
    label = f"{len(iris)} records of {day} that seem to tell of one occurrence"
    lines = [
        f"{node} {TYPE} {dg('RecordGroup')} .\n{node} {LABEL} {english(label)} .\n",
        f"{node} {dg('groupingMethod')} {thing('grouping-method', METHOD)} .\n",
        f"{node} {dg('groupingScore')} {decimal(f'{score:.2f}')} .\n",
        *(f"{node} {dg('groupMember')} <{member}> .\n" for member in iris),
    ]
    who = tuple(one for one in (actor, recipient) if one)
    return Record(iri, "RecordGroup", "".join(lines).encode(), 0, kind, day, who)


def _agreement(values: list[str]) -> float:
    """Give the part of the records that have the commonest value; what is not known agrees with nothing."""
    known = Counter(value for value in values if value)
    return max(known.values()) / len(values) if known else 0.0
