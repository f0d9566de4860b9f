"""Solutions as a table for people, and two actors side by side."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from kg.describe.claims import describe_claims
from kg.describe.events import describe_events
from kg.describe.facts import value_of
from kg.describe.listing import iris_in, select
from kg.describe.model import PAGE, EventLine, Statement, Value
from kg.search import PROLOGUE, Name, iri_text, name_all, plain, row_text, values
from kg.store import Answer, Store


@dataclass(frozen=True)
class Table:
    """Solutions with their things named; `more` tells that there are others than these rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value | None, ...], ...]
    more: bool


@dataclass(frozen=True)
class Passage:
    """An event between two actors, its character between them, and the sources that tell of it."""

    event: EventLine
    cooperation: str
    date: str | None
    source: str


@dataclass(frozen=True)
class Dyad:
    """What passed between two actors, and what is claimed of it."""

    passages: tuple[Passage, ...]
    statements: tuple[Statement, ...]
    more: bool


def table_of(store: Store, answer: Answer, limit: int, *, whole: bool = False) -> Table:
    """Read solutions into a table of at most `limit` rows.

    Columns that only repeat a name are left out unless the `whole` table is wanted.
    """
    rows = list(islice(answer.rows(), limit + 1))
    more = len(rows) > limit
    rows = rows[:limit]
    names = name_all(store, iris_in(rows, *answer.variables))
    cells = [
        {column: value_of(row, column, names) for column in answer.variables if column in row} for row in rows
    ]
    things = [c for c in answer.variables if any((v := row.get(c)) and v.name for row in cells)]

    def repeats(column: str) -> bool:
        return column not in things and any(
            all(
                thing in row and column in row and row[column].text.lower() == row[thing].text.lower()
                for row in cells
            )
            for thing in things
        )

    columns = tuple(column for column in answer.variables if whole or not cells or not repeats(column))
    return Table(columns, tuple(tuple(row.get(column) for column in columns) for row in cells), more)


def between_actors(store: Store, query: str) -> Dyad:
    """Tell what passed between two actors, by a query with the columns of the question `dyad`."""
    answer = store.query(query)
    rows = list(islice(answer.rows(), PAGE * 4 + 1))
    shown = rows[: PAGE * 4]
    events = list(dict.fromkeys(plain(row["event"]) for row in shown))
    lines = {line.name.iri: line for line in describe_events(store, events, None)}
    passages = [
        Passage(
            event=lines[plain(row["event"])],
            cooperation=row_text(row, "cooperation") or "",
            date=row_text(row, "date"),
            source=row_text(row, "source") or "",
        )
        for row in shown
    ]
    claims = select(
        store,
        f"""SELECT ?claim (MIN(?s) AS ?start) WHERE {{ VALUES ?event {{ {values(events)} }}
          {{ ?claim dg:about ?event }}
          UNION {{ ?part dg:quantityOf|dg:interactionOf|^dg:hasInteraction ?event . ?claim dg:about ?part }}
          OPTIONAL {{ ?claim dg:span/oa:hasSelector/oa:start ?s }}
        }} GROUP BY ?claim ORDER BY ?start ?claim LIMIT {PAGE}""",
    )
    return Dyad(
        tuple(passages), tuple(describe_claims(store, iris_in(claims, "claim"))), len(rows) > len(shown)
    )


def members_of(store: Store, cls: str, limit: int) -> list[Name]:
    """Name the members of a class and of those under it, in alphabetical order, at most `limit`.

    Those without an English name come last.
    """
    text = f"""{PROLOGUE}
        SELECT ?s (MIN(?key) AS ?label) WHERE {{
          ?class rdfs:subClassOf* {iri_text(cls)} . ?s a ?class ; rdfs:label ?l FILTER(isIRI(?s))
          BIND(CONCAT(IF(LANG(?l) IN ("en", ""), "0", "1"), STR(?l)) AS ?key)
        }} GROUP BY ?s ORDER BY ?label LIMIT {limit}"""
    names = name_all(store, found := iris_in(store.query(text).rows(), "s"))
    return [names[iri] for iri in found]
