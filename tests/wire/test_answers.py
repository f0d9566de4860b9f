"""Answers of the front's own HTTP/1.1: lengths, chunks, and none that looks whole when it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.wire.clients import HOST, Client, in_pieces
from tests.wire.live import serve

pytestmark = pytest.mark.server


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
