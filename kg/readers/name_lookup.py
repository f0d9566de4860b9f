"""Tables that name actors and places in words (ICEWS, POLECAT): names to things, minted where unknown."""

from __future__ import annotations

from collections.abc import Iterator

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, thing
from kg.readers.code_lookup import WIRES, Coded, Note, coordinate_fault, place_triples, remember
from kg.readers.reading import Reading, interval, minted
from kg.readers.record import Record
from kg.terms import ID, PREFIXES, slugify


class NamedCodings:
    """Turns the names of one dataset's rows into things, with a cache for each kind."""

    def __init__(self, job: Reading, slug: str) -> None:
        self._job, self._slug = job, slug
        self._actors: dict[tuple[str, str | None], Coded] = {}
        self._places: dict[tuple[str, ...], Coded | str | None] = {}

    def actor(self, name: str, country: str | None, line: int) -> Coded:
        """Find who is meant by a name; `country` is the IRI of the country that the row gives, if any."""
        found = self._actors.get((name, country))
        if found is None:
            found = self._actor(name, country, line)
            remember(self._actors, (name, country), found)
        self._count(found, line)
        return found

    def _actor(self, name: str, country: str | None, line: int) -> Coded:
        wire = name.upper() in WIRES
        known = self._job.resolver.actor_named(name)
        if known and not (wire and known.startswith(f"{ID}country/")):
            return Coded(known, nt.escape(name))
        iri = f"{ID}actor/{minted(self._slug, name, '' if country is None else country.rpartition('/')[2])}"
        node = f"<{iri}>"
        lines = f"{node} {TYPE} {dg('NewsOrganization' if wire else 'Agent')} .\n"
        lines += f"{node} {LABEL} {nt.english(name)} .\n"
        if country:
            lines += f"{node} {dg('codedCountry')} <{country}> .\n"
            lines += "" if wire else f"{node} {dg('country')} <{country}> .\n"
        if wire:
            said = f"{name} is a news agency coded as an actor; it was not taken for its country"
            self._job.notes.add("wire service", name, said, line, iri)
        own: Note = ("actor", name, f"{name} is kept as an actor of the dataset's own", iri)
        return Coded(iri, nt.escape(name), Record(iri, "Agent", lines.encode(), line), notes=(own,))

    def country(self, name: str, line: int) -> str | None:
        """Find a country by its name, and note one that is not known."""
        if not name:
            return None
        found = self._job.resolver.country_named(name)
        if found:
            return found
        self._job.notes.add("country code", name, f"{name} is the name of no country here", line)
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
        """Find a place by the names of its levels, the narrowest first; gives a text for bad coordinates.

        A row that names nothing narrower than the country means the country.
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

    def _count(self, found: Coded, line: int) -> None:
        for kind, value, said, iri in found.notes:
            self._job.notes.add(kind, value, said, line, iri)


def described(job: Reading, day: str, things: list[Coded | None], line: int) -> Iterator[Record]:
    """Give what a row needs and nobody has described yet: its day, actors, places and types."""
    if job.once.first(day):
        yield interval(day, line)
    for one in things:
        if one is not None and one.fresh:
            one.fresh = False
            if one.record is not None and job.once.first(one.iri):
                yield one.record


def head(iri: str, slug: str, identifier: str, label: str, day: str) -> str:
    """Write what every record says first: what it is, which row of which dataset, and when."""
    node = f"<{iri}>"
    return (
        f"{node} {TYPE} {dg('CodingRecord')} .\n{node} {LABEL} {nt.english(label)} .\n"
        f"{node} {dg('recordId')} {nt.plain(identifier)} .\n"
        f"{node} {dg('dataset')} {thing('source', slug)} .\n{node} {dg('time')} {thing('time', day)} .\n"
    )


def safe(identifier: str) -> str:
    """Make a row's identifier fit for an IRI: as it is where it can be."""
    return identifier if identifier.isascii() and identifier.isalnum() else slugify(identifier)
