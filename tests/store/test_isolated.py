"""Queries in processes of their own: each can be stopped, none disturbs the others, nothing stays behind."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg.errors import BusyError, NotAStoreError, QueryStoppedError, QuerySyntaxError
from kg.rdf.formats import result_format
from kg.store.isolated.store import IsolatedStore

ROWS = 3000
CROSS_PRODUCT = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
LONG_RESULT = "SELECT * { ?a ?b ?c . ?d ?e ?f }"
CSV = result_format("solutions", "csv")

Make = Callable[..., IsolatedStore]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[IsolatedStore] = []

    def make_store(workers: int = 2, timeout: float = 1.0, memory: int = 256 << 20) -> IsolatedStore:
        store = IsolatedStore(
            tmp_path / "store",
            snapshots=tmp_path / "snapshots",
            workers=workers,
            timeout=timeout,
            memory=memory,
        )
        made.append(store)
        return store

    yield make_store
    for store in made:
        store.close()


def fill(store: IsolatedStore, rows: int = ROWS) -> None:
    triples = " ".join(f"<http://s/{n}> <http://p> {n} ." for n in range(rows))
    store.update(f"INSERT DATA {{ GRAPH <http://g> {{ {triples} }} }}")


def count(store: IsolatedStore) -> int:
    (row,) = store.query("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").rows()
    return int(getattr(row["n"], "value"))  # noqa: B009 - a term of any kind


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def children() -> set[int]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {int(pid) for pid in listed}


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
    before = store.reader_pids
    with pytest.raises(QuerySyntaxError) as caught:
        store.query("SELECT * {\n  ?s ?p }")
    assert caught.value.line == 2
    assert store.query("ASK {}").truth()
    assert store.reader_pids == before


def test_a_query_past_its_deadline_is_stopped_and_its_process_replaced(make: Make) -> None:
    store = make()
    fill(store)
    before = set(store.reader_pids)
    with pytest.raises(QueryStoppedError, match="longer than 1 s"):
        list(store.query(CROSS_PRODUCT).rows())
    assert count(store) == ROWS
    assert len(store.reader_pids) == 2
    (gone,) = before - set(store.reader_pids)
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
    (busy,) = [pid for pid in store.reader_pids if pid not in {r.pid for r in list(store._idle._readers)}]
    os.kill(busy, signal.SIGKILL)
    with pytest.raises(QueryStoppedError):
        for _ in pieces:
            pass
    assert count(store) == ROWS


def test_processes_killed_while_they_are_idle_are_replaced_before_a_query_notices(make: Make) -> None:
    store = make(timeout=30)
    fill(store, 10)
    assert count(store) == 10
    before = store.reader_pids
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while any(reader.lives for reader in list(store._readers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    pieces = store.query("SELECT * { ?s ?p ?o }").serialize(CSV)
    next(pieces)
    assert count(store) == 10
    pieces.close()
    assert not set(before) & set(store.reader_pids)


def test_a_reader_that_goes_away_ends_the_query(make: Make) -> None:
    store = make(workers=1, timeout=30)
    fill(store)
    (before,) = store.reader_pids
    pieces = store.query(LONG_RESULT).serialize(CSV)
    next(pieces)
    pieces.close()
    assert not Path(f"/proc/{before}").exists()
    assert count(store) == ROWS


def test_waiting_for_a_slow_reader_does_not_count(make: Make) -> None:
    # The engine needs a fraction of the limit, even on a busy machine; the reader alone takes more than it.
    store = make(timeout=10)
    fill(store)
    pieces = store.query("SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 100000").serialize(CSV)
    total = len(next(pieces))
    time.sleep(10.5)
    total += sum(len(piece) for piece in pieces)
    assert total > 100000 * len("http://s/1,http://p,1")


def test_fifty_stopped_queries_leave_nothing_behind(make: Make, tmp_path: Path) -> None:
    first = make()
    fill(first)
    first.close()
    store = make(timeout=0.1)
    assert count(store) == ROWS
    gc.collect()  # What earlier tests left is not to go in the middle of the count.
    processes, files = len(children()), descriptors()
    for _ in range(50):
        with pytest.raises(QueryStoppedError):
            list(store.query(CROSS_PRODUCT).rows())
    assert count(store) == ROWS
    # Stale snapshots and ended processes go in the background.
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        left = len(children()), descriptors(), len(list((tmp_path / "snapshots").iterdir()))
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
    while len(list((tmp_path / "snapshots").iterdir())) > 1 + len(store.reader_pids):
        assert time.monotonic() < deadline, "stale snapshots stay"
        time.sleep(0.1)


def test_no_snapshot_is_made_while_nobody_asks(make: Make, tmp_path: Path) -> None:
    store = make()
    for number in range(5):
        store.update(f"INSERT DATA {{ <http://s> <http://p> {number} }}")
    assert not list((tmp_path / "snapshots").iterdir())


def test_snapshots_of_a_crash_are_cleaned(make: Make, tmp_path: Path) -> None:
    left = tmp_path / "snapshots" / "7"
    left.mkdir(parents=True)
    (left / "CURRENT").touch()
    store = make()
    assert not left.exists()
    assert count(store) == 0


def test_a_runaway_update_is_stopped_and_leaves_nothing_half_done(make: Make) -> None:
    store = make()
    fill(store)
    with pytest.raises(QueryStoppedError):
        store.update("INSERT { ?a <http://copy> ?d } WHERE { GRAPH <http://g> { ?a ?b ?c . ?d ?e ?f } }")
    assert count(store) == ROWS
    store.update("INSERT DATA { <http://s> <http://after> 1 }")
    assert count(store) == ROWS + 1


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


def test_all_processes_taken_is_said_so(make: Make) -> None:
    store = make(workers=1, timeout=0.5)
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
    assert len(store.reader_pids) == 2


def test_close_ends_every_process(make: Make, tmp_path: Path) -> None:
    before = children()
    store = make()
    fill(store, 10)
    count(store)
    assert len(children() - before) == 3
    store.close()
    assert children() == before
    assert not (tmp_path / "snapshots").exists()


def test_a_folder_that_is_no_store_is_refused(make: Make, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "letter.txt").write_text("dear")
    before = children()
    with pytest.raises(NotAStoreError):
        make()
    assert children() == before


def test_queries_of_one_version_share_a_snapshot(make: Make) -> None:
    store = make()
    fill(store)
    version = store.keeper.version
    first = store.keeper.take(version)
    store.update('INSERT DATA { <urn:later> <urn:p> "x" }')
    # Who needs no more than the first has gets the first; who asks now gets a new one.
    shared, fresh = store.keeper.take(version), store.keeper.take(store.keeper.version)
    assert shared == first
    assert int(fresh.name) > version
    for path in (first, shared, fresh):
        store.keeper.release(path)
    assert store.query("ASK { <urn:later> ?p ?o }").truth()


def test_a_reader_that_was_ended_while_idle_is_reaped_and_replaced(make: Make) -> None:
    store = make()
    fill(store)
    assert count(store) == ROWS
    before = store.reader_pids
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while before[0] in store.reader_pids and time.monotonic() < deadline:
        store.tend()
        time.sleep(0.02)
    assert before[0] not in store.reader_pids
    assert len(store.reader_pids) == len(before)
    assert not Path(f"/proc/{before[0]}").exists()
    assert count(store) == ROWS


def test_the_engine_puts_its_tables_in_order_at_low_priority(make: Make) -> None:
    store = make()
    tasks = list(Path(f"/proc/{store.keeper.writer_pid}/task").iterdir())  # type: ignore[attr-defined]
    nices = {
        task.name: os.getpriority(os.PRIO_PROCESS, int(task.name))
        for task in tasks
        if (task / "comm").read_text().strip() == "rocksdb:low"
    }
    assert nices
    assert set(nices.values()) == {10}
    assert os.getpriority(os.PRIO_PROCESS, store.keeper.writer_pid) == 0  # type: ignore[attr-defined]
