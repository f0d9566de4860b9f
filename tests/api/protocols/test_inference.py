"""With what is entailed and without: the `inference` switch of queries and questions."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from kg.load import install
from kg.reasoning import Entailments
from kg.settings import Settings
from kg.store import EmbeddedStore
from kg.terms import GRAPH_ENTAILMENTS

EVENT = "<https://w3id.org/diplograph/id/event/us-iran-deportation>"
# The class is defined by the character of an interaction; nobody states it of this event.
COOPERATIVE = f"PREFIX dg: <https://w3id.org/diplograph/ontology#> ASK {{ {EVENT} a dg:CooperativeEvent }}"
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
BROWSER = {"Accept": "text/html"}
JSON = {"Accept": "application/sparql-results+json"}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """An application whose store holds what is bundled, and what follows from it."""
    store = EmbeddedStore()
    install(store)
    Entailments().rebuild(store)
    app = create_app(store, Settings(token="test-token"))
    app.testing = True
    return app.test_client()


def ask(client: FlaskClient, query: str, **fields: str) -> dict:  # type: ignore[type-arg]
    response = client.get("/sparql?" + urlencode({"query": query, **fields}), headers=JSON)
    assert response.status_code == 200, response.text
    return response.get_json()


def number(client: FlaskClient, query: str, **fields: str) -> int:
    return int(ask(client, query, **fields)["results"]["bindings"][0]["n"]["value"])


@pytest.mark.parametrize(
    ("fields", "found"), [({}, True), ({"inference": "true"}, True), ({"inference": "false"}, False)]
)
def test_what_only_inference_says_is_found_with_it_alone(
    client: FlaskClient, fields: dict[str, str], found: bool
) -> None:
    for _ in range(2):  # the second answer comes from the cache
        assert ask(client, COOPERATIVE, **fields)["boolean"] is found
    posted = client.post("/sparql", data={"query": COOPERATIVE, **fields}, headers=JSON)
    assert posted.get_json()["boolean"] is found
    direct = client.post(
        "/sparql?" + urlencode(fields),
        data=COOPERATIVE,
        content_type="application/sparql-query",
        headers=JSON,
    )
    assert direct.get_json()["boolean"] is found
    named = client.get("/sparql/results.json?" + urlencode({"query": COOPERATIVE, **fields}))
    assert named.get_json()["boolean"] is found
    page = client.get("/sparql?" + urlencode({"query": COOPERATIVE, **fields}), headers=BROWSER).text
    assert ("<strong>Yes</strong>" in page) is found
    piece = client.post("/sparql/run", data={"query": COOPERATIVE, **fields}).text
    assert ("<strong>Yes</strong>" in piece) is found


def test_the_counts_differ_by_what_is_entailed(client: FlaskClient) -> None:
    entailed = number(client, f"SELECT (COUNT(*) AS ?n) {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }}")
    assert entailed
    assert number(client, COUNT) - number(client, COUNT, inference="false") == entailed
    graphs = "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
    assert number(client, graphs) - number(client, graphs, inference="false") == 1


@pytest.mark.parametrize("value", ["", "no", "FALSE", "0", "true&inference=true"])
@pytest.mark.parametrize(
    "path",
    [
        "/sparql?query=ASK+%7B%7D&",
        "/sparql/results.json?query=ASK+%7B%7D&",
        "/queries/deportations?",
        "/queries/deportations.csv?",
    ],
)
def test_any_other_value_is_refused(client: FlaskClient, path: str, value: str) -> None:
    response = client.get(f"{path}inference={value}", headers=JSON)
    assert response.status_code == 400
    assert "inference=false" in response.get_json()["mend"]
    assert client.get(f"{path}inference={value}", headers=BROWSER).status_code == 400


def test_questions_have_the_switch_and_keep_it(client: FlaskClient) -> None:
    page = client.get("/queries/deportations?inference=false", headers=BROWSER).text
    assert 'name="inference" value="false" checked' in page
    assert (
        "/queries/deportations.csv?" in page
        and "inference=false" in page.split("/queries/deportations.csv?")[1][:80]
    )
    assert 'name="inference" value="false">' in client.get("/queries/deportations", headers=BROWSER).text
    assert client.get("/queries/deportations.csv?inference=false").status_code == 200


def test_the_editor_keeps_the_switch(client: FlaskClient) -> None:
    page = client.get("/sparql?" + urlencode({"query": COUNT, "inference": "false"}), headers=BROWSER).text
    assert 'name="inference" value="false" checked' in page
    assert "inference=false" in page.split("/sparql/results.csv?")[1][:200]


def test_home_and_void_say_how_much_is_entailed(client: FlaskClient) -> None:
    entailed = number(client, f"SELECT (COUNT(*) AS ?n) {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }} }}")
    assert f"{entailed:,} of them inferred" in client.get("/", headers=BROWSER).text
    void = client.get("/.well-known/void", headers={"Accept": "application/n-triples"}).text
    assert f"<http://rdfs.org/ns/void#subset> {GRAPH_ENTAILMENTS}" in void
    assert f'{GRAPH_ENTAILMENTS} <http://rdfs.org/ns/void#triples> "{entailed}"' in void


def test_the_unnamed_graph_counts_without_inference(client: FlaskClient) -> None:
    put = client.put(
        "/graphs?default",
        data="<urn:a> <urn:b> <urn:c> .",
        content_type="text/turtle",
        headers={"Authorization": "Bearer test-token"},
    )
    assert put.status_code in (201, 204)
    assert ask(client, "ASK { <urn:a> <urn:b> <urn:c> }", inference="false")["boolean"] is True


def test_an_update_is_said_to_be_ahead_until_the_entailments_are_built(tmp_path: Path) -> None:
    store = EmbeddedStore()
    install(store)
    Entailments().rebuild(store)
    app = create_app(store, Settings(token="test-token", data=tmp_path))
    app.testing = True
    client = app.test_client()
    token = {"Authorization": "Bearer test-token"}
    assert client.get("/health").get_json()["entailments"] == "in step"
    insert = """PREFIX dg: <https://w3id.org/diplograph/ontology#> INSERT DATA { GRAPH <urn:g> {
      <urn:event> a dg:Event ; dg:hasInteraction <urn:meeting> .
      <urn:meeting> dg:character <https://w3id.org/diplograph/id/character/cooperative> } }"""
    assert client.post("/update", data={"update": insert}, headers=token).status_code == 204
    assert client.get("/health").get_json()["entailments"] == "older than the data"
    assert "older than the data" in client.get("/sparql", headers=BROWSER).text
    assert client.post("/entailments").status_code == 401
    assert client.post("/entailments", headers=token).get_json()["entailments"] > 0
    assert client.get("/health").get_json()["entailments"] == "in step"
    assert ask(client, COOPERATIVE.replace(EVENT, "<urn:event>"))["boolean"] is True
    put = client.put(
        "/graphs?graph=urn:h", data="<urn:a> <urn:b> <urn:c> .", content_type="text/turtle", headers=token
    )
    assert put.status_code == 201
    assert client.get("/health").get_json()["entailments"] == "older than the data"
    assert client.post("/update", data={"update": "INSERT nonsense"}, headers=token).status_code == 400
    app.extensions["diplograph"].pending.close()
