"""The editor's doors: results as pieces, terms to complete, a query that ends when its reader leaves."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from api.app import create_app
from kg.settings import Settings
from kg.store.cancellation import Stopper, on_stop, stoppable
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer import Writer
from kg.terms import ID, ONTOLOGY, PREFIXES
from tests.kg.store.opening import open_isolated
from tests.live import serve_app

ENDLESS = (
    "SELECT (COUNT(*) AS ?n) { "
    + " ".join(f"VALUES ?v{n} {{ {' '.join(map(str, range(300)))} }}" for n in range(5))
    + " }"
)


@pytest.fixture
def isolated(tmp_path: Path) -> Iterator[IsolatedStore[Writer]]:
    store = open_isolated(tmp_path, workers=1, timeout=300, memory=2**30)
    yield store
    store.close()


def run(client: FlaskClient, query: str) -> str:
    response = client.post("/sparql/run", data={"query": query})
    assert response.status_code == 200 and response.mimetype == "text/html"
    assert response.text.endswith("<!-- whole -->")
    return response.text


def test_results_name_things_and_lead_to_their_pages(client: FlaskClient) -> None:
    piece = run(client, f"SELECT ?c {{ ?c a <{ONTOLOGY}Country> FILTER(?c = <{ID}country/irn>) }}")
    assert f'<a href="/page/country/irn" title="{ID}country/irn"><bdi>Iran</bdi></a>' in piece
    assert "1 row." in piece and "/sparql/results.csv?" in piece
    assert "<strong>Yes</strong>" in run(client, "ASK { ?s ?p ?o }")
    graph = run(
        client, f"CONSTRUCT {{ ?s ?p _:b }} {{ <{ID}country/irn> ?p ?o BIND(<{ID}country/irn> AS ?s) }}"
    )
    assert "<bdi>Iran</bdi>" in graph


def test_all_columns_asked_for_are_shown(client: FlaskClient) -> None:
    query = f"SELECT ?c ?name {{ VALUES ?c {{ <{ID}country/irn> }} ?c <{PREFIXES['rdfs']}label> ?name }}"
    piece = run(client, query)
    assert '<th scope="col">c</th><th scope="col">name</th>' in piece


def test_errors_come_as_a_piece_that_is_whole(client: FlaskClient) -> None:
    for query in ("SELECT <script>", "", "INSERT DATA {}"):
        piece = run(client, query)
        assert 'role="alert"' in piece and "<script>" not in piece


def test_terms_are_those_of_our_ontology(client: FlaskClient) -> None:
    found = client.get("/sparql/terms.json").get_json()
    assert found["prefixes"] == PREFIXES
    assert {"iri": ONTOLOGY + "Event", "label": "event"} in found["classes"]
    assert ONTOLOGY + "actor" in [one["iri"] for one in found["properties"]]


def test_the_editor_has_a_plain_form_and_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/sparql", headers={"Accept": "text/html"})
    assert '<textarea id="query" name="query"' in page.text and 'action="/sparql"' in page.text
    assert "style-src 'self'" in page.headers["Content-Security-Policy"], "nothing relaxed"
    for question in ("Deportations", "Figures"):
        assert f">{question}</a>" in page.text


def test_a_stopper_ends_what_is_asked_under_it_only() -> None:
    ended: list[str] = []
    stopper = Stopper()
    on_stop(lambda: ended.append("nobody's"))
    with stoppable(stopper):
        on_stop(lambda: ended.append("early"))
    stopper.stop()
    with stoppable(stopper):
        on_stop(lambda: ended.append("late"))
    stopper.stop()
    assert ended == ["early", "late"]


@pytest.mark.server
def test_a_query_ends_in_the_engine_when_its_reader_leaves(
    isolated: IsolatedStore[Writer], tmp_path: Path
) -> None:
    app = create_app(isolated, Settings(data=tmp_path / "none", token="t"))
    with serve_app(app) as url:
        (before,) = isolated.worker_pids()
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/sparql/run", urlencode({"query": ENDLESS}), headers)
        answer = connection.getresponse()
        assert answer.read(1) == b"\n", "a sign of life while the engine works"
        assert isolated.worker_pids() == [before]
        answer.close()
        connection.close()
        deadline = time.monotonic() + 60
        while before in isolated.worker_pids() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert before not in isolated.worker_pids(), "its process still runs"
        assert isolated.query("ASK {}").truth(), "another has taken its place"
