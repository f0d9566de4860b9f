"""Lexical forms of the XML Schema datatypes that the data model uses (XSD 1.1 part 2)."""

from __future__ import annotations

import calendar
import re
from typing import Final

from pyoxigraph import Literal

from kg.terms import PREFIXES

_XSD = PREFIXES["xsd"]
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?"
_YEAR = r"-?(?:[1-9]\d{3,}|0\d{3})"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|24:00:00(?:\.0+)?)"
_DECIMAL = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_DATE = rf"(?P<year>{_YEAR})-(?P<month>{_MONTH})-(?P<day>{_DAY})"

_FORMS: Final[dict[str, tuple[re.Pattern[str], str]]] = {
    name: (re.compile(pattern, re.ASCII), example)
    for name, pattern, example in (
        ("date", _DATE + _ZONE, "2018-01-31"),
        ("dateTime", f"{_DATE}T{_CLOCK}{_ZONE}", "2018-01-31T09:30:00Z"),
        ("time", _CLOCK + _ZONE, "09:30:00"),
        ("gYear", _YEAR + _ZONE, "2018"),
        ("gYearMonth", f"{_YEAR}-{_MONTH}{_ZONE}", "2018-01"),
        ("gMonth", f"--{_MONTH}{_ZONE}", "--01"),
        ("integer", r"[+-]?\d+", "100"),
        ("int", r"[+-]?\d+", "100"),
        ("long", r"[+-]?\d+", "100"),
        ("nonNegativeInteger", r"\+?\d+|-0+", "100"),
        ("positiveInteger", r"\+?0*[1-9]\d*", "100"),
        ("decimal", _DECIMAL, "3.5"),
        ("double", rf"{_DECIMAL}(?:[eE][+-]?\d+)?|[+-]?INF|NaN", "3.5e2"),
        ("float", rf"{_DECIMAL}(?:[eE][+-]?\d+)?|[+-]?INF|NaN", "3.5e2"),
        ("boolean", "true|false|1|0", "true"),
    )
}


def literal_fault(literal: Literal) -> str | None:
    """Say why the lexical form is not of its datatype (XSD 1.1 part 2, section 3.3).

    None when it is, or when the datatype is not one of those checked here.
    """
    datatype = literal.datatype.value
    if not datatype.startswith(_XSD):
        return None
    name = datatype[len(_XSD) :]
    if name not in _FORMS:
        return None
    form, example = _FORMS[name]
    found = form.fullmatch(literal.value.strip(" \t\r\n"))
    if found is None:
        return f'"{literal.value}" is no xsd:{name}; it should look like {example}'
    parts = found.groupdict()
    if "day" in parts:
        year, month, day = int(parts["year"]), int(parts["month"]), int(parts["day"])
        # The Gregorian calendar repeats every 400 years; the standard carries it back before its adoption.
        last = calendar.monthrange(year % 400 + 400, month)[1]
        if day > last:
            return f'"{literal.value}" is no xsd:{name}; that month has {last} days'
    return None
