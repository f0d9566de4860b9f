"""The behaviours that the W3C suite `sparql11/protocol` asks for, one test each, from the Recommendation.

The entries of its manifest give the names; sections are those of SPARQL 1.1 Protocol.
"""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import urlencode
from xml.etree.ElementTree import fromstring

import pytest
from flask.testing import FlaskClient
from pyoxigraph import (
    Literal,
    NamedNode,
    Quad,
    QueryResultsFormat,
    RdfFormat,
    Triple,
    parse,
    parse_query_results,
    serialize,
)

from kg.rdf.formats import rdf_format
from kg.store import EmbeddedStore

E = "http://e.example/"
TOKEN = {"Authorization": "Bearer test-token"}
FORM = "application/x-www-form-urlencoded"
QUERY = "application/sparql-query"
UPDATE = "application/sparql-update"
RESULTS = {
    "application/sparql-results+json",
    "application/sparql-results+xml",
    "text/csv",
    "text/tab-separated-values",
}
RDF = {"text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"}


@pytest.fixture(autouse=True)
def quads(store: EmbeddedStore) -> None:
    """Four graphs with one triple each, whose object names the graph."""
    store.change(
        [], [Quad(NamedNode(E + "s"), NamedNode(E + "p"), Literal(g), NamedNode(E + g)) for g in "1234"]
    )


def ask_get(client: FlaskClient, query: str, **more: object) -> bool:
    response = client.get("/sparql?" + urlencode({"query": query, **more}, doseq=True))
    assert response.status_code == 200, response.text
    return bool(json.loads(response.data)["boolean"])


def ask_post(client: FlaskClient, query: str, **more: object) -> bool:
    response = client.post("/sparql?" + urlencode(more, doseq=True), data=query, content_type=QUERY)
    assert response.status_code == 200, response.text
    return bool(json.loads(response.data)["boolean"])


def update(client: FlaskClient, text: str, **more: object) -> None:
    response = client.post(
        "/update?" + urlencode(more, doseq=True), data=text, content_type=UPDATE, headers=TOKEN
    )
    assert 200 <= response.status_code < 400, response.text


def refused(response) -> None:  # type: ignore[no-untyped-def]
    assert 400 <= response.status_code < 500
    assert response.mimetype == "application/problem+json"
    assert response.json["status"] == response.status_code


ONLY = f"ASK {{ <{E}s> <{E}p> ?a, ?b FILTER(?a != ?b) }}"
FIRST = f"ASK {{ <{E}s> <{E}p> '1' FILTER NOT EXISTS {{ <{E}s> <{E}p> '3' }} }}"


def test_query_get(client: FlaskClient) -> None:
    assert ask_get(client, "ASK {}") is True


def test_query_post_form(client: FlaskClient) -> None:
    response = client.post("/sparql", data={"query": "ASK {}"})
    assert response.status_code == 200 and response.json["boolean"] is True


def test_query_post_direct(client: FlaskClient) -> None:
    assert ask_post(client, "ASK {}") is True


def test_query_dataset_default_graph(client: FlaskClient) -> None:
    assert ask_get(client, ONLY, **{"default-graph-uri": E + "1"}) is False
    assert ask_get(client, FIRST, **{"default-graph-uri": E + "1"}) is True


def test_query_dataset_default_graphs_get(client: FlaskClient) -> None:
    assert ask_get(client, ONLY, **{"default-graph-uri": [E + "1", E + "2"]}) is True
    assert ask_get(client, FIRST, **{"default-graph-uri": [E + "1", E + "2"]}) is True


def test_query_dataset_default_graphs_post(client: FlaskClient) -> None:
    assert ask_post(client, FIRST, **{"default-graph-uri": [E + "1", E + "2"]}) is True
    body = urlencode(
        {"query": FIRST, "default-graph-uri": [E + "1", E + "2", E + "3"]},
        doseq=True,
    )
    assert client.post("/sparql", data=body, content_type=FORM).json["boolean"] is False


NAMED = f"ASK {{ GRAPH ?g {{ <{E}s> <{E}p> '1' }} FILTER NOT EXISTS {{ GRAPH ?h {{ <{E}s> <{E}p> '3' }} }} }}"


