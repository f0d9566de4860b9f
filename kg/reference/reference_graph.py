"""The graph of reference data, with its sources."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from kg.reference.countries import countries, regions
from kg.reference.fact_tables import read_table
from kg.reference.organizations import members, name_uses, organizations
from kg.reference.triples import ALIAS, LABEL, TYPE, english
from kg.terms import GRAPH_COUNTRIES, term

_LIBRARIES: Final = ("babel", "pycountry")
_TABLES: Final = {
    "countries.tsv": countries,
    "regions.tsv": regions,
    "organizations.tsv": organizations,
    "members.tsv": members,
}
_NAMES: Final = "names.tsv"


@cache
def reference_triples() -> tuple[Triple, ...]:
    """Describe countries, regions and international organizations, and their graph.

    Statements do not repeat. `dcterms:source` names the libraries used, with versions.
    """
    tables = {name: read_table(name) for name in (*_TABLES, _NAMES)}
    sources = {f"{library} {version(library)}" for library in _LIBRARIES}
    sources |= {source for table in tables.values() for source in table.sources}
    triples = [
        Triple(GRAPH_COUNTRIES, TYPE, term("prov:Entity")),
        Triple(GRAPH_COUNTRIES, LABEL, english("Countries, world regions and international organizations")),
    ]
    triples += [
        Triple(GRAPH_COUNTRIES, term("dcterms:source"), Literal(source)) for source in sorted(sources)
    ]
    for name, describe in _TABLES.items():
        triples += describe(tables[name].rows)
    triples += name_uses(tables[_NAMES].rows, _english_names(triples))
    labels = {(triple.subject, triple.object) for triple in triples if triple.predicate == LABEL}
    return tuple(
        triple
        for triple in dict.fromkeys(triples)
        if triple.predicate != ALIAS or (triple.subject, triple.object) not in labels
    )


def _english_names(triples: list[Triple]) -> dict[NamedNode, str]:
    return {
        triple.subject: triple.object.value
        for triple in triples
        if triple.predicate == LABEL
        and isinstance(triple.subject, NamedNode)
        and isinstance(triple.object, Literal)
        and triple.object.language == "en"
    }
