"""The ontology's door: a page, RDF in three syntaxes, versions, and the vocabularies beside it."""

from __future__ import annotations

import re

import pyoxigraph
import pytest
import rdflib
from flask.testing import FlaskClient
from rdflib.namespace import OWL, RDF, RDFS, SKOS

from kg.ontology import reference_graphs
from kg.terms import GRAPH_EVENT_TYPES, GRAPH_ONTOLOGY, ONTOLOGY

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def page(request: pytest.FixtureRequest) -> str:
    from api.app import create_app
    from kg.settings import Settings

    store = request.getfixturevalue("article_store")
    return create_app(store, Settings()).test_client().get("/ontology", headers=HTML).text


# rdflib warns of what its own JSON-LD parser still uses.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("accept", "form"),
    [("text/turtle", "turtle"), ("application/rdf+xml", "xml"), ("application/ld+json", "json-ld")],
)
def test_it_comes_in_the_syntax_that_is_asked_for(reading: FlaskClient, accept: str, form: str) -> None:
    response = reading.get("/ontology", headers={"Accept": accept})
    assert response.content_type.startswith(accept)
    assert "Accept" in response.headers["Vary"]
    graph = rdflib.Graph().parse(data=response.data, format=form)
    assert len(graph) == len(reference_graphs()[GRAPH_ONTOLOGY])
    assert (rdflib.URIRef(ONTOLOGY + "Event"), RDF.type, OWL.Class) in graph


def test_the_version_iri_is_answered(reading: FlaskClient) -> None:
    turtle = reading.get("/ontology", headers={"Accept": "text/turtle"}).data
    graph = rdflib.Graph().parse(data=turtle, format="turtle")
    version = graph.value(rdflib.URIRef(ONTOLOGY.removesuffix("#")), OWL.versionIRI)
    path = str(version).removeprefix("https://w3id.org/diplograph")
    answer = reading.get(path, headers={"Accept": "text/turtle"})
    assert answer.status_code == 200
    assert len(rdflib.Graph().parse(data=answer.data, format="turtle")) == len(graph)
    assert "<h1>Ontology</h1>" in reading.get(path, headers=HTML).text


def test_another_version_is_not_kept(reading: FlaskClient) -> None:
    response = reading.get("/ontology/9.9", headers={"Accept": "text/turtle"})
    assert response.status_code == 404
    assert "0.1.0" in response.text


def test_a_vocabulary_beside_it(reading: FlaskClient) -> None:
    for path in ("/ontology/event-types", "/ontology/event-types.ttl", "/ontology/event-types/0.1.0"):
        answer = reading.get(path, headers={"Accept": "text/turtle"})
        assert len(rdflib.Graph().parse(data=answer.data, format="turtle")) == len(
            set(reference_graphs()[GRAPH_EVENT_TYPES])
        )
    assert reading.get("/ontology/event-types", headers=HTML).content_type.startswith("text/turtle")
    assert reading.get("/ontology/nothing", headers={"Accept": "text/turtle"}).status_code == 404
    assert reading.get("/ontology.odt").status_code == 404


def test_every_term_has_a_place_and_its_definition(page: str) -> None:
    for triple in reference_graphs()[GRAPH_ONTOLOGY]:
        name = triple.subject.value
        if triple.predicate.value == str(SKOS.definition) and name.startswith(ONTOLOGY):
            assert isinstance(triple.object, pyoxigraph.Literal)
            assert f'<dt id="{name.removeprefix(ONTOLOGY)}">' in page
            assert triple.object.value.split("'")[0][:40] in page.replace("&#39;", "'")


def test_the_hierarchy_is_drawn_and_leads_to_the_terms(page: str) -> None:
    assert page.count('<svg class="tree"') >= 5
    for name in re.findall(r'<a href="#([A-Za-z:]+)"><title>', page):
        assert f'<dt id="{name}">' in page
    # A country is an agent and a place; an event of a character stands under events.
    assert len(re.findall(r'<a href="#Country"><title>', page)) == 2
    events = page[page.index('aria-label="Classes under dg:Event"') :].partition("</svg>")[0]
    assert "#CooperativeEvent" in events
    assert "genid" not in page


def test_there_is_nothing_inline(page: str) -> None:
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", page)


def test_examples_come_from_the_graph_and_kin_from_the_alignments(page: str) -> None:
    event = page[page.index('<dt id="Event">') :].partition("</dd>")[0]
    assert "In this graph:" in event
    assert "sem:Event" in event
    assert "close to" in event
    assert "lode:Event" in event
    domain = page[page.index('<dt id="goldstein">') :].partition("</dd>")[0]
    assert "coding record" in domain
    assert "event type" in domain


def test_a_reader_with_the_ontology_alone_learns_what_each_class_is_for(reading: FlaskClient) -> None:
    """In a fresh graph, with nothing else: each term of ours has a name, a meaning and a case."""
    graph = rdflib.Graph().parse(data=reading.get("/ontology.ttl").data, format="turtle")
    kinds = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
    terms = {t for kind in kinds for t in graph.subjects(RDF.type, kind) if str(t).startswith(ONTOLOGY)}
    assert len(terms) > 100
    for found in terms:
        answer = list(
            graph.query(
                "SELECT ?label ?meaning ?case { ?t rdfs:label ?label ; skos:definition ?meaning ;"
                " skos:example ?case }",
                initBindings={"t": found},
                initNs={"rdfs": RDFS, "skos": SKOS},
            )
        )
        assert len(answer) == 1, found
        label, meaning, _ = answer[0]
        # A definition that only says the name again tells nothing.
        assert len(str(meaning).split()) >= 4, found
        assert str(meaning).lower().strip(".") != str(label).lower()
