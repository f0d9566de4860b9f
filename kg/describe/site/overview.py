"""Figures of the whole store: counts, sources and the newest load."""

from __future__ import annotations

from dataclasses import dataclass

from kg.describe.listing import iris_in, select
from kg.describe.lists.event_lists import event_classes
from kg.describe.page_model import Release
from kg.search import Name, iri_text, name_all, plain, values
from kg.store import GRAPH_PATTERNS, Store
from kg.store.per_version import per_version
from kg.terms import BASE, GRAPH_ENTAILMENTS, GRAPH_LOADS, LOAD, PARTICIPANT_ROLES


@dataclass(frozen=True)
class Overview:
    """Counts of the whole graph; each thing counts once."""

    events: int
    claims: int
    actors: int
    sources: int
    triples: int
    entailed: int = 0
    """How many of the triples are inferred."""


@per_version
def release_of(store: Store) -> Release | None:
    """Return the newest load; None if nothing was loaded yet."""
    rows = select(
        store,
        """SELECT ?load ?ended WHERE { ?load a dg:Load ; prov:endedAtTime ?ended }
        ORDER BY DESC(?ended) ?load LIMIT 1""",
    )
    return next((Release(plain(r["load"]).removeprefix(LOAD), plain(r["ended"])) for r in rows), None)


def overview(store: Store) -> Overview:
    """Count the whole graph; actors take part in an event or speak in a claim."""
    events = values(event_classes(store))
    roles = "|".join(f"dg:{local}" for local in PARTICIPANT_ROLES)
    text = f"""SELECT ?events ?claims ?actors ?sources ?triples ?entailed WHERE {{
        {{ SELECT (COUNT(DISTINCT ?e) AS ?events) WHERE {{ VALUES ?c {{ {events} }} ?e a ?c }} }}
        {{ SELECT (COUNT(DISTINCT ?c) AS ?claims) WHERE {{ ?c a dg:Claim }} }}
        {{ SELECT (COUNT(DISTINCT ?a) AS ?actors) WHERE {{
          {{ ?e {roles} ?a }}
          UNION {{ ?s dg:attributedTo ?a . ?a a ?class
            FILTER(?class NOT IN (dg:Article, dg:Report, dg:Dataset)) }} }} }}
        {{ SELECT (COUNT(DISTINCT ?g) AS ?sources) WHERE {{ GRAPH ?g {{ ?x a ?k }}
          VALUES ?k {{ dg:Article dg:Report dg:Dataset }} }} }}
        {{ SELECT (COUNT(*) AS ?triples) WHERE {{ ?s ?p ?o }} }}
        {{ SELECT (COUNT(*) AS ?entailed) WHERE {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }} }} }}"""
    row = select(store, text)[0]
    columns = ("events", "claims", "actors", "sources", "triples", "entailed")
    return Overview(*(_number(row[name]) for name in columns))


@per_version
def source_graphs(store: Store) -> list[Name]:
    """Name the graphs of sources: those with claims, events or coding records."""
    kinds = [*event_classes(store), f"{BASE}ontology#Claim", f"{BASE}ontology#CodingRecord"]
    holds = " || ".join(f"EXISTS {{ GRAPH ?g {{ ?s a {iri_text(kind)} }} }}" for kind in kinds)
    found: list[str] = []
    for every in GRAPH_PATTERNS:
        if found:
            break
        rows = select(
            store,
            f"""SELECT DISTINCT ?g WHERE {{ {{ SELECT DISTINCT ?g WHERE {{ {every} }} }} FILTER({holds})
            FILTER(?g NOT IN ({GRAPH_LOADS}, {GRAPH_ENTAILMENTS})) }} ORDER BY ?g LIMIT 200""",
        )
        found = iris_in(rows, "g")
    names = name_all(store, found)
    return [names[iri] for iri in found]


def _number(found: object) -> int:
    return int(plain(found))
