"""Codes in GDELT rows as the bytes that they add to a record; each is looked up once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kg.rdf import ntriples as nt
from kg.rdf.literals import number_hint
from kg.rdf.ntriples import dg, thing
from kg.readers.cells.columns import Form, fold_name
from kg.readers.code_lookup import CodedThing, CodeLookup, remember
from kg.readers.gdelt.blocks import Described
from kg.readers.periods import calendar_day, day_period, period_record, utc_moment
from kg.readers.reading import ReadDay, ReadingJob, document_slug
from kg.readers.reading import document as described
from kg.readers.record import QUAD_CLASSES, CellError
from kg.reference.fact_tables import read_table

_ACTOR_COLUMNS: Final = (
    *("Code", "Name", "CountryCode", "KnownGroupCode", "EthnicCode", "Religion1Code", "Religion2Code"),
    *("Type1Code", "Type2Code", "Type3Code"),
)
_PLACE_COLUMNS: Final = (
    *("Type", "FullName", "CountryCode", "ADM1Code", "ADM2Code", "Lat", "Long", "FeatureID"),
)
NAMES: Final = (
    *("GLOBALEVENTID", "SQLDATE", "MonthYear", "Year", "FractionDate"),
    *(f"Actor{side}{name}" for side in (1, 2) for name in _ACTOR_COLUMNS),
    *("IsRootEvent", "EventCode", "EventBaseCode", "EventRootCode", "QuadClass", "GoldsteinScale"),
    *("NumMentions", "NumSources", "NumArticles", "AvgTone"),
    *(f"{which}Geo_{name}" for which in ("Actor1", "Actor2", "Action") for name in _PLACE_COLUMNS),
    *("DATEADDED", "SOURCEURL"),
)
"""The columns of version 2.0; version 1.0 has no ADM2Code."""
# As GDELT writes them, and as R does.
_TRUTHS: Final = {"0": nt.FALSE, "1": nt.TRUE, "FALSE": nt.FALSE, "TRUE": nt.TRUE}
_QUAD: Final = dict(zip("1234", QUAD_CLASSES, strict=True))
_CACHE_LIMIT: Final = 60_000


@dataclass(frozen=True)
class Layout:
    """Columns of a version of the table, and positions of three places, date added, document address."""

    slug: str
    form: Form
    places: tuple[int, int, int]
    second_level: bool
    added: int
    address: int

    @property
    def place_width(self) -> int:
        """Number of columns of a place."""
        return 8 if self.second_level else 7


# Names that R gives the columns.
_OTHER_NAMES: Final = {
    fold_name(row["other"]): row["name"] for row in read_table("gdelt_column_names.tsv").rows
}


def _form(title: str, names: tuple[str, ...], widths: tuple[int, ...]) -> Form:
    needed = ("GLOBALEVENTID", "SQLDATE", "EventCode")
    return Form(title, names, needed, needed[1], widths, other_names=_OTHER_NAMES)


V2: Final = Layout("gdelt", _form("GDELT 2.0", NAMES, (61,)), (35, 43, 51), True, 59, 60)
V1: Final = Layout(
    "gdelt1",
    _form("GDELT 1.0", tuple(name for name in NAMES if "ADM2" not in name), (58, 57)),
    *((35, 42, 49), False, 56, 57),
)


Key = tuple[bytes, ...]
Entry = tuple[tuple[bytes, ...], bytes, bytes, CodedThing | None]
"""What a code adds to a record: ends of its lines, the text of the row, the IRI (for places only those finer
than a country), and the thing to be described or noted."""

Learnt = tuple[Entry, Entry, tuple[bytes, ...], Entry, Entry, Entry, Entry, Entry]

_NOBODY: Final[Entry] = ((), b"?", b"", None)
_NOWHERE: Final[Entry] = ((), b"", b"", None)


class GdeltCodes:
    """Meanings of the codes in rows, as bytes for records, cached for the following rows.

    The keys of the caches are the bytes of cells. Documents are added to `things` when first used.
    """

    def __init__(self, job: ReadingJob, layout: Layout, ending: bytes) -> None:
        self._job, self._layout, self._ending = job, layout, ending
        self._codings = CodeLookup(job, layout.slug)
        self._known_actors: dict[Key, CodedThing | None] = {}
        self._known_places: dict[Key, CodedThing | str] = {}
        self.days: dict[bytes, Entry] = {}
        self.kinds: dict[Key, tuple[Entry, tuple[bytes, ...]]] = {}
        self.actors: tuple[dict[Key, Entry], ...] = ({}, {})
        self.places: tuple[dict[Key, Entry], ...] = ({}, {}, {})
        self.documents: dict[bytes, tuple[bytes, bytes]] = {}
        self.added: dict[bytes, bytes] = {}
        self.things: list[Described] = []

    def ends(self, *statements: str) -> tuple[bytes, ...]:
        """Return statements without their subject, as ends of lines."""
        return tuple(b" " + one.encode() + self._ending for one in statements)

    def learn(self, row: list[bytes], line: int) -> Learnt | None:
        """Look up the codes of a row; reports an invalid one and returns None."""
        cell = [one.decode() for one in row]
        when = self._job.read_day(cell[1])
        if isinstance(when, str):
            self._job.fault(line, NAMES[1], when)
            return None
        found = self._codings.type(cell[26], cell[28], line)
        if isinstance(found, str):
            self._job.fault(line, NAMES[26], found)
            return None
        key = tuple(row[25:34])
        kind = self.kinds.get(key)
        if kind is None:
            try:
                counted = _numbers(cell)
            except CellError as error:
                self._job.fault(line, error.column, error.reason)
                return None
            kind = self._entry(found), self.ends(f"{_EVENT_TYPE} {found.node}", *counted)
            remember(self.kinds, key, kind, _CACHE_LIMIT)
        actors = [self._actor(row, cell, side, line, when.day) for side in (0, 1)]
        places = []
        for which, column in enumerate(("Actor1Geo", "Actor2Geo", "ActionGeo")):
            place = self._place(row, cell, which, line)
            if isinstance(place, str):
                self._job.fault(line, f"{column}_{'Lat' if 'latitude' in place else 'Long'}", place)
                return None
            places.append(place)
        return (self._day(row[1], when, line), *kind, actors[0], actors[1], places[0], places[1], places[2])

    def _day(self, text: bytes, when: ReadDay, line: int) -> Entry:
        entry = self.days.get(text)
        if entry is None:
            record = period_record(day_period(when.day), line)
            coded = CodedThing(when.node[1:-1], when.day, record, notes=when.notes)
            entry = self.ends(f"{_TIME} {when.node}"), when.day.encode(), b"", coded
            remember(self.days, text, entry, _CACHE_LIMIT)
        return entry

    def _actor(self, row: list[bytes], cell: list[str], side: int, line: int, day: str) -> Entry:
        at = 5 + 10 * side
        key = tuple(row[at : at + 10])
        if key not in self.actors[side]:
            if self._job.resolver.is_dated("cameo", cell[at + 2] or cell[at][:3]):
                coded = self._codings.actor(cell[at : at + 10], line, day)
                return _NOBODY if coded is None else self._entry(coded, *_ROLES[side])
            if key not in self._known_actors:
                remember(self._known_actors, key, self._codings.actor(cell[at : at + 10], line), _CACHE_LIMIT)
            found = self._known_actors[key]
            entry = _NOBODY if found is None else self._entry(found, *_ROLES[side])
            remember(self.actors[side], key, entry, _CACHE_LIMIT)
        return self.actors[side][key]

    def _place(self, row: list[bytes], cell: list[str], which: int, line: int) -> Entry | str:
        at, shift = self._layout.places[which], 1 if self._layout.second_level else 0
        key = tuple(row[at : at + self._layout.place_width])
        entry = self.places[which].get(key)
        if entry is None:
            if key[0] in (b"0", b""):
                entry = _NOWHERE
            else:
                if key not in self._known_places:
                    columns = cell[at : at + 4] + cell[at + 4 + shift : at + 7 + shift]
                    remember(self._known_places, key, self._codings.place(columns, line), _CACHE_LIMIT)
                found = self._known_places[key]
                if isinstance(found, str):
                    return found
                entry = self._entry(found, _PLACES[which])
                if not found.exact:
                    entry = (*entry[:2], b"", entry[3])
            remember(self.places[which], key, entry, _CACHE_LIMIT)
        return entry

    def _entry(self, coded: CodedThing, predicate: str = "", name: str = "") -> Entry:
        statements = [f"{predicate} {coded.node}"] if predicate else []
        if name:
            statements.append(f'{name} "{coded.text}"')
        noted = coded if coded.record is not None or coded.notes else None
        return self.ends(*statements), coded.text.encode(), coded.iri.encode(), noted

    def document(self, address: bytes, line: int) -> tuple[bytes, bytes]:
        """Return the statement that a record was coded from the document at an address, and its slug."""
        text = address.decode()
        slug = document_slug(text)
        one = described(slug, text, line)
        self.things.append((one.iri, one.kind, one.ntriples, line))
        (end,) = self.ends(f"{_FROM} <{one.iri}>")
        remember(self.documents, address, (end, slug.encode()), _CACHE_LIMIT)
        return end, slug.encode()

    def moment(self, text: bytes) -> bytes:
        """Return the statement of when a row was added, empty if unknown."""
        when = _added(text.decode())
        end = self.ends(f"{_ADDED} {when}")[0] if when else b""
        remember(self.added, text, end, _CACHE_LIMIT)
        return end


def _numbers(cell: list[str]) -> list[str]:
    """Return the counts and scores of a row as statements without their subject."""
    root, quad, goldstein = cell[25], cell[29], cell[30]
    statements = []
    if root:
        if root not in _TRUTHS:
            raise CellError("IsRootEvent", f'"{root}" is not 0 or 1')
        statements.append(f"{_ROOT} {_TRUTHS[root]}")
    if quad:
        if quad not in _QUAD:
            raise CellError("QuadClass", f'"{quad}" is not a quad class (1 to 4)')
        statements.append(f"{_QUAD_CLASS} {thing('quad-class', _QUAD[quad])}")
    if goldstein:
        try:
            value = nt.decimal(goldstein)
        except ValueError as error:
            raise CellError("GoldsteinScale", str(error)) from None
        if not -10 <= float(goldstein) <= 10:
            raise CellError("GoldsteinScale", f"{goldstein} is not between -10 and 10")
        statements.append(f"{_GOLDSTEIN} {value}")
    for text, name, predicate in zip(cell[31:34], NAMES[31:34], _COUNTS, strict=True):
        if text:
            if not (text.isascii() and text.isdigit()):
                raise CellError(name, f'"{text}" is not a count{number_hint(text)}')
            statements.append(f"{predicate} {nt.integer(text)}")
    return statements


def _added(text: str) -> str:
    """Read DATEADDED: YYYYMMDDhhmmss in UTC (2.0) or a day (1.0); empty for other text."""
    day = calendar_day(text)
    return nt.date(day) if day else utc_moment(_SEPARATORS.sub("", text)) or ""


_SEPARATORS: Final = re.compile(r"[-:T ]|Z$|UTC$")
_EVENT_TYPE: Final = dg("eventType")
_TIME: Final = dg("time")
_FROM: Final = dg("codedFrom")
_ADDED: Final = dg("addedOn")
_ROOT: Final = dg("isRootEvent")
_QUAD_CLASS: Final = dg("codedQuadClass")
_GOLDSTEIN: Final = dg("goldstein")
_COUNTS: Final = (dg("mentionCount"), dg("sourceCount"), dg("articleCount"))
_PLACES: Final = (dg("codedActorPlace"), dg("codedRecipientPlace"), dg("codedPlace"))
_ROLES: Final = ((dg("codedActor"), dg("actorName")), (dg("codedRecipient"), dg("recipientName")))
