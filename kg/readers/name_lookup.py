"""Looks up actors and places by name (ICEWS, POLECAT); unknown ones become things of the dataset."""

from __future__ import annotations

from collections.abc import Iterator

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, statements, thing
from kg.readers.code_lookup import (
    WIRES,
    CodedThing,
    Note,
    coordinate_fault,
    own_agent,
    place_triples,
    point_name,
    remember,
)
from kg.readers.periods import day_period, period_record
from kg.readers.reading import ReadingJob, minted
from kg.readers.record import Record
from kg.terms import ID, PREFIXES


class NameLookup:
    """Looks up the names of one dataset, with a cache for each kind."""

    def __init__(self, job: ReadingJob, slug: str) -> None:
        self._job, self._slug = job, slug
        self._actors: dict[tuple[str, str | None, str, str], CodedThing] = {}
        self._dated: dict[str, bool] = {}
        self._countries: dict[tuple[str, str], tuple[str | None, str | None]] = {}
        self._places: dict[tuple[str, ...], CodedThing | str | None] = {}

    def actor(self, name: str, country: str | None, line: int, day: str = "", last: str = "") -> CodedThing:
        """Return the actor with a name at a time; `country` is the IRI of the country in the row, if any."""
        key = (name, country, day, last) if self._is_dated(name) else (name, country, "", "")
        if key not in self._actors:
            remember(self._actors, key, self._actor(*key, line))
        self._job.notes.add_all(self._actors[key].notes, line)
        return self._actors[key]

    def _actor(self, name: str, country: str | None, day: str, last: str, line: int) -> CodedThing:
        wire = name.upper() in WIRES
        known = self._job.resolver.actor_named(name, day, last)
        if known and not (wire and known.startswith(f"{ID}country/")):
            text = self._job.resolver.mistimed("name", name, day, last)
            return CodedThing(known, nt.escape(name), notes=(("country code", text, text),) if text else ())
        iri = f"{ID}actor/{minted(self._slug, name, '' if country is None else country.rpartition('/')[2])}"
        text = f"{name} is a news agency coded as an actor; it was not taken for its country"
        notes: tuple[Note, ...] = (("wire service", name, text),) if wire else ()
        return CodedThing(iri, nt.escape(name), own_agent(iri, name, country, line, wire=wire), notes=notes)

    def country(self, name: str, line: int, day: str = "") -> str | None:
        """Return the country with a name on a day; an unknown one is noted."""
        if not name:
            return None
        key = (name, day if self._is_dated(name) else "")
        if key not in self._countries:
            found = self._job.resolver.country_named(*key)
            missing = None if found else f"{name} is not a known country, so the country is missing"
            remember(self._countries, key, (found, missing or self._job.resolver.mistimed("name", *key)))
        found, text = self._countries[key]
        if text:
            self._job.notes.add("country code", text, text, line)
        return found

    def _is_dated(self, name: str) -> bool:
        if name not in self._dated:
            remember(self._dated, name, self._job.resolver.is_dated("name", name))
        return self._dated[name]

    def place(
        self,
        levels: tuple[str, ...],
        country: str | None,
        latitude: str,
        longitude: str,
        line: int,
        geonames: str = "",
    ) -> CodedThing | str | None:
        """Return the place with names of levels, the smallest first, or a message for bad coordinates.

        Without a name smaller than the country, the place is the country, and without that its point.
        """
        key = (*levels, country or "", latitude, longitude, geonames)
        if key in self._places:
            return self._places[key]
        found: CodedThing | str | None = coordinate_fault(latitude, longitude)
        names = list(dict.fromkeys(level for level in levels if level))
        country_slug = (country or "").rpartition("/")[2]
        if found is None and not names and not country and latitude:
            names = [point_name(latitude, longitude)]
        if found is None and names:
            label = ", ".join(names)
            own = minted(self._slug, *names, country_slug, latitude, longitude)
            iri = f"{ID}place/{f'geonames-{geonames}' if geonames else own}"
            lines = place_triples(f"<{iri}>", label, country, latitude, longitude)
            same = f"<https://sws.geonames.org/{geonames}/>" if geonames else None
            lines += statements(f"<{iri}>", (f"<{PREFIXES['skos']}exactMatch>", same))
            record = Record(iri, "Place", lines.encode(), line)
            found = CodedThing(iri, nt.escape(label), record, exact=True)
        elif found is None and country:
            found = CodedThing(country, nt.escape(country_slug.upper()))
        remember(self._places, key, found)
        return found


def described(job: ReadingJob, day: str, things: list[CodedThing | None], line: int) -> Iterator[Record]:
    """Yield descriptions of the day, actors, places and types of a row that were not described before."""
    if job.once.first(day):
        yield period_record(day_period(day), line)
    for one in things:
        if one is not None and one.fresh:
            one.fresh = False
            made = one.record
            if made is not None and job.is_new(made.iri, made.kind, made.ntriples, line):
                yield made


def head(iri: str, slug: str, identifier: str, label: str, day: str) -> str:
    """Return the first statements of every record: class, label, row identifier, dataset and day."""
    return statements(
        f"<{iri}>",
        (TYPE, dg("CodingRecord")),
        (LABEL, nt.english(label)),
        (dg("recordId"), nt.plain(identifier)),
        (dg("dataset"), thing("source", slug)),
        (dg("time"), thing("time", day)),
    )
