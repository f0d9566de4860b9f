"""Service Description and VoID, read as RDF by another library, against counts of our own."""

from __future__ import annotations

from urllib.parse import urlencode

from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad
from rdflib import RDF, Graph, Namespace, URIRef

from api.web.memo import Memory
from kg.dataset import measure
from kg.store import EmbeddedStore

SD = Namespace("http://www.w3.org/ns/sparql-service-description#")
VOID = Namespace("http://rdfs.org/ns/void#")
E = "http://e.example/"
TTL = {"Accept": "text/turtle"}


def read(client: FlaskClient, path: str) -> Graph:
    response = client.get(path, headers=TTL, buffered=True)
    assert (response.status_code, response.mimetype) == (200, "text/turtle")
    return Graph().parse(data=response.text, format="turtle")


def count(client: FlaskClient, query: str) -> int:
    response = client.get("/sparql?" + urlencode({"query": query}), headers={"Accept": "text/csv"})
    return int(response.text.split()[1])


def quad(subject: str, predicate: str, object_: str, graph: str) -> Quad:
    return Quad(*(NamedNode(E + name) for name in (subject, predicate, object_, graph)))


def test_the_service_and_its_dataset(client: FlaskClient) -> None:
    found = read(client, "/sparql")
    (service,) = found.subjects(RDF.type, SD.Service)
    assert found.value(service, SD.endpoint) == URIRef("http://localhost/sparql")
    assert set(found.objects(service, SD.supportedLanguage)) == {SD.SPARQL11Query, SD.SPARQL11Update}
    assert SD.UnionDefaultGraph in set(found.objects(service, SD.feature))
    formats = {str(f).rpartition("/")[2] for f in found.objects(service, SD.resultFormat)}
    assert {"SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "Turtle"} <= formats
    data = found.value(service, SD.defaultDataset)
    assert (data, RDF.type, SD.Dataset) in found
    assert (found.value(data, SD.defaultGraph), RDF.type, SD.Graph) in found
    names = {str(found.value(named, SD.name)) for named in found.objects(data, SD.namedGraph)}
    assert "https://w3id.org/diplograph/graph/us-iran-deportation" in names
    for named in found.objects(data, SD.namedGraph):
        graph = found.value(named, SD.graph)
        name = found.value(named, SD.name)
        wanted = count(client, f"SELECT (COUNT(*) AS ?n) {{ GRAPH <{name}> {{ ?s ?p ?o }} }}")
        assert int(found.value(graph, VOID.triples)) == wanted


def test_the_data_with_partitions(client: FlaskClient) -> None:
    found = read(client, "/.well-known/void")
    (data,) = found.subjects(RDF.type, VOID.Dataset)
    assert (None, RDF.type, VOID.DatasetDescription) in found
    assert found.value(data, VOID.sparqlEndpoint) == URIRef("http://localhost/sparql")
    classes = {
        str(found.value(part, VOID["class"])): int(found.value(part, VOID.entities))
        for part in found.objects(data, VOID.classPartition)
    }
    country = "https://w3id.org/diplograph/ontology#Country"
    assert classes[country] == count(client, f"SELECT (COUNT(DISTINCT ?s) AS ?n) {{ ?s a <{country}> }}")
    properties = list(found.objects(data, VOID.propertyPartition))
    assert len(properties) == int(found.value(data, VOID.properties))
    assert sum(int(found.value(part, VOID.triples)) for part in properties) == int(
        found.value(data, VOID.triples)
    )


def test_browsers_get_turtle(client: FlaskClient) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert client.get("/.well-known/void", headers={"Accept": accept}).mimetype == "text/turtle"


def test_counts_are_of_the_union() -> None:
    store = EmbeddedStore()
    store.change(
        [],
        [
            quad("a", "p", "b", "g"),
            quad("a", "p", "b", "h"),
            quad("a", "q", "c", "h"),
            quad("b", "p", "c", "h"),
        ],
    )
    found = measure(store)
    assert (found.triples, found.subjects, found.objects) == (3, 2, 2)
    assert dict(found.graphs) == {E + "g": 1, E + "h": 3}
    assert dict(found.properties) == {E + "p": 2, E + "q": 1}
    assert found.classes == ()


def test_counts_are_made_once_for_each_state() -> None:
    store = EmbeddedStore()
    asked = 0
    query = store.query

    def count(text: str):  # type: ignore[no-untyped-def]
        nonlocal asked
        asked += 1
        return query(text)

    store.query = count  # type: ignore[method-assign, assignment]
    book = Memory()
    first = book.keep(store, "sizes", lambda: measure(store))
    assert book.keep(store, "sizes", lambda: measure(store)) is first and asked == 7
    store.change([], [Quad(NamedNode(E + "a"), NamedNode(E + "p"), Literal("x"), NamedNode(E + "g"))])
    assert book.keep(store, "sizes", lambda: measure(store)).triples == 1
