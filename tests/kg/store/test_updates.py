"""Quads as SPARQL updates: correct for all terms, and of a size that engines accept."""

from __future__ import annotations

import pyoxigraph
import pytest
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from kg.errors import ParameterError, StoreFailedError
from kg.store.interface import UNNAMED
from kg.store.updates import graph_terms, named, requests, without_blank
from kg.terms import GENID

A, P, G = NamedNode("urn:x:a"), NamedNode("urn:x:p"), NamedNode("urn:x:g")


def test_blank_nodes_become_names_one_for_one() -> None:
    """RDF 1.1 Concepts section 3.5; other terms stay, and blank nodes inside a triple term are named, too."""
    assert named(BlankNode("n1")) == NamedNode(GENID + "n1")
    assert named(BlankNode("n1")) != named(BlankNode("n2"))
    assert named(A) == A and named(Literal("_:n1")) == Literal("_:n1")
    inside = named(Triple(BlankNode("n1"), A, Triple(A, A, BlankNode("n2"))))
    assert inside == Triple(NamedNode(GENID + "n1"), A, Triple(A, A, NamedNode(GENID + "n2")))


def test_the_updates_remove_and_add_exactly_the_quads() -> None:
    added = [
        Quad(A, P, Triple(A, P, Triple(A, P, Literal("}} ; <<( \"' \\ é", language="en"))), G),
        Quad(A, P, Literal("1", datatype=NamedNode("urn:x:type")), DefaultGraph()),
        Quad(A, P, A, NamedNode("urn:x:other")),
        *(Quad(NamedNode(f"urn:x:{n}"), P, Literal("é" * 100), G) for n in range(50)),
    ]
    removed = [Quad(A, P, Literal("old"), G), Quad(A, P, Triple(A, P, A), DefaultGraph())]
    store = pyoxigraph.Store()
    for quad in removed:
        store.add(quad)
    texts = list(requests(removed, added, 7, 1500))
    for text in texts:
        store.update(text)
    assert set(store) == set(added)
    # One operation more than allowed would be longer; an operation has about 1,700 bytes, 900 characters.
    assert len(texts) > 5
    assert all(text.count("DATA") == 1 for text in texts if len(text.encode()) > 1500)


def test_blank_nodes_are_refused_where_they_cannot_be_named() -> None:
    for quad in (
        Quad(BlankNode(), P, A, G),
        Quad(A, P, BlankNode(), G),
        Quad(A, P, A, BlankNode()),
        Quad(A, P, Triple(A, P, Triple(BlankNode(), P, A)), G),
    ):
        with pytest.raises(StoreFailedError, match="blank node"):
            without_blank(quad)
        with pytest.raises(StoreFailedError, match="blank node"):
            list(requests([quad], [], 10, 1000, blank=True))
        with pytest.raises(StoreFailedError, match="blank node"):
            list(requests([], [quad], 10, 1000))
    assert list(requests([], [Quad(A, P, BlankNode("b"), G)], 10, 1000, blank=True))


def test_graphs_of_a_request_are_absolute_iris() -> None:
    assert graph_terms(["urn:x:g", UNNAMED]) == [G, DefaultGraph()]
    for wrong in ("no iri", "", "g"):
        with pytest.raises(ParameterError, match="is not the IRI of a graph"):
            graph_terms(["urn:x:g", wrong])
