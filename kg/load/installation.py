"""Installs the packaged graphs into a store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pyoxigraph import Literal, NamedNode, Quad, Triple

from kg import __version__
from kg.bundled import ONTOLOGY_FOLDER
from kg.ontology import REFERENCE_GRAPHS, article_graphs, reference_graphs
from kg.rdf.blank_nodes import skolemise
from kg.store import Store
from kg.terms import GRAPH_LOADS, GRAPH_ONTOLOGY, term
from kg.validation.rdf_rules import as_stored, in_graph, triples_of

_SHA256: Final = term("dg:sha256")
# Besides data files, the reference graphs depend on this code and these libraries.
_CODE: Final = ("reference", "rdf/blank_nodes.py", "validation/rdf_rules.py", "ontology.py")
_LIBRARIES: Final = ("babel", "pycountry", "pyoxigraph")


def install(store: Store) -> bool:
    """Update the reference graphs, add the article's graph to a new store; return whether data changed.

    An article's graph that was removed or replaced is not restored. A checksum of the packaged data and the
    number of triples is stored for each graph in `graph:loads`; if it is equal, nothing is compared. Raises
    StoreFailedError.
    """
    bundled = _fingerprint()
    known = _known(store)
    if known == _marks(bundled, _counts(store)):
        return False
    wanted = dict(reference_graphs())
    if not triples_of(store, GRAPH_ONTOLOGY):
        wanted.update(article_graphs())
    counts: dict[NamedNode, int] = {}
    removed: list[Quad] = []
    added: list[Quad] = []
    for graph, triples in wanted.items():
        new, old = as_stored(skolemise(triples, graph.value)), triples_of(store, graph)
        removed += in_graph(set(old).difference(new), graph)
        added += in_graph(set(new).difference(old), graph)
        if graph in REFERENCE_GRAPHS:
            counts[graph] = len(set(new))
    changed = bool(removed or added)
    marks = _marks(bundled, counts)
    removed += in_graph(known - marks, GRAPH_LOADS)
    added += in_graph(marks - known, GRAPH_LOADS)
    if removed or added:
        store.change(removed, added)
    return changed


def _fingerprint() -> str:
    """Return a checksum of all files, code and libraries that determine the reference graphs."""
    home = Path(__file__).parents[1]
    files = [path for path in sorted(ONTOLOGY_FOLDER.rglob("*")) if path.suffix in (".ttl", ".tsv")]
    for part in _CODE:
        files += sorted((home / part).glob("*.py")) if (home / part).is_dir() else [home / part]
    digest = hashlib.sha256(__version__.encode())
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}\0".encode())
    for path in files:
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _marks(bundled: str, counts: Mapping[NamedNode, int]) -> set[Triple]:
    return {
        Triple(graph, _SHA256, Literal(hashlib.sha256(f"{bundled} {count}".encode()).hexdigest()))
        for graph, count in counts.items()
    }


def _known(store: Store) -> set[Triple]:
    graphs = " ".join(map(str, REFERENCE_GRAPHS))
    pattern = f"GRAPH {GRAPH_LOADS} {{ VALUES ?g {{ {graphs} }} ?g {_SHA256} ?mark }}"
    return set(store.query(f"CONSTRUCT {{ ?g {_SHA256} ?mark }} WHERE {{ {pattern} }}").triples())


def _counts(store: Store) -> dict[NamedNode, int]:
    found = {}
    for graph in REFERENCE_GRAPHS:
        (row,) = store.query(f"SELECT (COUNT(*) AS ?n) {{ GRAPH {graph} {{ ?s ?p ?o }} }}").rows()
        found[graph] = int(str(getattr(row["n"], "value", 0)))
    return found
