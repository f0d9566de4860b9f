"""How many events or records fall into each month or year."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from kg.describe.listing import count, select, standalone
from kg.describe.page_model import COUNTED
from kg.describe.picture_model import Bar, Timeline
from kg.search import plain, row_text
from kg.store import Store

_MONTHS: Final = 36
_BARS: Final = 120
_MONTH: Final = re.compile(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])")


def timeline_of(
    store: Store,
    where: str,
    *,
    days: Mapping[str, str] | None = None,
    whole: bool = False,
    total: int | None = None,
) -> Timeline:
    """Count what a pattern binds to ?item by the month of its first day, or by year over a longer time.

    More than COUNTED things are counted only if `whole` is set; else the timeline has `more`. `total` is the
    number of things, up to one beyond COUNTED, and `days` maps each of them to its day, if these are known.
    Things without a full date are left out and counted as `undated`.
    """
    inner = f"SELECT DISTINCT ?item WHERE {{ {where} }}"
    if not whole:
        if total is None:
            total = count(store, f"{inner} LIMIT {COUNTED + 1}")
        if total > COUNTED:
            return Timeline(more=True)
        if not total:
            return Timeline()
    text = f"""SELECT ?month (COUNT(*) AS ?n) WHERE {{
        {{ SELECT ?item (MIN(SUBSTR(STR(?day), 1, 7)) AS ?month) WHERE {{
          {{ {inner} }} OPTIONAL {{ ?item dg:time ?t . ?t dg:begin|dg:end ?day }} }} GROUP BY ?item }}
        }} GROUP BY ?month ORDER BY ?month"""
    if days is None:
        rows = select(store, text)
        counts = Counter({row_text(row, "month") or "": int(plain(row["n"])) for row in rows})
    else:
        counts = Counter(day[:7] for day in days.values())
    months = {month: n for month, n in counts.items() if _MONTH.fullmatch(month)}
    undated = counts.total() - sum(months.values())
    return Timeline(tuple(_bars(months)), undated, False, standalone(text))


def _bars(months: dict[str, int]) -> list[Bar]:
    if not months:
        return []
    first, last = min(months), max(months)
    span = (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:]) + 1
    if span <= _MONTHS:
        numbers = range(_number(first), _number(last) + 1)
        names = [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in numbers]
        return [Bar(name, f"{name}-01", _last_day(name), months.get(name, 0)) for name in names]
    years: dict[str, int] = {}
    for month, number in months.items():
        years[month[:4]] = years.get(month[:4], 0) + number
    low, high = int(min(years)), int(max(years))
    # With centuries between two events, most of the bars would be empty.
    shown = [f"{y:04d}" for y in range(low, high + 1)] if high - low < _BARS else sorted(years)[-_BARS:]
    return [Bar(year, f"{year}-01-01", f"{year}-12-31", years.get(year, 0)) for year in shown]


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _last_day(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 31 - (number in (4, 6, 9, 11)) - (3 - leap if number == 2 else 0)
    return f"{month}-{days:02d}"
