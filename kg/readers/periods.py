"""Days, months, years and spans between days, as the intervals that things share."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, thing
from kg.readers.reading import calendar_day
from kg.readers.record import INTERVAL, Record
from kg.terms import ID, PREFIXES


@dataclass(frozen=True)
class Period:
    """An interval: slug under `id/time/`, first and last day (YYYY-MM-DD; empty: open), precision, name."""

    slug: str
    begin: str
    end: str
    precision: str
    label: str


def period(text: str, last: str = "") -> Period | str:
    """Read YYYY-MM-DD, YYYYMMDD, YYYY-MM or YYYY, up to the end of another where that is given.

    Gives a text that says what is wrong with it.
    """
    first = _one(text)
    if first is None:
        return f'"{text}" is no day, month or year of the calendar (2018-01-31, 2018-01 or 2018)'
    if not last or last == text:
        return first
    final = _one(last)
    if final is None:
        return f'"{last}" is no day, month or year of the calendar (2018-01-31, 2018-01 or 2018)'
    if final.end < first.begin:
        return f"the end {last} lies before the beginning {text}"
    coarse = "day" if first.precision == final.precision == "day" else "month"
    precision = "year" if "year" in (first.precision, final.precision) else coarse
    slug = f"{first.slug}--{final.slug}"
    return Period(slug, first.begin, final.end, precision, f"{first.label} to {final.label}")


def open_period(begin: str, day: str) -> Period:
    """Make the interval without a known end that began on a day, or in a period whose first is `day`."""
    return Period(f"{begin}--open", day, "", "open", f"since {begin}")


def period_record(one: Period, line: int) -> Record:
    """Describe an interval."""
    node = thing("time", one.slug)
    lines = f"{node} {TYPE} <{PREFIXES['time']}ProperInterval> .\n{node} {LABEL} {nt.english(one.label)} .\n"
    if one.begin:
        lines += f"{node} {dg('begin')} {nt.date(one.begin)} .\n"
    if one.end:
        lines += f"{node} {dg('end')} {nt.date(one.end)} .\n"
    lines += f"{node} {dg('precision')} {thing('time-precision', one.precision)} .\n"
    return Record(f"{ID}time/{one.slug}", INTERVAL, lines.encode(), line)


def _one(text: str) -> Period | None:
    if day := calendar_day(text):
        return Period(day, day, day, "day", day)
    month = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    if month and int(month[1]) > 0:
        last = calendar.monthrange(int(month[1]), int(month[2]))[1]
        name = f"{calendar.month_name[int(month[2])]} {month[1]}"
        return Period(text, f"{text}-01", f"{text}-{last:02d}", "month", name)
    if re.fullmatch(r"\d{4}", text, re.ASCII) and text != "0000":
        return Period(text, f"{text}-01-01", f"{text}-12-31", "year", text)
    return None
