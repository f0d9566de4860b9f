"""Lending workers: none is lost, none hangs, and each failure has an error of its own."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import pytest

from kg.errors import BusyError, DiplographError, QueryStoppedError, StoreFailedError
from kg.rdf.formats import result_format
from kg.store import Store
from kg.store.isolated import pool
from kg.store.isolated.pool import Worker
from kg.store.isolated.snapshots import current_version
from tests.kg.store.isolated.conftest import Make, only_one
from tests.kg.store.opening import hurry

PATIENCE = 60
CSV = result_format("solutions", "csv")
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
LONG = "SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
ROWS = " ".join(f"<http://s/{n}> <http://p> {n} ." for n in range(1000))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_result_can_be_read_late_beside_writes(make: Make) -> None:
    """An idle worker opens newer snapshots, but not while a result of the older one is unread."""
    store = make(workers=1, timeout=30)
    store.run(hurry)
    store.update("INSERT DATA { <http://s> <http://p> 1 }")
    answer = store.query("SELECT ?o { ?s ?p ?o }")
    store.update("INSERT DATA { <http://s> <http://p> 2 }")
    time.sleep(1)
    assert [row["o"].value for row in answer.rows()] == ["1"]  # type: ignore[union-attr]
    assert len(list(store.query("SELECT ?o { ?s ?p ?o }").rows())) == 2


def test_a_result_that_is_never_read_does_not_keep_its_snapshot(make: Make, tmp_path: Path) -> None:
    store = make(workers=1, timeout=30)
    store.run(hurry)
    store.query("SELECT ?o { ?s ?p ?o }").close()
    held = tmp_path / "snapshots" / current_version(tmp_path / "snapshots")

    def is_gone_after_a_write() -> bool:
        store.update("INSERT DATA { <http://s> <http://p> 2 }")
        return not held.exists()

    wait_until(is_gone_after_a_write)


def test_an_answer_that_is_dropped_frees_its_worker(make: Make) -> None:
    store = make(workers=1, timeout=PATIENCE)
    store.update(f"INSERT DATA {{ {ROWS} }}")
    store.query("ASK {}")
    assert store.query("ASK {}").truth()
    rows = store.query(LONG).rows()
    next(rows)
    del rows
    assert store.query("ASK {}").truth()

    async def drop() -> None:
        await store.ask(LONG, forms={"solutions": "csv"})

    asyncio.run(drop())
    assert store.query("ASK {}").truth()


def test_the_garbage_collector_may_find_an_answer_at_any_moment(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs destructors in whatever thread it likes, also in one that is about to lend a worker."""
    store = make(workers=2, timeout=PATIENCE)
    store.update(f"INSERT DATA {{ {ROWS} }}")
    start = pool.start_connected

    def collect(*args: object) -> object:
        gc.collect()
        return start(*args)  # type: ignore[arg-type]

    class Cycle:
        def __init__(self, kept: object) -> None:
            self.kept, self.me = kept, self

    gc.disable()
    try:
        pieces = store.query(LONG).serialize(CSV)
        next(pieces)
        Cycle(pieces)
        Cycle(pieces.close)
        del pieces
        monkeypatch.setattr(pool, "start_connected", collect)
        asking = threading.Thread(target=lambda: store.query("ASK {}").truth(), daemon=True)
        asking.start()
        asking.join(PATIENCE)
        assert not asking.is_alive()
    finally:
        gc.enable()
    assert store.query("ASK {}").truth()


