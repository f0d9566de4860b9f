"""Quads as SPARQL updates."""

from __future__ import annotations

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from kg.store.updates import named
from kg.terms import GENID

A = NamedNode("urn:x:a")


def test_blank_nodes_become_names_one_for_one() -> None:
    """RDF 1.1 Concepts section 3.5; other terms stay, and what is inside a triple term is named, too."""
    assert named(BlankNode("n1")) == NamedNode(GENID + "n1")
    assert named(BlankNode("n1")) != named(BlankNode("n2"))
    assert named(A) == A and named(Literal("_:n1")) == Literal("_:n1")
    inside = named(Triple(BlankNode("n1"), A, Triple(A, A, BlankNode("n2"))))
    assert inside == Triple(NamedNode(GENID + "n1"), A, Triple(A, A, NamedNode(GENID + "n2")))