def test_query_dataset_named_graphs_get(client: FlaskClient) -> None:
    assert ask_get(client, NAMED, **{"named-graph-uri": [E + "1", E + "2"]}) is True
    assert ask_get(client, NAMED, **{"named-graph-uri": [E + "1", E + "3"]}) is False


def test_query_dataset_named_graphs_post(client: FlaskClient) -> None:
    assert ask_post(client, NAMED, **{"named-graph-uri": [E + "1", E + "2"]}) is True
    assert ask_post(client, NAMED, **{"named-graph-uri": [E + "2"]}) is False


FULL = f"ASK {{ <{E}s> <{E}p> '1' GRAPH ?g {{ <{E}s> <{E}p> ?o }} FILTER(?o IN ('2', '3')) }}"


def test_query_dataset_full(client: FlaskClient) -> None:
    given = {"default-graph-uri": E + "1", "named-graph-uri": [E + "2", E + "3"]}
    assert ask_get(client, FULL, **given) is True
    assert ask_post(client, FULL, **given) is True
    assert ask_get(client, FULL, **{**given, "default-graph-uri": E + "2"}) is False


def test_query_multiple_dataset(client: FlaskClient) -> None:
    """2.1.4: the dataset of the request goes before that of the query."""
    own = FIRST.replace("ASK", f"ASK FROM <{E}3>")
    assert ask_get(client, own, **{"default-graph-uri": E + "1"}) is True
    assert ask_get(client, own) is False


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("SELECT (1 AS ?value) {}", RESULTS),
        ("ASK {}", RESULTS),
        (f"DESCRIBE <{E}s>", RDF),
        ("CONSTRUCT { <a:s> <a:p> 1 } WHERE {}", RDF),
    ],
    ids=["select", "ask", "describe", "construct"],
)
def test_query_content_type(client: FlaskClient, query: str, types: set[str]) -> None:
    for method in ("get", "post"):
        if method == "get":
            response = client.get("/sparql?" + urlencode({"query": query}))
        else:
            response = client.post("/sparql", data=query, content_type=QUERY)
        assert response.status_code == 200 and response.mimetype in types


def test_update_post_form(client: FlaskClient) -> None:
    response = client.post("/update", data={"update": f"CLEAR GRAPH <{E}1>"}, headers=TOKEN)
    assert 200 <= response.status_code < 400
    assert ask_get(client, f"ASK {{ GRAPH <{E}1> {{ ?s ?p ?o }} }}") is False


def test_update_post_direct(client: FlaskClient) -> None:
    update(client, f"CLEAR GRAPH <{E}1>")
    assert ask_get(client, f"ASK {{ GRAPH <{E}1> {{ ?s ?p ?o }} }}") is False


COPY = f"INSERT {{ GRAPH <{E}out> {{ ?s ?p ?o }} }} WHERE "


def out(client: FlaskClient) -> set[str]:
    query = urlencode({"query": f"SELECT ?o {{ GRAPH <{E}out> {{ ?s ?p ?o }} }}"})
    rows = client.get("/sparql?" + query).json["results"]["bindings"]
    return {row["o"]["value"] for row in rows}


def test_update_dataset_default_graph(client: FlaskClient) -> None:
    update(client, COPY + "{ ?s ?p ?o }", **{"using-graph-uri": E + "1"})
    assert out(client) == {"1"}


def test_update_dataset_default_graphs(client: FlaskClient) -> None:
    update(client, COPY + "{ ?s ?p ?o }", **{"using-graph-uri": [E + "1", E + "2"]})
    assert out(client) == {"1", "2"}


def test_update_dataset_named_graphs(client: FlaskClient) -> None:
    update(client, COPY + "{ GRAPH ?g { ?s ?p ?o } }", **{"using-named-graph-uri": [E + "1", E + "2"]})
    assert out(client) == {"1", "2"}


