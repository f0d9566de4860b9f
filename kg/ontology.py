"""The graphs that come with the package: ontology, concept schemes, countries and the first article."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, Triple

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import DataSyntaxError
from kg.owl import open_vocabulary
from kg.rdf.content import Content
from kg.rdf.parsing import explain_syntax
from kg.reference import reference_triples
from kg.terms import GRAPH_ALIGNMENTS, GRAPH_COUNTRIES, GRAPH_EVENT_TYPES, GRAPH_ONTOLOGY

__all__ = ["REFERENCE_GRAPHS", "article_graphs", "open_vocabulary", "reference_graphs"]

_FILES: Final = {
    GRAPH_ONTOLOGY: ("diplomacy.ttl", "pages.ttl"),
    GRAPH_EVENT_TYPES: ("event-types.ttl", "cameo.ttl"),
    GRAPH_ALIGNMENTS: ("alignments.ttl",),
}

REFERENCE_GRAPHS: Final = (*_FILES, GRAPH_COUNTRIES)
"""The graphs of every store."""


def reference_graphs() -> dict[NamedNode, list[Triple]]:
    """Return the graphs of every store: ontology, event types, alignments and countries.

    Class expressions and lists of the ontology are blank nodes, as the OWL 2 mapping to RDF requires.
    """
    graphs = {graph: list(_parse_all(graph)) for graph in _FILES}
    graphs[GRAPH_COUNTRIES] = list(reference_triples())
    return graphs


def article_graphs() -> dict[NamedNode, list[Triple]]:
    """Return the graphs of `ontology/graphs/*.trig`, one for each source.

    Raises DataSyntaxError, with file, line and column, also for a triple outside all named graphs.
    """
    graphs: dict[NamedNode, list[Triple]] = defaultdict(list)
    for path in sorted((ONTOLOGY_FOLDER / "graphs").glob("*.trig")):
        for quad in _quads(path):
            if not isinstance(quad.graph_name, NamedNode):
                raise DataSyntaxError(
                    f"a statement about {quad.subject} is outside all named graphs",
                    where=path.name,
                    mend="Put it into the braces of a graph.",
                )
            graphs[quad.graph_name].append(quad.triple)
    return dict(graphs)


@cache
def _parse_all(graph: NamedNode) -> tuple[Triple, ...]:
    return tuple(quad.triple for name in _FILES[graph] for quad in _quads(ONTOLOGY_FOLDER / name))


def _quads(path: Path) -> Iterable[pyoxigraph.Quad]:
    try:
        yield from pyoxigraph.parse(path=path)
    except SyntaxError as error:
        raise explain_syntax(error, Content(path, path.name)) from None
