"""What comes with diplograph, brought into a store."""

from __future__ import annotations

from collections.abc import Iterable

from pyoxigraph import NamedNode, Quad, Triple

from kg.load.checking import as_stored, triples_of
from kg.ontology import article_graphs, reference_graphs
from kg.readers.blank_nodes import skolemise
from kg.store import Store
from kg.terms import GRAPH_ONTOLOGY


def install(store: Store) -> bool:
    """Bring the reference graphs up to date, and put the article's graph into a store that has none of them.

    Tells whether anything changed. A graph of an article that somebody took out or replaced stays as it is.
    Raises StoreFailedError.
    """
    wanted = dict(reference_graphs())
    if not triples_of(store, GRAPH_ONTOLOGY):
        wanted.update(article_graphs())
    removed: list[Quad] = []
    added: list[Quad] = []
    for graph, triples in wanted.items():
        new, old = as_stored(skolemise(triples, graph.value))[0], triples_of(store, graph)
        removed += _quads(set(old).difference(new), graph)
        added += _quads(set(new).difference(old), graph)
    if removed or added:
        store.change(removed, added)
    return bool(removed or added)


def _quads(triples: Iterable[Triple], graph: NamedNode) -> list[Quad]:
    return [Quad(t.subject, t.predicate, t.object, graph) for t in triples]
