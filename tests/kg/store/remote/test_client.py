"""A store behind the SPARQL protocol: a running application, and peers that misbehave."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.errors import (
    QuerySyntaxError,
    SignInRequiredError,
    StoreFailedError,
    WrongTokenError,
)
from kg.rdf.formats import result_format
from kg.store import EmbeddedStore, QueryDataset
from kg.store.remote.client import RemoteStore
from kg.terms import GRAPH_COUNTRIES, GRAPH_ONTOLOGY

QUAD = Quad(NamedNode("urn:s"), NamedNode("urn:p"), Literal('a "b"\n\\c', language="en"), NamedNode("urn:g"))


@pytest.fixture
def remote(live_server: str) -> Iterator[RemoteStore]:
    store = RemoteStore(f"{live_server}/sparql", update_url=f"{live_server}/update", login="test-token")
    yield store
    store.close()


def test_answers_are_those_of_the_store_itself(remote: RemoteStore, store: EmbeddedStore) -> None:
    query = "SELECT ?s ?o { ?s <http://www.w3.org/2000/01/rdf-schema#label> ?o } ORDER BY ?s ?o LIMIT 50"
    assert list(remote.query(query).rows()) == list(store.query(query).rows())
    assert remote.query(query).variables == ("s", "o")
    graph = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH {GRAPH_COUNTRIES} {{ ?s ?p ?o }} }}"
    assert set(remote.query(graph).triples()) == set(store.query(graph).triples())
    assert remote.query("ASK { ?s ?p ?o }").truth() is True


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "xml"])
def test_solutions_can_be_written(remote: RemoteStore, form: str) -> None:
    pieces = remote.query("SELECT (7 AS ?x) {}").serialize(result_format("solutions", form))
    assert b"7" in b"".join(pieces)


def test_graphs_can_be_written(remote: RemoteStore) -> None:
    answer = remote.query("CONSTRUCT { <urn:a> <urn:b> 7 } WHERE {}")
    assert b"urn:a" in b"".join(answer.serialize(result_format("graph", "ttl")))


def test_the_dataset_of_the_request(remote: RemoteStore, store: EmbeddedStore) -> None:
    dataset = QueryDataset(default=(GRAPH_COUNTRIES.value,), named=(GRAPH_ONTOLOGY.value,))
    query = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    assert list(remote.query(query, dataset).rows()) == list(store.query(query, dataset).rows())


def test_change_is_seen(remote: RemoteStore, store: EmbeddedStore) -> None:
    remote.change((), [QUAD])
    assert QUAD in store.engine
    remote.change([QUAD], ())
    assert QUAD not in store.engine
    remote.change((), ())


def test_faults_keep_their_kind_and_place(remote: RemoteStore) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        remote.query("SELECT *\n{ ?s ?p }")
    assert caught.value.line == 2
    with pytest.raises(QuerySyntaxError):
        remote.update("INSERT")


@pytest.mark.parametrize(("token", "kind"), [("", SignInRequiredError), ("wrong", WrongTokenError)])
def test_updates_need_the_token(live_server: str, token: str, kind: type[Exception]) -> None:
    store = RemoteStore(f"{live_server}/sparql", update_url=f"{live_server}/update", login=token)
    with pytest.raises(kind):
        store.change((), [QUAD])
    store.close()


def test_a_server_that_is_gone() -> None:
    store = RemoteStore("http://127.0.0.1:9/sparql")
    with pytest.raises(StoreFailedError, match=r"127\.0\.0\.1:9"):
        store.query("ASK {}")
    store.close()


class Peer(BaseHTTPRequestHandler):
    status: ClassVar[int] = 200
    content_type: ClassVar[str] = "application/sparql-results+json"
    body: ClassVar[bytes] = b""
    missing: ClassVar[int] = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Type", self.content_type)
        self.send_header("Content-Length", str(len(self.body) + self.missing))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize(
    ("status", "content_type", "body", "missing", "words"),
    [
        (
            200,
            "application/sparql-results+json",
            b'{"head":{"vars":["a"]},"results":{"bindings":[',
            50,
            "complete",
        ),
        (
            200,
            "application/sparql-results+json",
            b'{"head":{"vars":["a"]},"results":{"bindings":[',
            0,
            "read",
        ),
        (200, "application/n-triples", b"<urn:a> <urn:b> ", 0, "read"),
        (200, "text/html", b"<p>hello</p>", 0, "text/html"),
        (503, "text/plain", b"later", 0, "503"),
        (500, "application/problem+json", b'{"detail": "out of memory"}', 0, "out of memory"),
    ],
)
def test_an_answer_that_is_not_whole_or_no_answer_is_an_error(
    status: int, content_type: str, body: bytes, missing: int, words: str
) -> None:
    kind = type(
        "ThisPeer",
        (Peer,),
        {"status": status, "content_type": content_type, "body": body, "missing": missing},
    )
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    store = RemoteStore(f"http://127.0.0.1:{server.server_port}/sparql")
    try:
        with pytest.raises(StoreFailedError, match=words):
            graph = content_type == "application/n-triples"
            answer = store.query("CONSTRUCT WHERE { ?s ?p ?o }" if graph else "SELECT ?a {}")
            list(answer.triples() if graph else answer.rows())
    finally:
        store.close()
        server.shutdown()
        thread.join()
        server.server_close()
