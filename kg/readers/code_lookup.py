"""Looks up the actors, places and event types of codes; unknown ones become things of the dataset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from kg.rdf import ntriples as nt
from kg.rdf.literals import number_hint
from kg.rdf.ntriples import LABEL, TYPE, dg, statements, thing
from kg.readers.reading import ReadingJob, minted
from kg.readers.record import NoteKind, Record
from kg.terms import ID, PREFIXES

# News agencies write the reports; coding programs take their names in the text for actors of their country.
WIRES: Final = frozenset(
    {
        *("REUTERS", "THOMSON REUTERS", "ASSOCIATED PRESS", "THE ASSOCIATED PRESS", "AP", "BLOOMBERG", "UPI"),
        *("AGENCE FRANCE-PRESSE", "AGENCE FRANCE PRESSE", "AFP", "UNITED PRESS INTERNATIONAL", "EFE", "ANSA"),
        *("XINHUA", "XINHUA NEWS AGENCY", "TASS", "ITAR-TASS", "INTERFAX", "RIA NOVOSTI", "DPA", "KYODO"),
        *("KYODO NEWS", "YONHAP", "YONHAP NEWS AGENCY", "PRESS TRUST OF INDIA", "PTI", "ANADOLU AGENCY"),
        *("ANADOLU", "ISLAMIC REPUBLIC NEWS AGENCY", "IRNA", "KCNA", "KOREAN CENTRAL NEWS AGENCY"),
    }
)
_CAMEO: Final = re.compile(r"(?:0[1-9]|1\d|20)\d{0,2}", re.ASCII)
_SCHEME: Final = f"<{PREFIXES['skos']}inScheme>"
# Types of organizations.
_KINDS: Final = {"", "IGO", "NGO", "INT"}
_ALPHA3: Final = 3
_UNKNOWN_FIPS: Final = "{} is not a country in the FIPS list, so the country is missing"
_CACHE_LIMIT: Final = 500_000
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

Note = tuple[NoteKind, str, str]


@dataclass(eq=False)
class CodedThing:
    """The thing that a code or name means: IRI, text of the row (escaped), and its description if it is new.

    `exact` marks a place finer than a country. `notes` are counted at each use: kind, value, and sentence
    for people.
    """

    iri: str
    text: str
    record: Record | None = None
    exact: bool = False
    notes: tuple[Note, ...] = ()
    fresh: bool = True

    @property
    def node(self) -> str:
        """The IRI in N-Triples."""
        return f"<{self.iri}>"


class CodeLookup:
    """Looks up the codes of one dataset, with a cache of event types."""

    def __init__(self, job: ReadingJob, slug: str) -> None:
        self._job, self._slug = job, slug
        self._types: dict[tuple[str, str], CodedThing | str] = {}

    # Event types

    def cameo(self, code: str, root: str, line: int, column: str) -> CodedThing | None:
        """Return the event type of a CAMEO code and add its notes; report an invalid code and return None."""
        found = self.type(code, root, line)
        if isinstance(found, str):
            self._job.fault(line, column, found)
            return None
        self._job.notes.add_all(found.notes, line)
        return found

    def type(self, code: str, root: str, line: int) -> CodedThing | str:
        """Return the event type of a CAMEO code, or a message if the code is invalid.

        A leading zero removed by a spreadsheet is restored if the row's root code or the scheme leaves no
        doubt. A code missing in the scheme becomes an event type of the dataset. Both are noted.
        """
        if (code, root) not in self._types:
            remember(self._types, (code, root), self._type(code, root, line))
        return self._types[code, root]

    def _type(self, code: str, root: str, line: int) -> CodedThing | str:
        stem = f"{ID}event-type/cameo-"
        known = self._job.resolver.event_type
        right = code
        if re.fullmatch(r"\d{1,3}", code, re.ASCII) and not code.startswith("0"):
            # A root below 10, with its zero or without.
            digit = root.removeprefix("0") if len(root) <= 2 else ""
            lost = (len(digit) == 1 and digit != "0" and code.startswith(digit)) or len(code) == 1
            if lost or (not known(stem + code) and known(f"{stem}0{code}")):
                right = f"0{code}"
        if not _CAMEO.fullmatch(right):
            return f'"{code}" is not a CAMEO code (two to four digits, beginning with 01 to 20)'
        notes = self._zeros(code) if not root else ()
        if root and not right.startswith(root.zfill(2)):
            text = f"event code {code} does not belong to root code {root}; the event code was kept"
            notes = (("event type", f"{root} {code}", text),)
        if right != code:
            text = f"event code {code} was read as {right}, with its leading zero"
            notes = (*notes, ("repaired code", code, text))
        if known(stem + right):
            return CodedThing(stem + right, right, notes=notes)
        iri = f"{ID}event-type/{self._slug}-{right}"
        near = self._job.resolver.suggest_type(right)
        text = f"event code {right} is not in the scheme" + (f"; its parent is {near[0]}" if near else "")
        record = own_event_type(iri, f"code {right} of {self._slug}", self._slug, line, code=right)
        return CodedThing(iri, right, record, notes=(*notes, ("event type", right, text)))

    def _zeros(self, code: str) -> tuple[Note, ...]:
        """Note a code of two digits that may have lost a zero, and one that kept it."""
        if code.startswith("0"):
            return (("kept zero", "", ""),)
        stems = (f"{ID}event-type/cameo-{zero}{code}" for zero in ("", "0"))
        if len(code) != 2 or not all(map(self._job.resolver.event_type, stems)):
            return ()
        text = f"event code {code} may be 0{code} without its leading zero, as no code of the table has one;"
        return (("lost zero", code, f"{text} it was read as {code}"),)

    # Actors

    def actor(self, key: Sequence[str], line: int, day: str = "") -> CodedThing | None:
        """Look up GDELT's ten columns of an actor: code, name, country, group, ethnic, 2 religions, 3 types.

        Returns None if the row has no actor. The result is not cached here; it depends on the day if the code
        `is_dated`.
        """
        code, name, country_code, *details = key
        if not code and not name:
            return None
        resolver = self._job.resolver
        # GDELT leaves the column empty for some countries, with which the code begins all the same.
        stem = code[:_ALPHA3]
        if not country_code and stem not in {detail.upper() for detail in details}:
            country_code = stem if resolver.country("cameo", stem) or resolver.region(stem) else ""
        country = resolver.country("cameo", country_code, day)
        region = None if country else resolver.region(country_code)
        text = nt.escape(name or code)
        mistimed = country and resolver.mistimed("cameo", country_code, day)
        notes: tuple[Note, ...] = (("country code", mistimed, mistimed),) if mistimed else ()
        if country and code == country_code and not any(details):
            return CodedThing(country, text, notes=notes)
        if country_code and not country:
            kind = "is a region" if region else "is not a country in the CAMEO list"
            notes = (("country code", country_code, f"{country_code} {kind}, so the actor has no country"),)
        wire = name in WIRES
        # A known group without country and with no other type than its own is the organization itself; a code
        # with further parts is a body of it: IGOUNOKID is UNICEF.
        own_code = "".join(code.split(key[3], 1)) if key[3] else ""
        if key[3] and not country_code and own_code in _KINDS and set(key[7:]) <= _KINDS:
            body = resolver.organization(key[3])
            if body:
                return CodedThing(body, text, notes=notes)
        known = resolver.actor_named(name) if name and any(details) else None
        if known and not known.startswith(f"{ID}country/"):
            return CodedThing(known, text, notes=notes)
        # An actor has one country: that of another time than today makes it an actor of its own.
        other = country if country != resolver.country("cameo", country_code) else None
        iri = f"{ID}actor/{minted(self._slug, code, name, *([other.rpartition('/')[2]] if other else []))}"
        shown = f"{name} ({code})" if name and code else name or code
        media = "MED" in details[-3:]
        record = own_agent(iri, shown, country, line, wire=wire, media=media, code=code, region=region)
        if wire:
            what = f"{name} is a news agency coded as an actor of {code[:3]}"
            notes = (*notes, ("wire service", shown, f"{what}; it was not taken for the country"))
        return CodedThing(iri, text, record, notes=notes)

    # Places

    def place(self, key: Sequence[str], line: int) -> CodedThing | str:
        """Look up GDELT's columns of a place: type, name, country, division, latitude, longitude, feature.

        Returns a message if the coordinates are invalid.
        """
        level, name, fips, division, latitude, longitude, feature = key
        if fault := coordinate_fault(latitude, longitude):
            return fault
        country = self._job.resolver.country("fips", fips) if fips else None
        if level == "1" and country:
            return CodedThing(country, nt.escape(name))
        key = (feature, name) if name != feature else (name,)
        iri = f"{ID}place/{minted('gdelt', *(key if any(key) else (fips, latitude, longitude)))}"
        shown = name or feature or (point_name(latitude, longitude) if latitude else "unnamed place")
        lines = place_triples(f"<{iri}>", shown, country, latitude, longitude)
        code, division = (fips, "") if level == "1" else (feature, division)
        lines += statements(
            f"<{iri}>",
            (dg("sourceCode"), code and nt.plain(code)),
            (dg("divisionCode"), division and nt.plain(division)),
        )
        notes: tuple[Note, ...] = ()
        if fips and not country:
            notes = (("place", f"{name} ({fips})", _UNKNOWN_FIPS.format(fips)),)
        record = Record(iri, "Place", lines.encode(), line)
        return CodedThing(iri, nt.escape(name), record, exact=level in ("3", "4"), notes=notes)


def remember(cache: dict[_Key, _Value], key: _Key, value: _Value, limit: int = _CACHE_LIMIT) -> None:
    """Cache a value; a full cache is cleared, so things may be described again with the same triples."""
    if len(cache) >= limit:
        cache.clear()
    cache[key] = value


def coordinate_fault(latitude: str, longitude: str) -> str | None:
    """Return what is wrong with coordinates in degrees, None if they are valid or both empty."""
    if not latitude and not longitude:
        return None
    for text, bound, name in ((latitude, 90, "latitude"), (longitude, 180, "longitude")):
        if not text:
            return f"the {name} is missing"
        try:
            degrees = float(text)
        except ValueError:
            return f'"{text}" is not a {name} in degrees{number_hint(text)}'
        if not abs(degrees) <= bound:
            return f"{name} {text} is not between -{bound} and {bound} degrees"
    return None


def point_name(latitude: str, longitude: str) -> str:
    """Return the name of a place that is known by its point alone."""
    return f"{latitude}°, {longitude}°"


def place_triples(node: str, name: str, country: str | None, latitude: str, longitude: str) -> str:
    """Return the description of a place: name, country and coordinates in degrees (WGS 84)."""
    located = latitude and longitude
    return statements(
        node,
        (TYPE, dg("Place")),
        (LABEL, nt.english(name)),
        (dg("country"), country and f"<{country}>"),
        (dg("latitude"), located and nt.decimal(latitude)),
        (dg("longitude"), located and nt.decimal(longitude)),
    )


def own_event_type(
    iri: str, name: str, slug: str, line: int, *, code: str = "", broader: str | None = None
) -> Record:
    """Describe an event type that no scheme contains, in the scheme of its dataset."""
    skos, scheme, label = PREFIXES["skos"], thing("scheme", slug), nt.english(name)
    title = nt.english(f"Event types of {slug} outside other schemes")
    lines = statements(
        f"<{iri}>",
        (TYPE, dg("EventType")),
        (TYPE, f"<{skos}Concept>"),
        (LABEL, label),
        (f"<{skos}prefLabel>", label),
        (_SCHEME, scheme),
        (f"<{skos}notation>", code and nt.plain(code)),
        (f"<{skos}broader>", broader and f"<{broader}>"),
    )
    lines += statements(
        scheme, (TYPE, f"<{skos}ConceptScheme>"), (LABEL, title), (f"<{skos}prefLabel>", title)
    )
    return Record(iri, "EventType", lines.encode(), line)


def own_agent(
    iri: str,
    name: str,
    country: str | None,
    line: int,
    *,
    wire: bool,
    media: bool = False,
    code: str = "",
    region: str | None = None,
) -> Record:
    """Describe an actor of a dataset; wire services and media do not act for their coded country."""
    lines = statements(
        f"<{iri}>",
        (TYPE, dg("NewsOrganization" if wire else "Agent")),
        (LABEL, nt.english(name)),
        (dg("sourceCode"), code and nt.plain(code)),
        (dg("codedCountry"), country and f"<{country}>"),
        (dg("codedRegion"), region and f"<{region}>"),
        (dg("country"), f"<{country}>" if country and not (wire or media) else None),
    )
    return Record(iri, "Agent", lines.encode(), line)
