"""The short way of a plain query gives what the long way gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from api.server.straight import Straight
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.server.data_folder import STORE, isolate_folder, isolate_store
from kg.settings import Settings

SELECT = "SELECT ?x { VALUES ?x { 1 2 } }"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("straight") / "data"
    settings = Settings(data=folder, token="t", workers=2, fronts=1, query_rows=50, max_waiting=1)
    # What is bundled is read without a limit; only then is the store opened as a front has it.
    isolate_folder(settings).close()
    store = isolate_store(settings, folder / STORE, None)
    yield create_app(store, settings)
    store.close()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each request at the door was answered without Flask."""
    ways: list[bool] = []
    call = Straight.__call__

    def watched(self: Straight, environ, start_response):
        inner, asked = self._app, []
        self._app = lambda *a: (asked.append(1), inner(*a))[1]
        try:
            return call(self, environ, start_response)
        finally:
            self._app = inner
            ways.append(not asked)

    monkeypatch.setattr(Straight, "__call__", watched)
    return ways


class Reading(FlaskClient):
    """Reads every answer to its end and closes it, as servers do."""

    def open(self, *args, **kwargs):
        kwargs.setdefault("buffered", True)
        return super().open(*args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    app.test_client_class = Reading
    return app.test_client()


@pytest.mark.parametrize(
    "query, accept",
    [
        (SELECT, "text/csv"),
        (SELECT, None),
        (SELECT, "application/json"),
        (SELECT, "text/tab-separated-values;q=0.5, application/sparql-results+xml"),
        ("ASK {}", "*/*"),
        ("CONSTRUCT { <urn:a> <urn:b> ?x } { VALUES ?x { 1 } }", "application/n-triples"),
        ("SELECT * { ?s ?p ?o } LIMIT 0", "text/csv"),
    ],
)
def test_both_ways_give_the_same(
    client: FlaskClient, taken: list[bool], query: str, accept: str | None
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    # BNODE keeps the cache out of it; a form goes the long way always.
    query += " # rand"
    short = client.get("/sparql?" + urlencode({"query": query}), headers=headers)
    long = client.post("/sparql", data={"query": query}, headers=headers)
    assert taken == [True, False]
    assert short.status_code == long.status_code == 200
    assert short.data == long.data

    def shown(response) -> dict[str, str]:
        return {k: v for k, v in response.headers.items() if k not in ("Server-Timing", "ETag")}

    assert shown(short) == shown(long)
    names = [part.partition(";")[0] for part in short.headers["Server-Timing"].split(", ")]
    assert names == [part.partition(";")[0] for part in long.headers["Server-Timing"].split(", ")]


@pytest.mark.parametrize(
    "query, accept, status, kind",
    [
        ("SELECT nothing", "text/csv", 400, "QuerySyntax"),
        ("ASK {}", "text/csv", 406, "NotAcceptable"),
        ("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "text/csv", 403, "QueryRefused"),
        ("SELECT * { ?s ?p ?o } LIMIT 51", "text/csv", 503, "QueryStopped"),
    ],
)
def test_an_error_is_told_as_on_the_long_way(
    client: FlaskClient, query: str, accept: str, status: int, kind: str
) -> None:
    address = "/sparql?" + urlencode({"query": query})
    short = client.get(address, headers={"Accept": accept})
    long = client.post("/sparql", data={"query": query}, headers={"Accept": accept})
    assert short.status_code == long.status_code == status
    assert short.json == long.json
    assert short.content_type == "application/problem+json"


def test_a_relative_name_means_the_endpoint(client: FlaskClient) -> None:
    response = client.get(
        "/sparql?" + urlencode({"query": "SELECT (<x> AS ?x) {}"}), headers={"Accept": "text/csv"}
    )
    assert response.status_code == 200
    assert response.text.splitlines()[1] == "http://localhost/x"


def test_a_place_is_given_back(client: FlaskClient) -> None:
    # There is one place: a request that kept it would have the next refused.
    for _ in range(3):
        for query in ("ASK {} # rand", "SELECT nothing", "SELECT * { ?s ?p ?o } # rand"):
            address = "/sparql?" + urlencode({"query": query})
            assert client.get(address, headers={"Accept": "application/json"}).status_code in (200, 400, 503)
    held = client.get("/sparql?" + urlencode({"query": "ASK {} # rand"}), buffered=False)
    busy = client.get("/sparql?" + urlencode({"query": "ASK { } # rand"}))
    assert busy.status_code == 503
    assert busy.headers["Retry-After"]
    held.close()
    assert client.get("/sparql?" + urlencode({"query": "ASK { } # rand"})).status_code == 200
