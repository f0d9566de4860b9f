"""Queries in processes of their own: each can be stopped without harm to others, and leaves nothing."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.errors import BusyError, NotAStoreError, QueryStoppedError, QuerySyntaxError
from kg.languages import speak, wanted
from kg.rdf.formats import result_format
from kg.store import Store
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer import Writer
from tests.kg.store.isolated.conftest import Make, only_one

ROWS = 3000
PATIENCE = 60
CROSS_PRODUCT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
LONG_RESULT = "SELECT * { ?a ?b ?c . ?d ?e ?f }"
CSV = result_format("solutions", "csv")
JSON = result_format("solutions", "json")


def fill(store: IsolatedStore[Writer], rows: int = ROWS) -> None:
    # A change has no time limit, unlike an update.
    p, g = NamedNode("http://p"), NamedNode("http://g")
    store.change((), [Quad(NamedNode(f"http://s/{n}"), p, Literal(n), g) for n in range(rows)])


def count(store: IsolatedStore[Writer]) -> int:
    (row,) = store.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").rows()
    return int(getattr(row["n"], "value"))  # noqa: B009 - a term of any kind


def count_at_last(store: IsolatedStore[Writer]) -> int:
    """Count when the limit of time is short, which a new process on a busy machine may miss."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return count(store)
        except QueryStoppedError:
            assert time.monotonic() < deadline


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def children() -> set[int]:
    return {child.pid or 0 for child in multiprocessing.active_children()}


def count_snapshots(folder: Path) -> int:
    return sum(not entry.is_symlink() for entry in (folder / "snapshots").iterdir())


def test_a_query_after_a_write_sees_it(make: Make) -> None:
    store = make()
    for number in range(10):
        store.update(f"INSERT DATA {{ <http://s> <http://p> {number} }}")
        assert count(store) == number + 1


def test_every_way_to_read_an_answer(make: Make) -> None:
    store = make()
    store.update('INSERT DATA { <http://s> <http://p> "é\\n<x>"@fr }')
    (row,) = store.query("SELECT ?o ?nothing { ?s ?p ?o }").rows()
    assert list(row) == ["o"]
    assert str(row["o"]) == '"é\\n<x>"@fr'
    assert store.query("ASK { ?s ?p ?o }").truth() is True
    assert store.query("ASK { ?o ?p ?s . FILTER(false) }").truth() is False
    (triple,) = store.query("CONSTRUCT WHERE { ?s ?p ?o }").triples()
    assert str(triple.object) == '"é\\n<x>"@fr'
    answer = store.query("SELECT ?s { ?s ?p ?o }")
    assert answer.variables == ("s",)
    assert b"".join(answer.serialize(CSV)) == b"s\r\nhttp://s\r\n"


def test_an_error_of_the_query_leaves_the_process_alive(make: Make) -> None:
    store = make(workers=1)
    before = store.worker_pids()
    with pytest.raises(QuerySyntaxError) as caught:
        store.query("SELECT * {\n  ?s ?p }")
    assert caught.value.line == 2
    assert store.query("ASK {}").truth()
    assert store.worker_pids() == before


def test_a_query_past_its_deadline_is_stopped_and_its_process_replaced(make: Make) -> None:
    store = make(timeout=1)
    fill(store)
    before = set(store.worker_pids())
    with pytest.raises(QueryStoppedError, match="longer than 1 s"):
        list(store.query(CROSS_PRODUCT).rows())
    assert count_at_last(store) == ROWS
    (gone,) = before - set(store.worker_pids())
    assert not Path(f"/proc/{gone}").exists()


def test_a_query_over_its_memory_is_stopped(make: Make) -> None:
    store = make(timeout=30, memory=64 << 20)
    fill(store)
    with pytest.raises(QueryStoppedError, match="more than 64 MiB"):
        list(store.query(LONG_RESULT + " ORDER BY ?c ?f").serialize(CSV))
    assert count(store) == ROWS


def test_a_process_killed_from_outside_breaks_its_own_answer_only(make: Make) -> None:
    store = make(timeout=30)
    fill(store)
    pieces = store.query(LONG_RESULT).serialize(CSV)
    next(pieces)
    (busy,) = store.worker_pids()
    os.kill(busy, signal.SIGKILL)
    with pytest.raises(QueryStoppedError):
        for _ in pieces:
            pass
    assert count(store) == ROWS


def test_processes_killed_while_they_are_idle_are_replaced_before_a_query_notices(make: Make) -> None:
    store = make(timeout=30)
    fill(store, 10)
    assert count(store) == 10
    before = store.worker_pids()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    while any(Path(f"/proc/{pid}").exists() for pid in before):
        time.sleep(0.01)
    pieces = store.query("SELECT * { ?s ?p ?o }").serialize(CSV)
    next(pieces)
    assert count(store) == 10
    pieces.close()
    assert not set(before) & set(store.worker_pids())


