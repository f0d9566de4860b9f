"""How properties are shown, as the ontology says: order, inverse labels, columns and groups of lists."""

from __future__ import annotations

import pyoxigraph
import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.bundled import ONTOLOGY_FOLDER
from kg.describe.display import LABEL, display_of
from kg.describe.entity.entity_page import describe
from kg.languages import speak
from kg.ontology import reference_graphs
from kg.search import Name
from kg.store import EmbeddedStore
from kg.terms import GRAPH, GRAPH_ONTOLOGY, ID, ONTOLOGY, PREFIXES, term

TOLLS = NamedNode(GRAPH + "tolls")


@pytest.fixture
def store() -> EmbeddedStore:
    store = EmbeddedStore()
    for graph, triples in reference_graphs().items():
        store.engine.bulk_extend(Quad(t.subject, t.predicate, t.object, graph) for t in triples)
    return store


def test_every_property_that_is_shown_is_declared(store: EmbeddedStore) -> None:
    known = {quad.subject for quad in store.engine.quads_for_pattern(None, term("rdf:type"), None, None)}
    standard = {term(curie) for curie in ("rdf:type", "rdfs:subClassOf", "rdfs:subPropertyOf", "rdfs:label")}
    named = {
        node
        for triple in pyoxigraph.parse(path=ONTOLOGY_FOLDER / "pages.ttl")
        for node in (triple.subject, triple.predicate, triple.object)
        if isinstance(node, NamedNode)
    }
    assert named <= known | standard


def test_no_two_properties_have_the_same_place() -> None:
    places = [
        triple.object
        for triple in pyoxigraph.parse(path=ONTOLOGY_FOLDER / "pages.ttl")
        if triple.predicate == term("sh:order") and not str(triple.subject.value).startswith(ID)
    ]
    assert len(places) == len(set(places)) > 50


def test_what_the_ontology_says(store: EmbeddedStore) -> None:
    display = display_of(store)
    cast, vote, ballot = (ONTOLOGY + local for local in ("castBy", "vote", "ballotOn"))
    assert display.columns[ballot] == (cast, vote)
    assert display.groups == {ballot: vote}
    assert display.columns[ONTOLOGY + "series"][0] == LABEL
    assert display.heading(Name(cast, "cast by")) == "votes cast"
    assert display.heading(Name(ONTOLOGY + "other", "other")) == "linked by “other”"
    assert display.position(Name(ONTOLOGY + "actor", "")) < display.position(Name(ONTOLOGY + "time", ""))
    assert display.position(Name(ONTOLOGY + "time", "")) < display.position(Name(ONTOLOGY + "other", ""))
    assert display.inverses[ONTOLOGY + "ledTo"] == ONTOLOGY + "resultOf"
    assert display.inverses[ONTOLOGY + "inExchangeFor"] == ONTOLOGY + "inExchangeFor"
    assert PREFIXES["skos"] + "broader" not in display.inverses


def test_headings_come_in_the_language_of_the_reader(store: EmbeddedStore) -> None:
    votes = Literal("votes exprimés", language="fr")
    store.change((), [Quad(term("dg:castBy"), term("dg:inverseLabel"), votes, GRAPH_ONTOLOGY)])
    try:
        speak(["fr"])
        assert display_of(store).headings[ONTOLOGY + "castBy"] == "votes exprimés"
    finally:
        speak([])
    assert display_of(store).headings[ONTOLOGY + "castBy"] == "votes cast"


def test_an_extension_of_the_ontology_needs_no_code(store: EmbeddedStore) -> None:
    # A toll is paid to a country by somebody; the country's page lists tolls with their payers.
    text = """
        dg:paidTo a owl:ObjectProperty ; rdfs:label "paid to"@en ; dg:inverseLabel "tolls"@en ;
          dg:listedWith rdfs:label , dg:paidBy .
        dg:paidBy a owl:ObjectProperty ; rdfs:label "paid by"@en .
        <toll/1> rdfs:label "a toll"@en ; dg:paidTo <country/aaa> ; dg:paidBy <person/bo> .
        <toll/2> rdfs:label "another toll"@en ; dg:paidTo <country/aaa> .
        <person/bo> rdfs:label "Bo"@en . <country/aaa> rdfs:label "Aland"@en ."""
    head = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    store.engine.load(
        input=head + f"@base <{ID}> ." + text, format=pyoxigraph.RdfFormat.TURTLE, to_graph=TOLLS
    )
    found = describe(store, ID + "country/aaa")
    assert found is not None
    (links,) = found.incoming
    assert links.heading == "tolls"
    assert links.table
    assert [column.label for column in links.columns] == ["paid by"]
    assert [(one.name.label, [v.text for cell in one.cells for v in cell]) for one in links.things] == [
        ("a toll", ["Bo"]),
        ("another toll", []),
    ]
