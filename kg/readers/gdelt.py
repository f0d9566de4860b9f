"""GDELT event tables, 2.0 (61 columns) and 1.0 (57 or 58): a row is a coding record.

Columns as the GDELT event codebooks (2.0 of February 2015, 1.03 of 2013) list them. Actor countries are CAMEO
codes, countries of places are FIPS 10-4 codes. Fields are not quoted: a quotation mark is a character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kg.readers import ntriples as nt
from kg.readers.coded import Coded, Codings
from kg.readers.ntriples import LABEL, TYPE, dg, thing
from kg.readers.reading import Reading, calendar_day, dataset, document, document_slug, interval
from kg.readers.record import Record
from kg.terms import ID

_ACTOR_COLUMNS: Final = (
    *("Code", "Name", "CountryCode", "KnownGroupCode", "EthnicCode", "Religion1Code", "Religion2Code"),
    *("Type1Code", "Type2Code", "Type3Code"),
)
_NAMES: Final = (
    *("GLOBALEVENTID", "SQLDATE", "MonthYear", "Year", "FractionDate"),
    *(f"Actor{side}{name}" for side in (1, 2) for name in _ACTOR_COLUMNS),
    *("IsRootEvent", "EventCode", "EventBaseCode", "EventRootCode", "QuadClass", "GoldsteinScale"),
    *("NumMentions", "NumSources", "NumArticles", "AvgTone"),
)
_QUAD: Final = {
    "1": "verbal-cooperation",
    "2": "material-cooperation",
    "3": "verbal-conflict",
    "4": "material-conflict",
}
_HEADER: Final = "globaleventid"


@dataclass(frozen=True)
class Layout:
    """Where a version of the table has its columns: the three places, the date of adding, the address."""

    slug: str
    label: str
    columns: tuple[int, ...]
    places: tuple[int, int, int]
    second_level: bool
    added: int
    address: int | None


V2: Final = Layout("gdelt", "GDELT 2.0", (61,), (35, 43, 51), True, 59, 60)
V1: Final = Layout("gdelt1", "GDELT 1.0", (58, 57), (35, 42, 49), False, 56, 57)


def read_gdelt2(job: Reading) -> Iterator[Record]:
    """Read rows of 61 columns, or of more where a header names them."""
    return _read(job, V2)


def read_gdelt1(job: Reading) -> Iterator[Record]:
    """Read rows of 58 columns, or of 57 as up to March 2013, without an address."""
    return _read(job, V1)


def _read(job: Reading, layout: Layout) -> Iterator[Record]:
    yield dataset(
        layout.slug,
        f"{layout.label} event table",
        "A machine codes news reports as events; each row is one coding, and rows may tell of one event.",
        ("gdelt-project", "The GDELT Project"),
        "Free for any use, with citation of the GDELT Project and a link to its site.",
        "https://www.gdeltproject.org/",
    )
    coded = Codings(job, layout.slug)
    widths = set(layout.columns)
    for line, text in job.lines():
        row = text.split("\t")
        if row[0].lower() == _HEADER:
            # A header may bring columns of somebody's own behind those of GDELT.
            widths = {len(row)} if len(row) > layout.columns[0] else set(layout.columns)
        elif len(row) not in widths:
            expected = " or ".join(str(width) for width in sorted(widths))
            job.fault(line, "", f"the row has {len(row)} columns, and {layout.label} has {expected}")
        else:
            yield from _record(job, coded, layout, row, line, text)


def _record(
    job: Reading, coded: Codings, layout: Layout, row: list[str], line: int, text: str
) -> Iterator[Record]:
    number = row[0]
    if not (number.isascii() and number.isdigit()):
        job.fault(line, _NAMES[0], f'"{number}" is no identifier of an event (digits)')
        return
    when = job.day(row[1], line, _NAMES[1])
    kind = coded.cameo(row[26], row[28], line, _NAMES[26])
    if when is None or kind is None:
        return
    day, interval_node = when
    try:
        numbers = _numbers(row)
    except _ColumnError as error:
        job.fault(line, error.column, error.reason)
        return
    actor, recipient = coded.actor(row, 5, line), coded.actor(row, 15, line)
    places: list[Coded | None] = []
    for offset, column in zip(layout.places, ("Actor1Geo", "Actor2Geo", "ActionGeo"), strict=True):
        place = coded.place(row, offset, layout.second_level, line, column)
        if place is False:
            return
        places.append(place or None)
    address = row[layout.address] if layout.address is not None and len(row) > layout.address else ""

    if job.once.first(day):
        yield interval(day, line)
    for described in (kind, actor, recipient, *places):
        if described is not None and described.fresh:
            described.fresh = False
            if described.record is not None and job.once.first(described.iri):
                yield described.record
    suffix = job.repeated(number, text, line)
    if suffix is None:
        return
    iri = f"{ID}record/{layout.slug}-{number}{suffix}"
    node = f"<{iri}>"
    # The arrow would make every character of the whole take two bytes, so its line is encoded by itself.
    label = (
        f'{node} {LABEL} "{layout.label} {number}: {actor.text if actor else "?"} → '
        f'{recipient.text if recipient else "?"}, {kind.text}"@en .\n'
    ).encode()
    # What codes stand for is written once, with NUL for the record, and filled in here: most of the speed.
    lines = [
        f'\x00 {TYPE} {_RECORD} .\n\x00 {_ID} "{number}" .\n'
        f"\x00 {_DATASET} <{ID}source/{layout.slug}> .\n\x00 {_TIME} {interval_node} .\n",
        kind.said(_EVENT_TYPE),
        numbers,
    ]
    if actor:
        lines.append(actor.said(_ACTOR, _ACTOR_NAME))
    if recipient:
        lines.append(recipient.said(_RECIPIENT, _RECIPIENT_NAME))
    for place, predicate in zip(places, _PLACES, strict=True):
        if place:
            lines.append(place.said(predicate))
    source = ""
    if address:
        source = document_slug(address)
        lines.append(f"\x00 {_FROM} <{ID}source/{source}> .\n")
        if job.once.first(source):
            yield document(source, address, line)
    if added := _added(row[layout.added]):
        lines.append(f"\x00 {_ADDED} {added} .\n")
    if job.grouping is not None:
        where = places[2]
        job.grouping.add(
            iri,
            day,
            actor.iri if actor else "",
            recipient.iri if recipient else "",
            kind.iri,
            where.iri if where and where.exact else "",
            source,
        )
    who = tuple([one.iri for one in (actor, recipient) if one])
    filled = "".join(lines).replace("\x00", node).encode()
    yield Record(iri, "CodingRecord", label + filled, line, kind.iri, day, who)


class _ColumnError(ValueError):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


_cache: dict[tuple[str, ...], str] = {}


def _numbers(row: list[str]) -> str:
    """Write what the row counts and weighs; NUL stands for the record. The cache spares most of the work."""
    key = (row[25], row[29], row[30], row[31], row[32], row[33])
    stem = _cache.get(key)
    if stem is None:
        stem = _checked(key)
        if len(_cache) < 50_000:
            _cache[key] = stem
    if not row[34]:
        return stem
    try:
        return f"{stem}\x00 {_TONE} {nt.decimal(row[34])} .\n"
    except ValueError as error:
        raise _ColumnError("AvgTone", str(error)) from None


def _checked(key: tuple[str, ...]) -> str:
    root, quad, goldstein, *counts = key
    lines = ""
    if root:
        if root not in ("0", "1"):
            raise _ColumnError("IsRootEvent", f'"{root}" is neither 0 nor 1')
        lines += f"\x00 {_ROOT} {nt.TRUE if root == '1' else nt.FALSE} .\n"
    if quad:
        if quad not in _QUAD:
            raise _ColumnError("QuadClass", f'"{quad}" is no quad class (1 to 4)')
        lines += f"\x00 {_QUAD_CLASS} {thing('quad-class', _QUAD[quad])} .\n"
    if goldstein:
        try:
            value = nt.decimal(goldstein)
        except ValueError as error:
            raise _ColumnError("GoldsteinScale", str(error)) from None
        if not -10 <= float(goldstein) <= 10:
            raise _ColumnError("GoldsteinScale", f"{goldstein} lies outside -10 to 10")
        lines += f"\x00 {_GOLDSTEIN} {value} .\n"
    for text, name, predicate in zip(counts, _NAMES[31:34], _COUNTS, strict=True):
        if text:
            if not (text.isascii() and text.isdigit()):
                raise _ColumnError(name, f'"{text}" is no count')
            lines += f"\x00 {predicate} {nt.integer(text)} .\n"
    return lines


@lru_cache(maxsize=100_000)
def _added(text: str) -> str:
    """Read DATEADDED: YYYYMMDDHHMMSS in UTC (2.0) or a day (1.0); what is neither is passed over."""
    day = calendar_day(text[:8])
    clock = re.fullmatch(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)", text[8:], re.ASCII)
    if day and clock:
        return nt.moment(f"{day}T{':'.join(clock.groups())}Z")
    return nt.date(day) if day and len(text) == 8 else ""


_RECORD: Final = dg("CodingRecord")
_ID: Final = dg("recordId")
_DATASET: Final = dg("dataset")
_EVENT_TYPE: Final = dg("eventType")
_TIME: Final = dg("time")
_ACTOR: Final = dg("codedActor")
_RECIPIENT: Final = dg("codedRecipient")
_ACTOR_NAME: Final = dg("actorName")
_RECIPIENT_NAME: Final = dg("recipientName")
_FROM: Final = dg("codedFrom")
_ADDED: Final = dg("addedOn")
_TONE: Final = dg("averageTone")
_ROOT: Final = dg("isRootEvent")
_QUAD_CLASS: Final = dg("codedQuadClass")
_GOLDSTEIN: Final = dg("goldstein")
_COUNTS: Final = (dg("mentionCount"), dg("sourceCount"), dg("articleCount"))
_PLACES: Final = (dg("codedActorPlace"), dg("codedRecipientPlace"), dg("codedPlace"))