def test_a_reader_that_goes_away_ends_the_query(make: Make) -> None:
    store = make(workers=1, timeout=30)
    fill(store)
    (before,) = store.worker_pids()
    pieces = store.query(LONG_RESULT).serialize(CSV)
    next(pieces)
    pieces.close()
    assert not Path(f"/proc/{before}").exists()
    assert count(store) == ROWS


def test_waiting_for_a_slow_reader_does_not_count(make: Make) -> None:
    # The engine needs a fraction of the limit, even on a busy machine; the reader alone takes more than it.
    store = make(timeout=3)
    fill(store)
    pieces = store.query("SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 40000").serialize(CSV)
    total = len(next(pieces))
    time.sleep(3.5)
    total += sum(len(piece) for piece in pieces)
    assert total > 40000 * len("http://s/1,http://p,1")


def test_twenty_stopped_queries_leave_nothing_behind(make: Make, tmp_path: Path) -> None:
    first = make()
    fill(first)
    first.close()
    store = make(timeout=0.2)
    assert count_at_last(store) == ROWS
    gc.collect()  # Objects of earlier tests must not be freed during the count.
    processes, files = len(children()), descriptors()
    for _ in range(20):
        with pytest.raises(QueryStoppedError):
            list(store.query(CROSS_PRODUCT).rows())
    assert count_at_last(store) == ROWS
    # Stale snapshots and ended processes go in the background.
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        left = len(children()), descriptors(), count_snapshots(tmp_path)
        if left[0] == processes and left[1] <= files and left[2] == 1:
            break
        gc.collect()
        time.sleep(0.1)
    assert (left[0], left[2]) == (processes, 1)
    assert left[1] <= files


def test_stale_snapshots_go(make: Make, tmp_path: Path) -> None:
    store = make()
    for number in range(20):
        store.update(f"INSERT DATA {{ <http://s> <http://p> {number} }}")
        count(store)
    deadline = time.monotonic() + 20
    while count_snapshots(tmp_path) > 1 + len(store.worker_pids()):
        assert time.monotonic() < deadline, "stale snapshots stay"
        time.sleep(0.1)


