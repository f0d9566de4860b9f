"""Days, months, years and spans of days as intervals, which things share."""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass
from functools import lru_cache

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, statements, thing
from kg.readers.record import INTERVAL, Record
from kg.terms import ID


@dataclass(frozen=True)
class Period:
    """An interval: slug under `id/time/`, first and last day (empty if open), precision, label."""

    slug: str
    begin: str
    end: str
    precision: str
    label: str


@lru_cache(maxsize=10_000)
def calendar_day(text: str) -> str | None:
    """Return YYYYMMDD or YYYY-MM-DD as YYYY-MM-DD, None if it is not a date."""
    if len(text) == 8 and text.isascii() and text.isdigit():
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return None
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return text


def utc_moment(text: str) -> str | None:
    """Return YYYYMMDDhhmmss in UTC as an xsd:dateTime in N-Triples, None if it is not a time."""
    day = calendar_day(text[:8])
    clock = re.fullmatch(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)", text[8:], re.ASCII)
    return nt.moment(f"{day}T{':'.join(clock.groups())}Z") if day and clock else None


def day_period(day: str) -> Period:
    """Return the interval of one day, YYYY-MM-DD."""
    return Period(day, day, day, "day", day)


def period(text: str, last: str = "") -> Period | str:
    """Read YYYY-MM-DD, YYYYMMDD, YYYY-MM or YYYY, up to the end of a second date if there is one.

    Returns a message if a date is invalid.
    """
    first = _one(text)
    final = _one(last) if last else first
    if first is None or final is None:
        return f'"{text if first is None else last}" is not a date (use 2018-01-31, 2018-01 or 2018)'
    if not last or last == text:
        return first
    if final.end < first.begin:
        return f"the end {last} is before the beginning {text}"
    coarse = "day" if first.precision == final.precision == "day" else "month"
    precision = "year" if "year" in (first.precision, final.precision) else coarse
    slug = f"{first.slug}--{final.slug}"
    return Period(slug, first.begin, final.end, precision, f"{first.label} to {final.label}")


def open_period(begin: str, day: str) -> Period:
    """Return the interval without a known end that began on a day, or in a period starting on `day`."""
    return Period(f"{begin}--open", day, "", "open", f"since {begin}")


def period_record(one: Period, line: int) -> Record:
    """Describe an interval."""
    lines = statements(
        thing("time", one.slug),
        (TYPE, f"<{INTERVAL}>"),
        (LABEL, nt.english(one.label)),
        (dg("begin"), one.begin and nt.date(one.begin)),
        (dg("end"), one.end and nt.date(one.end)),
        (dg("precision"), thing("time-precision", one.precision)),
    )
    return Record(f"{ID}time/{one.slug}", INTERVAL, lines.encode(), line)


def _one(text: str) -> Period | None:
    if day := calendar_day(text):
        return day_period(day)
    month = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    if month and int(month[1]) > 0:
        last = calendar.monthrange(int(month[1]), int(month[2]))[1]
        name = f"{calendar.month_name[int(month[2])]} {month[1]}"
        return Period(text, f"{text}-01", f"{text}-{last:02d}", "month", name)
    if re.fullmatch(r"\d{4}", text, re.ASCII) and text != "0000":
        return Period(text, f"{text}-01-01", f"{text}-12-31", "year", text)
    return None
