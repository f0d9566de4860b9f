"""Days, months, years and spans of days as intervals, which things share."""

from __future__ import annotations

import calendar
import datetime
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, statements, thing
from kg.readers.record import INTERVAL, Record
from kg.terms import ID

DateOrder = Literal["dmy", "mdy"]
"""Order of day and month in dates such as 1/2/2018."""

ORDER_UNKNOWN: Final = "may be day/month or month/day"
_WORDS: Final = {"dmy": "day, month, year", "mdy": "month, day, year"}
_USE: Final = "(use 2018-01-31)"
_CLOCK: Final = (
    r"(?:[T ]+(?P<clock>\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AaPp][Mm])?)(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?"
)
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" + _CLOCK, re.ASCII)
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})" + _CLOCK, re.ASCII)
_SHORT_YEAR: Final = re.compile(r"\d{1,2}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d\d", re.ASCII)
_DAY_NAMED: Final = re.compile(r"(\d{1,2})[ .-]*([A-Za-z]+)[ .,-]*(\d{4})" + _CLOCK, re.ASCII)
_NAMED_DAY: Final = re.compile(r"([A-Za-z]+)[ .]+(\d{1,2})(?:st|nd|rd|th)?,? +(\d{4})" + _CLOCK, re.ASCII)
_COMPACT: Final = re.compile(r"(\d{8})T?(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z?", re.ASCII)
_NO_DAY: Final = re.compile(r"\d{4}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{4}|[A-Za-z]{3,9}[ .,-]+\d{2,4}", re.ASCII)
_NAMED_MONTH: Final = re.compile(r"([A-Za-z]+)[ .,-]+(\d{4})", re.ASCII)
_MIDNIGHT: Final = re.compile(r"(0?0:00(:00(\.0+)?)?|12:00(:00)? ?[Aa][Mm])", re.ASCII)
_MONTHS: Final = {
    word.lower(): number
    for names in (calendar.month_name, calendar.month_abbr)
    for number, word in enumerate(names)
    if word
} | {"sept": 9}


@dataclass(frozen=True)
class WrittenDay:
    """A day that a table writes in some form, YYYY-MM-DD, and the time of day after it, empty at midnight."""

    day: str
    clock: str = ""


@lru_cache(maxsize=10_000)
def written_day(text: str, order: DateOrder | None = None) -> WrittenDay | str:
    """Read a day as people write them: 20180131, 2018-01-31T10:00Z, 2018/1/31, 31 January 2018, Jan 31, 2018.

    1/2/2018 needs the `order` of day and month. Returns a message if the text is not a date.
    """
    if day := calendar_day(text):
        return WrittenDay(day)
    if found := _COMPACT.fullmatch(text):
        day = calendar_day(found[1])
        clock = ":".join(found.groups()[1:])
        if day and utc_moment(found[1] + "".join(found.groups()[1:])):
            return WrittenDay(day, "" if clock == "00:00:00" else clock)
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(text, found[1], found[3], found[4], found["clock"])
    if found := _DAY_NAMED.fullmatch(text):
        return _day(text, found[3], _MONTHS.get(found[2].lower(), 0), found[1], found["clock"])
    if found := _NAMED_DAY.fullmatch(text):
        return _day(text, found[3], _MONTHS.get(found[1].lower(), 0), found[2], found["clock"])
    if found := _YEAR_LAST.fullmatch(text):
        if order is None:
            return (
                f'"{text}" {ORDER_UNKNOWN}: give the order of dates, dmy or mdy '
                "(--date-order, or “Order of dates” in the form)"
            )
        first, last = found[1], found[3]
        day_, month = (first, last) if order == "dmy" else (last, first)
        return _day(text, found[4], month, day_, found["clock"], f" in the order {_WORDS[order]}")
    if _NO_DAY.fullmatch(text):
        return f'"{text}" has no day {_USE}'
    if _SHORT_YEAR.fullmatch(text):
        return f'"{text}" has a year of two digits; write all four'
    if re.fullmatch(r"[34]\d{4}(\.\d+)?", text, re.ASCII):
        return f'"{text}" seems to be a spreadsheet\'s number of a day; format the column as a date {_USE}'
    return f'"{text}" is not a date {_USE}'


def _day(
    text: str, year: str, month: str | int, day: str, clock: str | None, how: str = ""
) -> WrittenDay | str:
    try:
        found = datetime.date(int(year), int(month), int(day))
    except ValueError:
        return f'"{text}" is not a date{how} {_USE}'
    return WrittenDay(found.isoformat(), "" if not clock or _MIDNIGHT.fullmatch(clock) else clock)


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


def period(text: str, last: str = "", order: DateOrder | None = None) -> Period | str:
    """Read a day as `written_day` does, YYYY-MM, June 2018 or YYYY, up to the end of a second date if given.

    Returns a message if a date is invalid.
    """
    first = _one(text, order)
    final = _one(last, order) if last else first
    if isinstance(first, str) or isinstance(final, str):
        return first if isinstance(first, str) else str(final)
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


def _one(text: str, order: DateOrder | None) -> Period | str:
    month = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    if month and int(month[1]) > 0:
        return _month(int(month[1]), int(month[2]))
    text = re.sub(r"^(\d{4})\.0$", r"\1", text)  # as pandas writes a year of a column with empty cells
    if re.fullmatch(r"\d{4}", text, re.ASCII) and text != "0000":
        return Period(text, f"{text}-01-01", f"{text}-12-31", "year", text)
    named = _NAMED_MONTH.fullmatch(text)
    if named and int(named[2]) > 0 and (number := _MONTHS.get(named[1].lower())):
        return _month(int(named[2]), number)
    found = written_day(text, order)
    if isinstance(found, str):
        return found.replace(_USE, "(use 2018-01-31, 2018-01 or 2018)")
    return day_period(found.day)


def _month(year: int, month: int) -> Period:
    text = f"{year:04d}-{month:02d}"
    last = calendar.monthrange(year, month)[1]
    name = f"{calendar.month_name[month]} {year:04d}"
    return Period(text, f"{text}-01", f"{text}-{last:02d}", "month", name)
