"""Quads as SPARQL updates, in operations and requests of a size that an engine takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any

from pyoxigraph import BlankNode, DefaultGraph, NamedNode, Quad, Triple

from kg.errors import StoreFailedError
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
            if held and length + len(operation) > size:
                yield ";\n".join(held)
                held, length = [], 0
            held.append(operation)
            length += len(operation)
    if held:
        yield ";\n".join(held)


def clear(graph: NamedNode) -> str:
    """Write the update that empties a graph, whether or not it exists."""
    return f"CLEAR SILENT GRAPH {graph}"


def named(term: Any) -> Any:
    """Give a blank node an IRI (RDF 1.1 Concepts section 3.5), also in a triple term; others stay.

    A label leads to the same IRI always, so it must not stand for two nodes.
    """
    if isinstance(term, BlankNode):
        return NamedNode(GENID + term.value)
    if isinstance(term, Triple):
        return Triple(named(term.subject), term.predicate, named(term.object))
    return term


def _operations(verb: str, quads: Iterable[Quad], triples: int, blank: bool) -> Iterator[str]:
    left = iter(quads)
    while some := list(islice(left, triples)):
        blocks = []
        for graph, members in groupby(some, key=lambda quad: quad.graph_name):
            lines = "\n".join(_line(quad, blank) for quad in members)
            blocks.append(lines if isinstance(graph, DefaultGraph) else f"GRAPH {graph} {{\n{lines}\n}}")
        yield f"{verb} DATA {{\n" + "\n".join(blocks) + "\n}"


def _line(quad: Quad, blank: bool) -> str:
    triple = f"{quad.subject} {quad.predicate} {quad.object} ."
    if not blank and has_blank(quad):
        raise StoreFailedError(
            f"a blank node cannot be changed by name: {triple}",
            mend="Give it an IRI first, as loading does.",
        )
    return triple


def has_blank(quad: Quad) -> bool:
    """Tell whether a quad has a blank node, be it in a triple term."""
    terms: list[object] = [quad.subject, quad.object, quad.graph_name]
    while terms:
        part = terms.pop()
        if isinstance(part, BlankNode):
            return True
        if isinstance(part, Triple):
            terms += [part.subject, part.object]
    return False
