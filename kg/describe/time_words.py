"""Times in words."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from kg.describe.listing import iris_in, select
from kg.describe.page_model import When
from kg.search import name_all, plain, row_text, values
from kg.store import Store

_BOUNDS: WeakKeyDictionary[Store, tuple[str, dict[str, tuple[str, str]]]] = WeakKeyDictionary()


def bounds_of(store: Store) -> dict[str, tuple[str, str]]:
    """Give the first and the last day of every interval that has one, as ISO 8601; empty where it is open.

    Intervals are shared and few; they are read once for each version of the store.
    """
    version = store.version
    kept = _BOUNDS.get(store)
    if kept and version and kept[0] == version:
        return kept[1]
    found: dict[str, tuple[str, str]] = {}
    for row in select(store, "SELECT DISTINCT ?t ?b WHERE { ?t dg:begin ?b }"):
        found[plain(row["t"])] = (plain(row["b"]), "")
    for row in select(store, "SELECT DISTINCT ?t ?e WHERE { ?t dg:end ?e }"):
        found[plain(row["t"])] = (found.get(plain(row["t"]), ("", ""))[0], plain(row["e"]))
    _BOUNDS[store] = (version, found)
    return found


def days_of(store: Store) -> dict[str, str]:
    """Give the day that each interval is sorted by: its first, or its last where the first is open."""
    return {time: first or last for time, (first, last) in bounds_of(store).items()}


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
