"""Solutions of queries as tables for people, and the members of a class."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Final

from kg.describe.listing import iris_in, value_of
from kg.describe.page_model import Value
from kg.rdf.formats import Kind
from kg.search import PROLOGUE, Name, iri_text, name_all
from kg.store import UNION, Answer, QueryDataset, Row, Store
from kg.store.interface import Plan

_TRIPLE: Final = ("subject", "predicate", "object")


@dataclass(frozen=True)
class ResultTable:
    """Solutions with their things named; `more` is whether there are further rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value | None, ...], ...]
    more: bool


def table_of(store: Store, answer: Answer, limit: int, *, whole: bool = False) -> ResultTable:
    """Read solutions into a table of at most `limit` rows.

    Columns that only repeat the label of a thing are left out, except from a `whole` table.
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
    return ResultTable(columns, tuple(tuple(row.get(column) for column in columns) for row in cells), more)


@dataclass(frozen=True)
class QueryResult:
    """The result of a query: a table of solutions or of triples, or the truth of an ASK."""

    kind: Kind
    table: ResultTable
    plan: Plan
    truth: bool | None = None


def result_of(store: Store, text: str, limit: int, dataset: QueryDataset = UNION) -> QueryResult:
    """Answer a query for the editor, with at most `limit` rows."""
    asked = store.tabled
    plan, answer = asked.plan(text, dataset), asked.query(text, dataset)
    if answer.kind == "boolean":
        return QueryResult("boolean", ResultTable((), (), False), plan, answer.truth())
    if answer.kind == "solutions":
        return QueryResult("solutions", table_of(store, answer, limit, whole=True), plan)
    triples = list(islice(answer.triples(), limit + 1))
    rows: list[Row] = [{"subject": t.subject, "predicate": t.predicate, "object": t.object} for t in triples]
    names = name_all(store, iris_in(rows, *_TRIPLE))
    cells = tuple(tuple(value_of(row, column, names) for column in _TRIPLE) for row in rows[:limit])
    return QueryResult("graph", ResultTable(_TRIPLE, cells, len(rows) > limit), plan)


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
