"""The SPARQL 1.1 Protocol, section by section, and clients that people use."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from urllib.parse import urlencode

import httpx
import pyoxigraph
import pytest
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad
from rdflib import URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLUpdateStore
from SPARQLWrapper import JSON, POST, SPARQLWrapper

from api.app import create_app
from api.doors.editor import SHOWN_ROWS
from kg.settings import Settings
from kg.store import EmbeddedStore

E = "http://e.example/"
SELECT = f"SELECT ?o {{ <{E}a> <{E}p> ?o }}"
CONSTRUCT = f"CONSTRUCT WHERE {{ <{E}a> <{E}p> ?o }}"
ASK = f"ASK {{ <{E}a> <{E}p> ?o }}"
TOKEN = {"Authorization": "Bearer test-token"}
FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(autouse=True)
def quads(store: EmbeddedStore) -> None:
    """One quad in each of two graphs."""
    subject, predicate = NamedNode(E + "a"), NamedNode(E + "p")
    store.change(
        [], [Quad(subject, predicate, Literal(value), NamedNode(E + value)) for value in ("g1", "g2")]
    )


def get(client: FlaskClient, query: str, accept: str | None = None, **more: object):  # type: ignore[no-untyped-def]
    headers = {"Accept": accept} if accept else {}
    return client.get("/sparql?" + urlencode({"query": query, **more}, doseq=True), headers=headers)


def values(response) -> list[str]:  # type: ignore[no-untyped-def]
    assert response.status_code == 200, response.text
    return sorted(binding["o"]["value"] for binding in json.loads(response.data)["results"]["bindings"])


def test_query_by_get(client: FlaskClient) -> None:
    response = get(client, SELECT)
    assert response.mimetype == "application/sparql-results+json"
    assert values(response) == ["g1", "g2"]
    assert "Accept" in response.headers["Vary"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_query_by_form(client: FlaskClient) -> None:
    assert values(client.post("/sparql", data={"query": SELECT})) == ["g1", "g2"]
    response = client.post("/sparql", data={"query": SELECT, "default-graph-uri": E + "g2"})
    assert values(response) == ["g2"]


def test_query_as_the_body(client: FlaskClient) -> None:
    assert values(client.post("/sparql", data=SELECT, content_type=QUERY)) == ["g1", "g2"]
    address = "/sparql?" + urlencode({"default-graph-uri": E + "g1"})
    assert values(client.post(address, data=SELECT, content_type=f"{QUERY}; charset=UTF-8")) == ["g1"]


def test_head_answers_like_get_without_a_body(client: FlaskClient) -> None:
    response = client.head("/sparql?" + urlencode({"query": SELECT}))
    assert (response.status_code, response.mimetype, response.data) == (
        200,
        "application/sparql-results+json",
        b"",
    )


def test_the_dataset_of_the_request(client: FlaskClient) -> None:
    graph = f"SELECT ?o {{ GRAPH ?g {{ <{E}a> ?p ?o }} }}"
    both = {"default-graph-uri": [E + "g1", E + "g2"]}
    assert values(get(client, SELECT, **both)) == ["g1", "g2"]
    assert values(get(client, graph, **both)) == []
    assert values(get(client, graph, **{"named-graph-uri": E + "g2"})) == ["g2"]
    assert values(get(client, SELECT, **{"named-graph-uri": E + "g2"})) == []
    # 2.1.4: what the request says goes before what the query says
    own = f"SELECT ?o FROM <{E}g1> {{ <{E}a> ?p ?o }}"
    assert values(get(client, own)) == ["g1"]
    assert values(get(client, own, **{"default-graph-uri": E + "g2"})) == ["g2"]
    assert get(client, SELECT, **{"default-graph-uri": "no iri"}).status_code == 400


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        (SELECT, "*/*", "application/sparql-results+json"),
        (SELECT, "application/sparql-results+json", "application/sparql-results+json"),
        (SELECT, "application/json", "application/json"),
        (SELECT, "application/sparql-results+xml", "application/sparql-results+xml"),
        (SELECT, "application/xml", "application/xml"),
        (SELECT, "text/csv", "text/csv"),
        (SELECT, "text/tab-separated-values", "text/tab-separated-values"),
        (SELECT, "text/csv;q=0.2, application/sparql-results+xml;q=0.7", "application/sparql-results+xml"),
        (SELECT, "image/png, text/csv;q=0.1", "text/csv"),
        (SELECT, "text/turtle, text/csv;q=0.1", "text/csv"),
        (ASK, "*/*", "application/sparql-results+json"),
        (ASK, "application/sparql-results+xml", "application/sparql-results+xml"),
        (CONSTRUCT, "*/*", "text/turtle"),
        (CONSTRUCT, "text/turtle", "text/turtle"),
        (CONSTRUCT, "application/n-triples", "application/n-triples"),
        (CONSTRUCT, "application/rdf+xml", "application/rdf+xml"),
        (CONSTRUCT, "application/ld+json", "application/ld+json"),
        (f"DESCRIBE <{E}a>", "application/n-triples", "application/n-triples"),
    ],
)
def test_the_format_is_negotiated(client: FlaskClient, query: str, accept: str, media_type: str) -> None:
    response = get(client, query, accept)
    assert (response.status_code, response.mimetype) == (200, media_type)
    assert query == ASK or b"g1" in response.data


def test_without_accept_the_format_is_ours(client: FlaskClient) -> None:
    assert client.get("/sparql?" + urlencode({"query": CONSTRUCT})).mimetype == "text/turtle"


@pytest.mark.parametrize(
    ("query", "name", "value", "media_type"),
    [
        (SELECT, "format", "json", "application/sparql-results+json"),
        (SELECT, "format", "csv", "text/csv"),
        (SELECT, "output", "xml", "application/sparql-results+xml"),
        (SELECT, "format", "text/tab-separated-values", "text/tab-separated-values"),
        (SELECT, "format", "html", "text/html"),
        (ASK, "output", "json", "application/sparql-results+json"),
        (CONSTRUCT, "format", "xml", "application/rdf+xml"),
        (CONSTRUCT, "format", "turtle", "text/turtle"),
        (CONSTRUCT, "output", "json", "application/ld+json"),
        (CONSTRUCT, "format", "application/n-triples", "application/n-triples"),
    ],
)
def test_a_parameter_goes_before_accept(
    client: FlaskClient, query: str, name: str, value: str, media_type: str
) -> None:
    assert get(client, query, "text/csv, text/turtle", **{name: value}).mimetype == media_type
    posted = client.post("/sparql", data={"query": query, name: value}, headers={"Accept": "text/html"})
    assert posted.mimetype == media_type


def test_a_format_that_is_unknown_or_does_not_fit(client: FlaskClient) -> None:
    unknown = get(client, SELECT, format="docx")
    assert unknown.status_code == 400 and "csv" in unknown.json["mend"]
    assert get(client, SELECT, format="turtle").status_code == 406


def test_an_empty_graph_parameter_names_no_graph(client: FlaskClient) -> None:
    assert values(get(client, SELECT, **{"default-graph-uri": "", "named-graph-uri": ""})) == ["g1", "g2"]


@pytest.mark.parametrize("path", ["/sparql/", "/events/", "/queries/", "/ontology/", "/page/country/irn/"])
def test_a_slash_at_the_end_leads_to_the_same_door(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == client.get(path.rstrip("/")).status_code


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        (SELECT, "text/turtle"),
        (ASK, "text/csv"),
        (CONSTRUCT, "text/csv"),
        (SELECT, "image/png"),
        (SELECT, "text/csv;q=0"),
    ],
)
def test_what_cannot_be_produced_is_not_acceptable(client: FlaskClient, query: str, accept: str) -> None:
    response = get(client, query, accept)
    assert (response.status_code, response.mimetype) == (406, "application/problem+json")
    assert ("application/sparql-results+json" in response.json["mend"]) == (query != CONSTRUCT)


def test_a_malformed_query_names_its_place(client: FlaskClient) -> None:
    response = get(client, "SELECT *\n{ ?s foaf:name ?o }")
    assert response.status_code == 400
    assert (response.json["line"], response.json["column"]) == (2, 6)
    assert "PREFIX foaf:" in response.json["mend"]


def test_fetching_is_refused(client: FlaskClient) -> None:
    response = get(client, "SELECT * { SERVICE SILENT <http://127.0.0.1:9/> { ?s ?p ?o } }")
    assert response.status_code == 403
    assert (response.json["line"], response.json["column"]) == (1, 12)


@pytest.mark.parametrize(
    ("method", "address", "body", "content_type", "status"),
    [
        ("GET", "/sparql?query=ASK{}&query=ASK{}", None, None, 400),
        ("GET", "/sparql?query=", None, None, 400),
        ("GET", "/sparql?query=nonsense", None, None, 400),
        ("GET", "/sparql?query=CLEAR%20ALL", None, None, 400),
        ("GET", "/sparql?query=ASK%20%7B%20%3Fs%20%3Fp%20'%FF'%20%7D", None, None, 400),
        ("POST", "/sparql", b"", FORM, 400),
        ("POST", "/sparql", b"query=ASK{}&query=ASK{}", FORM, 400),
        ("POST", "/sparql?query=ASK{}", b"", FORM, 400),
        ("POST", "/sparql", b"update=CLEAR%20ALL", FORM, 400),
        ("POST", "/sparql", b"ASK {'\xff'}", QUERY, 400),
        ("POST", "/sparql", b"query=%FF", FORM, 400),
        ("POST", "/sparql", b"", QUERY, 400),
        ("POST", "/sparql", b"ASK {}", "text/plain", 415),
        ("POST", "/sparql", b"ASK {}", None, 415),
        ("POST", "/sparql", b"ASK {}", f"{QUERY}; charset=latin-1", 415),
        ("POST", "/sparql", b"CLEAR ALL", UPDATE, 415),
        ("PUT", "/sparql", b"ASK {}", QUERY, 405),
        ("DELETE", "/sparql", None, None, 405),
        ("GET", "/update", None, None, 405),
        ("GET", "/update?update=CLEAR%20ALL", None, None, 405),
        ("POST", "/update", b"", FORM, 400),
        ("POST", "/update", b"update=CLEAR%20ALL&update=CLEAR%20ALL", FORM, 400),
        ("POST", "/update", b"query=ASK{}", FORM, 400),
        ("POST", "/update", b"nonsense", UPDATE, 400),
        ("POST", "/update", b"ASK {}", UPDATE, 400),
        ("POST", "/update", b"INSERT DATA { <a:a> <b:b> '\xff' }", UPDATE, 400),
        ("POST", "/update", b"update=%FF", FORM, 400),
        ("POST", "/update", b"CLEAR ALL", "text/plain", 415),
        ("POST", "/update", b"LOAD <http://127.0.0.1:9/>", UPDATE, 403),
    ],
)
def test_requests_that_the_protocol_does_not_know(
    client: FlaskClient, method: str, address: str, body: bytes | None, content_type: str | None, status: int
) -> None:
    response = client.open(address, method=method, data=body, content_type=content_type, headers=TOKEN)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert response.json["detail"] and response.json["mend"]
    assert values(get(client, SELECT)) == ["g1", "g2"]


def test_a_body_over_the_limit_is_refused(store: EmbeddedStore, settings: Settings) -> None:
    client = create_app(store, replace(settings, max_upload=1000)).test_client()
    long = SELECT + " " * 1000
    for body in ({"data": long, "content_type": QUERY}, {"data": {"query": long}}):
        response = client.post("/sparql", **body)
        assert response.status_code == 413
        assert "1,000 bytes" in response.json["detail"]
        assert "DIPLOGRAPH_MAX_UPLOAD" in response.json["mend"]


def test_update_as_the_body_and_by_form(client: FlaskClient) -> None:
    insert = "INSERT DATA {{ GRAPH <{0}g3> {{ <{0}a> <{0}p> '{1}' }} }}"
    assert (
        client.post("/update", data=insert.format(E, "é"), content_type=UPDATE, headers=TOKEN).status_code
        == 204
    )
    assert client.post("/update", data={"update": insert.format(E, "f")}, headers=TOKEN).status_code == 204
    assert values(get(client, SELECT)) == ["f", "g1", "g2", "é"]


def test_an_update_with_the_graphs_of_the_request(client: FlaskClient) -> None:
    insert = (
        f"INSERT {{ GRAPH <{E}g3> {{ <{E}a> <{E}p> ?new }} }} "
        f"WHERE {{ <{E}a> <{E}p> ?o BIND(CONCAT(?o, '!') AS ?new) }}"
    )
    address = "/update?" + urlencode({"using-graph-uri": E + "g1"})
    assert client.post(address, data=insert, content_type=UPDATE, headers=TOKEN).status_code == 204
    assert values(get(client, SELECT)) == ["g1", "g1!", "g2"]
    # 2.2.3: not beside USING or WITH in the request
    clash = f"WITH <{E}g2> DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}"
    response = client.post("/update", data={"update": clash, "using-graph-uri": E + "g1"}, headers=TOKEN)
    assert response.status_code == 400


def test_a_byte_order_mark_before_a_query_or_an_update(client: FlaskClient) -> None:
    posted = client.post("/sparql", data="\ufeff" + SELECT, content_type=QUERY)
    assert values(posted) == ["g1", "g2"]
    update = f"\ufeffINSERT DATA {{ <{E}a> <{E}p> 'bom' }}"
    assert client.post("/update", data=update, content_type=UPDATE, headers=TOKEN).status_code == 204
    assert "bom" in values(get(client, SELECT))


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/sparql", QUERY),
        ("/update", UPDATE),
        ("/graphs?graph=http://e.example/g", "text/turtle"),
        ("/load", "text/turtle"),
    ],
)
def test_a_compressed_body_is_refused_at_every_door(client: FlaskClient, path: str, media_type: str) -> None:
    body = gzip.compress(SELECT.encode())
    headers = {**TOKEN, "Content-Encoding": "gzip"}
    response = client.post(path, data=body, content_type=media_type, headers=headers)
    assert response.status_code == 415 and "gzip" in response.json["detail"]


def test_update_needs_the_token(client: FlaskClient) -> None:
    for headers, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 403)):
        response = client.post("/update", data={"update": "CLEAR ALL"}, headers=headers)
        assert response.status_code == status
    assert values(get(client, SELECT)) == ["g1", "g2"]


def test_a_client_without_a_query_gets_the_service_description(client: FlaskClient) -> None:
    response = client.get("/sparql", headers={"Accept": "text/turtle"})
    assert response.mimetype == "text/turtle"
    sd = "http://www.w3.org/ns/sparql-service-description#"
    facts = {
        (quad.predicate.value, getattr(quad.object, "value", ""))
        for quad in pyoxigraph.parse(response.data, format=pyoxigraph.RdfFormat.TURTLE)
    }
    assert (sd + "endpoint", "http://localhost/sparql") in facts
    assert (sd + "feature", sd + "UnionDefaultGraph") in facts
    assert (sd + "supportedLanguage", sd + "SPARQL11Query") in facts
    assert (sd + "resultFormat", "http://www.w3.org/ns/formats/SPARQL_Results_JSON") in facts
    assert client.get("/sparql").mimetype == "text/turtle"


def test_a_browser_gets_the_editor_the_table_and_the_error(client: FlaskClient) -> None:
    editor = client.get("/sparql", headers=BROWSER)
    assert editor.mimetype == "text/html" and "<textarea" in editor.text
    table = client.get("/sparql?" + urlencode({"query": SELECT}), headers=BROWSER)
    assert table.mimetype == "text/html" and "<td>" in table.text and "/sparql/results.csv?" in table.text
    wrong = client.get("/sparql?" + urlencode({"query": "SELECT <script>"}), headers=BROWSER)
    assert wrong.status_code == 400 and "<script>" not in wrong.text and "&lt;script&gt;" in wrong.text
    for query in (ASK, CONSTRUCT):
        assert client.get("/sparql?" + urlencode({"query": query}), headers=BROWSER).status_code == 200


def test_a_long_table_says_that_there_is_more(client: FlaskClient, store: EmbeddedStore) -> None:
    store.change(
        [],
        [
            Quad(NamedNode(f"{E}{n}"), NamedNode(E + "q"), Literal("x"), NamedNode(E + "g"))
            for n in range(SHOWN_ROWS + 1)
        ],
    )
    query = urlencode({"query": f"SELECT ?s {{ ?s <{E}q> ?o }}"})
    table = client.get("/sparql?" + query, headers=BROWSER).text
    assert table.count("<tr><td>") == SHOWN_ROWS and f"First {SHOWN_ROWS}" in table
    whole = client.get("/sparql/results.csv?" + query)
    assert whole.data.count(b"\r\n") == SHOWN_ROWS + 2
    assert whole.headers["Content-Disposition"] == "attachment; filename=results.csv"
    assert client.get("/sparql/results.png?" + query).status_code == 406


def test_read_only_refuses_updates(store: EmbeddedStore, settings: Settings) -> None:
    client = create_app(store, replace(settings, read_only=True)).test_client()
    assert client.post("/update", data={"update": "CLEAR ALL"}, headers=TOKEN).status_code == 403
    assert "SPARQL11Update" not in client.get("/sparql").text


@pytest.mark.server
def test_sparqlwrapper_reads_and_writes(live_server: str) -> None:
    reader = SPARQLWrapper(live_server + "/sparql")
    reader.setReturnFormat(JSON)
    for method in ("GET", POST):
        reader.setMethod(method)
        reader.setQuery(SELECT)
        bindings = reader.query().convert()["results"]["bindings"]
        assert sorted(binding["o"]["value"] for binding in bindings) == ["g1", "g2"]
    writer = SPARQLWrapper(live_server + "/update")
    writer.addCustomHttpHeader("Authorization", "Bearer test-token")
    writer.setMethod(POST)
    writer.setQuery(f"CLEAR GRAPH <{E}g1>")
    writer.query().response.close()
    reader.setQuery(ASK.replace("?o", "'g1'"))
    assert reader.query().convert()["boolean"] is False


@pytest.mark.server
def test_rdflib_reads_and_writes(live_server: str) -> None:
    remote = SPARQLUpdateStore(
        live_server + "/sparql", live_server + "/update", headers={"Authorization": "Bearer test-token"}
    )
    assert sorted(str(row[0]) for row in remote.query(SELECT)) == ["g1", "g2"]
    remote.update(f"INSERT DATA {{ GRAPH <{E}g3> {{ <{E}a> <{E}p> <{E}b> }} }}")
    assert {triple[2] for triple, _ in remote.triples((URIRef(E + "a"), URIRef(E + "p"), None))} >= {
        URIRef(E + "b")
    }


@pytest.mark.server
def test_a_real_server_sends_the_whole_answer(live_server: str) -> None:
    with httpx.Client() as http:
        response = http.post(
            live_server + "/sparql", content=SELECT, headers={"Content-Type": QUERY, "Accept": "text/csv"}
        )
        assert sorted(response.text.split()) == ["g1", "g2", "o"]
        assert http.head(live_server + "/sparql", params={"query": SELECT}).status_code == 200
