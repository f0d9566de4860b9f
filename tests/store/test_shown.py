"""Reading beside writing: whoever asks after an acknowledgment sees the write, and nobody waits long."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from kg.errors import DiplographError, StoreFailedError
from kg.store.isolated.channel import Channel
from kg.store.isolated.idle import is_fresh
from kg.store.isolated.keeper import Keeper
from kg.store.isolated.keeper_socket import DistantKeeper, KeeperSocket
from kg.store.isolated.live import LiveStore
from kg.store.isolated.processes import EngineProcess
from kg.store.isolated.shared import SharedNumber
from kg.store.isolated.store import IsolatedStore
from kg.store.interface import settle

SECONDS = 4
# A machine that is busy with other things is no fault.
PATIENCE = 30


@dataclass
class Served:
    """A keeper, and stores in the way of fronts: one beside it, one over its socket."""

    keeper: Keeper
    stores: list[IsolatedStore]
    snapshots: Path
    door: KeeperSocket
    faults: list[str] = field(default_factory=list)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    count = SharedNumber()
    folder, snapshots = tmp_path / "store", tmp_path / "snapshots"
    keeper = Keeper(folder, snapshots, timeout=PATIENCE, memory=256 << 20, count=count)
    door = KeeperSocket(keeper, tmp_path / "keeper.sock")
    distant = DistantKeeper(tmp_path / "keeper.sock", "front", keeper.epoch, count.descriptor)
    stores = [
        IsolatedStore(folder, snapshots=snapshots, workers=2, timeout=PATIENCE, memory=256 << 20, keeper=each)
        for each in (keeper, distant)
    ]
    yield Served(keeper, stores, snapshots, door)
    for store in stores:
        store.release_readers()
    distant.close()
    door.close()
    keeper.close()


def write(store: IsolatedStore, writer: str, number: int) -> None:
    store.update(f"INSERT DATA {{ <http://{writer}/{number}> <http://p> {number} }}")


def last(store: IsolatedStore, writer: str) -> int:
    text = f'SELECT (COUNT(*) AS ?n) {{ ?s <http://p> ?o FILTER STRSTARTS(STR(?s), "http://{writer}/") }}'
    (row,) = store.query(text).rows()
    return int(getattr(row["n"], "value"))  # noqa: B009 - a term of any kind


def test_every_query_sees_what_was_acknowledged_before_it_in_every_front(served: Served) -> None:
    over = threading.Event()
    acknowledged = {"a": 0, "b": 0}
    waits: list[float] = []

    def writing(writer: str, store: IsolatedStore) -> None:
        while not over.is_set():
            write(store, writer, acknowledged[writer])
            acknowledged[writer] += 1
            if (seen := last(store, writer)) != acknowledged[writer]:
                served.faults.append(f"{writer} wrote {acknowledged[writer]} and sees {seen}")

    def reading(store: IsolatedStore) -> None:
        while not over.is_set():
            for writer in acknowledged:
                before, started = acknowledged[writer], time.monotonic()
                seen = last(store, writer)
                waits.append(time.monotonic() - started)
                # One more may be under way, or acknowledged since.
                if not before <= seen <= acknowledged[writer] + 1:
                    served.faults.append(f"{before} of {writer} were there, and {seen} seen")

    def versions(store: IsolatedStore) -> None:
        known = 0
        while not over.is_set():
            number = int(store.version.rpartition("-")[2])
            if number < known:
                served.faults.append(f"version {number} after {known}")
            known = number
            time.sleep(0.001)

    descriptors = count_descriptors()
    threads = [
        *(threading.Thread(target=writing, args=pair) for pair in zip("ab", served.stores, strict=True)),
        *(threading.Thread(target=reading, args=(store,)) for store in served.stores * 2),
        *(threading.Thread(target=versions, args=(store,)) for store in served.stores),
    ]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    over.set()
    for thread in threads:
        thread.join(PATIENCE * 2)
        assert not thread.is_alive()
    assert not served.faults
    assert min(acknowledged.values()) > 0
    assert max(waits) < PATIENCE
    # Nothing is left but what readers have open; the socket may keep a channel for each thread that called.
    for store in served.stores:
        store.tend()
    wait_until(lambda: sum(len(store.reader_pids) for store in served.stores) == 4)
    wait_until(lambda: len(list(served.snapshots.iterdir())) <= 5)
    gc.collect()
    assert count_descriptors() <= descriptors + 2 * len(threads)


def test_what_is_acknowledged_is_there_after_the_writer_was_killed(served: Served) -> None:
    here, there = served.stores
    stored = 0
    for _ in range(3):
        over = threading.Event()

        def read(over: threading.Event = over) -> None:
            while not over.is_set():
                last(there, "k")

        reading = threading.Thread(target=read)
        reading.start()
        killing = threading.Timer(0.5, os.kill, (served.keeper.writer_pid, signal.SIGKILL))
        killing.start()
        unsure = 0
        try:
            while not unsure:
                try:
                    write(here, "k", stored)
                except StoreFailedError as error:
                    assert "cannot be told" in str(error)
                    unsure = 1
                else:
                    stored += 1
        finally:
            over.set()
            reading.join()
            killing.join()
        seen = last(there, "k")
        assert seen == last(here, "k")
        assert stored <= seen <= stored + unsure
        stored = seen


def test_a_query_has_its_snapshot_from_the_next_writer(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = served.stores
    monkeypatch.setattr(LiveStore, "copy", lambda self, target: False)
    before = served.keeper.writer_pid
    write(here, "d", 0)
    os.kill(before, signal.SIGKILL)
    assert last(there, "d") == 1
    assert served.keeper.writer_pid != before
    write(here, "d", 1)
    assert last(here, "d") == 2


def test_a_commit_whose_snapshot_fails_is_acknowledged(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = served.stores
    write(here, "s", 0)
    assert last(here, "s") == 1

    def fail(path: Path) -> None:
        raise StoreFailedError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(served.keeper._snapshots, "_make", fail)
        write(here, "s", 1)
        with pytest.raises(StoreFailedError, match="full"):
            last(here, "s")
    assert last(here, "s") == 2
    assert last(there, "s") == 2


def test_a_version_that_is_compared_before_a_write_counts_what_nobody_has_been_told_of(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = served.stores
    write(here, "v", 0)
    assert last(here, "v") == last(there, "v") == 1
    before, begun, go_on = there.version, threading.Event(), threading.Event()
    make = served.keeper._snapshots._make

    def hold(path: Path) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)
        make(path)

    monkeypatch.setattr(served.keeper._snapshots, "_make", hold)
    last(there, "v")  # Somebody asks, so that the write waits for its snapshot.
    writing = threading.Thread(target=write, args=(here, "v", 1))
    writing.start()
    try:
        assert begun.wait(PATIENCE)
        assert writing.is_alive()
        assert there.version == before
        settle(there)
        assert there.version != before
    finally:
        go_on.set()
        writing.join(PATIENCE)
    assert last(there, "v") == 2


def test_an_acknowledged_commit_is_open_in_every_front_before_anybody_asks_for_it(served: Served) -> None:
    for number in range(3):
        for store in served.stores:
            assert last(store, "o") == number  # Somebody asks, so that the write waits for the opening.
        write(served.stores[0], "o", number)
        version = served.keeper.version
        for store in served.stores:
            wait_until(partial(sees_at_once, store, version))


def test_nobody_sees_a_commit_before_it_is_shown(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = served.stores
    write(here, "n", 0)
    assert last(here, "n") == last(there, "n") == 1
    opened, go_on = threading.Event(), threading.Event()
    open_spare = there._open_spare

    def hold(path: Path) -> EngineProcess | None:
        reader = open_spare(path)
        opened.set()
        assert go_on.wait(PATIENCE)
        return reader

    monkeypatch.setattr(there, "_open_spare", hold)
    assert last(here, "n") == 1
    writing = threading.Thread(target=write, args=(here, "n", 1))
    writing.start()
    try:
        assert opened.wait(PATIENCE)
        assert writing.is_alive()
        assert last(here, "n") == last(there, "n") == 1
    finally:
        go_on.set()
        writing.join(PATIENCE)
    assert last(here, "n") == last(there, "n") == 2


@pytest.mark.parametrize("dies", [True, False], ids=["dies", "never answers"])
def test_a_front_that_does_not_open_what_it_got_holds_nobody_up(
    served: Served, dies: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = served.stores
    monkeypatch.setattr("kg.store.isolated.snapshots._OPENING", PATIENCE if dies else 0.2)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.connect(str(tmp_path / "keeper.sock"))
        lost = Channel(sock)
        lost.send_message({"front": "lost"})
        lost.send_message({"do": "upcoming"})
        wait_until(lambda: len(served.keeper._snapshots._upcoming._waiting) == 3)
        assert last(there, "l") == 0
        writing = threading.Thread(target=write, args=(here, "l", 0))
        started = time.monotonic()
        writing.start()
        assert Path(lost.receive_message(PATIENCE)["path"]).parent == served.snapshots
        if dies:
            sock.close()
        writing.join(PATIENCE)
        assert not writing.is_alive()
        assert time.monotonic() - started < PATIENCE / 2
        assert last(here, "l") == last(there, "l") == 1
    # What it held is let go of, so that later versions leave nothing behind.
    for number in range(1, 4):
        write(here, "l", number)
        assert last(here, "l") == last(there, "l") == number + 1
    wait_until(lambda: len(list(served.snapshots.iterdir())) <= 5)


def test_closing_while_writes_wait_for_their_snapshots(served: Served) -> None:
    here, there = served.stores
    write(here, "c", 0)
    assert last(there, "c") == 1
    ended = []

    def writing() -> None:
        try:
            for number in range(1, 10_000):
                last(there, "c")
                write(there, "c", number)
        except DiplographError:
            ended.append(True)

    thread = threading.Thread(target=writing)
    thread.start()
    time.sleep(0.3)
    served.keeper.close()
    thread.join(PATIENCE)
    assert ended == [True]
    assert not served.snapshots.exists()


def sees_at_once(store: IsolatedStore, version: int) -> bool:
    return any(is_fresh(reader, version) for reader in list(store._idle._readers))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
