"""Things in the order of their times, the newest first, with bounded work however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import NamedNode

from kg.describe.listing import count, select, standalone
from kg.describe.page_model import COUNTED, PAGE, Listing
from kg.describe.time_words import bounds_of, days_of
from kg.search import row_text, values
from kg.store import Store

_FEW: Final = 200
_TIMED: Final = "OPTIONAL { ?item dg:time ?t }"


@dataclass(frozen=True)
class Newest:
    """One page of things in order; `days` maps each thing to its day if they are few, with one time each."""

    found: Listing[str]
    days: Mapping[str, str] | None = None


def newest(
    store: Store,
    where: str,
    page: int,
    *,
    timed: str = _TIMED,
    inner: str = "",
    among: frozenset[str] | None = None,
) -> Newest:
    """List what a pattern binds to ?item: newest first, then by IRI; things without a date come last.

    A thing's day is the first day of its time, or the last where the first is open. `timed` binds its time
    to ?t; empty if the pattern does. Beyond COUNTED things, only that many are counted and can be reached;
    they are then found day by day, with `inner`, a form of the pattern that tests a given ?item quickly, and
    `among`, the times that count.
    """
    start = (page - 1) * PAGE
    pairs = _pairs(store, f"{where} {timed}", f"LIMIT {_FEW + 1}")
    total = len({item for item, _ in pairs})
    if len(pairs) <= _FEW:
        days = _days(store, pairs)
        items = sorted_by_day(days)[start : start + PAGE]
        return Newest(_listing(items, total, start, where, timed), days if len(pairs) == total else None)
    total = count(store, f"SELECT DISTINCT ?item WHERE {{ {where} }} LIMIT {COUNTED + 1}")
    if start >= min(total, COUNTED):
        items = []
    elif total > COUNTED:
        items = _walk(store, inner or where, where, among, start + PAGE)[start:]
    else:
        items = _by_days(store, where, timed, total, start)
    return Newest(_listing(items[:PAGE], total, start, where, timed))


def every(store: Store, where: str, timed: str = _TIMED) -> list[str]:
    """List all that a pattern binds to ?item, in the order of `newest`, however many they are."""
    days = days_of(store)
    latest: dict[str, str] = {}
    for item, time in _pairs(store, f"{where} {timed}"):
        latest[item] = max(latest.get(item, ""), days.get(time, ""))
    return sorted_by_day(latest)


def sorted_by_day(days: Mapping[str, str]) -> list[str]:
    """Sort things by their days, the newest first, then by IRI; an empty day comes last."""
    return sorted(sorted(days), key=lambda item: days[item], reverse=True)


def _listing(items: list[str], total: int, start: int, where: str, timed: str) -> Listing[str]:
    text = f"""SELECT ?item (MAX(?d) AS ?day) WHERE {{ {where} {timed} FILTER(isIRI(?item))
        OPTIONAL {{ ?t dg:begin ?b }} OPTIONAL {{ ?t dg:end ?e }} BIND(COALESCE(STR(?b), STR(?e)) AS ?d)
        }} GROUP BY ?item ORDER BY DESC(?day) ?item LIMIT {PAGE} OFFSET {start}"""
    return Listing(items, min(total, COUNTED), start, total > COUNTED, standalone(text))


def _pairs(store: Store, pattern: str, end: str = "") -> list[tuple[str, str]]:
    rows = select(store, f"SELECT DISTINCT ?item ?t WHERE {{ {pattern} }} {end}")
    found = ((row["item"], row_text(row, "t") or "") for row in rows)
    return [(item.value, time) for item, time in found if isinstance(item, NamedNode)]


def _days(store: Store, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    pairs = list(pairs)
    bounds = bounds_of(store, {time for _, time in pairs if time})
    days: dict[str, str] = {}
    for item, time in pairs:
        first, last = bounds.get(time, ("", ""))
        days[item] = max(days.get(item, ""), first or last)
    return days


def _by_days(store: Store, where: str, timed: str, total: int, start: int) -> list[str]:
    """Count by time first, then read only the days on the page."""
    text = f"SELECT ?t (COUNT(DISTINCT ?item) AS ?n) WHERE {{ {where} {timed} }} GROUP BY ?t"
    counts = {row_text(row, "t") or "": int(row_text(row, "n") or 0) for row in select(store, text)}
    if sum(counts.values()) != total:
        # Some things have several times: only all of them can be put in order.
        days = _days(store, _pairs(store, f"{where} {timed}"))
        return sorted_by_day(days)[start : start + PAGE]
    bounds = bounds_of(store, {time for time in counts if time})
    by_day: dict[str, list[str]] = {}
    for time in counts:
        first, last = bounds.get(time, ("", ""))
        by_day.setdefault(first or last, []).append(time)
    items: list[str] = []
    for day in sorted(by_day, reverse=True):
        number = sum(counts[time] for time in by_day[day])
        if start >= number:
            start -= number
            continue
        items += sorted(item for item, _ in _items_of(store, where, timed, by_day[day]))
        if len(items) >= start + PAGE:
            break
    return items[start : start + PAGE]


def _items_of(store: Store, where: str, timed: str, times: list[str]) -> list[tuple[str, str]]:
    dated = [time for time in times if time]
    chosen = f"FILTER(?t IN ({', '.join(values(dated).split())}))"
    found = _pairs(store, f"{{ {where} }} {'?item dg:time ?t' if timed else ''} {chosen}") if dated else []
    if "" in times:
        found += _pairs(store, f"{where} FILTER NOT EXISTS {{ ?item dg:time ?any }}")
    return found


def _walk(store: Store, inner: str, undated: str, among: frozenset[str] | None, enough: int) -> list[str]:
    """Go back day by day until there are enough things; then add those without a date."""
    days = {time: day for time, day in days_of(store).items() if among is None or time in among}
    times = sorted(days, key=lambda time: days[time], reverse=True)
    found: dict[str, None] = {}
    start, step = 0, 4
    while start < len(times) and len(found) < enough:
        # A day is never cut in two: what begins on it is sorted as a whole.
        end = min(start + step, len(times))
        while end < len(times) and days[times[end]] == days[times[end - 1]]:
            end += 1
        pairs = _pairs(store, f"VALUES ?t {{ {values(times[start:end])} }} ?item dg:time ?t . {inner}")
        found.update(dict.fromkeys(sorted_by_day(_latest(pairs, days))))
        start, step = end, step * 2
    if len(found) < enough and among is None:
        pairs = _pairs(store, f"{undated} FILTER NOT EXISTS {{ ?item dg:time ?any }}", f"LIMIT {COUNTED}")
        found.update(dict.fromkeys(sorted(item for item, _ in pairs)))
    return list(found)


def _latest(pairs: Iterable[tuple[str, str]], days: Mapping[str, str]) -> dict[str, str]:
    latest: dict[str, str] = {}
    for item, time in pairs:
        latest[item] = max(latest.get(item, ""), days.get(time, ""))
    return latest
