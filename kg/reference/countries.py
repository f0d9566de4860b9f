"""Countries and world regions: codes and facts from the collected table, names from pycountry and CLDR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Triple

from kg.reference.fact_tables import Row, parts
from kg.reference.triples import (
    HIDDEN,
    LABEL,
    TYPE,
    english,
    interval,
    named,
    names_in_languages,
    place_of,
    region_of,
    town,
)
from kg.terms import mint, term

_GEONAMES: Final = "https://sws.geonames.org/"
# A code that users of ISO 3166 assigned themselves, among them CLDR and the European Union.
_USER_ASSIGNED: Final = {"XKX": "XK"}
_FORMER: Final = english("A former state or territory.")
# Columns with codes; a cell may hold several.
_CODES: Final = {
    "m49": "dg:unM49",
    "fips": "dg:fips",
    "cameo": "dg:cameo",
    "cow": "dg:cow",
    "cow_abbreviation": "dg:cowAbbreviation",
}


def countries(rows: tuple[Row, ...]) -> Iterator[Triple]:
    """Describe every country of the table as a `dg:Country`, with its capital.

    A country is `id/country/<alpha-3 in lower case>`, a former state `id/country/cow-<number>`; others stand
    in former_states.tsv.
    """
    import pycountry  # here, because few processes need it and it takes long

    for row in rows:
        key = row["key"]
        country = mint("country", key)
        yield Triple(country, TYPE, term("dg:Country"))
        record = pycountry.countries.get(alpha_3=key)
        yield from _names(country, row, record)
        if record is not None:
            for name, code in (("2", record.alpha_2), ("3", record.alpha_3), ("Numeric", record.numeric)):
                yield Triple(country, term(f"dg:iso{name}"), Literal(code))
        if key in _USER_ASSIGNED:
            yield Triple(country, term("dg:iso2"), Literal(_USER_ASSIGNED[key]))
            yield Triple(country, term("dg:iso3"), Literal(key))
        for column, name in _CODES.items():
            yield from (Triple(country, term(name), Literal(code)) for code in parts(row[column]))
        if key.startswith("cow-"):
            yield Triple(country, term("rdfs:comment"), _FORMER)
        yield from _place(country, row)


def former_states(rows: tuple[Row, ...]) -> Iterator[Triple]:
    """Describe when former states existed, and those without a COW number as a `dg:Country`."""
    for row in rows:
        state = mint("country", row["country"])
        if row["name"]:
            yield Triple(state, TYPE, term("dg:Country"))
            yield Triple(state, LABEL, english(row["name"]))
            yield Triple(state, term("rdfs:comment"), _FORMER)
        yield from interval(state, mint("time", f"{row['country']} existed"), row["from"], row["to"])


def regions(rows: tuple[Row, ...]) -> Iterator[Triple]:
    """Describe the regions of UN M49 as `dg:WorldRegion`, each located in the next larger one."""
    for row in rows:
        region = region_of(row["m49"])
        yield Triple(region, TYPE, term("dg:WorldRegion"))
        yield Triple(region, term("dg:unM49"), Literal(row["m49"]))
        yield from named(region, row["name"], names_in_languages(row["m49"]))
        if row["within"]:
            yield Triple(region, term("dg:locatedIn"), region_of(row["within"]))


def cameo_regions(rows: tuple[Row, ...]) -> Iterator[Triple]:
    """Add CAMEO's codes to regions, and describe those that UN M49 does not have."""
    for row in rows:
        region = mint("place", row["region"])
        yield Triple(region, term("dg:cameo"), Literal(row["cameo"]))
        if row["name"]:
            yield Triple(region, TYPE, term("dg:WorldRegion"))
            yield Triple(region, LABEL, english(row["name"]))
        if row["within"]:
            yield Triple(region, term("dg:locatedIn"), mint("place", row["within"]))


def dataset_names(rows: tuple[Row, ...]) -> Iterator[Triple]:
    """Add to countries the names of datasets, for lookup and search only (`skos:hiddenLabel`)."""
    for row in rows:
        yield Triple(mint("country", row["country"]), HIDDEN, english(row["name"]))


def common_name(record: Any) -> str:
    """Return the common name of a country, with inverted names turned round.

    "Virgin Islands, British" becomes "British Virgin Islands"; an enumeration ("…, Sint Eustatius and Saba")
    stays as it is.
    """
    if common := getattr(record, "common_name", None):
        return str(common)
    name = str(record.name)
    head, comma, tail = name.partition(", ")
    if not comma or " and " in tail:
        return name
    return f"{tail.removeprefix('The ')} {head}"


def _names(country: NamedNode, row: Row, record: Any) -> Iterator[Triple]:
    further = (*parts(row["aliases"], ";"), *parts(row["demonyms"], ";"))
    if record is None:
        code = _USER_ASSIGNED.get(row["key"])
        yield from named(country, row["name"], names_in_languages(code) if code else {}, further)
        return
    official = str(getattr(record, "official_name", record.name)).removeprefix("the ")
    names = names_in_languages(record.alpha_2)
    yield from named(country, common_name(record), names, (str(record.name), official, *further))


def _place(country: NamedNode, row: Row) -> Iterator[Triple]:
    key = row["key"]
    if row["region"]:
        yield Triple(country, term("dg:locatedIn"), region_of(row["region"]))
    for neighbour in parts(row["borders"]):
        yield Triple(country, term("dg:borders"), mint("country", neighbour))
    if row["latitude"]:
        # WKT has longitude first (GeoSPARQL 1.1, section 8.5.1, for the default CRS84). It is a plain string:
        # some engines change a geo:wktLiteral into another literal.
        longitude, latitude = (f"{float(row[axis]):.6g}" for axis in ("longitude", "latitude"))
        yield Triple(country, term("dg:centroid"), Literal(f"POINT({longitude} {latitude})"))
    if row["capital"]:
        yield Triple(country, term("dg:capital"), place_of(row["capital"], key))
        yield from town(row["capital"], key)
    if row["wikidata"]:
        yield Triple(country, term("skos:exactMatch"), term(f"wd:{row['wikidata']}"))
    if row["geonames"]:
        yield Triple(country, term("skos:exactMatch"), NamedNode(f"{_GEONAMES}{row['geonames']}/"))
