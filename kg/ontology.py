"""What comes with the package: ontology, concept schemes, countries and the first article's graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pyoxigraph
from pyoxigraph import NamedNode, Triple

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import DataSyntaxError
from kg.owl import OwlClass, OwlProperty, OwlTerm, OwlThing, Vocabulary, open_vocabulary
from kg.reference import reference_triples
from kg.terms import (
    GRAPH_ALIGNMENTS,
    GRAPH_COUNTRIES,
    GRAPH_EVENT_TYPES,
    GRAPH_ONTOLOGY,
    term,
)

__all__ = [
    "REFERENCE_GRAPHS",
    "OwlClass",
    "OwlProperty",
    "OwlTerm",
    "OwlThing",
    "TermEntry",
    "TermKind",
    "Vocabulary",
    "article_graphs",
    "open_vocabulary",
    "reference_graphs",
    "term_index",
]

TermKind = Literal["class", "property", "annotation", "concept", "scheme"]

_FILES: Final = {
    GRAPH_ONTOLOGY: ("diplomacy.ttl",),
    GRAPH_EVENT_TYPES: ("event-types.ttl", "cameo.ttl"),
    GRAPH_ALIGNMENTS: ("alignments.ttl",),
}

REFERENCE_GRAPHS: Final = (*_FILES, GRAPH_COUNTRIES)
"""The graphs that every store holds."""

# The first that fits, so that a concept's own class comes after skos:Concept.
_KINDS: Final[tuple[tuple[NamedNode, TermKind], ...]] = (
    (term("owl:Class"), "class"),
    (term("owl:ObjectProperty"), "property"),
    (term("owl:DatatypeProperty"), "property"),
    (term("owl:AnnotationProperty"), "annotation"),
    (term("skos:Concept"), "concept"),
    (term("skos:ConceptScheme"), "scheme"),
)


@dataclass(frozen=True)
class TermEntry:
    """A class, property, concept or scheme, as a page explains it; a text that it lacks is empty."""

    iri: str
    kind: TermKind
    label: str
    definition: str
    example: str
    broader: tuple[str, ...]
    """IRIs of the classes, properties or concepts right above it."""


def reference_graphs() -> dict[NamedNode, list[Triple]]:
    """Give the graphs that every store holds: ontology, event types, alignments and countries.

    Class expressions and lists of the ontology are blank nodes, as the OWL 2 mapping to RDF wants them.
    """
    graphs = {graph: list(_parse_all(graph)) for graph in _FILES}
    graphs[GRAPH_COUNTRIES] = list(reference_triples())
    return graphs


def article_graphs() -> dict[NamedNode, list[Triple]]:
    """Give the graphs of `ontology/graphs/*.trig`, one for each source.

    Raises DataSyntaxError with file, line and column, or for a triple outside every named graph.
    """
    graphs: dict[NamedNode, list[Triple]] = defaultdict(list)
    for path in sorted((ONTOLOGY_FOLDER / "graphs").glob("*.trig")):
        for quad in _quads(path):
            if not isinstance(quad.graph_name, NamedNode):
                raise DataSyntaxError(
                    f"a statement about {quad.subject} is in no named graph",
                    where=path.name,
                    mend="Put it into the braces of a graph.",
                )
            graphs[quad.graph_name].append(quad.triple)
    return dict(graphs)


@cache
def term_index() -> dict[str, TermEntry]:
    """Index every named term of the ontology and the concept schemes by its IRI.

    A term of another vocabulary has our note on its use for a definition.
    """
    known: dict[NamedNode, dict[NamedNode, list[object]]] = defaultdict(lambda: defaultdict(list))
    for graph in (GRAPH_ONTOLOGY, GRAPH_EVENT_TYPES):
        for triple in _parse_all(graph):
            if isinstance(triple.subject, NamedNode):
                known[triple.subject][triple.predicate].append(triple.object)
    index = {}
    for subject, facts in known.items():
        kind = next((kind for cls, kind in _KINDS if cls in facts[term("rdf:type")]), None)
        if kind is not None:
            index[subject.value] = _entry(subject.value, kind, facts)
    return index


def _entry(iri: str, kind: TermKind, facts: dict[NamedNode, list[object]]) -> TermEntry:
    return TermEntry(
        iri=iri,
        kind=kind,
        label=_text(facts, "rdfs:label"),
        definition=_text(facts, "skos:definition", "dcterms:description", "skos:scopeNote"),
        example=_text(facts, "skos:example"),
        broader=tuple(
            above.value
            for name in ("rdfs:subClassOf", "rdfs:subPropertyOf", "skos:broader")
            for above in facts.get(term(name), ())
            if isinstance(above, NamedNode)
        ),
    )


def _text(facts: dict[NamedNode, list[object]], *names: str) -> str:
    for name in names:
        for value in facts.get(term(name), ()):
            if isinstance(value, pyoxigraph.Literal):
                return value.value
    return ""


@cache
def _parse_all(graph: NamedNode) -> tuple[Triple, ...]:
    return tuple(quad.triple for name in _FILES[graph] for quad in _quads(ONTOLOGY_FOLDER / name))


def _quads(path: Path) -> Iterable[pyoxigraph.Quad]:
    try:
        yield from pyoxigraph.parse(path=path)
    except SyntaxError as error:
        raise DataSyntaxError(
            error.msg,
            where=f"{path.name}, line {error.lineno}, column {error.offset}",
            mend="Restore the file; it comes with the package.",
            line=error.lineno,
            column=error.offset,
        ) from None
