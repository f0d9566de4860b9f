"""One client for all servers: keep-alive connections from a process of its own."""

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class Rate:
    """What a run of small queries reached: answers a second and latency percentiles in milliseconds."""

    per_second: float
    p50: float
    p95: float


def ask(connection: http.client.HTTPConnection, path: str, query: str, accept: str) -> bytes:
    """Send one query by GET; raises RuntimeError on anything but 200."""
    connection.request("GET", f"{path}?{urlencode({'query': query})}", headers={"Accept": accept})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {body[:200]!r}")
    return body


def time_query(url: str, query: str, repeat: int = 5, accept: str = "text/csv") -> float:
    """Give the median seconds of one query on one connection."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        ask(connection, parts.path, query, accept)
        times.append(time.perf_counter() - started)
    connection.close()
    return statistics.median(times)


def drive(url: str, queries: list[str], connections: int = 8, seconds: float = 5) -> Rate:
    """Send the queries round and round on so many connections, from another process."""
    run = subprocess.run(
        [sys.executable, "-m", "bench.client", url, str(connections), str(seconds)],
        input="\0".join(queries),
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + 60,
        cwd=Path(__file__).parent.parent,
    )
    per_second, p50, p95 = map(float, run.stdout.split())
    return Rate(per_second, p50, p95)


def _drive(url: str, queries: list[str], connections: int, seconds: float) -> Rate:
    parts = urlsplit(url)
    times: list[list[float]] = [[] for _ in range(connections)]
    end = time.monotonic() + seconds

    def work(mine: int) -> None:
        connection = http.client.HTTPConnection(parts.netloc, timeout=120)
        number = mine
        while time.monotonic() < end:
            started = time.perf_counter()
            ask(connection, parts.path, queries[number % len(queries)], "text/csv")
            times[mine].append(time.perf_counter() - started)
            number += connections
        connection.close()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = sorted(t for mine in times for t in mine)
    return Rate(len(every) / seconds, every[len(every) // 2] * 1000, every[int(len(every) * 0.95)] * 1000)


if __name__ == "__main__":
    rate = _drive(sys.argv[1], sys.stdin.read().split("\0"), int(sys.argv[2]), float(sys.argv[3]))
    print(rate.per_second, rate.p50, rate.p95)
