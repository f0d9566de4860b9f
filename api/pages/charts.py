"""Charts of results, drawn on the server: a timeline of days, and bars for numbers by month or year.

All sizes are in units of the drawing; the style sheet defines the colours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from kg.describe.lists.solution_tables import ResultTable
from kg.describe.page_model import Value
from kg.search import Name

WIDTH: Final = 760
_LEFT, _RIGHT, _TOP = 52, 12, 12
_BARS: Final = 400
_MARKS: Final = 300
_PLOT: Final = 200
_NUMBERS: Final = ("integer", "decimal", "double", "float")
_SERIES: Final = 4

Test = Callable[[Value], bool]


@dataclass(frozen=True)
class ChartBar:
    """A rectangle; `series` counts from 0."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True)
class Tick:
    """A label on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Bars:
    """Bars by month or year: one panel of a chart."""

    title: str
    series: tuple[str, ...]
    bars: tuple[ChartBar, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    zero: float
    height: float


@dataclass(frozen=True)
class Mark:
    """A day or a span on a timeline, in a row of its own."""

    x: float
    width: float
    y: float
    name: Name | None
    text: str
    when: str


@dataclass(frozen=True)
class TimelineChart:
    """A timeline; `left_out` is the number of rows without a day."""

    marks: tuple[Mark, ...]
    across: tuple[Tick, ...]
    height: float
    left_out: int


def bars_of(table: ResultTable) -> list[Bars]:
    """Draw the columns of numbers against a column of months or years; empty if there is no such column.

    Whole numbers share a panel; other numbers have one panel each.
    """
    periods = [n for n, _ in enumerate(table.columns) if _all(table, n, lambda v: _period(v) is not None)]
    if not periods or not 1 < len(table.rows) <= _BARS:
        return []
    key = periods[0]
    rows = sorted(table.rows, key=lambda row: _period(row[key]) or 0)
    if len({_period(row[key]) for row in rows}) != len(rows):
        return []
    numbers = [n for n, _ in enumerate(table.columns) if n != key and _all(table, n, _is_number)]
    counts = [
        n for n in numbers if _all(table, n, lambda v: bool(v.datatype and v.datatype.endswith("integer")))
    ]
    groups = [counts[:_SERIES]] if counts else []
    groups += [[n] for n in numbers if n not in counts]
    return [_bars(table, rows, key, group) for group in groups]


def timeline_of(table: ResultTable) -> TimelineChart | None:
    """Draw the rows that have a day, with their things; None if there is no column of days."""
    days = [n for n, _ in enumerate(table.columns) if _some(table, n, lambda v: _day(v) is not None)]
    things = [n for n, _ in enumerate(table.columns) if _some(table, n, lambda v: v.name is not None)]
    if not days or not things:
        return None
    found: list[tuple[date, date, Value]] = []
    for row in table.rows:
        dates = [d for n in days if (d := _day(row[n]))]
        subject = row[things[0]]
        if dates and subject:
            found.append((min(dates), max(dates), subject))
    seen = dict.fromkeys((first, last, about.text, about.name) for first, last, about in found)
    lines = sorted(seen, key=lambda line: line[:2])[:_MARKS]
    if len(lines) < 2:
        return None
    low, high = min(line[0] for line in lines), max(line[1] for line in lines)
    span = max(1, (high - low).days)
    room = WIDTH - 2 * _RIGHT
    marks = tuple(
        Mark(
            x=round(_RIGHT + room * (first - low).days / span, 1),
            width=round(max(6.0, room * (last - first).days / span), 1),
            y=_TOP + 22 * number,
            name=name,
            text=name.label if name else text,
            when=first.isoformat() if first == last else f"{first} – {last}",
        )
        for number, (first, last, text, name) in enumerate(lines)
    )
    across = tuple(
        Tick(
            round(_RIGHT + room * part / 4, 1),
            date.fromordinal(low.toordinal() + span * part // 4).isoformat(),
        )
        for part in range(5)
    )
    return TimelineChart(marks, across, _TOP + 22 * len(marks) + 26, len(table.rows) - len(found))


def _bars(table: ResultTable, rows: Sequence[Sequence[Value | None]], key: int, group: Sequence[int]) -> Bars:
    values = [[float(cell.text) if (cell := row[n]) else 0.0 for n in group] for row in rows]
    high = max(0.0, *(value for row in values for value in row))
    low = min(0.0, *(value for row in values for value in row))
    steps = _steps(low, high)
    low, high = min(low, steps[0]), max(high, steps[-1])
    scale = _PLOT / ((high - low) or 1)
    zero = _TOP + high * scale
    room = (WIDTH - _LEFT - _RIGHT) / len(rows)
    width = max(1.0, room * 0.8 / len(group))
    bars = tuple(
        ChartBar(
            x=round(_LEFT + room * (number + 0.1) + width * series, 1),
            y=round(zero - max(value, 0.0) * scale, 1),
            width=round(width - (1 if width > 4 else 0), 1),
            height=round(abs(value) * scale, 1),
            series=series,
            title=f"{_text(rows[number][key])}: {_text(rows[number][column])} {table.columns[column]}",
        )
        for number, row in enumerate(values)
        for series, (column, value) in enumerate(zip(group, row, strict=True))
        if rows[number][column] is not None
    )
    every = -(-len(rows) // 8)
    across = tuple(
        Tick(round(_LEFT + room * (n + 0.5), 1), _text(rows[n][key])) for n in range(0, len(rows), every)
    )
    up = tuple(Tick(round(zero - step * scale, 1), f"{step:g}") for step in steps)
    names = tuple(table.columns[n] for n in group)
    return Bars(", ".join(names), names, bars, across, up, round(zero, 1), _TOP + _PLOT + 30)


def _steps(low: float, high: float) -> list[float]:
    """Compute 3 to 7 round steps of an axis with both values and zero."""
    span = (high - low) or 1.0
    size = 10.0 ** (len(f"{int(span)}") - 1) if span >= 1 else 0.1
    while span / size > 6:
        size *= 2
    while span / size < 2:
        size /= 2
    first = int(low // size)
    steps = [round(n * size, 6) for n in range(first, first + 9)]
    cut = next((n for n, step in enumerate(steps) if step >= high), len(steps) - 1)
    return steps[: cut + 1]


def _period(value: Value | None) -> int | None:
    """Read a month or a year as a number of months."""
    if value is None or value.name:
        return None
    found = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", value.text)
    kind = value.datatype or ""
    if not found or (found[2] is None and not kind.endswith("gYear")):
        return None
    return 12 * int(found[1]) + int(found[2] or 1)


def _day(value: Value | None) -> date | None:
    if value is None or value.name or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.text):
        return None
    try:
        return date.fromisoformat(value.text)
    except ValueError:
        return None


def _is_number(value: Value) -> bool:
    return bool(value.datatype and value.datatype.endswith(_NUMBERS)) and bool(
        re.fullmatch(r"[+-]?\d{1,15}(\.\d+)?", value.text)
    )


def _text(value: Value | None) -> str:
    return value.text if value else ""


def _all(table: ResultTable, column: int, test: Test) -> bool:
    cells = [cell for row in table.rows if (cell := row[column]) is not None]
    return bool(cells) and all(test(cell) for cell in cells)


def _some(table: ResultTable, column: int, test: Test) -> bool:
    return any((cell := row[column]) is not None and test(cell) for row in table.rows)
