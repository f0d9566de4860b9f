"""Requests to the front's own HTTP/1.1: what RFC 9110 and RFC 9112 ask, and what strangers may not do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from api.wire.server import Server
from tests.wire.clients import HOST, Client, echo
from tests.wire.live import serve

pytestmark = pytest.mark.server


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
