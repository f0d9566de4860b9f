"""Things in the order of their times, the newest first, with bounded work however many there are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pyoxigraph import NamedNode

from kg.describe.listing import count, select, standalone
from kg.describe.page_model import COUNTED, PAGE, Listing
from kg.describe.time_words import bounds_of, days_of
from kg.search import row_text, values
from kg.store import Store
from kg.store.per_version import kept_for

# Orders kept for each version of a store, for turning pages.
_KEPT: Final = 16
_TIMED: Final = "OPTIONAL { ?item dg:time ?t }"


@dataclass(frozen=True)
class Newest:
    """One page of things in order; `days` maps all things to their days, if each has one time."""

    found: Listing[str]
    days: Mapping[str, str] | None = None


def newest(
    store: Store,
    where: str,
    page: int,
    *,
    timed: str = _TIMED,
    inner: Callable[[], str] | None = None,
    among: frozenset[str] | None = None,
) -> Newest:
    """List what a pattern binds to ?item: newest first, then by IRI; things without a date come last.

    A thing's day is the first day of its time, or the last where the first is open. `timed` binds its time
    to ?t; empty if the pattern does. Beyond COUNTED things, only that many are counted and can be reached;
    they are then found day by day, with `inner`, a form of the pattern that tests a given ?item quickly, and
    `among`, the times that count.
    """
    start = (page - 1) * PAGE
    orders: OrderedDict[tuple[str, str], _Order] = kept_for(store).setdefault("orders", OrderedDict())
    order = orders.pop((where, timed), None) or _order(store, where, timed)
    orders[where, timed] = order
    while len(orders) > _KEPT:
        orders.popitem(last=False)
    items = order.items[start : start + PAGE]
    if order.total > COUNTED and start < COUNTED:
        pattern = where if inner is None else inner()
        items = _walk(store, pattern, where, among, start + PAGE)[start : start + PAGE]
    return Newest(_listing(items, order.total, start, where, timed), order.days)


@dataclass(frozen=True)
class _Order:
    """All things in order; none if there are more than COUNTED."""

    total: int
    items: list[str]
    days: Mapping[str, str] | None


def _order(store: Store, where: str, timed: str) -> _Order:
    total = count(store, f"SELECT DISTINCT ?item WHERE {{ {where} }} LIMIT {COUNTED + 1}")
    if total > COUNTED:
        return _Order(total, [], None)
    pairs = _pairs(store, f"{where} {timed}") if total else []
    bounds = bounds_of(store, {time for _, time in pairs if time})
    days = _latest(pairs, {time: first or last for time, (first, last) in bounds.items()})
    return _Order(len(days), sorted_by_day(days), days if len(pairs) == len(days) else None)


def every(store: Store, where: str, timed: str = _TIMED) -> list[str]:
    """List all that a pattern binds to ?item, in the order of `newest`, however many they are."""
    return sorted_by_day(_latest(_pairs(store, f"{where} {timed}"), days_of(store)))


def sorted_by_day(days: Mapping[str, str]) -> list[str]:
    """Sort things by their days, the newest first, then by IRI; an empty day comes last."""
    return sorted(sorted(days), key=lambda item: days[item], reverse=True)


def _listing(items: list[str], total: int, start: int, where: str, timed: str) -> Listing[str]:
    text = f"""SELECT ?item (MAX(?d) AS ?day) WHERE {{ {where} {timed} FILTER(isIRI(?item))
        BIND(COALESCE(?t, "") AS ?when)
        OPTIONAL {{ ?when dg:begin ?b }} OPTIONAL {{ ?when dg:end ?e }} BIND(COALESCE(STR(?b), STR(?e)) AS ?d)
        }} GROUP BY ?item ORDER BY DESC(?day) ?item LIMIT {PAGE} OFFSET {start}"""
    return Listing(items, min(total, COUNTED), start, total > COUNTED, standalone(text))


def _pairs(store: Store, pattern: str, end: str = "") -> list[tuple[str, str]]:
    rows = select(store, f"SELECT DISTINCT ?item ?t WHERE {{ {pattern} }} {end}")
    found = ((row["item"], row_text(row, "t") or "") for row in rows)
    return [(item.value, time) for item, time in found if isinstance(item, NamedNode)]


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
        rest = f"{undated} FILTER NOT EXISTS {{ ?item dg:time ?any . ?any dg:begin|dg:end ?day }}"
        pairs = _pairs(store, rest, f"LIMIT {COUNTED}")
        found.update(dict.fromkeys(sorted(item for item, _ in pairs)))
    return list(found)


def _latest(pairs: Iterable[tuple[str, str]], days: Mapping[str, str]) -> dict[str, str]:
    latest: dict[str, str] = {}
    for item, time in pairs:
        latest[item] = max(latest.get(item, ""), days.get(time, ""))
    return latest
