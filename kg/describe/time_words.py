"""Times in words, and their bounds."""

from __future__ import annotations

from collections.abc import Iterable

from kg.describe.listing import iris_in, select
from kg.describe.page_model import When
from kg.search import name_all, plain, row_text, values
from kg.store import Store
from kg.store.per_version import per_version


def bounds_of(store: Store, times: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the first and last day of some times, as ISO 8601; an open end is empty.

    A time without either is not in the answer.
    """
    wanted = list(times)
    return _read_bounds(store, f"VALUES ?t {{ {values(wanted)} }}") if wanted else {}


@per_version
def all_bounds(store: Store) -> dict[str, tuple[str, str]]:
    """Return the first and last day of every time; see `bounds_of`."""
    return _read_bounds(store, "")


def _read_bounds(store: Store, block: str) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for row in select(store, f"SELECT DISTINCT ?t ?b WHERE {{ {block} ?t dg:begin ?b }}"):
        time, day = plain(row["t"]), plain(row["b"])
        found[time] = (max(day, found.get(time, ("", ""))[0]), "")
    for row in select(store, f"SELECT DISTINCT ?t ?e WHERE {{ {block} ?t dg:end ?e }}"):
        time = plain(row["t"])
        first, last = found.get(time, ("", ""))
        found[time] = (first, max(last, plain(row["e"])))
    return found


def days_of(store: Store) -> dict[str, str]:
    """Return the day that each time is sorted by: its first, or its last where the first is open."""
    return {time: first or last for time, (first, last) in all_bounds(store).items()}


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
