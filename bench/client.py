"""One client for all servers, in a process of its own: keep-alive connections, one thread, plain sockets.

Run as `python -m bench.client URL CONNECTIONS SECONDS` with queries on standard input, NUL between them.
"""

from __future__ import annotations

import http.client
import selectors
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

ACCEPT = "text/csv"


@dataclass(frozen=True)
class Rate:
    """What a run of small queries reached: answers a second, latency in milliseconds, answers that failed."""

    per_second: float
    p50: float
    p95: float
    failed: int


@dataclass(frozen=True)
class Big:
    """One large result: seconds to the first byte and to the last, and its bytes."""

    first: float
    whole: float
    size: int


def time_query(url: str, query: str, repeat: int = 5, accept: str = ACCEPT) -> float:
    """Return the median seconds of one query; each time another text, so that no cache answers."""
    return statistics.median(read_whole(url, f"{query} # {n}", accept).whole for n in range(repeat))


def read_whole(url: str, query: str, accept: str = ACCEPT, limit: int | None = None) -> Big:
    """Read one result to its end, or up to `limit` bytes. Raises RuntimeError on anything but 200."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=600)
    started = time.perf_counter()
    connection.request("GET", f"{parts.path}?{urlencode({'query': query})}", headers={"Accept": accept})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.read(300)!r}")
    size = len(answer.read(1))
    first = time.perf_counter() - started
    while piece := answer.read(1 << 18):
        size += len(piece)
        if limit is not None and size >= limit:
            break
    connection.close()
    return Big(first, time.perf_counter() - started, size)


class Driver:
    """A run of small queries from another process, begun at once and awaited later."""

    def __init__(self, url: str, queries: list[str], connections: int = 8, seconds: float = 5) -> None:
        self._patience = seconds + 120
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.client", url, str(connections), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
        )
        assert self._process.stdin
        self._process.stdin.write("\0".join(queries))
        self._process.stdin.close()
        self._process.stdin = None

    def result(self) -> Rate:
        """Wait for its end."""
        said, _ = self._process.communicate(timeout=self._patience)
        if self._process.returncode:
            raise RuntimeError(f"the client ended with {self._process.returncode}")
        per_second, p50, p95, failed = said.split()
        return Rate(float(per_second), float(p50), float(p95), int(failed))


def drive(url: str, queries: list[str], connections: int = 8, seconds: float = 5) -> Rate:
    """Send the queries round and round on so many connections, from another process."""
    return Driver(url, queries, connections, seconds).result()


@dataclass
class _Line:
    sock: socket.socket
    started: float = 0.0
    held: bytearray = field(default_factory=bytearray)


def _drive(url: str, queries: list[str], connections: int, seconds: float) -> Rate:
    parts = urlsplit(url)
    head = f"Host: {parts.netloc}\r\nAccept: {ACCEPT}\r\n\r\n"
    requests = [
        f"GET {parts.path}?{urlencode({'query': query})} HTTP/1.1\r\n{head}".encode() for query in queries
    ]
    selector = selectors.DefaultSelector()
    number = failed = 0
    times: list[float] = []

    def connect(line: _Line | None = None) -> None:
        if line is not None:
            selector.unregister(line.sock)
            line.sock.close()
        sock = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fresh = _Line(sock)
        selector.register(sock, selectors.EVENT_READ, fresh)
        send(fresh)

    def send(line: _Line) -> None:
        nonlocal number
        line.held.clear()
        line.started = time.perf_counter()
        line.sock.sendall(requests[number % len(requests)])
        number += 1

    for _ in range(connections):
        connect()
    began = time.perf_counter()
    end = began + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in selector.select(end - now):
            line: _Line = key.data
            piece = line.sock.recv(1 << 18)
            line.held += piece
            state = _state(line.held) if piece else "closed"
            if state == "open":
                continue
            times.append(time.perf_counter() - line.started)
            failed += state != "done"
            if state == "closed" or b"connection: close" in line.held[:1000].lower():
                connect(line)
            else:
                send(line)
    spent = time.perf_counter() - began
    every = sorted(times) or [float("nan")]
    return Rate(
        (len(times) - failed) / spent,
        every[len(every) // 2] * 1000,
        every[int(len(every) * 0.95)] * 1000,
        failed,
    )


def _state(held: bytearray) -> str:
    """Return the state of an answer: `open`, `done`, or `failed` for a whole one that is not a 200."""
    head, blank, body = held.partition(b"\r\n\r\n")
    if not blank:
        return "open"
    low = head.lower()
    at = low.find(b"content-length:")
    if at >= 0:
        length = int(low[at + 15 :].split(b"\r\n", 1)[0])
        whole = len(body) >= length
    else:
        whole = body.endswith(b"0\r\n\r\n")
    if not whole:
        return "open"
    return "done" if head[9:12] == b"200" else "failed"


if __name__ == "__main__":
    found = _drive(sys.argv[1], sys.stdin.read().split("\0"), int(sys.argv[2]), float(sys.argv[3]))
    print(found.per_second, found.p50, found.p95, found.failed)
