"""What a named graph, and the whole store, hold."""

from __future__ import annotations

from dataclasses import dataclass

from kg.describe.claims import statements_in
from kg.describe.event_lists import event_classes, events_in
from kg.describe.listing import iris_in, select
from kg.describe.page_model import Contents
from kg.search import Name, iri_text, name_all, plain, values
from kg.store import GRAPH_PATTERNS, Store
from kg.terms import BASE, GRAPH_ENTAILMENTS, GRAPH_LOADS, LOAD


@dataclass(frozen=True)
class Overview:
    """How much there is: whole numbers, every thing counted once."""

    events: int
    claims: int
    actors: int
    sources: int
    triples: int
    entailed: int = 0
    """How many of the triples nobody has put in: they follow from the others."""


@dataclass(frozen=True)
class Release:
    """The state of the data after a load: the last part of its IRI and when it ended (ISO 8601)."""

    number: str
    ended: str


def release_of(store: Store) -> Release | None:
    """Name the newest load; None when nothing was loaded yet."""
    rows = select(
        store,
        """SELECT ?load ?ended WHERE { ?load a dg:Load ; prov:endedAtTime ?ended }
        ORDER BY DESC(?ended) ?load LIMIT 1""",
    )
    return next((Release(plain(r["load"]).removeprefix(LOAD), plain(r["ended"])) for r in rows), None)


def contents_of(store: Store, graph: str, page: int) -> Contents:
    """Tell what a named graph holds: counts by class, its sources and texts, events and claims."""
    node = iri_text(graph)
    kinds = select(
        store,
        f"""SELECT ?c (COUNT(DISTINCT ?s) AS ?n) WHERE {{ GRAPH {node} {{ ?s a ?c }} }}
        GROUP BY ?c ORDER BY DESC(?n) ?c LIMIT 40""",
    )
    triples = select(store, f"SELECT (COUNT(*) AS ?n) WHERE {{ GRAPH {node} {{ ?s ?p ?o }} }}")
    made_of = select(
        store,
        f"""SELECT DISTINCT ?source ?text WHERE {{ GRAPH {node} {{
          {{ ?source a ?class VALUES ?class {{ dg:Article dg:Report dg:Dataset }} }}
          UNION {{ ?text a dg:SourceText }} }}
        }} ORDER BY ?source ?text LIMIT 50""",
    )
    names = name_all(store, [*iris_in(kinds, "c"), *iris_in(made_of, "source", "text")])
    return Contents(
        triples=_number(triples[0]["n"]),
        sources=tuple(names[iri] for iri in iris_in(made_of, "source")),
        texts=tuple(names[iri] for iri in iris_in(made_of, "text")),
        events=events_in(store, graph, page),
        statements=statements_in(store, graph, page),
        kinds=tuple((names[plain(row["c"])], _number(row["n"])) for row in kinds if plain(row["c"]) in names),
    )


def overview(store: Store) -> Overview:
    """Count what there is; actors are those that take part in an event or speak in a claim."""
    events = values(event_classes(store))
    text = f"""SELECT ?events ?claims ?actors ?sources ?triples ?entailed WHERE {{
        {{ SELECT (COUNT(DISTINCT ?e) AS ?events) WHERE {{ VALUES ?c {{ {events} }} ?e a ?c }} }}
        {{ SELECT (COUNT(DISTINCT ?c) AS ?claims) WHERE {{ ?c a dg:Claim }} }}
        {{ SELECT (COUNT(DISTINCT ?a) AS ?actors) WHERE {{
          {{ ?e dg:actor|dg:recipient|dg:affected|dg:orderedBy|dg:participant ?a }}
          UNION {{ ?s dg:attributedTo ?a . ?a a ?class
            FILTER(?class NOT IN (dg:Article, dg:Report, dg:Dataset)) }} }} }}
        {{ SELECT (COUNT(DISTINCT ?g) AS ?sources) WHERE {{ GRAPH ?g {{ ?x a ?k }}
          VALUES ?k {{ dg:Article dg:Report dg:Dataset }} }} }}
        {{ SELECT (COUNT(*) AS ?triples) WHERE {{ ?s ?p ?o }} }}
        {{ SELECT (COUNT(*) AS ?entailed) WHERE {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }} }} }}"""
    row = select(store, text)[0]
    columns = ("events", "claims", "actors", "sources", "triples", "entailed")
    return Overview(*(_number(row[name]) for name in columns))


def source_graphs(store: Store) -> list[Name]:
    """Name the graphs that hold a source: those with claims, events or machine codings in them."""
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
