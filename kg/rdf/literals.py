"""Lexical forms of the XML Schema datatypes of the data model (XSD 1.1 part 2)."""

from __future__ import annotations

import calendar
import re
from math import inf
from typing import Final

from pyoxigraph import Literal, NamedNode

from kg.settings import LITERAL_LIMIT
from kg.terms import PREFIXES

_XSD = PREFIXES["xsd"]
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?"
_YEAR = r"-?(?:[1-9]\d{3,}|0\d{3})"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_CLOCK = r"(?:(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?|24:00:00(?:\.0+)?)"
_DECIMAL = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)"
_DURATION = r"-?P(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"
_BASE64 = (
    "(?:(?:[A-Za-z0-9+/] ?){4})*(?:[A-Za-z0-9+/] ?[AQgw] ?= ?=|(?:[A-Za-z0-9+/] ?){2}[AEIMQUYcgkosw048] ?=)?"
)
_DATE = rf"(?P<year>{_YEAR})-(?P<month>{_MONTH})-(?P<day>{_DAY})"

# Their letters are those of all languages; the others have digits of ASCII alone.
_NAMES: Final = ("NMTOKEN", "Name", "NCName")
# White space around these is a fault, not part of the notation (XSD 1.1 part 2, section 3.4).
_TEXTS: Final = ("normalizedString", "token", "language", *_NAMES)
_FORMS: Final[dict[str, tuple[re.Pattern[str], str]]] = {
    name: (re.compile(pattern, 0 if name in _NAMES else re.ASCII), example)
    for name, pattern, example in (
        ("date", _DATE + _ZONE, "2018-01-31"),
        ("dateTime", f"{_DATE}T{_CLOCK}{_ZONE}", "2018-01-31T09:30:00Z"),
        ("dateTimeStamp", f"{_DATE}T{_CLOCK}(?!$){_ZONE}", "2018-01-31T09:30:00Z"),
        ("time", _CLOCK + _ZONE, "09:30:00"),
        ("gYear", _YEAR + _ZONE, "2018"),
        ("gYearMonth", f"{_YEAR}-{_MONTH}{_ZONE}", "2018-01"),
        ("gMonth", f"--{_MONTH}{_ZONE}", "--01"),
        ("gMonthDay", f"--(?P<month>{_MONTH})-(?P<day>{_DAY}){_ZONE}", "--01-31"),
        ("gDay", f"---{_DAY}{_ZONE}", "---31"),
        ("duration", _DURATION, "P1Y2M3DT4H"),
        ("yearMonthDuration", r"-?P(?=\d)(?:\d+Y)?(?:\d+M)?", "P1Y2M"),
        ("dayTimeDuration", r"(?![^T]*[YM])" + _DURATION, "P3DT4H"),
        ("decimal", _DECIMAL, "3.5"),
        ("double", rf"{_DECIMAL}(?:[eE][+-]?\d+)?|[+-]?INF|NaN", "3.5e2"),
        ("float", rf"{_DECIMAL}(?:[eE][+-]?\d+)?|[+-]?INF|NaN", "3.5e2"),
        ("boolean", "true|false|1|0", "true"),
        ("hexBinary", "(?:[0-9a-fA-F]{2})*", "0FB7"),
        ("base64Binary", _BASE64, "SGVsbG8="),
        ("normalizedString", r"[^\t\r\n]*", "text in one line"),
        ("token", r"(?:[^ \t\r\n]+(?: [^ \t\r\n]+)*)?", "words with single spaces"),
        ("language", r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*", "en-GB"),
        ("NMTOKEN", r"[\w:.\-\u00b7]+", "name"),
        ("Name", r"[^\W\d][\w:.\-\u00b7]*|:[\w:.\-\u00b7]*", "name"),
        ("NCName", r"[^\W\d][\w.\-\u00b7]*", "name"),
    )
}
_COMMA: Final = re.compile(r"([+-]?\d+),(\d+)", re.ASCII)
# Digits in groups of three, with a decimal point or comma after them.
_GROUPS: Final = re.compile(r"([+-]?\d{1,3}(?:([ ,.'’\u00a0\u202f])\d{3})(?:\2\d{3})*)(?:[.,](\d+))?")
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_INTEGER: Final = re.compile(r"[+-]?\d+", re.ASCII)
_RANGES: Final[dict[str, tuple[float, float]]] = {
    "integer": (-inf, inf),
    "nonNegativeInteger": (0, inf),
    "positiveInteger": (1, inf),
    "nonPositiveInteger": (-inf, 0),
    "negativeInteger": (-inf, -1),
    **{
        name: bounds
        for kind, bits in (("Long", 64), ("Int", 32), ("Short", 16), ("Byte", 8))
        for name, bounds in (
            (kind.lower(), (-(1 << bits - 1), (1 << bits - 1) - 1)),
            (f"unsigned{kind}", (0, (1 << bits) - 1)),
        )
    },
}
# Python refuses to convert longer texts; such a number lies beyond every finite bound.
_DIGITS: Final = 4_000


def number_hint(text: str) -> str:
    """Return how to write a number with a decimal comma or separators of thousands; empty for other texts."""
    comma, groups = _COMMA.fullmatch(text), _GROUPS.fullmatch(text)
    ways = [f"{comma[1]}.{comma[2]} with a decimal point"] if comma else []
    if groups:
        whole = re.sub(r"[^\d+-]", "", groups[1]) + (f".{groups[3]}" if groups[3] else "")
        ways.append(f"{whole} without separators of thousands")
    return f"; write {' or '.join(ways)}" if ways else ""


def is_too_long(term: Literal | NamedNode) -> bool:
    """Return whether a literal or IRI has more than `LITERAL_LIMIT` bytes."""
    # A character has six bytes at most, as an escape.
    return len(term.value) * 6 > LITERAL_LIMIT and len(str(term).encode()) > LITERAL_LIMIT


def literal_fault(literal: Literal) -> str | None:
    """Return why the lexical form does not fit the datatype (XSD 1.1 part 2, section 3.3).

    None if it fits, or if the datatype is not one of those checked here.
    """
    datatype = literal.datatype.value
    if not datatype.startswith(_XSD):
        return None
    name = datatype[len(_XSD) :]
    text = literal.value if name in _TEXTS else _SPACE.sub(" ", literal.value).strip(" ")
    if name in _RANGES:
        if not _INTEGER.fullmatch(text):
            return f"“{text}” is not an xsd:{name} (use a whole number such as 100{number_hint(text)})"
        least, most = _RANGES[name]
        value = int(text) if len(text) < _DIGITS else -inf if text[0] == "-" else inf
        return None if least <= value <= most else f"“{text}” is outside the range of xsd:{name}"
    if name not in _FORMS:
        return None
    form, example = _FORMS[name]
    found = form.fullmatch(text)
    if found is None:
        hint = number_hint(text) if name in ("decimal", "double", "float") else ""
        return f"“{literal.value}” is not an xsd:{name} (use a form such as {example}{hint})"
    parts = found.groupdict()
    if "day" in parts:
        # A leap year for a day of every year.
        year, month, day = int(parts.get("year", 2000)), int(parts["month"]), int(parts["day"])
        # The Gregorian calendar repeats every 400 years; the standard applies it to earlier years, too.
        last = calendar.monthrange(year % 400 + 400, month)[1]
        if day > last:
            return f"“{literal.value}” is not an xsd:{name}: that month has {last} days"
    return None
