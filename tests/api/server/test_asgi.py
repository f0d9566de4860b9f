"""Requests to the server: what RFC 9110 and RFC 9112 ask, and limits for unfriendly clients."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from flask import Flask

from api.server import asgi
from api.server.asgi import Application
from api.server.spool import Spooling
from tests.live import HOST, PATIENCE, Client, serve

pytestmark = pytest.mark.server


def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with the request: method, path, query and body."""
    body = environ["wsgi.input"].read()
    text = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']} ".encode() + body
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
    return [text]


def application(app: Callable[..., Any], threads: int = 4) -> Any:
    return Spooling(Application(app, None, threads))


@pytest.fixture(scope="module")
def echoing() -> Iterator[int]:
    with serve(application(echo)) as port:
        yield port


def test_one_connection_carries_requests_one_after_the_other(echoing: int) -> None:
    with Client(echoing) as client:
        for path in ("/a", "/b%20c"):
            client.send(f"GET {path}?x=%41 HTTP/1.1\r\n".encode() + HOST + b"\r\n")
            status, headers, body = client.answer()
            assert status == 200 and "connection" not in headers and "date" in headers
            assert body == f"GET {path.replace('%20', ' ')}?x=%41 ".encode()


def test_pipelined_requests_are_answered_in_order(echoing: int) -> None:
    with Client(echoing) as client:
        post = b"POST /2 HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
        client.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\n" + post + b"GET /3 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert [client.answer()[2] for _ in range(3)] == [b"GET /1? ", b"POST /2? abc", b"GET /3? "]


def test_a_request_may_arrive_in_small_parts(echoing: int) -> None:
    with Client(echoing) as client:
        whole = b"POST /slow?q=1 HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nbody"
        for at in range(0, len(whole), 7):
            client.send(whole[at : at + 7])
            time.sleep(0.002)
        assert client.answer()[2] == b"POST /slow?q=1 body"