def test_a_write_waits_for_its_turn_only_while_the_last_snapshot_is_read(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(timeout=30)
    waits: list[float | None] = []
    monkeypatch.setattr(store.writer._closing, "wait", waits.append)
    for number in range(5):
        store.update(f"INSERT DATA {{ <http://s> <http://p> {number} }}")
    assert not waits
    assert count(store) == 5
    store.update("INSERT DATA { <http://s> <http://p> 5 }")
    assert len(waits) == 1


def test_snapshots_of_a_crash_are_cleaned(make: Make, tmp_path: Path) -> None:
    left = tmp_path / "snapshots" / "7"
    left.mkdir(parents=True)
    (left / "CURRENT").touch()
    store = make()
    assert not left.exists()
    assert count(store) == 0


def test_a_runaway_update_is_stopped_and_leaves_nothing_half_done(make: Make) -> None:
    store = make(timeout=1)
    fill(store)
    with pytest.raises(QueryStoppedError):
        store.update("INSERT { ?a <http://copy> ?d } WHERE { GRAPH <http://g> { ?a ?b ?c . ?d ?e ?f } }")
    assert count_at_last(store) == ROWS
    # Unlike an update, a change has no limit of time.
    store.change((), [Quad(NamedNode("http://s"), NamedNode("http://after"), Literal(1))])
    assert count_at_last(store) == ROWS + 1


def test_readers_go_on_beside_a_long_update(make: Make) -> None:
    store = make(timeout=3)
    fill(store)
    store.update("INSERT DATA { <http://s> <http://acknowledged> 1 }")

    def update() -> None:
        with pytest.raises(QueryStoppedError):
            store.update("INSERT { ?a <http://copy> ?d } WHERE { GRAPH <http://g> { ?a ?b ?c . ?d ?e ?f } }")

    writing = threading.Thread(target=update)
    writing.start()
    time.sleep(0.3)
    assert count(store) == ROWS + 1
    assert writing.is_alive()
    writing.join()


def test_no_free_worker_is_an_error_of_its_own(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    only_one(monkeypatch)
    store = make(workers=1, timeout=2)
    fill(store)
    pieces = store.query(LONG_RESULT).serialize(CSV)
    next(pieces)
    with pytest.raises(BusyError, match="busy"):
        store.query("ASK {}")
    pieces.close()
    assert store.query("ASK {}").truth()


def test_many_threads_at_once(make: Make) -> None:
    store = make(timeout=30)
    fill(store, 100)
    wrong: list[object] = []

    def ask(number: int) -> None:
        for turn in range(50):
            (row,) = store.query(f"SELECT ?o {{ <http://s/{(number + turn) % 100}> <http://p> ?o }}").rows()
            if str(getattr(row["o"], "value")) != str((number + turn) % 100):  # noqa: B009
                wrong.append(row)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(store.worker_pids()) == 2


def test_close_ends_every_process(make: Make, tmp_path: Path) -> None:
    before = children()
    store = make()
    fill(store, 10)
    count(store)
    assert len(children() - before) == 2
    store.close()
    assert children() == before
    assert not (tmp_path / "snapshots").exists()


def test_a_folder_with_other_files_is_refused(make: Make, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "letter.txt").write_text("dear")
    before = children()
    with pytest.raises(NotAStoreError):
        make()
    assert children() == before


def test_a_reader_that_was_ended_while_idle_is_reaped_and_replaced(make: Make) -> None:
    store = make()
    fill(store)
    assert count(store) == ROWS
    before = store.worker_pids()
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while before[0] in store.worker_pids() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert before[0] not in store.worker_pids()
    assert count(store) == ROWS


def test_the_writer_runs_at_lower_priority_than_readers(make: Make) -> None:
    store = make()
    (reader,) = store.worker_pids()
    assert os.getpriority(os.PRIO_PROCESS, store.writer.pid) > os.getpriority(os.PRIO_PROCESS, reader)


def test_a_function_of_the_library_runs_in_a_worker(make: Make) -> None:
    store = make(timeout=30)
    store.update('INSERT DATA { <http://s> <http://p> "x" }')
    assert store.run(_pid_and_rows, 7) == (store.worker_pids()[0], 1, 7)
    speak(["fr"])
    try:
        assert store.run(_languages) == ("fr", "en")
    finally:
        speak([])  # The tests that follow share this context.
    with pytest.raises(QuerySyntaxError):
        store.run(_bad_query)
    with pytest.raises(ZeroDivisionError):
        store.run(_fault)
    assert store.query("ASK {}").truth()


def test_a_function_past_its_deadline_is_stopped(make: Make) -> None:
    store = make(timeout=0.5)
    with pytest.raises(QueryStoppedError, match=r"longer than 0\.5 s"):
        store.run(_sleep)
    assert count_at_last(store) == 0


def _pid_and_rows(store: Store, number: int) -> tuple[int, int, int]:
    return os.getpid(), len(list(store.query("SELECT * { ?s ?p ?o }").rows())), number


def _languages(store: Store) -> tuple[str, ...]:
    return wanted()


def _bad_query(store: Store) -> None:
    store.query("SELECT")


def _fault(store: Store) -> float:
    return 1 / 0


def _sleep(store: Store) -> None:
    time.sleep(60)


def test_queries_in_an_event_loop(make: Make) -> None:
    store = make(workers=2, timeout=30)
    fill(store)

    async def whole(number: int) -> bytes:
        answer = await store.ask(f"SELECT ?o {{ <http://s/{number}> ?p ?o }}", forms={"solutions": "csv"})
        assert answer.kind == "solutions"
        assert answer.whole is not None
        return answer.whole

    async def long() -> int:
        answer = await store.ask("SELECT * { ?s ?p ?o }", forms={"solutions": "json"})
        assert answer.whole is None
        size = 0
        while piece := await answer.piece():
            size += len(piece)
        return size

    async def everything() -> None:
        found = await asyncio.gather(*(whole(number) for number in range(100)), long(), long())
        assert found[:100] == [f"o\r\n{number}\r\n".encode() for number in range(100)]
        expected = b"".join(store.query("SELECT * { ?s ?p ?o }").serialize(JSON))
        assert found[100] == found[101] == len(expected)
        with pytest.raises(QuerySyntaxError):
            await store.ask("SELECT", forms={"solutions": "csv"})

    asyncio.run(everything())
    assert len(store.worker_pids()) == 2


def test_long_queries_after_short_ones_in_an_event_loop(make: Make) -> None:
    store = make(workers=2, timeout=30)

    async def ask(text: str) -> None:
        answer = await store.ask(text, forms={"boolean": "json"})
        assert answer.whole is not None
        assert b"true" in answer.whole

    async def everything() -> None:
        for _ in range(6):
            for number in range(20):
                await ask(f"ASK {{}} #{number}")
            await asyncio.gather(*(ask("ASK {} #" + "x" * 400_000) for _ in range(4)))

    before = store.worker_pids()
    asyncio.run(everything())
    assert set(before) <= set(store.worker_pids()), "a worker was killed"


def test_limits_in_an_event_loop(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    only_one(monkeypatch)
    store = make(workers=1, timeout=2)
    fill(store)

    async def everything() -> None:
        held = await store.ask(LONG_RESULT, forms={"solutions": "csv"})
        with pytest.raises(BusyError):
            await store.ask("ASK {}", forms={"boolean": "json"})
        held.close()
        with pytest.raises(QueryStoppedError, match="longer than 2 s"):
            await store.ask(CROSS_PRODUCT, forms={"solutions": "csv"})
        (before,) = store.worker_pids()
        running = asyncio.create_task(store.ask(CROSS_PRODUCT, forms={"solutions": "csv"}))
        await asyncio.sleep(0.1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert before not in store.worker_pids(), "a cancelled query goes on"
        answer = await store.ask(LONG_RESULT, forms={"solutions": "csv"})
        assert await answer.piece()
        (before,) = store.worker_pids()
        answer.close()
        assert before not in store.worker_pids(), "a query that was left goes on"

    asyncio.run(everything())
