"""The tables of records that a store knows, and those that say the same as its quads.

A table is described in graph:loads. It is announced before the records are read for it, so that a change of
its graph from then on puts it out of use, and complete in the commit of the load, the undo or the rebuilding
that made it. It stays in use until it has a time of invalidation, which every other change of its graph sets.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kg.errors import DiplographError, StoreFailedError
from kg.store import Store
from kg.store.outdated_tables import INVALIDATED, OF_GRAPH, RECORD_TABLE, invalidated
from kg.table.record_files import read_table, shared_records
from kg.table.record_table import RecordTable
from kg.terms import GRAPH_LOADS, LOAD, PREFIXES, compact, read_turtle, term

_RECORDS: Final = "#records"
_ENDING: Final = ".parquet"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownTable:
    """A table as graph:loads describes it; without a file name it is only announced.

    `shares` are the tables of other graphs that hold some of the same records.
    """

    iri: str
    graph: str
    file_name: str = ""
    sha256: str = ""
    byte_length: int = 0
    rows: int = 0
    invalidated: datetime | None = None
    shares: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Identifier of the load, undo or rebuilding that made it."""
        return self.iri.removeprefix(LOAD).removesuffix(_RECORDS)

    @property
    def in_force(self) -> bool:
        """Whether nothing changed its graph since; its records may be in other graphs as well."""
        return bool(self.file_name) and self.invalidated is None


def table_iri(activity: str) -> NamedNode:
    """Return the IRI of the table that a load, an undo or a rebuilding makes, from its own IRI."""
    return NamedNode(activity + _RECORDS)


def table_file(folder: Path, activity: str) -> Path:
    """Return the path of the file of that table."""
    return folder / (activity.removeprefix(LOAD) + _ENDING)


def announced(activity: str, graph: str) -> list[Quad]:
    """Return the quads that announce a table."""
    table = table_iri(activity)
    return [
        Quad(table, term("rdf:type"), RECORD_TABLE, GRAPH_LOADS),
        Quad(table, OF_GRAPH, NamedNode(graph), GRAPH_LOADS),
    ]


def describe_table(activity: str, table: RecordTable, shares: Iterable[str] = ()) -> list[Triple]:
    """Describe a table whose file is written."""
    digest = file_digest(table.path)
    label = f"Table of {table.rows:,} coding records of {compact(table.graph)}"
    shared = "".join(f"; dg:sharesRecordsWith {NamedNode(other)}" for other in shares)
    return read_turtle(f"""
        {table_iri(activity)} a dg:RecordTable, prov:Entity ; rdfs:label {Literal(label, language="en")} ;
            prov:wasDerivedFrom {NamedNode(table.graph)} ; dg:fileName {Literal(table.path.name)} ;
            dg:sha256 "{digest}" ; dg:byteLength {table.path.stat().st_size} ;
            dg:rowCount {table.rows} {shared} .""")


def outdated(store: Store, graph: str, *, but: str = "") -> list[Triple]:
    """Return the marks of the tables of a graph that is about to change, except that of one activity."""
    now, kept = datetime.now(UTC), but + _RECORDS
    return [
        invalidated(NamedNode(table.iri), now).triple
        for table in known_tables(store)
        if table.graph == graph and table.invalidated is None and table.iri != kept
    ]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_TABLES: Final = f"""
PREFIX dg: <{PREFIXES["dg"]}>
SELECT ?table ?graph ?file ?sha ?length ?rows ?out ?other WHERE {{
  GRAPH {GRAPH_LOADS} {{
    ?table a {RECORD_TABLE} ; {OF_GRAPH} ?graph .
    OPTIONAL {{ ?table dg:fileName ?file ; dg:sha256 ?sha ; dg:byteLength ?length ; dg:rowCount ?rows }}
    OPTIONAL {{ ?table {INVALIDATED} ?out }}
    OPTIONAL {{ ?table dg:sharesRecordsWith ?other }}
  }}
}} ORDER BY ?table"""


def known_tables(store: Store) -> list[KnownTable]:
    """List the tables that a store knows, the oldest first."""
    found: dict[str, KnownTable] = {}
    for row in store.query(_TABLES).rows():
        text = {name: getattr(value, "value", "") for name, value in row.items()}
        iri, out, other = text["table"], text.get("out"), text.get("other")
        before = found[iri].shares if iri in found else ()
        found[iri] = KnownTable(
            iri=iri,
            graph=text["graph"],
            file_name=text.get("file", ""),
            sha256=text.get("sha", ""),
            byte_length=int(text.get("length", 0)),
            rows=int(text.get("rows", 0)),
            invalidated=datetime.fromisoformat(out) if out else None,
            shares=(*before, other) if other else before,
        )
    return list(found.values())


def current_tables(store: Store, folder: Path) -> tuple[RecordTable, ...]:
    """Return the tables that together hold exactly the coding records of their graphs.

    `store` is one state of the data, such as a snapshot, and `folder` that of the tables. A record of one of
    the graphs is in no other of them. A table whose file is missing or damaged is left out, and named in the
    log.
    """
    usable = []
    for table in usable_tables(known_tables(store)):
        try:
            usable.append(open_table(table, folder))
        except DiplographError as error:
            _log.warning("%s is answered from its quads: %s", compact(table.graph), error)
    return tuple(usable)


def usable_tables(known: Iterable[KnownTable]) -> list[KnownTable]:
    """Return the tables in force that share no records with another one in force."""
    in_force = {table.iri: table for table in known if table.in_force}
    shared = {name for table in in_force.values() for name in table.shares if name in in_force}
    shared |= {table.iri for table in in_force.values() if not in_force.keys().isdisjoint(table.shares)}
    return [table for iri, table in in_force.items() if iri not in shared]


def open_table(table: KnownTable, folder: Path) -> RecordTable:
    """Read the schema of a table; raises StoreFailedError if its file is missing or damaged."""
    path = folder / table.file_name
    try:
        length = path.stat().st_size
    except OSError as error:
        raise StoreFailedError(
            f"the table of records cannot be read: {error.strerror}", where=str(path), mend=REBUILD
        ) from None
    if length != table.byte_length:
        raise StoreFailedError(
            f"the table of records has {length:,} bytes instead of {table.byte_length:,}",
            where=str(path),
            mend=REBUILD,
        )
    return _checked(path, table.sha256)


def shared_tables(store: Store, folder: Path, table: RecordTable) -> list[str]:
    """Return the IRIs of the tables in force, of other graphs, that hold some of the records of a table."""
    opened: dict[str, RecordTable] = {}
    found = []
    for one in known_tables(store):
        if one.in_force and one.graph != table.graph:
            try:
                opened[one.iri] = open_table(one, folder)
            except DiplographError:
                # A file that is missing now may be back later.
                found.append(one.iri)
    shared = shared_records(table, opened.values())
    return sorted([*found, *(iri for iri, other in opened.items() if other in shared)])


REBUILD: Final = "Write it anew: diplograph tables --rebuild. Until then, queries read the quads."


@lru_cache(64)
def _checked(path: Path, sha256: str) -> RecordTable:
    # Files of this name never change, but a disk may: each process reads a file whole once.
    if file_digest(path) != sha256:
        raise StoreFailedError("the table of records is damaged", where=str(path), mend=REBUILD)
    return read_table(path)