def test_update_dataset_full(client: FlaskClient) -> None:
    update(
        client,
        COPY + "{ ?s ?p ?a GRAPH ?g { ?s ?p ?o } }",
        **{"using-graph-uri": E + "1", "using-named-graph-uri": E + "2"},
    )
    assert out(client) == {"2"}


def test_update_dataset_in_a_form(client: FlaskClient) -> None:
    fields = {"update": COPY + "{ ?s ?p ?o }", "using-graph-uri": E + "3"}
    assert client.post("/update", data=fields, headers=TOKEN).status_code == 204
    assert out(client) == {"3"}


def test_update_base_uri(client: FlaskClient) -> None:
    update(client, f"INSERT DATA {{ GRAPH <{E}base> {{ <{E}s> <{E}p> <test> }} }}")
    assert ask_get(client, f"ASK {{ GRAPH <{E}base> {{ ?s ?p <http://localhost/test> }} }}") is True
    assert ask_get(client, f"ASK {{ GRAPH <{E}base> {{ ?s ?p <test> }} }}") is True


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_bad_query_method(client: FlaskClient, method: str) -> None:
    response = client.open("/sparql?query=ASK%20%7B%7D", method=method)
    refused(response)
    assert response.status_code == 405 and "GET" in response.headers["Allow"]


def test_bad_multiple_queries(client: FlaskClient) -> None:
    refused(client.get("/sparql?query=ASK%20%7B%7D&query=SELECT%20*%20%7B%7D"))
    refused(client.post("/sparql", data="query=ASK%7B%7D&query=ASK%7B%7D", content_type=FORM))
    refused(client.post("/sparql?query=ASK%7B%7D", data="ASK {}", content_type=QUERY))


def test_bad_query_wrong_media_type(client: FlaskClient) -> None:
    refused(client.post("/sparql", data="ASK {}", content_type="text/plain"))


def test_bad_query_missing_form_type(client: FlaskClient) -> None:
    refused(client.post("/sparql", data="query=ASK%20%7B%7D"))


def test_bad_query_missing_direct_type(client: FlaskClient) -> None:
    refused(client.post("/sparql", data="ASK {}"))


def test_bad_query_non_utf8(client: FlaskClient) -> None:
    text = "ASK { ?s ?p 'é' }"
    refused(client.post("/sparql", data=text.encode("utf-16"), content_type=f"{QUERY}; charset=UTF-16"))
    refused(client.post("/sparql", data=text.encode("latin-1"), content_type=QUERY))


def test_bad_query_syntax(client: FlaskClient) -> None:
    response = client.get("/sparql?query=ASK%20%7B")
    refused(response)
    assert response.status_code == 400


def test_bad_update_get(client: FlaskClient) -> None:
    response = client.get("/update?update=CLEAR%20NAMED", headers=TOKEN)
    refused(response)
    assert response.status_code == 405


def test_bad_multiple_updates(client: FlaskClient) -> None:
    refused(
        client.post(
            "/update", data="update=CLEAR%20NAMED&update=CLEAR%20DEFAULT", content_type=FORM, headers=TOKEN
        )
    )
    assert ask_get(client, ONLY) is True


def test_bad_update_wrong_media_type(client: FlaskClient) -> None:
    refused(client.post("/update", data="CLEAR NAMED", content_type="text/plain", headers=TOKEN))


def test_bad_update_missing_form_type(client: FlaskClient) -> None:
    refused(client.post("/update", data="update=CLEAR%20NAMED", headers=TOKEN))


def test_bad_update_non_utf8(client: FlaskClient) -> None:
    text = f"INSERT DATA {{ GRAPH <{E}1> {{ <{E}s> <{E}p> 'é' }} }}"
    kind = f"{UPDATE}; charset=UTF-16"
    refused(client.post("/update", data=text.encode("utf-16"), content_type=kind, headers=TOKEN))


def test_bad_update_syntax(client: FlaskClient) -> None:
    response = client.post("/update", data={"update": f"CLEAR XYZ <{E}1>"}, headers=TOKEN)
    refused(response)
    assert response.status_code == 400


