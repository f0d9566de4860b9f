"""The front's own server over time: slow clients, clients that leave, its end, and its limits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from api.wire import connections
from tests.wire.clients import HOST, PATIENCE, Client, echo, in_pieces
from tests.wire.live import serve

pytestmark = pytest.mark.server


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
    from kg.store.cancellation import on_stop

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
