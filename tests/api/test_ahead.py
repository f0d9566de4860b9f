"""Plain queries that the front looks after without a thread: the same answers, limits and ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from flask import Flask

from api.app import create_app
from kg.settings import Settings
from kg.store.isolated.store import IsolatedStore
from tests.live import serve_app

pytestmark = pytest.mark.server

PATIENCE = 60
ROWS = 3000
ALL = "SELECT ?s ?o { ?s <http://p> ?o } ORDER BY ?o"
CROSS = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?s{n} <http://p> ?o{n} ." for n in range(5)) + " }"
CSV = {"Accept": "text/csv", "Accept-Encoding": "identity"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[IsolatedStore]:
    store = IsolatedStore(
        tmp_path / "store", snapshots=tmp_path / "snapshots", workers=2, timeout=4, memory=2**30
    )
    triples = " ".join(f"<http://s/{n}> <http://p> {n} ." for n in range(ROWS))
    store.update(f"INSERT DATA {{ GRAPH <http://g> {{ {triples} }} }}")
    yield store
    store.close()


def make(store: IsolatedStore, tmp_path: Path, **settings: int) -> Flask:
    return create_app(store, Settings(data=tmp_path / "none", token="t", **settings))


@pytest.fixture
def app(store: IsolatedStore, tmp_path: Path) -> Flask:
    return make(store, tmp_path)


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    # One thread: what waits for its end in a thread would be noticed by all others.
    with serve_app(app, threads=1) as url:
        yield url


def get(url: str, query: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{url}/sparql", params={"query": query}, headers={**CSV, **headers}, timeout=PATIENCE)


def wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "query, accept, coding",
    [
        ("ASK {}", "*/*", "identity"),
        ("SELECT (1 AS ?x) {}", "text/csv", "gzip"),
        (ALL + " LIMIT 200", "application/sparql-results+json", "gzip"),
        (ALL, "application/sparql-results+xml", "identity"),
        (ALL, "application/sparql-results+xml", "zstd"),
        (f"SELECT * {{ {{ {ALL} }} UNION {{ {ALL} }} UNION {{ {ALL} }} }}", "text/csv", "identity"),
        ("CONSTRUCT { ?s <http://p> ?o } { ?s <http://p> ?o }", "application/n-triples", "identity"),
        ("SELECT * { ?s <http://none> ?o }", "text/tab-separated-values", "identity"),
        ("SELECT nothing", "text/csv", "identity"),
        ("ASK {}", "text/csv", "identity"),
        ("ASK {}", "text/html", "identity"),
        ("SELECT (<x> AS ?x) {}", "text/csv", "identity"),
        ("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "text/csv", "identity"),
    ],
)
def test_it_answers_as_the_application_does(
    app: Flask, url: str, query: str, accept: str, coding: str
) -> None:
    headers = {"Accept": accept, "Accept-Encoding": coding}
    for _ in range(2):  # for the first time, and kept
        front = httpx.get(f"{url}/sparql", params={"query": query}, headers=headers, timeout=PATIENCE)
        alone = app.test_client().get(
            "/sparql?" + urlencode({"query": query}), headers={**headers, "Host": url[7:]}
        )
        assert front.status_code == alone.status_code
        decoded = httpx.Response(200, headers=dict(alone.headers), content=alone.data).content
        assert front.content == decoded
        for name in ("Content-Type", "Vary", "ETag", "Content-Encoding", "Access-Control-Allow-Origin"):
            assert front.headers.get(name) == alone.headers.get(name), name


def test_many_at_once_get_their_own_answers(url: str, store: IsolatedStore) -> None:
    wrong: list[object] = []

    def ask(client: int) -> None:
        with httpx.Client(timeout=PATIENCE) as session:
            for number in range(60):
                wanted = client * 100 + number
                query = f"SELECT ?o {{ <http://s/{wanted}> <http://p> ?o }}"
                answer = session.get(f"{url}/sparql", params={"query": query}, headers=CSV)
                if answer.text != f"o\r\n{wanted}\r\n":
                    wrong.append(answer.text)

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(store.reader_pids) == 2


def test_a_write_that_was_acknowledged_is_seen(url: str, store: IsolatedStore) -> None:
    for number in range(10):
        store.update(f"INSERT DATA {{ GRAPH <http://h> {{ <http://h/{number}> <http://q> 1 }} }}")
        answer = get(url, f"SELECT (COUNT(*) AS ?n) {{ ?s <http://q> 1 }} # {number}")
        assert answer.text == f"n\r\n{number + 1}\r\n"


def test_a_query_past_its_time_is_stopped(url: str, store: IsolatedStore) -> None:
    before = set(store.reader_pids)
    answer = get(url, CROSS)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "query-stopped")
    assert get(url, "ASK {} # json", Accept="*/*").status_code == 200
    wait_for(lambda: len(before - set(store.reader_pids)) == 1 and len(store.reader_pids) == 2)


def test_nobody_waits_for_a_thread_beside_a_long_query(url: str) -> None:
    asking = threading.Thread(target=get, args=(url, CROSS))
    asking.start()
    time.sleep(0.3)
    started = time.monotonic()
    assert get(url, "SELECT (1 AS ?x) {}").status_code == 200
    assert httpx.get(f"{url}/robots.txt", timeout=PATIENCE).status_code == 200
    spent = time.monotonic() - started
    asking.join()
    assert spent < 3.5, "the long one has four seconds"


def test_a_query_whose_client_leaves_ends_in_the_engine(url: str, store: IsolatedStore) -> None:
    before = set(store.reader_pids)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{url}/sparql", params={"query": CROSS}, headers=CSV, timeout=0.5)
    wait_for(lambda: before - set(store.reader_pids))
    said = httpx.get(f"{url}/metrics", headers={"Authorization": "Bearer t"}, timeout=PATIENCE).text
    assert 'diplograph_queries_total{outcome="abandoned"} 1.0' in said
    assert get(url, "SELECT (1 AS ?x) {}").status_code == 200


def test_queries_wait_for_readers_and_are_told_when_there_is_none(url: str) -> None:
    hold = [threading.Thread(target=get, args=(url, f"{CROSS} # {number}")) for number in range(2)]
    for thread in hold:
        thread.start()
    time.sleep(0.3)
    answer = get(url, "SELECT (1 AS ?x) {}")
    # A reader is free when the long queries have had their time, which is also what this one waits for.
    assert answer.status_code == 200 or answer.json()["type"].endswith("busy")
    for thread in hold:
        thread.join()
    assert get(url, "SELECT (2 AS ?x) {}").text == "x\r\n2\r\n"


def test_places_are_given_back(store: IsolatedStore, tmp_path: Path) -> None:
    texts = ["ASK {}", "SELECT nothing", ALL, CROSS, f"SELECT * {{ {{ {ALL} }} UNION {{ {ALL} }} }}"]
    with serve_app(make(store, tmp_path, max_waiting=1), threads=2) as url:
        for number, text in enumerate(texts * 2):
            assert get(url, f"{text} # {number}", Accept="*/*").status_code in (200, 400, 503), text
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(f"{url}/sparql", params={"query": f"{CROSS} # {number} gone"}, timeout=0.2)
            wait_for(lambda: get(url, "ASK {} # rand", Accept="*/*").status_code == 200)


def test_more_than_may_wait_are_sent_away(store: IsolatedStore, tmp_path: Path) -> None:
    with serve_app(make(store, tmp_path, max_waiting=1)) as url:
        asking = threading.Thread(target=get, args=(url, CROSS))
        asking.start()
        time.sleep(0.5)
        answer = get(url, "SELECT (1 AS ?x) {}")
        asking.join()
        assert answer.status_code == 503 and "Retry-After" in answer.headers
        assert answer.json()["type"].endswith("busy")


def test_what_was_answered_is_counted(url: str) -> None:
    for number in range(3):
        get(url, f"SELECT ({number} AS ?x) {{}}")
        get(url, f"SELECT ({number} AS ?x) {{}}")
    said = httpx.get(f"{url}/metrics", headers={"Authorization": "Bearer t"}, timeout=PATIENCE).text
    assert 'diplograph_queries_total{outcome="complete"} 3.0' in said
    assert 'diplograph_queries_total{outcome="hit"} 3.0' in said
    assert "diplograph_queries_inside 0.0" in said
