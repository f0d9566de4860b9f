"""Times in words."""

from __future__ import annotations

from collections.abc import Iterable

from kg.describe.listing import iris_in, select
from kg.describe.model import When
from kg.search import name_all, row_text, values
from kg.store import Store


def times_of(store: Store, intervals: Iterable[str]) -> dict[str, When]:
    """Put intervals into words: their label, their bounds, and how precise they are."""
    wanted = list(dict.fromkeys(intervals))
    if not wanted:
        return {}
    rows = select(
        store,
        f"""SELECT DISTINCT ?t ?begin ?end ?precision WHERE {{ VALUES ?t {{ {values(wanted)} }}
          OPTIONAL {{ ?t dg:begin ?begin }} OPTIONAL {{ ?t dg:end ?end }}
          OPTIONAL {{ ?t dg:precision ?precision }} }} ORDER BY ?t ?begin ?end""",
    )
    names = name_all(store, [*wanted, *iris_in(rows, "precision")])
    found: dict[str, When] = {}
    for row in rows:
        iri = row_text(row, "t") or ""
        precision = names.get(row_text(row, "precision") or "")
        begin, end = row_text(row, "begin"), row_text(row, "end")
        found.setdefault(
            iri,
            When(names[iri].label, begin, end, precision.label if precision else None, iri),
        )
    return found
