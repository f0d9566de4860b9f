"""Codes of event datasets to things: actors, places and event types, minted for the dataset where unknown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, thing
from kg.readers.reading import NoteKind, Reading, minted
from kg.readers.record import Record
from kg.terms import ID, PREFIXES

# News agencies write the reports; a coder that finds their names in the text takes them for actors of the
# country in which they sit.
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
_CACHE_LIMIT: Final = 500_000
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

Note = tuple[NoteKind, str, str, str | None]


@dataclass(eq=False)
class Coded:
    """What a code stands for: its IRI, the text of the row (escaped), and the description still to be given.

    `exact` tells a place finer than a country. `notes` count what is not known, each time it is met: kind,
    value, the sentence for people, and what stands for it in the graph.
    """

    iri: str
    text: str
    record: Record | None = None
    exact: bool = False
    notes: tuple[Note, ...] = ()
    fresh: bool = True

    @property
    def node(self) -> str:
        """Give the IRI as N-Triples have it."""
        return f"<{self.iri}>"


class Codings:
    """Turns the codes of one dataset's rows into things, with a cache for each kind."""

    def __init__(self, job: Reading, slug: str) -> None:
        self._job, self._slug = job, slug
        self._types: dict[tuple[str, str], Coded | str] = {}

    # Event types

    def cameo(self, code: str, root: str, line: int, column: str) -> Coded | None:
        """Find a CAMEO code's event type, and count its notes; reports what cannot be one and gives None."""
        found = self.type(code, root, line)
        if isinstance(found, str):
            self._job.fault(line, column, found)
            return None
        for kind, value, said, iri in found.notes:
            self._job.notes.add(kind, value, said, line, iri)
        return found

    def type(self, code: str, root: str, line: int) -> Coded | str:
        """Find a CAMEO code's event type; gives a text that says what is wrong where it cannot be one.

        A leading zero that a spreadsheet took away is put back where the row's root code or the scheme leaves
        no doubt, and noted. A code that the scheme does not hold is minted for the dataset, and noted.
        """
        found = self._types.get((code, root))
        if found is None:
            found = self._type(code, root, line)
            remember(self._types, (code, root), found)
        return found

    def _type(self, code: str, root: str, line: int) -> Coded | str:
        stem = f"{ID}event-type/cameo-"
        known = self._job.resolver.event_type
        right = code
        if re.fullmatch(r"\d{1,3}", code, re.ASCII) and not code.startswith("0"):
            short_root = len(root) == 1 and root != "0"
            lost = (short_root and code.startswith(root)) or len(code) == 1
            if lost or (not known(stem + code) and known(f"{stem}0{code}")):
                right = f"0{code}"
        if not _CAMEO.fullmatch(right):
            return f'"{code}" is no CAMEO code (two to four digits, the first two from 01 to 20)'
        notes: tuple[Note, ...] = ()
        if right != code:
            said = f"{code} was read as {right}: a leading zero was lost"
            notes = (("repaired code", code, said, stem + right),)
        if known(stem + right):
            return Coded(stem + right, right, notes=notes)
        iri = f"{ID}event-type/{self._slug}-{right}"
        near = self._job.resolver.suggest_type(right)
        said = f"event code {right} is not in the scheme" + (
            f"; the nearest above it is {near[0]}" if near else ""
        )
        record = self._minted_type(iri, right, line)
        return Coded(iri, right, record, notes=(*notes, ("event type", right, said, iri)))

    def _minted_type(self, iri: str, code: str, line: int) -> Record:
        scheme = thing("scheme", self._slug)
        label = f"code {code} of {self._slug}"
        skos = PREFIXES["skos"]
        lines = (
            f"<{iri}> {TYPE} {dg('EventType')} .\n<{iri}> {TYPE} <{skos}Concept> .\n"
            f"<{iri}> {LABEL} {nt.english(label)} .\n<{iri}> <{skos}prefLabel> {nt.english(label)} .\n"
            f"<{iri}> <{skos}notation> {nt.plain(code)} .\n<{iri}> {_SCHEME} {scheme} .\n"
            f"{scheme} {TYPE} <{skos}ConceptScheme> .\n"
            f"{scheme} {LABEL} {nt.english(f'Codes of {self._slug} that no scheme holds')} .\n"
            f"{scheme} <{skos}prefLabel> {nt.english(f'Codes of {self._slug} that no scheme holds')} .\n"
        )
        return Record(iri, "EventType", lines.encode(), line)

    # Actors

    def actor(self, key: Sequence[str], line: int) -> Coded | None:
        """Read GDELT's ten columns of an actor: code, name, country, group, ethnic, 2 religions, 3 types.

        Nothing is kept for the next row: that is for who asks.
        """
        code, name, country_code, *details = key
        if not code and not name:
            return None
        country = self._job.resolver.country("cameo", country_code) if country_code else None
        text = nt.escape(name or code)
        if country and code == country_code and not any(details):
            return Coded(country, text)
        notes: tuple[Note, ...] = ()
        if country_code and not country:
            said = f"CAMEO country code {country_code} stands for no country here"
            notes = (("country code", country_code, said, None),)
        wire = name in WIRES
        # A known group without a country and with no type but its own kind is the organization itself.
        if key[3] and not country_code and set(key[7:]) <= {"", "IGO", "NGO", "INT"}:
            body = self._job.resolver.organization(key[3])
            if body:
                return Coded(body, text, notes=notes)
        known = self._job.resolver.actor_named(name) if name and any(details) else None
        if known and not known.startswith(f"{ID}country/"):
            return Coded(known, text, notes=notes)
        iri = f"{ID}actor/{minted(self._slug, code, name)}"
        node = f"<{iri}>"
        shown = f"{name} ({code})" if name and code else name or code
        lines = (
            f"{node} {TYPE} {dg('NewsOrganization' if wire else 'Agent')} .\n"
            f"{node} {LABEL} {nt.english(shown)} .\n"
        )
        if code:
            lines += f"{node} {dg('sourceCode')} {nt.plain(code)} .\n"
        if country:
            # Those who report an event are not the country in which they sit: only what was coded is kept.
            lines += f"{node} {dg('codedCountry')} <{country}> .\n"
            if not wire and "MED" not in details[-3:]:
                lines += f"{node} {dg('country')} <{country}> .\n"
        if wire:
            said = (
                f"{name} is a news agency coded as an actor of {code[:3]}; it was not taken for that country"
            )
            notes = (*notes, ("wire service", shown, said, iri))
        own: Note = ("actor", shown, f"{shown} is kept as an actor of the dataset's own", iri)
        return Coded(iri, text, Record(iri, "Agent", lines.encode(), line), notes=(*notes, own))

    # Places

    def place(self, key: Sequence[str], line: int) -> Coded | str:
        """Read GDELT's columns of a place: type, name, country, division, latitude, longitude, feature.

        Gives a text that says what is wrong where no place has such coordinates.
        """
        level, name, fips, division, latitude, longitude, feature = key
        if fault := coordinate_fault(latitude, longitude):
            return fault
        country = self._job.resolver.country("fips", fips) if fips else None
        if level == "1" and country:
            return Coded(country, nt.escape(name))
        iri = f"{ID}place/{minted('gdelt', feature, name) if name != feature else minted('gdelt', name)}"
        lines = place_triples(f"<{iri}>", name or feature, country, latitude, longitude)
        code = feature if level != "1" else fips
        lines += f"<{iri}> {dg('sourceCode')} {nt.plain(code)} .\n" if code else ""
        lines += f"<{iri}> {dg('divisionCode')} {nt.plain(division)} .\n" if division and level != "1" else ""
        notes: tuple[Note, ...] = ()
        if fips and not country:
            said = f"FIPS country code {fips} stands for no country here"
            notes = (("place", f"{name} ({fips})", said, iri),)
        record = Record(iri, "Place", lines.encode(), line)
        return Coded(iri, nt.escape(name), record, exact=level in ("3", "4"), notes=notes)


