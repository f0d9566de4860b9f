"""Solutions as a table for people, and the members of a class."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from kg.describe.facts import value_of
from kg.describe.listing import iris_in
from kg.describe.page_model import Value
from kg.search import PROLOGUE, Name, iri_text, name_all
from kg.store import Answer, Store


@dataclass(frozen=True)
class Table:
    """Solutions with their things named; `more` tells that there are others than these rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value | None, ...], ...]
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


def members_of(store: Store, cls: str, limit: int) -> list[Name]:
    """Name the members of a class and of those under it, in alphabetical order, at most `limit`.

    Those without an English name come last.
    """
    text = f"""{PROLOGUE}
        SELECT ?s (MIN(?key) AS ?label) WHERE {{
          ?class rdfs:subClassOf* {iri_text(cls)} . ?s a ?class ; rdfs:label ?l FILTER(isIRI(?s))
          BIND(CONCAT(IF(LANG(?l) IN ("en", ""), "0", "1"), STR(?l)) AS ?key)
        }} GROUP BY ?s ORDER BY ?label ?s LIMIT {limit}"""
    names = name_all(store, found := iris_in(store.query(text).rows(), "s"))
    return [names[iri] for iri in found]