@pytest.mark.parametrize(
    "offer",
    [
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: YQ==\r\n",
    ],
)
def test_an_offer_of_another_protocol_is_ignored(echoing: int, offer: bytes) -> None:
    """RFC 9110 section 7.8; HTTP clients of Java make the first offer with every request."""
    with Client(echoing) as client:
        client.send(b"GET /1 HTTP/1.1\r\n" + HOST + offer + b"\r\n")
        assert client.answer()[2] == b"GET /1? "
        client.send(b"POST /2 HTTP/1.1\r\n" + HOST + offer + b"Content-Length: 2\r\n\r\nhi")
        assert client.answer()[2] == b"POST /2? hi"
        client.send(b"GET /3 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert client.answer()[2] == b"GET /3? "


def test_flask_does_not_see_an_offer_of_websockets() -> None:
    """Werkzeug would refuse it with 400."""
    flask = Flask("one-page")
    flask.add_url_rule("/", view_func=lambda: "page")
    with serve(application(flask)) as port, Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert client.answer()[2] == b"page"


def test_empty_lines_before_a_request_are_ignored(echoing: int) -> None:
    """RFC 9112 section 2.2."""
    with Client(echoing) as client:
        for path in (b"/1", b"/2"):
            client.send(b"\r\n\r\nGET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
            assert client.answer()[2] == b"GET " + path + b"? "


def test_the_target_may_be_absolute(echoing: int) -> None:
    with Client(echoing) as client:
        client.send(b"GET http://e.example/a?b=c HTTP/1.1\r\n" + HOST + b"\r\n")
        assert client.answer()[2] == b"GET /a?b=c "


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\nHost : e.example\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\nhello",
        b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
    ids=["no host", "two hosts", "no host name", "two lengths", "length and chunks", "chunks in HTTP/1.0",
         "no chunk", "unknown coding", "negative", "words", "tls", "space before the colon", "connect",
         "small letters", "asterisk"],
)  # fmt: skip
def test_a_malformed_request_is_refused_and_the_connection_closed(echoing: int, request_: bytes) -> None:
    with Client(echoing) as client:
        client.send(request_)
        status, headers, _ = client.answer()
        assert (status, headers["connection"]) == (400, "close")
        assert client.rest() == b""
    with Client(echoing) as client:
        client.send(b"GET /next HTTP/1.1\r\n" + HOST + b"\r\n")
        assert client.answer()[2] == b"GET /next? "


@pytest.mark.parametrize("version", [b"2.0", b"9.9"])
def test_other_versions_are_refused(echoing: int, version: bytes) -> None:
    with Client(echoing) as client:
        client.send(b"GET / HTTP/" + version + b"\r\n" + HOST + b"\r\n")
        assert client.answer()[0] == 505


def test_a_request_before_a_malformed_one_is_answered(echoing: int) -> None:
    with Client(echoing) as client:
        client.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\nnonsense\r\n\r\n")
        assert client.answer()[2] == b"GET /1? "
        assert client.answer()[0] == 400
        assert client.rest() == b""


@pytest.mark.parametrize("end", [b"", b"\r\n"], ids=["half", "whole"])
def test_a_head_has_a_limit(echoing: int, end: bytes) -> None:
    with Client(echoing) as client:
        try:
            client.send(b"GET / HTTP/1.1\r\n" + HOST)
            for number in range(3000):
                client.send(b"X-%d: %b\r\n" % (number, b"x" * 200))
            client.send(end)
            assert client.head()[0] in (400, 431)
        except ConnectionError:
            pass  # It hung up in the middle, which is right as well.


def test_trailers_are_bounded_and_never_headers() -> None:
    seen: list[str] = []

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        seen.extend(name for name in environ if name.startswith("HTTP_"))
        start("200 OK", [("Content-Length", "0")])
        return []

    with serve(application(app)) as port:
        head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
        with Client(port) as client:
            client.send(head + b"Authorization: Bearer t\r\n\r\n")
            assert client.answer()[0] == 200
        assert seen == ["HTTP_HOST"]
        with Client(port) as client:
            client.send(head)
            with pytest.raises(ConnectionError):
                for number in range(200_000):
                    client.send(b"X-%06d: %b\r\n" % (number, b"a" * 100))


def test_headers_that_could_pass_for_others_are_left_out() -> None:
    seen: dict[str, Any] = {}

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        seen.update(environ)
        return echo(environ, start)

    headers = (
        b"X_Forwarded_For: 9.9.9.9\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n"
        b"Proxy: http://9.9.9.9\r\nContent_Length: 5\r\nCookie: a=1\r\nCookie: b=2\r\nAccept: a/b\r\n"
        b"Accept: c/d\r\n"
    )
    with serve(application(app)) as port, Client(port) as client:
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

    with serve(application(app), trusted_proxy="127.0.0.1") as port, Client(port) as client:
        forwarded = b"X-Forwarded-For: 6.6.6.6, 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n"
        client.send(b"GET / HTTP/1.1\r\n" + HOST + forwarded)
        client.answer()
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("9.9.9.9", "https")


def test_a_client_that_asks_first_is_told_to_go_on(echoing: int) -> None:
    with Client(echoing) as client:
        client.send(b"POST / HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert client.head()[0] == 100
        client.send(b"ok")
        assert client.answer()[2] == b"POST /? ok"


@pytest.mark.parametrize("size", [3 * 2**20, 9 * 2**20])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_long_body_arrives_whole(echoing: int, size: int, chunked: bool) -> None:
    body = bytes(range(256)) * (size // 256)
    with Client(echoing) as client:
        head = b"POST / HTTP/1.1\r\n" + HOST
        if chunked:
            client.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
            for at in range(0, size, 2**20):
                client.send(b"%x\r\n%b\r\n" % (2**20, body[at : at + 2**20]))
            client.send(b"0\r\nTrailer: t\r\n\r\n")
        else:
            client.send(head + b"Content-Length: %d\r\n\r\n" % size + body)
        assert client.answer()[2] == b"POST /? " + body


def test_an_answer_comes_before_a_long_body_that_is_refused() -> None:
    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("401 Unauthorized", [("Content-Length", "0")])
        return []

    with serve(application(app)) as port, Client(port) as client:
        client.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 50000000\r\n\r\n" + b"x" * 5000)
        assert client.answer()[0] == 401


def test_a_body_that_stops_arriving_is_given_up_and_held_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_TIME", 1.5)
    with serve(application(echo, threads=1)) as port, Client(port) as slow, Client(port) as other:
        slow.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nabc")
        other.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert other.answer()[2] == b"GET /1? "
        started = time.monotonic()
        assert slow.answer()[0] == 408
        assert time.monotonic() - started < PATIENCE / 2


@pytest.mark.parametrize("part", [b"", b"GET / HTTP/1.1\r\nHost: e"], ids=["nothing", "half a head"])
def test_a_connection_without_a_request_is_closed(monkeypatch: pytest.MonkeyPatch, part: bytes) -> None:
    from api.processes import front_processes

    monkeypatch.setattr(front_processes, "_HEAD_TIME", 0.5)
    with serve(application(echo)) as port, Client(port) as fresh, Client(port) as used:
        used.send(b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\n")
        assert used.answer()[2] == b"GET /1? "
        fresh.send(part)
        used.send(part or b"G")
        assert fresh.rest() == used.rest() == b""


def test_the_body_of_a_stranger_is_not_kept() -> None:
    """Only the doors that are open to all wait for it; an answer arrives also while the client sends on."""

    def refuse(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        known = "HTTP_AUTHORIZATION" in environ
        start("200 OK" if known else "401 Unauthorized", [("Content-Length", "0")])
        return []

    app = Spooling(Application(refuse, None, 2, lambda environ: "HTTP_AUTHORIZATION" in environ))
    with serve(app) as port:
        head = b" HTTP/1.1\r\n" + HOST + b"Content-Length: 3000000\r\n"
        with Client(port) as client:
            client.send(b"POST /load" + head + b"\r\nabc")
            assert client.answer()[0] == 401
        for path, extra in ((b"/load", b"Authorization: Bearer x\r\n"), (b"/sparql", b"")):
            with Client(port) as client:
                client.send(b"POST " + path + head + extra + b"\r\n" + b"a" * 2_000_000)
                assert not select.select([client.sock], [], [], 0.2)[0]
                client.send(b"a" * 1_000_000)
                assert client.answer()[0] == (200 if extra else 401)


def test_the_open_bodies_of_strangers_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_STRANGERS", 1000)

    def status(port: int, size: int) -> int:
        with Client(port) as client:
            client.send(b"POST /sparql HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % size)
            client.send(b"a" * size)
            return client.answer()[0]

    with serve(application(echo)) as port:
        assert status(port, 900) == 200
        assert status(port, 1100) == 503
        # The room is free a moment after the answer.
        deadline = time.monotonic() + PATIENCE
        while status(port, 900) != 200:
            assert time.monotonic() < deadline
