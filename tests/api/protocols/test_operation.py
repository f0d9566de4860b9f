"""Operation: readiness, figures, the request log, the limits on requests at once."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from api.server.request_log import shown_address, shown_parameters, shown_text
from api.web.query_limit import QueryLimit
from kg.errors import BusyError
from kg.settings import Settings
from kg.store import EmbeddedStore
from kg.store.isolated.store import IsolatedStore
from tests.kg.store.opening import open_isolated
from tests.live import serve_app

TOKEN = {"Authorization": "Bearer test-token"}


def figures(client: FlaskClient) -> dict[str, float]:
    text = client.get("/metrics").text
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def wait_for_figure(app: Flask, name: str) -> dict[str, float]:
    """Read the figures as soon as one of them is there: a request is counted after its last byte was sent."""
    deadline = time.monotonic() + 60
    while name not in (found := figures(app.test_client())):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_health_of_a_store_in_this_process(client: FlaskClient, store: EmbeddedStore) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json["status"] == "ready" and response.json["store_version"] == store.version
    store.close()
    closed = client.get("/health")
    assert (closed.status_code, closed.mimetype) == (503, "application/problem+json")


def test_health_of_isolated_queries(tmp_path: Path, settings: Settings) -> None:
    store = open_isolated(tmp_path, workers=1, timeout=20, memory=2**30)
    client = create_app(store, settings).test_client()
    client.get("/sparql?query=ASK%7B%7D", buffered=True)
    health = client.get("/health").json
    assert health["workers"] == 1 and health["snapshot_age"] >= 0
    assert figures(client)["diplograph_workers"] == 1
    store.close()
    assert client.get("/health").status_code == 503


@pytest.fixture(scope="module")
def isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IsolatedStore]:
    folder = tmp_path_factory.mktemp("operation")
    store = open_isolated(folder, timeout=20)
    triples = " ".join(f"<http://s/{n}> <http://p> {n} ." for n in range(3000))
    store.update(f"INSERT DATA {{ GRAPH <http://g> {{ {triples} }} }}")
    yield store
    store.close()


def test_queries_are_counted_by_outcome(isolated: IsolatedStore, settings: Settings) -> None:
    app = create_app(isolated, settings)
    with serve_app(app) as url:
        for query in ("ASK {}", "ASK {}", "ASK {", "SELECT * { SERVICE <http://127.0.0.1:9/> {} }"):
            httpx.get(f"{url}/sparql", params={"query": query}, timeout=60)
        httpx.post(f"{url}/loads/absent/commit", headers=TOKEN, timeout=60)
        found = wait_for_figure(app, "diplograph_loads_total[failed]")
    assert found["diplograph_queries_total[complete]"] == 1
    assert found["diplograph_queries_total[hit]"] == 1
    assert found["diplograph_queries_total[query-syntax]"] == 1
    assert found["diplograph_queries_total[query-refused]"] == 1
    assert found["diplograph_query_seconds_count"] == 4
    assert found["diplograph_cache_hits"] == 1
    assert found["diplograph_loads_total[failed]"] == 1
    assert found["diplograph_requests_total[GET][200]"] == 2


def test_a_client_that_leaves_in_mid_answer_is_counted(isolated: IsolatedStore, settings: Settings) -> None:
    app = create_app(isolated, settings)
    query = "SELECT * { ?s ?p ?o . ?a ?b ?c }"
    with serve_app(app) as url:
        with httpx.stream("GET", f"{url}/sparql", params={"query": query}, timeout=60) as response:
            next(response.iter_raw())
        wait_for_figure(app, "diplograph_queries_total[abandoned]")


def test_figures_of_several_processes_are_summed(tmp_path: Path) -> None:
    """Two processes count; one of them tells of both."""
    program = (
        "from api.server.metrics import Metrics\n"
        "m = Metrics(); m.queries.labels('complete').inc(); print(m.render().decode())"
    )
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for _ in range(2)
    ]
    assert 'diplograph_queries_total{outcome="complete"} 2.0' in said[1]


def test_more_queries_than_the_limit_are_refused(store: EmbeddedStore, settings: Settings) -> None:
    client = create_app(store, replace(settings, max_waiting=1)).test_client()
    query = "/sparql?" + urlencode({"query": "SELECT * { ?s ?p ?o . ?a ?b ?c } LIMIT 20000"})
    # A streamed answer holds its place until it has gone.
    held = client.get(query)
    refused = client.get("/sparql?query=ASK%7B%7D")
    assert (refused.status_code, refused.mimetype) == (503, "application/problem+json")
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.get("/health").status_code == client.get("/ontology").status_code == 200
    held.close()
    for _ in range(3):
        assert client.get("/sparql?query=ASK%7B%7D", buffered=True).status_code == 200
        assert client.get("/sparql?query=nonsense", buffered=True).status_code == 400


def test_the_limit_counts_right_under_threads() -> None:
    limit = QueryLimit(3)
    start = threading.Barrier(8)
    refused: list[BusyError] = []

    def work() -> None:
        start.wait()
        try:
            limit.enter()
        except BusyError as error:
            refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (limit.taken, len(refused)) == (3, 5)


def test_the_log_has_requests_and_no_secrets(
    store: EmbeddedStore, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("diplograph.requests")
    secret = "xK9fQ2mZ8vT4wL1pR7sD"
    query = f'SELECT * {{ ?s ?p "{secret}", "Norway" }}'
    try:
        with serve_app(create_app(store, replace(settings, request_log=True))) as url:
            logger.addHandler(caplog.handler)
            with httpx.Client(base_url=url, timeout=60) as client:
                client.post("/sign-in", data={"token": "test-token"})
                client.post("/update", data={"update": "CLEAR SILENT GRAPH <a:a>"}, headers=TOKEN)
                client.get("/sparql", params={"query": query, "access_token": "hidden-1"})
    finally:
        logger.handlers.clear()
    lines = [record.getMessage() for record in caplog.records if record.name == logger.name]
    assert len(lines) == 3
    assert "POST" in lines[1] and "/update" in lines[1] and " 204 " in lines[1]
    assert "Norway" in lines[2] and " 200 " in lines[2]
    for hidden in ("test-token", secret, "hidden-1", "diplograph="):
        assert not any(hidden in line for line in lines), hidden


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('SELECT * { ?x <http://e.example/password> "hunter2" }', "hunter2"),
        ("SELECT * { SERVICE <https://me:letmein@e.example/> { ?s ?p ?o } }", "letmein"),
        ("FILTER(?k = 'Bearer abc')", "abc"),
        ("# eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiIxMjM0NTY3ODkwIn0", "eyJhbGci"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, hidden: str) -> None:
    assert hidden not in shown_text(text)


@pytest.mark.parametrize(
    "text", ['?k = "Bearer abc', "?k = 'secret", '"""my token is x', "FILTER(?k = 'key 1234567890abcdefghijk"]
)
def test_a_literal_that_is_not_closed_is_hidden_too(text: str) -> None:
    shown = shown_text(f"SELECT * {{ ?x ?p {text}")
    assert "SELECT" in shown and text[-3:] not in shown


@pytest.mark.parametrize("seed", ["a1", "a1+/", '"""', "'\\\\", "://", '"', "\\"])
def test_a_long_text_is_shortened_in_linear_time(seed: str) -> None:
    assert len(shown_text("SELECT " + seed * (200_000 // len(seed)))) <= 301


def test_control_characters_are_escaped_in_the_log() -> None:
    assert shown_address("/sparql", "query=a%C2%9B31mred%E2%80%A8x") == '"/sparql?query=a\\u009b31mred x"'


def test_the_log_keeps_what_people_asked() -> None:
    text = "PREFIX dg: <https://w3id.org/diplograph/ontology#>\nSELECT * { ?e dg:actor ?a }\r\nforged line"
    shown = shown_text(text)
    assert "dg:actor ?a" in shown and "https://w3id.org/diplograph/ontology#" in shown
    assert "\n" not in shown and "\r" not in shown
    assert len(shown_text("x y " * 1000)) < 400
    assert shown_parameters("a=1&csrf_token=zzz") == "?a=1&csrf_token=…"


@pytest.mark.parametrize("path", ["/", "/sparql", "/health", "/nothing-here", "/graph/ontology"])
def test_every_answer_bears_the_security_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path, buffered=True).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