@pytest.mark.parametrize("clause", [f"WITH <{E}1> ", ""])
@pytest.mark.parametrize("parameter", ["using-graph-uri", "using-named-graph-uri"])
def test_bad_update_dataset_conflict(client: FlaskClient, clause: str, parameter: str) -> None:
    using = "" if clause else f"USING <{E}1> "
    text = f"{clause}DELETE {{ ?s ?p ?o }} {using}WHERE {{ ?s ?p ?o }}"
    response = client.post("/update", data={"update": text, parameter: E + "2"}, headers=TOKEN)
    refused(response)
    assert response.status_code == 400
    assert ask_get(client, ONLY) is True


@pytest.mark.parametrize(
    "name", ["default-graph-uri", "named-graph-uri", "using-graph-uri", "using-named-graph-uri"]
)
def test_a_dataset_that_is_no_iri_is_refused(client: FlaskClient, name: str) -> None:
    if name.startswith("using"):
        response = client.post("/update", data={"update": COPY + "{}", name: "not an iri"}, headers=TOKEN)
    else:
        response = client.get("/sparql?" + urlencode({"query": "ASK {}", name: "not an iri"}))
    refused(response)
    assert response.status_code == 400


def test_options_and_preflight(client: FlaskClient) -> None:
    """Fetch standard, section 3.2: what a browser asks before a request to another origin."""
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for path in ("/sparql", "/update", "/graphs"):
        response = client.options(path, headers=asked)
        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
        allowed = response.headers["Access-Control-Allow-Headers"].lower()
        assert "authorization" in allowed and "content-type" in allowed
        assert "Access-Control-Allow-Credentials" not in response.headers
    reading = asked | {"Access-Control-Request-Method": "GET"}
    for path in (
        "/page/country/irn",
        "/data/country/irn.ttl",
        "/ontology.ttl",
        "/queries/posts.json",
        "/reconcile",
    ):
        response = client.options(path, headers=reading)
        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "GET" in response.headers["Access-Control-Allow-Methods"]
    # Doors that take a session's cookie stay closed to other origins.
    assert "Access-Control-Allow-Origin" not in client.options("/sign-in", headers=asked).headers
    assert "Access-Control-Allow-Origin" not in client.post("/sign-in", data={}).headers


def test_an_error_can_be_read_from_another_origin(client: FlaskClient) -> None:
    response = client.get("/sparql?query=nonsense", headers={"Origin": "https://elsewhere.example"})
    assert response.status_code == 400 and response.headers["Access-Control-Allow-Origin"] == "*"


def test_an_address_over_the_limit(client: FlaskClient) -> None:
    response = client.get("/sparql?query=" + "x" * 70_000)
    refused(response)
    assert response.status_code == 414 and "POST" in response.json["mend"]


def test_quality_values_decide(client: FlaskClient) -> None:
    address = "/sparql?" + urlencode({"query": "SELECT * { ?s ?p ?o } LIMIT 1"})
    for accept, chosen in (
        ("text/csv;q=0.5, application/sparql-results+xml", "application/sparql-results+xml"),
        ("text/csv;q=0.5, application/sparql-results+xml;q=0.4, */*;q=0.1", "text/csv"),
        ("text/*", "text/csv"),
        ("application/sparql-results+json;q=0, */*", "application/sparql-results+xml"),
    ):
        response = client.get(address, headers={"Accept": accept})
        assert response.mimetype == chosen
        assert "Accept" in response.headers["Vary"]


def test_triple_terms_pass_through(client: FlaskClient) -> None:
    """RDF 1.2: a triple term that was put in comes out as it went in."""
    term = f"<<( <{E}a> <{E}b> 'c' )>>"
    update(client, f"INSERT DATA {{ GRAPH <{E}t> {{ <{E}x> <{E}says> {term} }} }}")
    query = urlencode({"query": f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{E}t> {{ ?s ?p ?o }} }}"})
    text = client.get("/sparql?" + query, headers={"Accept": "application/n-triples"}).text
    assert text.strip() == f'<{E}x> <{E}says> <<( <{E}a> <{E}b> "c" )>> .'
    rows = client.get("/sparql?" + urlencode({"query": f"SELECT ?o {{ <{E}x> <{E}says> ?o }}"}))
    value = rows.json["results"]["bindings"][0]["o"]
    assert value["type"] == "triple" and value["value"]["object"]["value"] == "c"
    told = client.get("/sparql?" + query, headers={"Accept": "application/ld+json"})
    assert told.status_code == 406 and told.mimetype == "application/problem+json"


