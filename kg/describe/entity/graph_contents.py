"""What a named graph contains."""

from __future__ import annotations

from kg.describe.entity.claims import statements_in
from kg.describe.listing import count, iris_in, select
from kg.describe.lists.coding_records import records_in
from kg.describe.lists.event_lists import events_in
from kg.describe.page_model import Contents
from kg.search import PROLOGUE, iri_text, name_all, plain
from kg.store import Store
from kg.store.per_version import per_version


def is_graph(store: Store, iri: str) -> bool:
    """Return whether a named graph has this IRI."""
    return store.query(f"{PROLOGUE} ASK {{ GRAPH {iri_text(iri)} {{ ?s ?p ?o }} }}").truth()


def contents_of(store: Store, graph: str, page: int) -> Contents:
    """Return what a named graph contains: counts by class, its sources and texts, and its lists."""
    node = iri_text(graph)
    triples, kinds = _counts(store, graph)
    made_of = select(
        store,
        f"""SELECT DISTINCT ?source ?text WHERE {{ GRAPH {node} {{
          {{ ?source a ?class VALUES ?class {{ dg:Article dg:Report dg:Dataset }} }}
          UNION {{ ?text a dg:SourceText }} }}
        }} ORDER BY ?source ?text LIMIT 50""",
    )
    names = name_all(store, [*(cls for cls, _ in kinds), *iris_in(made_of, "source", "text")])
    return Contents(
        triples=triples,
        sources=tuple(names[iri] for iri in iris_in(made_of, "source")),
        texts=tuple(names[iri] for iri in iris_in(made_of, "text")),
        events=events_in(store, graph, page),
        records=records_in(store, graph, page),
        statements=statements_in(store, graph, page),
        kinds=tuple((names[cls], number) for cls, number in kinds),
    )


@per_version
def _counts(store: Store, graph: str) -> tuple[int, list[tuple[str, int]]]:
    """Count the triples of a graph, and its things by class."""
    node = iri_text(graph)
    triples = count(store, f"SELECT * WHERE {{ GRAPH {node} {{ ?s ?p ?o }} }}")
    kinds = select(
        store,
        f"""SELECT ?c (COUNT(DISTINCT ?s) AS ?n) WHERE {{ GRAPH {node} {{ ?s a ?c }} }}
        GROUP BY ?c ORDER BY DESC(?n) ?c LIMIT 40""",
    )
    return triples, [(iri, int(plain(row["n"]))) for row in kinds for iri in iris_in([row], "c")]
