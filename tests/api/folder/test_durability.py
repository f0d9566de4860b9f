"""What was acknowledged is there after the server was killed, and nothing is half there."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.api.running import AUTHORITY, Served, gone, start

pytestmark = pytest.mark.server

KILLS = 3
WRITERS = 3
PARTS = 5


def stream_updates(server: Served, writer: str, acknowledged: list[str], sent: list[str]) -> None:
    """Write until the server is gone; each update puts `PARTS` quads into two graphs."""
    with httpx.Client(headers=AUTHORITY, timeout=30) as client:
        for number in range(100_000):
            name = f"{writer}-{number}"
            triples = " ".join(f"<http://u/{name}> <http://part> {part} ." for part in range(PARTS - 1))
            text = (
                f"INSERT DATA {{ GRAPH <http://one> {{ {triples} }} }} ;\n"
                f"INSERT DATA {{ GRAPH <http://two> {{ <http://u/{name}> <http://part> {PARTS} }} }}"
            )
            sent.append(name)
            try:
                answer = client.post(f"{server.url}/update", data={"update": text})
            except httpx.HTTPError:
                return
            if answer.status_code == 204:
                acknowledged.append(name)


def stored(server: Served) -> dict[str, int]:
    """Count the quads of every update that is there."""
    query = "SELECT ?u (COUNT(*) AS ?n) { GRAPH ?g { ?u <http://part> ?o } } GROUP BY ?u"
    rows = server.ask(query).json()["results"]["bindings"]
    return {row["u"]["value"].removeprefix("http://u/"): int(row["n"]["value"]) for row in rows}


def test_every_acknowledged_update_survives_kills_and_none_is_half_there(installed: Path) -> None:
    acknowledged: list[str] = []
    sent: list[str] = []
    for kill in range(KILLS):
        server = start(installed)
        threads = [
            threading.Thread(target=stream_updates, args=(server, f"{kill}-{writer}", acknowledged, sent))
            for writer in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        before = len(acknowledged)
        deadline = time.monotonic() + 60
        # Another moment each time, and never before something was written.
        while len(acknowledged) < before + 5 + 7 * (kill % 5) and time.monotonic() < deadline:
            time.sleep(0.002)
        below = server.descendants()
        server.kill()
        for thread in threads:
            thread.join()
        assert not gone(below)
        assert len(acknowledged) > before
    server = start(installed)
    found = stored(server)
    assert server.stop() == 0
    assert set(found.values()) == {PARTS}
    assert set(acknowledged) <= set(found) <= set(sent)
