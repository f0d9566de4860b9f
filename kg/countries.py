"""The reference countries: ISO 3166-1 as pycountry carries it, as triples."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any, Final

import pycountry
from pyoxigraph import Literal, Triple

from kg.terms import GRAPH_COUNTRIES, mint, term

# Only those that were checked in public data; a wrong identity would be worse than none.
_WIKIDATA: Final = {"IRN": "wd:Q794", "QAT": "wd:Q846", "USA": "wd:Q30"}

_TYPE: Final = term("rdf:type")
_LABEL: Final = term("rdfs:label")


@cache
def country_triples() -> tuple[Triple, ...]:
    """Describe every country of ISO 3166-1 as a `dg:Country`, and the graph that holds them.

    A country is `id/country/<alpha-3 in lower case>`; further names are `skos:altLabel`.
    """
    triples = [
        Triple(GRAPH_COUNTRIES, _TYPE, term("prov:Entity")),
        Triple(GRAPH_COUNTRIES, _LABEL, _english("Countries of ISO 3166-1")),
        Triple(GRAPH_COUNTRIES, term("dcterms:source"), Literal(f"pycountry {version('pycountry')}")),
    ]
    for record in pycountry.countries:
        triples += _describe(record)
    return tuple(triples)


def common_name(record: Any) -> str:
    """Give the name that a reader expects, as the library has it or turned from its inverted form.

    "Virgin Islands, British" becomes "British Virgin Islands"; an enumeration ("…, Sint Eustatius and Saba")
    is no inversion.
    """
    if common := getattr(record, "common_name", None):
        return str(common)
    name = str(record.name)
    head, comma, tail = name.partition(", ")
    if not comma or " and " in tail:
        return name
    return f"{tail.removeprefix('The ')} {head}"


def _describe(record: Any) -> list[Triple]:
    country = mint("country", record.alpha_3)
    label = common_name(record)
    names = (str(record.name), str(getattr(record, "official_name", record.name)).removeprefix("the "))
    triples = [
        Triple(country, _TYPE, term("dg:Country")),
        Triple(country, _LABEL, _english(label)),
        Triple(country, term("dg:iso2"), Literal(record.alpha_2)),
        Triple(country, term("dg:iso3"), Literal(record.alpha_3)),
        Triple(country, term("dg:isoNumeric"), Literal(record.numeric)),
    ]
    triples += [
        Triple(country, term("skos:altLabel"), _english(name))
        for name in dict.fromkeys(names)
        if name != label
    ]
    if record.alpha_3 in _WIKIDATA:
        triples.append(Triple(country, term("skos:exactMatch"), term(_WIKIDATA[record.alpha_3])))
    return triples


def _english(text: str) -> Literal:
    return Literal(text, language="en")
