"""Coding records: what machines made of articles, newest first, however many there are."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from kg.describe.listing import count, iris_in, select, standalone
from kg.describe.page_model import COUNTED, PAGE, Listing, RecordLine
from kg.describe.time_words import times_of
from kg.search import iri_text, name_all, plain, row_text, values
from kg.store import Row, Store
from kg.terms import ID, ONTOLOGY

# So many are sorted by the engine; of more, days are walked backwards in steps, and not beyond so many days.
_SORTED: Final = 2_000
_DAYS: Final = 8
_PROBED: Final = 400
_REACH: Final = 30_000


def records_of(store: Store, iri: str, page: int) -> Listing[RecordLine]:
    """List the coding records that name an actor, bear an event type, or seem to tell of an event."""
    node = iri_text(iri)
    where = f"""{{ ?item dg:codedActor {node} }} UNION {{ ?item dg:codedRecipient {node} }}
        UNION {{ ?item dg:codedEvent {node} }}
        UNION {{ ?item dg:eventType {node} FILTER EXISTS {{ ?item a dg:CodingRecord }} }}"""
    return records_where(store, where, page)


def records_between(store: Store, first: str, second: str, page: int) -> Listing[RecordLine]:
    """List the coding records of two actors, whichever of them acts."""
    one, other = iri_text(first), iri_text(second)
    where = f"""{{ ?item dg:codedActor {one} ; dg:codedRecipient {other} }}
        UNION {{ ?item dg:codedActor {other} ; dg:codedRecipient {one} }}"""
    return records_where(store, where, page)


def records_where(store: Store, where: str, page: int) -> Listing[RecordLine]:
    """List the records that a pattern binds to ?item: newest first, undated ones last.

    Up to COUNTED records are counted, and a few thousand sorted. Of more than that, days are walked backwards
    until the page is full, so that the work grows with the page and not with the records; where too few of
    them bear a single day, all are sorted.
    """
    start = (page - 1) * PAGE
    total = count(store, f"SELECT DISTINCT ?item WHERE {{ {where} }} LIMIT {COUNTED + 1}")
    text = f"""SELECT ?item (MAX(?begin) AS ?day) WHERE {{ {{ SELECT DISTINCT ?item WHERE {{ {where} }} }}
        OPTIONAL {{ ?item dg:time/dg:begin ?begin }}
        }} GROUP BY ?item ORDER BY DESC(?day) ?item LIMIT {PAGE} OFFSET {start}"""
    if start >= min(total, COUNTED):
        items: list[str] = []
    elif total <= _SORTED:
        items = iris_in(select(store, text), "item")
    else:
        items = _walk_back(store, where, start + PAGE)[start : start + PAGE]
        if len(items) < PAGE:
            items = iris_in(select(store, text), "item")
    return Listing(
        describe_records(store, items), min(total, COUNTED), start, total > COUNTED, standalone(text)
    )


def _walk_back(store: Store, where: str, needed: int) -> list[str]:
    """Find the newest records by the intervals of single days, which all sources share."""
    found: dict[str, None] = {}
    walked = 0
    last = date.today() + timedelta(days=366)
    for first in range(0, _REACH, _PROBED):
        days = [(last - timedelta(days=n)).isoformat() for n in range(first, first + _PROBED)]
        used = select(
            store,
            f"""SELECT ?t ?day WHERE {{ VALUES (?t ?day) {{ {_pairs(days)} }}
            FILTER EXISTS {{ ?any dg:time ?t }} }} ORDER BY DESC(?day)""",
        )
        known = [plain(row["day"]) for row in used]
        start, step = 0, _DAYS
        while start < len(known):
            rows = select(
                store,
                f"""SELECT DISTINCT ?item ?day WHERE {{
                VALUES (?t ?day) {{ {_pairs(known[start : start + step])} }} ?item dg:time ?t . {where}
                }} ORDER BY DESC(?day) ?item""",
            )
            found.update(dict.fromkeys(iris_in(rows, "item")))
            if len(found) >= needed:
                return list(found)
            start += step
            # As many days as will do, going by those that were seen.
            walked += step
            guess = math.ceil(1.1 * (needed - len(found)) * walked / max(1, len(found)))
            step = min(max(_DAYS, guess), 4 * walked)
    return list(found)


def _pairs(days: Sequence[str]) -> str:
    return " ".join(f'({iri_text(f"{ID}time/{day}")} "{day}")' for day in days)


def describe_records(store: Store, iris: Sequence[str]) -> list[RecordLine]:
    """Describe coding records in the given order."""
    if not iris:
        return []
    rows = select(
        store,
        f"""SELECT DISTINCT ?r ?p ?o WHERE {{ VALUES ?r {{ {values(iris)} }} ?r ?p ?o
        FILTER(?p IN (dg:codedActor, dg:codedRecipient, dg:eventType, dg:goldstein, dg:time, dg:dataset))
        }} ORDER BY ?r ?o""",
    )
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
