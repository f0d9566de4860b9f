"""Answers on the wire: lengths, chunks, slow clients, clients that leave; a broken one never looks whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from api.server.spool import Spooling
from kg.store.cancellation import on_stop
from tests.api.server.test_asgi import application, echo
from tests.live import HOST, PATIENCE, Client, serve

pytestmark = pytest.mark.server

GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"


def in_pieces(*pieces: bytes, length: int | None = None, fails: bool = False) -> Callable[..., Any]:
    def body() -> Iterator[bytes]:
        yield from pieces
        if fails:
            raise RuntimeError("it broke")

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [] if length is None else [("Content-Length", str(length))])
        return body()

    return app


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "304 N"), ("DELETE", "204 N")])
def test_some_answers_have_no_body(method: str, status: str) -> None:
    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start(status, [("Content-Length", "5")] if method == "HEAD" else [])
        return []

    with serve(application(app)) as port, Client(port) as client:
        for _ in range(2):
            client.send(f"{method} / HTTP/1.1\r\n".encode() + HOST + b"\r\n")
            code, headers = client.head()
            assert str(code) == status[:3] and "transfer-encoding" not in headers
        client.send(f"{method} /x HTTP/1.1\r\n".encode() + HOST + b"Connection: close\r\n\r\n")
        assert client.rest().startswith(f"HTTP/1.1 {status[:3]}".encode())


def test_a_body_without_a_length_comes_in_chunks() -> None:
    with serve(application(in_pieces(b"one", b"", b"two"))) as port, Client(port) as client:
        for _ in range(2):
            client.send(GET)
            _, headers, body = client.answer()
            assert (headers["transfer-encoding"], body) == ("chunked", b"onetwo")


@pytest.mark.parametrize("length", [None, 6])
def test_a_client_of_http_1_0_gets_the_length(length: int | None) -> None:
    with serve(application(in_pieces(b"one", b"two", length=length))) as port, Client(port) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        _, headers, body = client.answer()
        assert (headers["content-length"], body) == ("6", b"onetwo")
        assert client.rest() == b""


@pytest.mark.parametrize("length", [None, 100, 5])
def test_a_body_that_breaks_off_never_looks_whole(length: int | None) -> None:
    """It lacks the last chunk, or has fewer bytes than its length, or was longer than that."""
    with serve(application(in_pieces(b"some", b"thing", length=length, fails=True))) as port:
        with Client(port) as client:
            client.send(GET)
            rest = client.rest()
        head, _, body = rest.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 200") and length is None:
            assert not body.endswith(b"0\r\n\r\n")
        elif head.startswith(b"HTTP/1.1 200"):
            assert len(body) < (length or 0)
        else:
            assert head.startswith(b"HTTP/1.1 50")
        with Client(port) as old:
            old.send(b"GET / HTTP/1.0\r\n\r\n")
            head, _, body = old.rest().partition(b"\r\n\r\n")
            assert not head.startswith(b"HTTP/1.1 200") or len(body) < (length or 0)


def test_a_body_that_is_shorter_than_its_length_closes_the_connection() -> None:
    with serve(application(in_pieces(b"some", length=10))) as port, Client(port) as client:
        client.send(GET)
        assert not client.rest().endswith(b"some" + b"\0" * 6)


def test_a_header_cannot_bring_another_one_in() -> None:
    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("X-A", "b\r\nSet-Cookie: c=d"), ("Content-Length", "0")])
        return []

    with serve(application(app)) as port, Client(port) as client:
        client.send(GET)
        assert b"set-cookie" not in client.rest().lower()


def test_a_slow_reader_holds_no_thread() -> None:
    pieces = [bytes([number % 251]) * 2**16 for number in range(200)]
    with serve(application(in_pieces(*pieces), threads=1)) as port, Client(port) as slow:
        slow.send(GET)
        slow.head()
        with Client(port) as other:
            other.send(GET)
            assert other.answer()[2] == b"".join(pieces)
        body = b""
        while size := int(slow.file.readline(), 16):
            body += slow.file.read(size)
            slow.file.readline()
        assert body == b"".join(pieces)


def test_an_answer_waits_for_its_reader_at_the_limit_only() -> None:
    made = [0]

    def body() -> Iterator[bytes]:
        for number in range(300):
            made[0] += 1
            yield bytes([number % 251]) * 2**20

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        return body()

    spooling = Spooling(application(app)._app, limit=50 * 2**20)
    with serve(spooling) as port, Client(port) as client:
        client.send(GET)
        client.head()
        before, deadline = -1, time.monotonic() + PATIENCE
        while before != made[0] or before < 40:
            assert time.monotonic() < deadline
            before = made[0]
            time.sleep(0.3)
        assert before < 80, "the limit, and what the system's buffers take"
        size = number = 0
        while chunk := int(client.file.readline(), 16):
            piece = client.file.read(chunk)
            assert piece[:1] == bytes([size // 2**20 % 251])
            size += len(piece)
            number += 1
            client.file.readline()
        assert size == 300 * 2**20
    assert spooling.used == 0


def test_an_answer_too_large_for_http_1_0_is_an_error() -> None:
    app = application(in_pieces(*[b"x" * 2**20] * 12))._app
    with serve(Spooling(app, limit=8 * 2**20)) as port, Client(port) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert client.head()[0] >= 500


@pytest.mark.parametrize("silent", [True, False], ids=["before its first byte", "in mid-answer"])
def test_the_work_for_a_client_ends_when_it_leaves(silent: bool) -> None:
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

    with serve(application(app)) as port, Client(port) as client:
        client.send(GET)
        if not silent:
            client.head()
        client.file.close()
        client.sock.close()
        assert stopped.wait(PATIENCE)
        assert closed.wait(PATIENCE) or silent


def test_light_requests_are_answered_while_all_threads_are_taken() -> None:
    leave = threading.Event()

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            assert leave.wait(PATIENCE)
        return echo(environ, start)

    with serve(application(app, threads=2)) as port:
        slow = [Client(port) for _ in range(6)]
        for client in slow:
            client.send(b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n")
        with Client(port) as other:
            for path in (b"/health", b"/metrics", b"/static/a.css"):
                other.send(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
                assert other.answer()[2] == b"GET " + path + b"? "
        leave.set()
        for client in slow:
            assert client.answer()[0] == 200
            client.__exit__()
