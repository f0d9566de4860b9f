"""Actors, places and event types by code or name: looked up in the graph, never guessed."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, Literal

from pyoxigraph import Literal as Value
from pyoxigraph import NamedNode

from kg.reference.fact_tables import read_table
from kg.store import Store
from kg.terms import GRAPH_COUNTRIES, ID, PREFIXES, mint

CodeSystem = Literal["cameo", "fips", "cow", "gw", "polity", "iso2", "iso3", "numeric"]
Naming = CodeSystem | Literal["name"]
# Systems whose codes are mostly those of another one.
_ELSE: Final[dict[CodeSystem, CodeSystem]] = {"cameo": "iso3", "gw": "cow", "polity": "cow"}

_COUNTRY: Final = f"{ID}country/"
_FORMER: Final = (f"{ID}country/cow-", f"{ID}country/former-")
_PREFIXES: Final = "".join(f"PREFIX {name}: <{PREFIXES[name]}>\n" for name in ("dg", "rdfs", "skos"))
_COUNTRY_CODES: Final = """SELECT DISTINCT ?thing ?system ?code WHERE {
  VALUES (?property ?system) { (dg:iso2 "iso2") (dg:iso3 "iso3") (dg:fips "fips") (dg:cameo "cameo")
    (dg:cow "cow") (dg:cowAbbreviation "cow") (dg:isoNumeric "numeric") }
  ?thing ?property ?code .
}"""
# Only actors and places: the label of a claim must not become an actor.
_NAMES: Final = """SELECT DISTINCT ?thing ?name WHERE {
  VALUES ?class { dg:Country dg:Organization dg:Government dg:Administration dg:Agency
    dg:InternationalOrganization dg:NewsOrganization dg:Person dg:PopulationGroup
    dg:Place dg:Region dg:Facility }
  ?thing a ?class ; rdfs:label|skos:altLabel|skos:prefLabel|skos:hiddenLabel ?name .
}"""
_COUNTRIES: Final = f"SELECT ?thing {{ GRAPH {GRAPH_COUNTRIES} {{ ?thing a dg:Country }} }}"
_LABELS: Final = """
SELECT DISTINCT ?thing ?name WHERE { ?thing a dg:Country ; rdfs:label ?name . FILTER(LANG(?name) = "en") }"""
_CAMEO: Final = f"{ID}event-type/cameo-"
_TYPE_NAMES: Final = f"""SELECT DISTINCT ?thing ?name WHERE {{
  ?thing skos:inScheme <{ID}scheme/cameo> ; rdfs:label ?name . FILTER(LANG(?name) = "en") }}"""
_POINTS: Final = f"""SELECT ?thing ?latitude ?longitude WHERE {{
  ?thing dg:latitude ?latitude ; dg:longitude ?longitude ; a dg:Place .
  FILTER(!STRSTARTS(STR(?thing), "{ID}place/gdelt-")) }}"""
# Degrees between two points that may mean one place.
_NEAR: Final = 0.5
_TYPES: Final = "SELECT DISTINCT ?thing WHERE { ?thing a dg:EventType ; skos:inScheme ?scheme }"


@dataclass(frozen=True)
class DatedCode:
    """A code (or a name, of the system "name") that means a country from one day to another, both inclusive.

    A bound is empty if there is none, and `country` where the name is that of a part of a state. The system
    "state" has the days between which a former state existed.
    """

    system: str
    code: str
    country: str
    begin: str = ""
    end: str = ""


def dated_codes() -> Iterator[DatedCode]:
    """Yield codes and names with days, and former states, from the tables of ontology/reference/."""
    codes, names = read_table("dataset_codes.tsv").rows, read_table("dataset_names.tsv").rows
    rows = [(row["system"], row["code"], row) for row in codes]
    rows += [("name", row["name"], row) for row in names if row["from"] or row["to"]]
    rows += [("state", row["country"], row) for row in read_table("former_states.tsv").rows]
    for system, code, row in rows:
        country = mint("country", row["country"]).value if row["country"] else ""
        yield DatedCode(system, code, country, row["from"], row["to"])


class Resolver:
    """Codes and names of actors, places and event types, read from the graph once and kept in memory.

    An ambiguous name resolves to nothing. Things that loads mint (`id/actor/…`, countries outside the graph
    of countries) are left out, so that every load resolves names and codes like the first one.
    """

    def __init__(
        self,
        *,
        codes: Iterable[tuple[CodeSystem, str, str]] = (),
        names: Iterable[tuple[str, str]] = (),
        labels: Iterable[tuple[str, str]] = (),
        types: Iterable[str] = (),
        type_names: Iterable[tuple[str, str]] = (),
        dated: Iterable[DatedCode] = (),
        points: Iterable[tuple[str, str, str]] = (),
    ) -> None:
        """Take (system, code, IRI), (name, IRI), (label, IRI) of countries, and IRIs of known event types.

        `type_names` are (name, IRI) of the event types of CAMEO. `dated` are codes and names that mean a
        country at some time only, or in one system only. `points` are (latitude, longitude, IRI) of places.
        """
        self._points = {iri: (float(north), float(east)) for north, east, iri in points}
        self._codes: dict[tuple[str, str], set[str]] = defaultdict(set)
        for system, code, iri in codes:
            self._codes[system, _code(code)].add(iri)
        self._dated: dict[tuple[str, str], list[DatedCode]] = defaultdict(list)
        self._existed: dict[str, DatedCode] = {}
        for one in dated:
            key = _name_key(one.code) if one.system == "name" else _code(one.code)
            self._dated[one.system, key].append(one)
            if one.system == "state":
                self._existed[one.country] = one
        self._names: dict[str, set[str]] = defaultdict(set)
        self._spelling: dict[str, str] = {}
        for name, iri in names:
            if not iri.startswith((f"{ID}actor/", f"{ID}place/gdelt-")):
                self._names[fold(name)].add(iri)
                self._spelling.setdefault(fold(name), name)
        self._squeezed: dict[str, set[str]] = defaultdict(set)
        for key, iris in self._names.items():
            self._squeezed[_squeeze(key)] |= iris
        self._labels = {iri: label for label, iri in labels}
        self._types = frozenset(types)
        self._type_names: dict[str, set[str]] = defaultdict(set)
        for name, iri in type_names:
            self._type_names[fold(name)].add(iri)
        self._things = frozenset(iri for iris in self._names.values() for iri in iris)

    @classmethod
    def of(cls, store: Store, *, points: bool = False) -> Resolver:
        """Read codes, names, labels and event types from a store, and the points of places if wanted."""
        # Each is read to the end: an open answer would block the others if there is only one worker.
        countries = {iri for (iri,) in _rows(store, _COUNTRIES, "thing")}

        def known(rows: Iterable[Any]) -> list[Any]:
            return [row for row in rows if row[-1] in countries or not row[-1].startswith(_COUNTRY)]

        return cls(
            codes=known(_rows(store, _COUNTRY_CODES, "system", "code", "thing")),
            names=known(_rows(store, _NAMES, "name", "thing")),
            labels=known(_rows(store, _LABELS, "name", "thing")),
            types=[iri for (iri,) in _rows(store, _TYPES, "thing")],
            type_names=_rows(store, _TYPE_NAMES, "name", "thing"),
            dated=[code for code in dated_codes() if not code.country or code.country in countries],
            points=_rows(store, _POINTS, "latitude", "longitude", "thing") if points else (),
        )

    def country(self, system: CodeSystem, code: str, day: str = "", last: str = "") -> str | None:
        """Find a country's IRI by a code; COW codes as number or abbreviation, numbers also as 771.0.

        `day` (YYYY-MM-DD) is one on which the code was used, or the first one up to `last`: COW 345 is
        Yugoslavia from 1918 to 1992. Without it, a state of today precedes a former one with the same code:
        COW 345 is Serbia. A code that meant no country then means that of the nearest time; see `mistimed`.
        """
        key = _code(code)
        found = self._codes.get((system, key), ())
        if dated := self._on(system, key, found, day, last):
            return dated.country
        today = [iri for iri in found if iri.startswith(_COUNTRY) and not iri.startswith(_FORMER)]
        iri = _only(today) if today else self._coded(system, code, _FORMER)
        return self.country(_ELSE[system], code, day, last) if iri is None and system in _ELSE else iri

    def mistimed(self, system: Naming, code: str, day: str, last: str = "") -> str | None:
        """Return a sentence about a code or name that no country had at a time; None if one had it.

        Without a day it is about a code or name that has not always meant the country that it means today.
        """
        key, found = self._holders(system, code)
        if not self._meanings(system, key, found) and system in _ELSE:
            return self.mistimed(_ELSE[system], code, day, last)
        if not day:
            return self._undated(system, code, self._meanings(system, key, found))
        one = self._on(system, key, found, day, last)
        if one is None or _overlaps(one, day, last):
            return None
        label = self._shown(one.country)
        return f"{code} was used for {label} {_days(one)}, not at the time of the row; it was read as {label}"

    def _undated(self, system: Naming, code: str, meanings: list[DatedCode]) -> str | None:
        iri = self.country_named(code) if system == "name" else self.country(system, code)
        bounded = [one for one in meanings if one.country and (one.begin or one.end)]
        if iri is None or not bounded or len({one.country for one in meanings}) < 2:
            return None
        others = [one for one in bounded if one.country != iri] or bounded
        used = " and ".join(f"{self._shown(one.country)} {_days(one)}" for one in others)
        return f"{code} was used for {used}; the row has no date, so it was read as {self._shown(iri)}"

    def _shown(self, country: str) -> str:
        return self._labels.get(country) or country.removeprefix(_COUNTRY)

    def is_dated(self, system: Naming, code: str) -> bool:
        """Return whether the country that a code or name means depends on the day."""
        key, found = self._holders(system, code)
        meanings = self._meanings(system, key, found)
        if not meanings and system in _ELSE:
            return self.is_dated(_ELSE[system], code)
        return any(one.begin or one.end for one in meanings)

    def _holders(self, system: str, code: str) -> tuple[str, Collection[str]]:
        """Return a code or name as a key, and the countries that have it in the graph."""
        if system == "name":
            return _name_key(code), self._countries_named(code)
        return _code(code), self._codes.get((system, _code(code)), ())

    def _on(self, system: str, key: str, found: Collection[str], day: str, last: str) -> DatedCode | None:
        """Return what a code meant on a day, or at the nearest time; None if it means one country always.

        `found` are the countries with the code in the graph. A name that none has is that of a place today.
        """
        always = [one for one in self._dated.get((system, key), ()) if not (one.begin or one.end)]
        if not day:
            return always[0] if always else None
        meanings = self._meanings(system, key, found)
        bounded = [one for one in meanings if one.begin or one.end]
        if now := [one for one in bounded if _overlaps(one, day, last)]:
            return now[0]
        if len(bounded) < len(meanings):
            return next((one for one in always if one in meanings), None)
        if system == "name" and not found:
            return None
        return min(bounded, key=lambda one: _distance(one, day), default=None)

    def _meanings(self, system: str, key: str, found: Collection[str]) -> list[DatedCode]:
        """Return what a code meant and when; a former state only while it existed."""
        given = self._dated.get((system, key), [])
        known = {one.country for one in given}
        every = [*given, *(DatedCode(system, key, iri) for iri in sorted(found) if iri not in known)]
        return [
            replace(self._existed[one.country], system=system, code=key)
            if one.country in self._existed and not (one.begin or one.end)
            else one
            for one in every
        ]

    def organization(self, code: str) -> str | None:
        """Find an international organization's IRI by its CAMEO code."""
        return self._coded("cameo", code, f"{ID}organization/")

    def region(self, code: str) -> str | None:
        """Find a world region's IRI by its CAMEO code."""
        return self._coded("cameo", code, f"{ID}place/")

    def label(self, iri: str) -> str | None:
        """Return the English name of a country of the graph."""
        return self._labels.get(iri)

    def _coded(self, system: CodeSystem, code: str, kind: str | tuple[str, ...]) -> str | None:
        found = [iri for iri in self._codes.get((system, _code(code)), ()) if iri.startswith(kind)]
        return found[0] if len(found) == 1 else None

    def named(self, name: str, day: str = "", last: str = "") -> str | None:
        """Find the only thing with a name or alias, at a time if one is given; see `country`.

        Case, accents and punctuation are ignored. If that finds nothing, so are spaces and the words "the",
        "and" and "of": the slug cote-divoire is found.
        """
        return self._named(name, self._with_name(name), day, last)

    def actor_named(self, name: str, day: str = "", last: str = "") -> str | None:
        """Find the only actor with a name, as `named` does: Luxembourg is the country, not the town."""
        found = [iri for iri in self._with_name(name) if not iri.startswith(f"{ID}place/")]
        return self._named(name, found, day, last)

    def country_named(self, name: str, day: str = "", last: str = "") -> str | None:
        """Find the only country with a name, as `named` does; "Korea, South" is also "South Korea"."""
        head, comma, tail = name.partition(", ")
        found = self._countries_named(name)
        iri = self._named(name, found, day, last)
        return iri if iri or found or not comma else self.country_named(f"{tail} {head}", day, last)

    def _named(self, name: str, found: Collection[str], day: str, last: str) -> str | None:
        countries = [iri for iri in found if iri.startswith(_COUNTRY)]
        dated = self._on("name", _name_key(name), countries, day, last)
        if dated and dated.country:
            return dated.country
        return _only([iri for iri in found if iri not in countries] if dated else found)

    def _countries_named(self, name: str) -> list[str]:
        return [iri for iri in self._with_name(name) if iri.startswith(_COUNTRY)]

    def _with_name(self, name: str) -> Collection[str]:
        key = fold(name)
        return (self._names.get(key) or self._squeezed.get(_squeeze(key)) or ()) if key else ()

    def knows(self, iri: str) -> bool:
        """Return whether an IRI is a named actor or place of the graph."""
        return iri in self._things

    def is_near(self, iri: str, latitude: str, longitude: str) -> bool:
        """Return whether a place of the graph is known to lie about there (degrees, WGS 84)."""
        point = self._points.get(iri)
        if point is None:
            return False
        around = abs(point[1] - float(longitude))
        return abs(point[0] - float(latitude)) <= _NEAR and min(around, 360 - around) <= _NEAR

    def event_type(self, iri: str) -> bool:
        """Return whether an IRI is an event type of the graph."""
        return iri in self._types

    def cameo_code(self, name: str) -> str | None:
        """Find the CAMEO code of the only event type with a name, such as "Make statement"."""
        found = _only(self._type_names.get(fold(name), ()))
        return found and found.removeprefix(_CAMEO)

    def suggest(self, name: str) -> list[tuple[str, str]]:
        """Return up to three (name, IRI) with the closest spelling, the closest first.

        It compares all names, so it is for messages and not for every row of a large table.
        """
        close = difflib.get_close_matches(fold(name), self._names, n=3, cutoff=0.75)
        return [(self._spelling[key], min(self._names[key])) for key in close]

    def suggest_type(self, code: str) -> list[str]:
        """Return the wider CAMEO codes of a code, the closest first: its prefixes."""
        stem = f"{ID}event-type/cameo-"
        return [code[:end] for end in range(len(code) - 1, 1, -1) if f"{stem}{code[:end]}" in self._types]


