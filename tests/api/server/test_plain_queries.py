"""Queries of programs, answered without a thread: the answers, limits and errors that Flask gives, too."""

from __future__ import annotations

import select
import socket
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
from kg.store.isolated.writer import Writer
from tests.api.running import processor_seconds, wait_for_work
from tests.kg.store.opening import open_isolated
from tests.live import serve_app

pytestmark = pytest.mark.server

PATIENCE = 60
ROWS = 3000
ALL = "SELECT ?s ?o { ?s <http://p> ?o } ORDER BY ?o"
CROSS = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?s{n} <http://p> ?o{n} ." for n in range(5)) + " }"
CSV = {"Accept": "text/csv", "Accept-Encoding": "identity"}
SPARQL = {"Content-Type": "application/sparql-query"}

Store = IsolatedStore[Writer]


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Some rows; queries have four seconds, or as many as a test gives."""
    store = open_isolated(tmp_path, timeout=getattr(request, "param", 4), memory=2**30)
    triples = " ".join(f"<http://s/{n}> <http://p> {n} ." for n in range(ROWS))
    store.update(f"INSERT DATA {{ GRAPH <http://g> {{ {triples} }} }}")
    yield store
    store.close()


def make(store: Store, tmp_path: Path, **settings: int) -> Flask:
    return create_app(store, Settings(data=tmp_path / "none", token="t", **settings))


@pytest.fixture
def app(store: Store, tmp_path: Path) -> Flask:
    return make(store, tmp_path)


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    with serve_app(app) as url:
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
        ("SELECT * { ?s <http://none> ?o }", "text/tab-separated-values;q=0.5, text/csv;q=0.1", "identity"),
        ("SELECT nothing", "text/csv", "identity"),
        ("ASK {}", "text/csv", "identity"),
        ("ASK {}", "text/html", "identity"),
        ("SELECT (<x> AS ?x) {}", "text/csv", "identity"),
        (r'SELECT ("tea\u0001" AS ?x) {}', "application/sparql-results+xml", "identity"),
        ("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }", "text/csv", "identity"),
    ],
)
def test_it_answers_as_the_application_does(
    app: Flask, url: str, query: str, accept: str, coding: str
) -> None:
    headers = {"Accept": accept, "Accept-Encoding": coding}
    alone = app.test_client().get(
        "/sparql?" + urlencode({"query": query}), headers={**headers, "Host": url[7:]}, buffered=True
    )
    params = {"query": query}
    for method, options in (
        ("GET", {"params": params}),
        ("GET", {"params": params}),  # from the cache
        ("POST", {"data": params}),
        ("POST", {"content": query, "headers": {**headers, **SPARQL}}),
    ):
        answer = httpx.request(
            method, f"{url}/sparql", **{"headers": headers, "timeout": PATIENCE, **options}
        )
        assert answer.status_code == alone.status_code
        if accept != "text/html":
            assert answer.content == alone.data
        for name in ("Content-Type", "Access-Control-Allow-Origin", "Content-Security-Policy"):
            assert answer.headers.get(name) == alone.headers.get(name), name
        assert "Accept" in answer.headers["Vary"].split(", ")


def test_a_term_that_the_format_cannot_express_breaks_a_transfer_that_has_begun(url: str) -> None:
    text = r'SELECT ?x { { SELECT (STR(?s) AS ?x) { ?s <http://p> ?o } } UNION { BIND("\u0001" AS ?x) } }'
    assert get(url, text).text.count("\n") == ROWS + 2
    xml = "application/sparql-results+xml"
    with pytest.raises(httpx.RemoteProtocolError):
        get(url, text + " ORDER BY DESC(?x)", Accept=xml)
    assert get(url, text + " ORDER BY ?x", Accept=xml).status_code == 406


def test_long_queries_and_short_ones_take_turns(url: str) -> None:
    """A query longer than the buffer of a pipe once ended a healthy worker that had served others before."""
    values = " ".join(f"<http://s/{n}>" for n in range(5000))
    for round_ in range(3):
        for number in range(10):
            assert get(url, f"ASK {{}} #{round_} {number}", Accept="*/*").status_code == 200
        long = f"ASK {{}} #{round_} " + "x" * 400_000
        assert httpx.post(f"{url}/sparql", content=long, headers=SPARQL, timeout=PATIENCE).json()["boolean"]
        listed = f"SELECT (COUNT(*) AS ?n) {{ VALUES ?s {{ {values} }} ?s <http://p> ?o }} #{round_}"
        answer = httpx.post(f"{url}/sparql", data={"query": listed}, headers=CSV, timeout=PATIENCE)
        assert answer.text == f"n\r\n{ROWS}\r\n"


def test_many_at_once_get_their_own_answers(url: str, store: Store) -> None:
    wrong: list[object] = []

    def ask(client: int) -> None:
        with httpx.Client(timeout=PATIENCE) as session:
            for number in range(25):
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
    assert len(store.worker_pids()) == 2


def test_a_write_that_was_acknowledged_is_seen(url: str, store: Store) -> None:
    for number in range(10):
        store.update(f"INSERT DATA {{ GRAPH <http://h> {{ <http://h/{number}> <http://q> 1 }} }}")
        # The same text each time: a result from the cache would be an older one.
        answer = get(url, "SELECT (COUNT(*) AS ?n) { ?s <http://q> 1 }")
        assert answer.text == f"n\r\n{number + 1}\r\n"


def test_a_query_past_its_time_is_stopped(url: str, store: Store) -> None:
    before = set(store.worker_pids())
    answer = get(url, CROSS)
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "query-stopped")
    assert get(url, "ASK {} # json", Accept="*/*").status_code == 200
    wait_for(lambda: before - set(store.worker_pids()))


@pytest.mark.parametrize("store", [PATIENCE * 5], indirect=True)
def test_other_requests_go_on_beside_a_long_query(url: str, store: Store) -> None:
    before = {pid: processor_seconds(pid) for pid in store.worker_pids()}
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as asking:
        asking.sendall(f"GET /sparql?{urlencode({'query': CROSS})} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        wait_for_work(store.worker_pids, before)
        assert get(url, "SELECT (1 AS ?x) {}").status_code == 200
        assert httpx.get(f"{url}/robots.txt", timeout=PATIENCE).status_code == 200
        assert select.select([asking], [], [], 0)[0] == [], "the long one goes on"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_query_whose_client_leaves_ends_in_the_engine(url: str, store: Store, method: str) -> None:
    before = set(store.worker_pids())
    with pytest.raises(httpx.ReadTimeout):
        httpx.request(
            method, f"{url}/sparql", params={"query": CROSS}, headers={**CSV, **SPARQL}, timeout=0.5
        ) if (method == "GET") else httpx.post(
            f"{url}/sparql", content=CROSS, headers={**CSV, **SPARQL}, timeout=0.5
        )
    wait_for(lambda: before - set(store.worker_pids()))
    figures = httpx.get(f"{url}/metrics", timeout=PATIENCE).text
    assert 'diplograph_queries_total{outcome="abandoned"} 1.0' in figures
    assert f'diplograph_requests_total{{method="{method}",status="499"}} 1.0' in figures
    assert get(url, "SELECT (1 AS ?x) {}").status_code == 200


@pytest.mark.parametrize("store", [PATIENCE * 5], indirect=True)
def test_a_slow_reader_of_a_large_result_holds_no_worker(url: str, store: Store) -> None:
    wide = f"SELECT * {{ {{ {ALL} }} {{ SELECT ?b {{ ?x <http://p> ?b }} LIMIT 40 }} }}"
    slow = []
    for number in range(4):
        slow.append(httpx.Client(timeout=PATIENCE))
        request = slow[-1].build_request(
            "GET", f"{url}/sparql", params={"query": f"{wide} # {number}"}, headers=CSV
        )
        slow.append(slow[-1].send(request, stream=True))
        next(slow[-1].iter_raw(100))
    # It would wait for minutes, and its client not so long.
    assert get(url, "SELECT (7 AS ?x) {}").text == "x\r\n7\r\n"
    for one in slow:
        one.close()


def test_queries_wait_for_workers_and_are_told_when_none_is_free(url: str) -> None:
    hold = [threading.Thread(target=get, args=(url, f"{CROSS} # {number}")) for number in range(2)]
    for thread in hold:
        thread.start()
    time.sleep(0.3)
    answer = get(url, "SELECT (1 AS ?x) {}")
    # A worker is free when the long queries have had their time, for which this one waits as well.
    assert answer.status_code == 200 or answer.json()["type"].endswith("busy")
    for thread in hold:
        thread.join()
    assert get(url, "SELECT (2 AS ?x) {}").text == "x\r\n2\r\n"


def test_places_are_given_back(store: Store, tmp_path: Path) -> None:
    short = ["ASK {}", "SELECT nothing", ALL, f"SELECT * {{ {{ {ALL} }} UNION {{ {ALL} }} }}"]
    with serve_app(make(store, tmp_path, max_waiting=1)) as url:
        for number, text in enumerate([*short, CROSS, *short]):
            assert get(url, f"{text} # {number}", Accept="*/*").status_code in (200, 400, 503), text
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(f"{url}/sparql", params={"query": f"{CROSS} # {number} gone"}, timeout=0.2)
            wait_for(lambda: get(url, "ASK {} # rand", Accept="*/*").status_code == 200)


def test_more_than_may_wait_are_refused(store: Store, tmp_path: Path) -> None:
    with serve_app(make(store, tmp_path, max_waiting=1)) as url:
        asking = threading.Thread(target=get, args=(url, CROSS))
        asking.start()
        time.sleep(0.5)
        answer = get(url, "SELECT (1 AS ?x) {}")
        asking.join()
        assert answer.status_code == 503 and "Retry-After" in answer.headers
        assert answer.json()["type"].endswith("busy")


def test_answers_are_counted(url: str) -> None:
    for number in range(3):
        get(url, f"SELECT ({number} AS ?x) {{}}")
        get(url, f"SELECT ({number} AS ?x) {{}}")
    figures = httpx.get(f"{url}/metrics", timeout=PATIENCE).text
    assert 'diplograph_queries_total{outcome="complete"} 3.0' in figures
    assert 'diplograph_queries_total{outcome="hit"} 3.0' in figures
    assert "diplograph_queries_inside 0.0" in figures


def test_a_relative_name_means_the_endpoint_of_the_client(url: str) -> None:
    for host in ("one.example", "two.example"):
        answer = get(url, "SELECT ?s { BIND(<x> AS ?s) }", Host=host)
        assert answer.text == f"s\r\nhttp://{host}/x\r\n"
