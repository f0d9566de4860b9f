"""What SERVICE and LOAD may reach: no redirects to elsewhere, no names that lead inwards."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from kg.errors import DiplographError, QueryRefusedError, TooLargeError
from kg.settings import LITERAL_LIMIT
from kg.sparql.guard import is_private, refuse_excess, refuse_remote_access
from kg.store import EmbeddedStore


@pytest.mark.parametrize(
    ("leads_to", "private"),
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("192.168.0.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:127.0.0.1", True),
        ("93.184.216.34", False),
        ("2606:4700::1111", False),
    ],
)
def test_names_that_lead_inwards(monkeypatch: pytest.MonkeyPatch, leads_to: str, private: bool) -> None:
    family = socket.AF_INET6 if ":" in leads_to else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (leads_to, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert is_private("graph.example") is private
    allowed = ["https://graph.example/sparql"]
    query = "SELECT * { SERVICE <https://graph.example/sparql> { ?s ?p ?o } }"
    if private:
        with pytest.raises(QueryRefusedError):
            refuse_remote_access(query, allowed)
    else:
        refuse_remote_access(query, allowed)


def test_one_inward_address_among_others_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 0)) for a in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert is_private("graph.example")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "10.0.0.1", "::1"])
def test_what_is_allowed_as_an_inward_address_is_meant(host: str) -> None:
    written = f"http://[{host}]/sparql" if ":" in host else f"http://{host}/sparql"
    refuse_remote_access(f"SELECT * {{ SERVICE <{written}> {{ ?s ?p ?o }} }}", [written])


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server whose /redirect/CODE leads to a second one, and what the second was asked."""
    asked: list[str] = []

    class Target(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            pass

    target = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)

    class Redirecting(Target):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(int(self.path.rpartition("/")[2]))
            self.send_header("Location", f"http://127.0.0.1:{target.server_port}/inside")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

    first = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirecting)
    threads = [threading.Thread(target=server.serve_forever) for server in (target, first)]
    for thread in threads:
        thread.start()
    yield f"http://127.0.0.1:{first.server_port}", asked
    for server in (target, first):
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_the_engine_follows_no_redirect(elsewhere: tuple[str, list[str]], code: int) -> None:
    """A fact of the engine that docs/operations.md tells; should it change, fetches need a relay of ours."""
    address, asked = elsewhere
    store = EmbeddedStore(allowed=[address])
    with pytest.raises(DiplographError):
        list(store.query(f"SELECT * {{ SERVICE <{address}/redirect/{code}> {{ ?s ?p ?o }} }}").rows())
    with pytest.raises(DiplographError):
        store.update(f"LOAD <{address}/redirect/{code}> INTO GRAPH <http://e.example/g>")
    assert asked == []
    store.close()


def test_a_literal_that_is_too_long_is_refused_with_its_place() -> None:
    long = "é" * (LITERAL_LIMIT // 2)
    with pytest.raises(TooLargeError, match="8 MiB") as caught:
        refuse_excess(f"INSERT DATA {{\n <a:s> <a:p> '{long}' }}")
    assert (caught.value.line, caught.value.column) == (2, 14)
    refuse_excess(f"INSERT DATA {{ <a:s> <a:p> '{long[:-4]}', '{long[:-4]}' }}")