def fold(name: str) -> str:
    """Normalise a name for comparison: lower case, no accents, words separated by single spaces."""
    flat = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", flat.casefold()))


def _name_key(name: str) -> str:
    return _squeeze(fold(name))


def _overlaps(one: DatedCode, day: str, last: str) -> bool:
    return (not one.begin or one.begin <= (last or day)) and (not one.end or day <= one.end)


def _days(one: DatedCode) -> str:
    return " ".join(filter(None, (one.begin and f"from {one.begin}", one.end and f"until {one.end}")))


def _distance(one: DatedCode, day: str) -> int:
    """Return how many days lie between the time of a code and a day outside it."""
    bound = one.end if one.end and one.end < day else one.begin
    return abs(date.fromisoformat(bound).toordinal() - date.fromisoformat(day).toordinal())


def _only(found: Collection[str]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None


def _squeeze(key: str) -> str:
    return "".join(word for word in key.split() if word not in ("the", "and", "of"))


def _code(code: str) -> str:
    text = code.strip().upper()
    # Spreadsheets and pandas write 771 as 771.0.
    whole, point, rest = text.partition(".")
    if point and whole.isdigit() and rest.strip("0") == "":
        text = whole
    return text.lstrip("0") or "0"


def _rows(store: Store, query: str, *names: str) -> Iterator[Any]:
    """Yield the tuples of some variables, of which `thing` is an IRI and the others are texts."""
    for row in store.query(_PREFIXES + query).rows():
        nodes = [(row.get(name), NamedNode if name == "thing" else Value) for name in names]
        values = tuple(node.value for node, kind in nodes if isinstance(node, kind))
        if len(values) == len(names):
            yield values
