"""The graph of reference data, with its sources."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Final

from pyoxigraph import Literal, Triple

from kg.reference.countries import cameo_regions, countries, dataset_names, former_states, regions
from kg.reference.fact_tables import read_table
from kg.reference.organizations import members, name_uses, organizations
from kg.reference.triples import ALIAS, HIDDEN, LABEL, TYPE, english
from kg.terms import GRAPH_COUNTRIES, term

_LIBRARIES: Final = ("babel", "pycountry")
_TABLES: Final = {
    "countries.tsv": countries,
    "former_states.tsv": former_states,
    "regions.tsv": regions,
    "cameo_regions.tsv": cameo_regions,
    "dataset_names.tsv": dataset_names,
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
    label = english("Countries, world regions and international organizations")
    triples = [Triple(GRAPH_COUNTRIES, TYPE, term("prov:Entity")), Triple(GRAPH_COUNTRIES, LABEL, label)]
    triples += [Triple(GRAPH_COUNTRIES, term("dcterms:source"), Literal(s)) for s in sorted(sources)]
    for name, describe in _TABLES.items():
        triples += describe(tables[name].rows)
    labels = [(t.subject, t.object) for t in triples if t.predicate == LABEL]
    english_names = {s: o.value for s, o in labels if isinstance(o, Literal) and o.language == "en"}
    triples += name_uses(tables[_NAMES].rows, english_names)
    # A name is a label, an alternative label or a hidden one, not two of them (SKOS S13).
    kinds = {predicate: rank for rank, predicate in enumerate((LABEL, ALIAS, HIDDEN))}
    named: dict[tuple[object, object], int] = {}
    for triple in triples:
        if triple.predicate in kinds:
            key = triple.subject, triple.object
            named[key] = min(kinds[triple.predicate], named.get(key, len(kinds)))
    return tuple(
        t
        for t in dict.fromkeys(triples)
        if t.predicate not in kinds or kinds[t.predicate] == named[t.subject, t.object]
    )
