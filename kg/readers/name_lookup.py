"""Looks up actors and places by name (ICEWS, POLECAT); unknown ones become things of the dataset."""

from __future__ import annotations

from collections.abc import Iterator

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, thing
from kg.readers.code_lookup import WIRES, Coded, Note, coordinate_fault, own_agent, place_triples, remember
from kg.readers.periods import day_period, period_record
from kg.readers.reading import ReadingJob, minted
from kg.readers.record import Record
from kg.terms import ID, PREFIXES, slugify


class NamedCodings:
    """Looks up the names of one dataset, with a cache for each kind."""

    def __init__(self, job: ReadingJob, slug: str) -> None:
        self._job, self._slug = job, slug
        self._actors: dict[tuple[str, str | None], Coded] = {}
        self._places: dict[tuple[str, ...], Coded | str | None] = {}

    def actor(self, name: str, country: str | None, line: int) -> Coded:
        """Return the actor with a name; `country` is the IRI of the country in the row, if any."""
        found = self._actors.get((name, country))
        if found is None:
            found = self._actor(name, country, line)
            remember(self._actors, (name, country), found)
        self._job.notes.add_all(found.notes, line)
        return found

    def _actor(self, name: str, country: str | None, line: int) -> Coded:
        wire = name.upper() in WIRES
        known = self._job.resolver.actor_named(name)
        if known and not (wire and known.startswith(f"{ID}country/")):
            return Coded(known, nt.escape(name))
        iri = f"{ID}actor/{minted(self._slug, name, '' if country is None else country.rpartition('/')[2])}"
        if wire:
            text = f"{name} is a news agency coded as an actor; it was not taken for its country"
            self._job.notes.add("wire service", name, text, line, iri)
        own: Note = ("actor", name, f"{name} was added as an actor of the dataset", iri)
        return Coded(iri, nt.escape(name), own_agent(iri, name, country, line, wire=wire), notes=(own,))

    def country(self, name: str, line: int) -> str | None:
        """Return the country with a name; an unknown one is noted."""
        if not name:
            return None
        found = self._job.resolver.country_named(name)
        if found:
            return found
        self._job.notes.add(
            "country code", name, f"{name} is not a known country, so the country is missing", line
        )
        return None

    def place(
        self,
        levels: tuple[str, ...],
        country: str | None,
        latitude: str,
        longitude: str,
        line: int,
        geonames: str = "",
    ) -> Coded | str | None:
        """Return the place with names of levels, the smallest first, or a message for bad coordinates.

        Without a name smaller than the country, the place is the country.
        """
        key = (*levels, country or "", latitude, longitude, geonames)
        try:
            found = self._places[key]
        except KeyError:
            found = self._place(levels, country, latitude, longitude, line, geonames)
            remember(self._places, key, found)
        return found

    def _place(
        self,
        levels: tuple[str, ...],
        country: str | None,
        latitude: str,
        longitude: str,
        line: int,
        geonames: str,
    ) -> Coded | str | None:
        if fault := coordinate_fault(latitude, longitude):
            return fault
        names = list(dict.fromkeys(level for level in levels if level))
        if not names:
            return Coded(country, nt.escape(country.rpartition("/")[2].upper())) if country else None
        label = ", ".join(names)
        own = minted(self._slug, *names, (country or "").rpartition("/")[2], latitude, longitude)
        iri = f"{ID}place/{f'geonames-{geonames}' if geonames else own}"
        lines = place_triples(f"<{iri}>", label, country, latitude, longitude)
        if geonames:
            lines += f"<{iri}> <{PREFIXES['skos']}exactMatch> <https://sws.geonames.org/{geonames}/> .\n"
        return Coded(iri, nt.escape(label), Record(iri, "Place", lines.encode(), line), exact=True)


def described(job: ReadingJob, day: str, things: list[Coded | None], line: int) -> Iterator[Record]:
    """Yield descriptions of the day, actors, places and types of a row that were not described before."""
    if job.once.first(day):
        yield period_record(day_period(day), line)
    for one in things:
        if one is not None and one.fresh:
            one.fresh = False
            if one.record is not None and job.once.first(one.iri):
                yield one.record


def head(iri: str, slug: str, identifier: str, label: str, day: str) -> str:
    """Return the first statements of every record: class, label, row identifier, dataset and day."""
    node = f"<{iri}>"
    return (
        f"{node} {TYPE} {dg('CodingRecord')} .\n{node} {LABEL} {nt.english(label)} .\n"
        f"{node} {dg('recordId')} {nt.plain(identifier)} .\n"
        f"{node} {dg('dataset')} {thing('source', slug)} .\n{node} {dg('time')} {thing('time', day)} .\n"
    )


def safe(identifier: str) -> str:
    """Return a row's identifier in a form that is valid in an IRI."""
    return identifier if identifier.isascii() and identifier.isalnum() else slugify(identifier)
