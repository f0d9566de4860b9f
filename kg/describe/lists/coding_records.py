"""Coding records: events as programs coded them from news, the newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from kg.describe.listing import iris_in, replaced, select
from kg.describe.newest_first import newest
from kg.describe.page_model import Listing, RecordLine
from kg.describe.time_words import times_of
from kg.search import iri_text, name_all, plain, row_text, values
from kg.store import Row, Store
from kg.terms import ONTOLOGY


def records_of(store: Store, iri: str, page: int) -> Listing[RecordLine]:
    """List the coding records that name an actor, have an event type, or may code an event."""
    node = iri_text(iri)
    where = f"""{{ ?item dg:codedActor {node} }} UNION {{ ?item dg:codedRecipient {node} }}
        UNION {{ ?item dg:codedEvent {node} }}
        UNION {{ ?item dg:eventType {node} FILTER EXISTS {{ ?item a dg:CodingRecord }} }}"""
    return _records(store, where, page)


def records_between(store: Store, first: str, second: str, page: int) -> Listing[RecordLine]:
    """List the coding records with two actors, whichever of them acts."""
    one, other = iri_text(first), iri_text(second)
    where = f"""{{ ?item dg:codedActor {one} ; dg:codedRecipient {other} }}
        UNION {{ ?item dg:codedActor {other} ; dg:codedRecipient {one} }}"""
    return _records(store, where, page)


def records_in(store: Store, graph: str, page: int) -> Listing[RecordLine]:
    """List the coding records in a named graph."""
    return _records(store, f"GRAPH {iri_text(graph)} {{ ?item a dg:CodingRecord }}", page)


def _records(store: Store, where: str, page: int) -> Listing[RecordLine]:
    found = newest(store, where, page).found
    return replaced(found, describe_records(store, found.items))


def describe_records(store: Store, iris: Sequence[str]) -> list[RecordLine]:
    """Describe coding records in the given order."""
    if not iris:
        return []
    rows = select(
        store,
        f"""SELECT DISTINCT ?r ?p ?o WHERE {{ VALUES ?r {{ {values(iris)} }} ?r ?p ?o
        FILTER(?p IN (dg:codedActor, dg:codedRecipient, dg:eventType, dg:goldstein, dg:time, dg:dataset))
        }}""",
    )
    rows.sort(key=lambda row: plain(row["o"]))
    names = name_all(store, [*iris, *iris_in(rows, "o")])
    times = times_of(store, iris_in((row for row in rows if _is(row, "time")), "o"))
    mine: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        mine[plain(row["r"])].append(row)

    def named(iri: str, local: str) -> tuple[str, ...]:
        return tuple(plain(row["o"]) for row in mine[iri] if _is(row, local))

    return [
        RecordLine(
            name=names[iri],
            actors=tuple(names[a] for a in named(iri, "codedActor") if a in names),
            recipients=tuple(names[a] for a in named(iri, "codedRecipient") if a in names),
            types=tuple(names[t] for t in named(iri, "eventType") if t in names),
            when=next((times[t] for t in named(iri, "time") if t in times), None),
            goldstein=next(iter(named(iri, "goldstein")), None),
            datasets=tuple(names[d] for d in named(iri, "dataset") if d in names),
        )
        for iri in iris
    ]


def _is(row: Row, local: str) -> bool:
    return row_text(row, "p") == ONTOLOGY + local
