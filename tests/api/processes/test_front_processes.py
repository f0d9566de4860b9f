"""Several fronts on one folder: one writer, one version of the data, and nothing left behind by anybody."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.api.running import Served, gone, start

pytestmark = pytest.mark.server

CROSS_PRODUCT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
LONG_RESULT = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, copy_installed: Callable[[Path], Path]
) -> Iterator[Served]:
    server = start(copy_installed(tmp_path_factory.mktemp("fronts") / "data"), QUERY_TIMEOUT="20")
    yield server
    server.stop()


def fronts(server: Served) -> list[int]:
    return server.named("front")


def snapshots(folder: Path) -> list[Path]:
    return [path for path in (folder / "snapshots").iterdir() if not path.is_symlink()]


def test_two_fronts_answer(served: Served) -> None:
    assert len(fronts(served)) == 2


def test_a_query_after_a_write_sees_it_on_every_front(served: Served) -> None:
    # A new connection each time, so that either front may take it.
    for number in range(1, 31):
        written = served.update(
            f"INSERT DATA {{ GRAPH <http://seen> {{ <http://s/{number}> <http://p> 1 }} }}"
        )
        assert written.status_code == 204
        assert [served.count("GRAPH <http://seen> { ?s ?p ?o }") for _ in range(3)] == [number] * 3


def test_writers_on_every_front_take_turns(served: Served) -> None:
    failed: list[object] = []

    def write(writer: int) -> None:
        for number in range(15):
            triple = f"<http://s/{writer}/{number}> <http://p> 1"
            answer = served.update(f"INSERT DATA {{ GRAPH <http://turns> {{ {triple} }} }}")
            if answer.status_code != 204:
                failed.append(answer.text)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert served.count("GRAPH <http://turns> { ?s ?p ?o }") == 60


def test_a_front_that_is_killed_is_replaced_and_its_snapshots_go(served: Served) -> None:
    before = fronts(served)
    served.count()
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        now = fronts(served)
        if len(now) == 2 and before[0] not in now:
            break
        time.sleep(0.1)
    assert len(fronts(served)) == 2 and before[0] not in fronts(served)
    for number in range(8):
        assert served.update(f"INSERT DATA {{ <http://s> <http://p> {number} }}").status_code == 204
        served.count()
    # At most the newest and what each reader of two fronts has open, once one too many is ended.
    deadline = time.monotonic() + 60
    while len(snapshots(served.folder)) > 5:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_errors_of_the_writer_come_through(served: Served) -> None:
    answer = served.update("INSERT DATA { nothing }")
    assert answer.status_code == 400
    assert answer.json()["line"] == 1


def test_it_stops_within_ten_seconds_and_breaks_off_visibly(installed: Path) -> None:
    server = start(installed, QUERY_TIMEOUT="300")
    with httpx.stream("POST", f"{server.url}/sparql", data={"query": LONG_RESULT}, timeout=300) as answer:
        pieces = answer.iter_bytes(1024)
        next(pieces)
        below = server.descendants()
        started = time.monotonic()
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        with pytest.raises(httpx.TransportError):
            for _ in pieces:
                pass
        stopping.join()
    assert server.process.returncode == 0
    assert time.monotonic() - started < 60, "ten seconds, and much more for a busy machine"
    assert not gone(below)
    assert not list(installed.glob("snapshots/*"))


def test_what_is_under_way_is_finished_when_it_stops(installed: Path) -> None:
    server = start(installed)
    got: list[httpx.Response] = []
    query = "SELECT (COUNT(*) AS ?n) { { SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 2000000 } }"
    asking = threading.Thread(target=lambda: got.append(server.ask(query)))
    asking.start()
    time.sleep(0.5)
    assert server.stop() == 0
    asking.join()
    assert got[0].json()["results"]["bindings"][0]["n"]["value"] == "2000000"


def test_a_killed_server_leaves_no_process_and_the_next_one_cleans_up(installed: Path) -> None:
    server = start(installed)
    server.update("INSERT DATA { GRAPH <http://g> { <http://s> <http://p> 1 } }")
    assert server.count() == 1
    asking = subprocess.Popen(
        [
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "--data-urlencode",
            f"query={CROSS_PRODUCT}",
            f"{server.url}/sparql",
        ]
    )
    time.sleep(1)
    below = server.descendants()
    assert len(below) >= 5
    server.kill()
    assert not gone(below)
    assert asking.wait(30) != 0, "the client sees that it broke off"
    assert list((installed / "snapshots").iterdir())
    again = start(installed)
    assert again.count() == 1
    assert len(snapshots(installed)) <= 2
    assert again.stop() == 0


def test_fifty_stopped_queries_leave_nothing_behind(installed: Path) -> None:
    server = start(installed, QUERY_TIMEOUT="0.3", FRONTS="1")

    def rows() -> int:
        """Count, which may take longer than the limit on a busy machine."""
        for _ in range(100):
            answer = server.ask("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }")
            if answer.status_code == 200:
                return int(answer.json()["results"]["bindings"][0]["n"]["value"])
        raise AssertionError("it was never counted in time")

    served_first = rows()
    (front,) = fronts(server)
    with ThreadPoolExecutor(2) as threads:
        for number in range(25):
            for answer in threads.map(server.ask, [CROSS_PRODUCT] * 2):
                assert answer.status_code == 503
                assert answer.headers["Content-Type"].startswith("application/problem+json")
            if number == 4:  # pools and caches are filled by now
                files = len(list(Path(f"/proc/{front}/fd").iterdir()))
                processes = len(server.descendants())
    assert rows() == served_first
    # One of the two workers that were stopped may not be replaced yet.
    assert abs(len(server.descendants()) - processes) <= 1
    # A connection or two may still be closing.
    assert abs(len(list(Path(f"/proc/{front}/fd").iterdir())) - files) <= 2
    assert len(snapshots(installed)) <= 2
    assert server.stop() == 0


def test_a_result_over_a_small_limit_of_rows_is_refused(installed: Path) -> None:
    server = start(installed, QUERY_ROWS="10")
    query = f"SELECT ?a {{ VALUES ?a {{ {' '.join(map(str, range(20)))} }} }}"
    refused = server.ask(f"{query} LIMIT 11")
    assert refused.status_code == 503
    assert "10 rows" in refused.json()["detail"]
    assert server.ask(f"{query} LIMIT 10").status_code == 200
    assert server.stop() == 0


def test_writing_needs_the_token_on_every_front(served: Served) -> None:
    for _ in range(4):
        assert httpx.post(f"{served.url}/update", data={"update": "CLEAR ALL"}).status_code == 401


def test_a_folder_named_from_where_the_command_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = start(Path("data"))
    try:
        assert server.ask("ASK { ?s ?p ?o }").status_code == 200
        assert httpx.get(f"{server.url}/loads", headers={"Accept": "application/json"}).status_code == 200
        assert (tmp_path / "data" / "store").is_dir()
    finally:
        server.stop()