def remember(cache: dict[_Key, _Value], key: _Key, value: _Value, limit: int = _CACHE_LIMIT) -> None:
    """Keep a value; a full cache begins anew, so that things are described again with the same triples."""
    if len(cache) >= limit:
        cache.clear()
    cache[key] = value


def coordinate_fault(latitude: str, longitude: str) -> str | None:
    """Say what is wrong with coordinates in degrees; both empty is right."""
    if not latitude and not longitude:
        return None
    for text, bound, name in ((latitude, 90, "latitude"), (longitude, 180, "longitude")):
        try:
            degrees = float(text)
        except ValueError:
            return f'"{text}" is no {name} in degrees'
        if not abs(degrees) <= bound:
            return f"{name} {text} lies outside -{bound} to {bound} degrees"
    return None


def place_triples(node: str, name: str, country: str | None, latitude: str, longitude: str) -> str:
    """Describe a place by name, country and coordinates in degrees (WGS 84)."""
    lines = f"{node} {TYPE} {dg('Place')} .\n{node} {LABEL} {nt.english(name)} .\n"
    if country:
        lines += f"{node} {dg('country')} <{country}> .\n"
    if latitude and longitude:
        lines += f"{node} {dg('latitude')} {nt.decimal(latitude)} .\n"
        lines += f"{node} {dg('longitude')} {nt.decimal(longitude)} .\n"
    return lines
