"""Diplomatic relations between two states over time, and their recognition of each other."""

from __future__ import annotations

from dataclasses import dataclass

from kg.describe.listing import iris_in, select
from kg.describe.page_model import PAGE, When
from kg.describe.time_words import times_of
from kg.search import Name, iri_text, name_all, plain, row_text
from kg.store import Store


@dataclass(frozen=True)
class StateRelation:
    """The condition of the relations over an interval and their level, or a recognition by one of the two."""

    name: Name
    status: Name | None
    level: Name | None
    recognized_by: Name | None
    when: When | None


def relations_between(store: Store, first: str, second: str) -> list[StateRelation]:
    """List the relations and recognitions between two states, the earliest first."""
    one, other = iri_text(first), iri_text(second)
    rows = select(
        store,
        f"""SELECT DISTINCT ?item ?status ?level ?by ?time ?day WHERE {{
          {{ ?item dg:party {one} , {other} ; dg:status ?status OPTIONAL {{ ?item dg:level ?level }} }}
          UNION {{ ?item dg:recognizedBy {one} ; dg:recognizes {other} BIND({one} AS ?by) }}
          UNION {{ ?item dg:recognizedBy {other} ; dg:recognizes {one} BIND({other} AS ?by) }}
          OPTIONAL {{ ?item dg:time ?time OPTIONAL {{ ?time dg:begin ?day }} }}
        }} ORDER BY ?day ?item LIMIT {PAGE}""",
    )
    names = name_all(store, iris_in(rows, "item", "status", "level", "by"))
    times = times_of(store, iris_in(rows, "time"))
    return [
        StateRelation(
            name=names[plain(row["item"])],
            status=names.get(row_text(row, "status") or ""),
            level=names.get(row_text(row, "level") or ""),
            recognized_by=names.get(row_text(row, "by") or ""),
            when=times.get(row_text(row, "time") or ""),
        )
        for row in rows
    ]