PLACE = "https://w3id.org/diplograph/id/place/port-x"
LABEL = "a\x01b\x08c"
OTHER = "cr\rlf\n tab\t nel\x85 ls\u2028 nonchar\ufffe"
XML_FORMS = ("application/sparql-results+xml", "application/rdf+xml")


def test_every_door_gives_back_characters_that_xml_cannot_carry(client: FlaskClient) -> None:
    """XML 1.0 section 2.2 has no U+0001; all other formats give it back as it was stored."""
    label = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
    data = [
        Triple(NamedNode(PLACE), label, Literal(LABEL)),
        Triple(NamedNode(PLACE), NamedNode(E + "p"), Literal(OTHER)),
    ]
    sent = client.put(
        f"/graphs?graph={E}ctl",
        data=serialize(data, format=RdfFormat.N_TRIPLES),
        content_type="application/n-triples",
        headers=TOKEN,
    )
    assert sent.status_code == 201
    construct = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{E}ctl> {{ ?s ?p ?o }} }}"
    select = f"SELECT ?o FROM <{E}ctl> {{ ?s ?p ?o }} ORDER BY DESC(?p)"
    graphs = [
        "/sparql?" + urlencode({"query": construct}),
        "/sparql?" + urlencode({"query": f"DESCRIBE <{PLACE}>"}),
        f"/graphs?graph={E}ctl",
        "/data?" + urlencode({"iri": PLACE}),
    ]
    solutions = ["/sparql?" + urlencode({"query": select})]
    for addresses, media_types in ((graphs, RDF), (solutions, RESULTS)):
        for address in addresses:
            for media_type in media_types:
                response = client.get(address, headers={"Accept": media_type})
                if media_type in XML_FORMS:
                    assert (response.status_code, response.mimetype) == (406, "application/problem+json")
                    assert "U+0001" in response.json["detail"] or "U+FFFE" in response.json["detail"]
                elif media_type in RDF:
                    form = RdfFormat.from_media_type(media_type)
                    assert {q.triple for q in parse(response.data, format=form)} >= set(data), media_type
                elif media_type == "text/csv":
                    rows = list(csv.reader(io.StringIO(response.data.decode(), newline="")))
                    assert rows == [["o"], [LABEL], [OTHER]]
                else:
                    found = parse_query_results(
                        response.data,
                        format=QueryResultsFormat.from_media_type(media_type),  # type: ignore[arg-type]
                    )
                    assert [row["o"].value for row in found] == [LABEL, OTHER]
    for name in ("ttl", "nt", "jsonld"):
        response = client.get(f"/data/place/port-x.{name}")
        assert Literal(LABEL) in {q.object for q in parse(response.data, format=rdf_format(name).engine)}
    assert client.get("/data/place/port-x.rdf").status_code == 406
    assert client.get("/sparql/results.xml?" + urlencode({"query": select})).status_code == 406
    # Texts for people leave out what their format cannot carry.
    feed = client.get("/feed/place/port-x.atom")
    assert "abc" in "".join(fromstring(feed.data).itertext())
    assert client.get("/page/place/port-x").status_code == 200


def test_predicates_that_no_xml_name_can_write_are_named(client: FlaskClient) -> None:
    for predicate in ("http://e.example/123", "http://www.w3.org/1999/02/22-rdf-syntax-ns#li"):
        query = urlencode({"query": f"CONSTRUCT {{ <{E}s> <{predicate}> 1 }} WHERE {{}}"})
        told = client.get("/sparql?" + query, headers={"Accept": "application/rdf+xml"})
        assert told.status_code == 406 and f"<{predicate}>" in told.json["detail"]
        assert client.get("/sparql?" + query, headers={"Accept": "application/ld+json"}).status_code == 200
