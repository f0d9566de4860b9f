"""Quads as SPARQL updates, in operations and requests of a size that an engine accepts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, Triple

from kg.errors import ParameterError, StoreFailedError
from kg.store.interface import UNNAMED
from kg.terms import GENID


def requests(
    removed: Iterable[Quad], added: Iterable[Quad], triples: int, size: int, *, blank: bool = False
) -> Iterator[str]:
    """Write updates that remove, then add: `triples` in an operation, about `size` bytes in a request.

    Blank nodes raise StoreFailedError, unless `blank` lets them be added.
    """
    held: list[str] = []
    length = 0
    for verb, quads in (("DELETE", removed), ("INSERT", added)):
        for operation in _operations(verb, quads, triples, blank and verb == "INSERT"):
            more = len(operation.encode())
            if held and length + more > size:
                yield ";\n".join(held)
                held, length = [], 0
            held.append(operation)
            length += more
    if held:
        yield ";\n".join(held)


def graph_terms(iris: Sequence[str]) -> list[NamedNode | DefaultGraph]:
    """Return graphs as terms, UNNAMED as the default graph; raises ParameterError for a malformed IRI."""
    graphs: list[NamedNode | DefaultGraph] = []
    for iri in iris:
        try:
            graphs.append(DefaultGraph() if iri == UNNAMED else NamedNode(iri))
        except ValueError:
            raise ParameterError(
                f"“{iri}” is not the IRI of a graph", mend="Write the IRI in full, as https://w3id.org/…."
            ) from None
    return graphs


def named(term: Any) -> Any:
    """Replace a blank node by an IRI (RDF 1.1 Concepts section 3.5), also in a triple term.

    The same label always gives the same IRI, so it must not stand for two nodes. Other terms are returned
    unchanged.
    """
    if isinstance(term, BlankNode):
        return NamedNode(GENID + term.value)
    if isinstance(term, Triple):
        return Triple(named(term.subject), term.predicate, named(term.object))
    return term


def has_blank(quad: Quad) -> bool:
    """Return whether a quad has a blank node, also in a triple term."""
    terms: list[object] = [quad.subject, quad.object, quad.graph_name]
    while terms:
        part = terms.pop()
        if isinstance(part, BlankNode):
            return True
        if isinstance(part, Triple):
            terms += [part.subject, part.object]
    return False


def without_blank(quad: Quad) -> Quad:
    """Return the quad; raises StoreFailedError if it has a blank node."""
    if has_blank(quad):
        raise StoreFailedError(
            f"a blank node cannot be changed by name: {quad}",
            mend="Use an IRI for the node, as loading does.",
        )
    return quad


def _operations(verb: str, quads: Iterable[Quad], triples: int, blank: bool) -> Iterator[str]:
    left = iter(quads)
    while some := list(islice(left, triples)):
        blocks = []
        for graph, members in groupby(some, key=lambda quad: quad.graph_name):
            # Written as a whole triple: a triple term by itself has no brackets.
            lines = "\n".join(f"{(quad if blank else without_blank(quad)).triple} ." for quad in members)
            blocks.append(lines if isinstance(graph, DefaultGraph) else f"GRAPH {graph} {{\n{lines}\n}}")
        yield f"{verb} DATA {{\n" + "\n".join(blocks) + "\n}"
