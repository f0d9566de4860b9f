"""The front's own HTTP/1.1: what RFC 9110 and RFC 9112 ask of a server, and what strangers may not do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from api.wire import connections
from api.wire.server import Server
from tests.wire.live import serve

pytestmark = pytest.mark.server

PATIENCE = 60
HOST = b"Host: e.example\r\n"


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with what was asked: method, path, query and body."""
    body = environ["wsgi.input"].read()
    said = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']} ".encode() + body
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))])
    return [said]


class Client:
    """A plain socket that reads answers one by one."""

    def __init__(self, server: Server) -> None:
        self.sock = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        self.file = self.sock.makefile("rb")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.file.close()
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def head(self) -> tuple[int, dict[str, str]]:
        status = int(self.file.readline().split()[1])
        headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read an answer that has a length, or chunks that end with the last one."""
        status, headers = self.head()
        if "content-length" in headers:
            return status, headers, self.file.read(int(headers["content-length"]))
        body = b""
        while size := int(self.file.readline(), 16):
            body += self.file.read(size)
            assert self.file.readline() == b"\r\n"
        assert self.file.readline() == b"\r\n"
        return status, headers, body

    def rest(self) -> bytes:
        """Read what comes until the server hangs up."""
        return self.file.read()


@pytest.fixture(scope="module")
def echoing() -> Iterator[Server]:
    with serve(echo) as server:
        yield server


def test_one_connection_takes_requests_one_after_the_other(echoing: Server) -> None:
    with Client(echoing) as client:
        for path in ("/a", "/b%20c"):
            client.send(f"GET {path}?x=%41 HTTP/1.1\r\n".encode() + HOST + b"\r\n")
            status, headers, body = client.answer()
            assert status == 200 and "connection" not in headers and "date" in headers
            assert body == f"GET {path.replace('%20', ' ')}?x=%41 ".encode()


def test_requests_that_came_together_are_answered_in_their_order(echoing: Server) -> None:
    with Client(echoing) as client:
        post = b"POST /2 HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
        client.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\n" + post + b"GET /3 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert [client.answer()[2] for _ in range(3)] == [b"GET /1? ", b"POST /2? abc", b"GET /3? "]


def test_a_request_may_come_in_small_parts(echoing: Server) -> None:
    with Client(echoing) as client:
        whole = b"POST /slow?q=1 HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nbody"
        for at in range(0, len(whole), 7):
            client.send(whole[at : at + 7])
            time.sleep(0.002)
        assert client.answer()[2] == b"POST /slow?q=1 body"


@pytest.mark.parametrize("name", ["h2c", "websocket"])
def test_an_offer_of_another_protocol_is_passed_over(echoing: Server, name: str) -> None:
    """RFC 9110 section 7.8; clients written in Java make the first of them with every request."""
    offer = f"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {name}\r\nHTTP2-Settings: AAMAAABk\r\n".encode()
    with Client(echoing) as client:
        client.send(b"GET /1 HTTP/1.1\r\n" + HOST + offer + b"\r\n")
        assert client.answer()[2] == b"GET /1? "
        client.send(b"POST /2 HTTP/1.1\r\n" + HOST + offer + b"Content-Length: 2\r\n\r\nhi")
        assert client.answer()[2] == b"POST /2? hi"
        client.send(b"GET /3 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert client.answer()[2] == b"GET /3? "


def test_the_address_may_be_absolute(echoing: Server) -> None:
    with Client(echoing) as client:
        client.send(b"GET http://e.example/a?b=c HTTP/1.1\r\n" + HOST + b"\r\n")
        assert client.answer()[2] == b"GET /a?b=c "


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\nHost : e.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n folded\r\n\r\n",
    ],
    ids=["no host", "two hosts", "two lengths", "length and chunks", "no chunk", "negative", "words", "tls",
         "space before the colon", "a folded line"],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_connection_closed(echoing: Server, request_: bytes) -> None:
    with Client(echoing) as client:
        client.send(request_)
        status, headers, body = client.answer()
        assert (status, headers["connection"]) == (400, "close")
        assert headers["content-type"] == "application/problem+json" and b'"status": 400' in body
        assert client.rest() == b""


def test_a_transfer_coding_that_nobody_undoes_is_refused(echoing: Server) -> None:
    with Client(echoing) as client:
        head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
        client.send(head + b"2\r\nab\r\n0\r\n\r\n")
        assert client.answer()[0] == 501
        assert client.rest() == b""


def test_what_came_before_it_is_answered_first(echoing: Server) -> None:
    with Client(echoing) as client:
        client.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\nnonsense\r\n\r\n")
        assert client.answer()[2] == b"GET /1? "
        assert client.answer()[0] == 400
        assert client.rest() == b""


def test_a_head_has_a_limit(echoing: Server) -> None:
    with Client(echoing) as client:
        client.send(b"GET / HTTP/1.1\r\n" + HOST)
        try:
            for number in range(3000):
                client.send(b"X-%d: %b\r\n" % (number, b"x" * 200))
        except OSError:
            pass  # It hung up in the middle, which is as well.
        assert client.head()[0] == 431


def test_headers_that_pass_for_others_are_left_out() -> None:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        seen.update(environ)
        return echo(environ, start)

    headers = (
        b"X_Forwarded_For: 9.9.9.9\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n"
        b"Proxy: http://9.9.9.9\r\nContent_Length: 5\r\nCookie: a=1\r\nCookie: b=2\r\nAccept: a/b\r\n"
        b"Accept: c/d\r\n"
    )
    with serve(app) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.1\r\n" + HOST + headers + b"\r\n")
        assert client.answer()[0] == 200
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("127.0.0.1", "http")
    assert not [name for name in seen if "FORWARDED" in name or "PROXY" in name or "LENGTH" in name]
    assert (seen["HTTP_COOKIE"], seen["HTTP_ACCEPT"]) == ("a=1; b=2", "a/b, c/d")


def test_the_trusted_proxy_is_believed() -> None:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        seen.update(environ)
        return echo(environ, start)

    with serve(app, proxy="127.0.0.1") as server, Client(server) as client:
        client.send(
            b"GET / HTTP/1.1\r\n"
            + HOST
            + b"X-Forwarded-For: 6.6.6.6, 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n"
        )
        client.answer()
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("9.9.9.9", "https")


def test_a_client_that_asks_first_is_told_to_go_on(echoing: Server) -> None:
    with Client(echoing) as client:
        client.send(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert client.head()[0] == 100
        client.send(b"ok")
        assert client.answer()[2] == b"POST /? ok"


def test_a_long_body_lies_on_disk_and_has_a_length() -> None:
    seen: list[object] = []

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        seen.extend((environ["CONTENT_LENGTH"], environ["wsgi.input"]._rolled))
        assert "HTTP_TRANSFER_ENCODING" not in environ
        return echo(environ, start)

    size = 3 * 2**20
    with serve(app, limit=2**30) as server, Client(server) as client:
        client.send(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            client.send(b"%x\r\n%b\r\n" % (2**20, b"x" * 2**20))
        client.send(b"0\r\nTrailer: t\r\n\r\n")
        assert len(client.answer()[2]) == size + len("POST /? ")
    assert seen == [str(size), True]


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_over_the_limit_is_not_taken(chunked: bool) -> None:
    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        assert int(environ["CONTENT_LENGTH"]) > 1000 and environ["wsgi.input"].read() == b""
        start("413 Content Too Large", [("Content-Length", "0")])
        return []

    with serve(app, limit=1000) as server, Client(server) as client:
        if chunked:
            client.send(b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
            client.send(b"7d0\r\n%b\r\n" % (b"x" * 2000))
        else:
            client.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2000000\r\n\r\n" + b"x" * 5000)
        status, headers, _ = client.answer()
        assert (status, headers["connection"]) == (413, "close")
        client.send(b"y" * 100_000)  # It is heard to its end, so that the answer arrives.
        assert client.rest() == b""


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "304 N"), ("DELETE", "204 N")])
def test_some_answers_have_no_body(method: str, status: str) -> None:
    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start(status, [("Content-Length", "5")] if method == "HEAD" else [])
        return [b"a body"[:5]] if method == "HEAD" else []

    with serve(app) as server, Client(server) as client:
        for _ in range(2):
            client.send(f"{method} / HTTP/1.1\r\n".encode() + HOST + b"\r\n")
            said, headers = client.head()
            assert str(said) == status[:3] and "transfer-encoding" not in headers
        client.send(b"GET /x HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert client.rest().startswith(f"HTTP/1.1 {status}".encode())


def in_pieces(*pieces: bytes, length: int | None = None, fails: bool = False) -> Callable[..., Any]:
    def body() -> Iterator[bytes]:
        yield from pieces
        if fails:
            raise RuntimeError("it broke")

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [] if length is None else [("Content-Length", str(length))])
        return body()

    return app


def test_a_body_without_a_length_comes_in_chunks() -> None:
    with serve(in_pieces(b"one", b"", b"two")) as server, Client(server) as client:
        for _ in range(2):
            client.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            _, headers, body = client.answer()
            assert (headers["transfer-encoding"], body) == ("chunked", b"onetwo")


def test_a_client_of_http_1_0_gets_no_chunks_and_may_keep_its_connection() -> None:
    with serve(in_pieces(b"one", b"two")) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        _, headers = client.head()
        assert headers["connection"] == "close" and "transfer-encoding" not in headers
        assert client.rest() == b"onetwo"
    with serve(in_pieces(b"one", length=3)) as server, Client(server) as client:
        for _ in range(2):
            client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            _, headers, body = client.answer()
            assert (headers["connection"], body) == ("keep-alive", b"one")
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert client.answer()[1]["connection"] == "close"
        assert client.rest() == b""


@pytest.mark.parametrize("length", [None, 100, 5])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_body_that_breaks_off_never_looks_whole(length: int | None) -> None:
    """It has no last chunk, or fewer bytes than its length, or was longer than that."""
    with serve(in_pieces(b"some", b"thing", length=length, fails=True)) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        status, headers = client.head()
        rest = client.rest()
        assert status == 200
        if length is None:
            assert rest.startswith(b"4\r\nsome") and not rest.endswith(b"0\r\n\r\n")
        else:
            assert len(rest) < length and headers["content-length"] == str(length)


def test_a_body_that_is_shorter_than_it_says_closes_the_connection() -> None:
    with serve(in_pieces(b"some", length=10)) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        client.head()
        assert client.rest() == b"some"


def test_a_header_cannot_bring_another_one_in() -> None:
    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("X-A", "b\r\nSet-Cookie: c=d"), ("Content-Length", "0")])
        return []

    with serve(app) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert client.rest() == b""


@pytest.mark.parametrize(
    ("limit", "part", "status"),
    [
        ("_HEAD", b"GET / HTTP/1.1\r\nHost: e", b"408"),
        ("_BODY", b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nabc", b"408"),
        ("_IDLE", b"", b""),
    ],
)
def test_the_time_of_slow_clients_is_bounded(
    monkeypatch: pytest.MonkeyPatch, limit: str, part: bytes, status: bytes
) -> None:
    """And none of them holds the only thread meanwhile, or stays by sending a byte now and then."""
    monkeypatch.setattr(connections, limit, 1.5)
    with serve(echo, threads=1) as server, Client(server) as slow, Client(server) as other:
        slow.send(part)
        other.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert other.answer()[2] == b"GET /1? "
        if limit == "_HEAD":
            time.sleep(0.8)
            slow.send(b"x")
        started = time.monotonic()
        assert status in slow.rest()[:20]
        assert time.monotonic() - started < PATIENCE / 2


def test_a_slow_reader_does_not_hold_a_thread_for_an_answer_of_some_size() -> None:
    big = b"x" * (900 * 1024)
    with serve(in_pieces(big), threads=1) as server, Client(server) as slow, Client(server) as other:
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for client in (slow, other):
            client.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert other.answer()[2] == big
        assert slow.answer()[2] == big


def test_an_answer_goes_no_faster_than_its_reader() -> None:
    given = [0]

    def body() -> Iterator[bytes]:
        while given[0] < 500:
            given[0] += 1
            yield b"x" * 2**20

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        return body()

    with serve(app) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        client.head()
        before = -1
        while before != given[0]:
            before = given[0]
            time.sleep(0.3)
        assert before < 50, "the system's buffers, and a piece"
        size = 0
        while chunk := int(client.file.readline(), 16):
            size += len(client.file.read(chunk))
            client.file.readline()
        assert size == 500 * 2**20


@pytest.mark.parametrize("silent", [True, False], ids=["before its first byte", "in mid-answer"])
def test_what_a_client_asked_ends_when_it_leaves(silent: bool) -> None:
    from kg.store.stopping import on_stop

    stopped = threading.Event()
    closed = threading.Event()

    def body() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                time.sleep(0.01)
        finally:
            closed.set()

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        on_stop(stopped.set)
        if silent:
            assert stopped.wait(PATIENCE)
        start("200 OK", [])
        return body()

    with serve(app) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        if not silent:
            client.head()
        client.file.close()
        client.sock.close()
        assert stopped.wait(PATIENCE)
        assert closed.wait(PATIENCE) or silent


def test_stopping_lets_what_is_under_way_end() -> None:
    entered, leave = threading.Event(), threading.Event()

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        entered.set()
        assert leave.wait(PATIENCE)
        return echo(environ, start)

    with serve(app) as server, Client(server) as idle, Client(server) as client:
        client.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert entered.wait(PATIENCE)
        server.stop(PATIENCE)
        assert idle.rest() == b"", "nothing is under way there"
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        leave.set()
        assert client.answer()[2] == b"GET /1? "
        assert client.rest() == b""


def test_stopping_breaks_off_what_takes_too_long() -> None:
    left = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"some"
        left.wait(PATIENCE)
        yield b"more"

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        return body()

    with serve(app) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        client.head()
        server.stop(0.2)
        assert client.rest() == b"4\r\nsome\r\n"
        left.set()


def test_more_connections_than_there_is_room_for_wait_or_take_an_idle_ones_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from api.wire import server as module

    monkeypatch.setattr(module, "_CONNECTIONS", 5)
    with serve(echo) as server:
        clients = [Client(server) for _ in range(12)]
        for client in clients[-3:]:
            client.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\n")
            assert client.answer()[2] == b"GET /1? "
        for client in clients:
            client.__exit__()