def test_a_worker_that_cannot_be_started_is_an_error_and_a_later_one_is_lent(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(workers=1, timeout=PATIENCE)

    def refuse(*args: object) -> None:
        raise StoreFailedError("a process cannot be started: Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(pool, "start_connected", refuse)
        for _ in range(3):
            with pytest.raises(StoreFailedError, match="Too many open files"):
                store.query("ASK {}")
    assert store.query("ASK {}").truth()
    assert store.query("ASK {}").truth(), "the worker was lent to a request that had failed"


def test_a_worker_killed_at_any_moment_never_gives_a_wrong_answer(make: Make) -> None:
    """Kill workers all the time: each query has its whole result or an error, and at last all is well."""
    store = make(workers=2, timeout=PATIENCE)
    store.update(f"INSERT DATA {{ {ROWS} }}")
    over, wrong, right = threading.Event(), [], [0]

    def ask() -> None:
        while not over.is_set():
            try:
                found = b"".join(store.query("SELECT ?s { ?s ?p ?o }").serialize(CSV)).count(b"\n")
            except DiplographError as error:
                if not isinstance(error, QueryStoppedError):
                    wrong.append(repr(error))
            else:
                right[0] += 1
                if found != 1001:
                    wrong.append(found)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(60):
            time.sleep(0.03)
            for pid in store.worker_pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    finally:
        over.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert not wrong
    assert right[0]
    assert len(list(store.query("SELECT ?s { ?s ?p ?o }").rows())) == 1000
    assert len(store.worker_pids()) <= 2


def test_closing_while_others_wait_and_work(make: Make) -> None:
    store = make(workers=1, timeout=PATIENCE)
    store.update(f"INSERT DATA {{ {ROWS} }}")
    errors: list[str] = []

    def ask() -> None:
        try:
            list(store.query(ENDLESS).rows())
        except DiplographError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    store.close()
    for thread in threads:
        thread.join(PATIENCE)
    assert errors == ["the store is closed"] * 4


def test_closing_leaves_no_thread_and_no_descriptor(make: Make) -> None:
    make().close()  # The fork server has descriptors of its own.
    gc.collect()
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(5):
        store = make(timeout=PATIENCE)
        store.update(f"INSERT DATA {{ {ROWS} }}")
        unread = store.query("SELECT * { ?s ?p ?o }")
        pieces = store.query(LONG).serialize(CSV)
        next(pieces)
        store.close()
        with pytest.raises(StoreFailedError, match="closed"):
            list(pieces)
        with pytest.raises(StoreFailedError):
            list(unread.rows())
    del unread, pieces, store

    def count() -> bool:
        gc.collect()
        return threading.active_count() <= threads and len(os.listdir("/proc/self/fd")) <= files  # noqa: PTH208

    wait_until(count)


def test_tasks_that_are_cancelled_free_their_worker(make: Make) -> None:
    store = make(workers=1, timeout=PATIENCE)
    store.update(f"INSERT DATA {{ {ROWS} }}")

    async def cancel(task: asyncio.Task[object]) -> None:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def everything() -> None:
        held = await store.ask(LONG, forms={"solutions": "csv"})
        waiting = [asyncio.create_task(store.ask("ASK {}", forms={"boolean": "json"})) for _ in range(5)]
        await asyncio.sleep(0.05)
        for task in waiting[:4]:
            await cancel(task)
        held.close()
        assert (await waiting[4]).whole is not None
        # Cancelled before, while and after a long text is sent by a thread.
        for pause in (0, 0.001, 0.01, 0.1):
            task = asyncio.create_task(store.ask("ASK {} #" + "x" * 4_000_000, forms={"boolean": "json"}))
            await asyncio.sleep(pause)
            task.cancel()
            with suppress(asyncio.CancelledError):
                (await task).close()
        assert (await store.ask("ASK {}", forms={"boolean": "json"})).whole is not None

    asyncio.run(everything())
    assert store.query("ASK {}").truth()


def test_a_loop_that_ends_while_tasks_wait_loses_no_worker(make: Make) -> None:
    store = make(workers=1, timeout=PATIENCE)
    store.update(f"INSERT DATA {{ {ROWS} }}")
    pieces = store.query(LONG).serialize(CSV)
    next(pieces)
    loop = asyncio.new_event_loop()
    task = loop.create_task(store.ask("ASK {}", forms={"boolean": "json"}))
    loop.run_until_complete(asyncio.sleep(0.05))
    loop.stop()
    loop.run_forever()
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    # Its request is first in the queue.
    pieces.close()
    del task
    gc.collect()
    assert store.query("ASK {}").truth()


def test_a_function_or_its_result_that_cannot_be_pickled(make: Make) -> None:
    store = make(workers=1, timeout=30)
    before = store.worker_pids()
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        store.run(lambda here: here)
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        store.run(_identity, (number for number in range(3)))
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        store.run(_generator)
    with pytest.raises(RuntimeError, match="UnpicklableError: no way back"):
        store.run(_unpicklable_fault)
    with pytest.raises(FileNotFoundError):
        store.run(_missing_file)
    with pytest.raises(QueryStoppedError, match="memory"):
        store.run(_much_memory)
    assert store.run(_identity, 7) == 7
    assert store.worker_pids() == before


def test_a_traceback_of_a_function_comes_with_its_error(make: Make) -> None:
    store = make(workers=1, timeout=30)
    with pytest.raises(FileNotFoundError) as caught:
        store.run(_missing_file)
    assert "_missing_file" in "".join(caught.value.__notes__)


def test_long_requests_leave_room_for_short_ones(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make(workers=1, timeout=PATIENCE)
    store.update(f"INSERT DATA {{ {ROWS} }}")
    held = []
    for _ in range(2):
        pieces = store.query(LONG).serialize(CSV)
        next(pieces)
        held.append(pieces)
        assert store.query("ASK {}").truth()
    niceness = sorted(os.getpriority(os.PRIO_PROCESS, pid) for pid in store.worker_pids())
    assert niceness[1:] == [pool._NICENESS] * 2
    # No more long ones have room beside the short ones: the longest gives way.
    pieces = store.query(LONG).serialize(CSV)
    next(pieces)
    held.append(pieces)
    monkeypatch.setattr(pool, "_PATIENCE", 0)
    assert store.query("ASK {}").truth()
    with pytest.raises(BusyError, match="long"):
        for _ in held[-1]:
            pass
    for pieces in held:
        pieces.close()
    wait_until(lambda: len(store.worker_pids()) == 1)


def test_a_long_query_without_room_is_begun_again_later(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make(workers=1, timeout=PATIENCE)
    store.update(f"INSERT DATA {{ {ROWS} }}")
    forms = {"solutions": "csv", "boolean": "json"}
    put_back: list[int] = []
    kill = Worker.put_back

    def note(worker: Worker) -> None:
        put_back.append(worker.pid)
        kill(worker)

    monkeypatch.setattr(Worker, "put_back", note)
    monkeypatch.setattr(pool, "_LONG", 0.05)

    async def everything() -> None:
        endless = [asyncio.create_task(store.ask(ENDLESS, forms=forms)) for _ in range(2)]
        await asyncio.sleep(2 * pool._LONG)
        long = asyncio.create_task(
            store.ask("SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?b 7 . ?h ?e 8 }", forms=forms)
        )
        short = [asyncio.create_task(store.ask("ASK {}", forms=forms)) for _ in range(20)]
        assert all([(await task).whole for task in short])
        assert len(put_back) == 1 and not long.done()
        endless[0].cancel()
        assert (await long).whole == b"n\r\n1000000\r\n"
        endless[1].cancel()
        await asyncio.gather(*endless, return_exceptions=True)

    asyncio.run(everything())
    assert store.query("ASK {}").truth()


def test_a_wait_for_a_worker_is_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    only_one(monkeypatch)
    patient = make(workers=1)
    patient.update(f"INSERT DATA {{ {ROWS} }}")
    patient.close()
    store = make(workers=1, timeout=0.5)

    def begin() -> Generator[bytes]:
        """Begin a long result; on a busy machine that may take longer than the limit."""
        for _ in range(PATIENCE):
            with suppress(QueryStoppedError):
                pieces = store.query(LONG).serialize(CSV)
                next(pieces)
                return pieces
        raise AssertionError("no result began")

    def answers() -> bool:
        with suppress(QueryStoppedError):
            return store.query("ASK {}").truth()
        return False

    pieces = begin()
    for _ in range(2):
        with pytest.raises(BusyError):
            store.query("ASK {}")

    async def ask() -> None:
        with pytest.raises(BusyError):
            await store.ask("ASK {}")

    asyncio.run(ask())
    pieces.close()
    wait_until(answers)


def test_an_exit_status_survives_other_starts(make: Make) -> None:
    """Starting a process collects the exit statuses of all others."""
    store = make(workers=4, timeout=PATIENCE, memory=64 << 20)
    store.update(f"INSERT DATA {{ {ROWS} }}")
    errors: list[str] = []

    def sort() -> None:
        with pytest.raises(QueryStoppedError) as caught:
            list(store.query("SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f").serialize(CSV))
        errors.append(str(caught.value))

    threads = [threading.Thread(target=sort) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE * 2)
    assert len(errors) == 8
    assert all("64 MiB" in error for error in errors), errors


def test_a_dead_worker_is_noticed_at_once(make: Make) -> None:
    store = make(workers=1)
    (pid,) = store.worker_pids()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    assert store.query("ASK {}").truth()


def test_a_time_that_is_over_does_not_wait(make: Make) -> None:
    store = make(workers=1)
    worker = Worker(store._pool._snapshots, store._pool.limits, store._pool._open_snapshot)
    started = time.monotonic()
    assert not worker.can_receive(-5)
    assert not worker.can_receive(0)
    assert time.monotonic() - started < PATIENCE
    worker.kill()


class UnpicklableError(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def _identity(store: Store, value: object) -> object:
    return value


def _generator(store: Store) -> object:
    return (number for number in range(3))


def _unpicklable_fault(store: Store) -> None:
    raise UnpicklableError("no way", "back")


def _missing_file(store: Store) -> None:
    Path("/nowhere").read_text()


def _much_memory(store: Store) -> int:
    return len(bytearray(1 << 31))
