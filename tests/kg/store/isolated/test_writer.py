"""Reading beside writing: every query after an acknowledgment sees the write, in every process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kg.errors import DiplographError, StoreFailedError
from kg.store.isolated.limits import Limits
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer import Writer, Writing
from kg.store.isolated.writer_server import RemoteWriter, WriterAddress, serve_writer
from tests.kg.store.opening import open_isolated

SECONDS = 4
# A machine that is busy with other things is no fault.
PATIENCE = 60

Any = IsolatedStore[Writer] | IsolatedStore[Writing]


@dataclass
class Served:
    """A store with its writer, and one that reaches the same writer through its server, as fronts do."""

    here: IsolatedStore[Writer]
    there: IsolatedStore[RemoteWriter]
    snapshots: Path
    faults: list[str] = field(default_factory=list)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    here = open_isolated(tmp_path, timeout=PATIENCE)
    there = IsolatedStore(
        tmp_path / "store",
        tmp_path / "snapshots",
        RemoteWriter(serve_writer(here.writer)),
        workers=2,
        timeout=PATIENCE,
        limits=Limits(256 << 20),
    )
    yield Served(here, there, tmp_path / "snapshots")
    there.close()
    here.close()


def write(store: Any, writer: str, number: int) -> None:
    store.update(f"INSERT DATA {{ <http://{writer}/{number}> <http://p> {number} }}")


def last(store: Any, writer: str) -> int:
    text = f'SELECT (COUNT(*) AS ?n) {{ ?s <http://p> ?o FILTER STRSTARTS(STR(?s), "http://{writer}/") }}'
    (row,) = store.query(text).rows()
    return int(getattr(row["n"], "value"))  # noqa: B009 - a term of any kind


def snapshots(folder: Path) -> int:
    return sum(not entry.is_symlink() for entry in folder.iterdir())


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_query_sees_what_was_acknowledged_before_it_in_every_process(served: Served) -> None:
    over = threading.Event()
    acknowledged = {"a": 0, "b": 0}
    stores: list[Any] = [served.here, served.there]

    def writing(writer: str, store: Any) -> None:
        while not over.is_set():
            write(store, writer, acknowledged[writer])
            acknowledged[writer] += 1
            if (seen := last(store, writer)) != acknowledged[writer]:
                served.faults.append(f"{writer} wrote {acknowledged[writer]} and sees {seen}")

    def reading(store: Any) -> None:
        while not over.is_set():
            for writer in acknowledged:
                before = acknowledged[writer]
                seen = last(store, writer)
                # One more may be under way, or acknowledged since.
                if not before <= seen <= acknowledged[writer] + 1:
                    served.faults.append(f"{before} of {writer} were there, and {seen} seen")

    def versions(store: Any) -> None:
        known = 0
        while not over.is_set():
            number = int(store.version.rpartition("-")[2])
            if number < known:
                served.faults.append(f"version {number} after {known}")
            known = number
            time.sleep(0.001)

    threads = [
        *(threading.Thread(target=writing, args=pair) for pair in zip("ab", stores, strict=True)),
        *(threading.Thread(target=reading, args=(store,)) for store in stores * 2),
        *(threading.Thread(target=versions, args=(store,)) for store in stores),
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
    # What is left is the current snapshot and those that a worker has open.
    wait_until(lambda: snapshots(served.snapshots) <= 1 + 4)


def test_idle_workers_let_go_of_old_snapshots(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        write(served.here, "i", number)
        assert last(served.there, "i") == number + 1
    write(served.here, "i", 3)
    wait_until(lambda: snapshots(served.snapshots) <= 2)
    time.sleep(6)
    write(served.here, "i", 4)
    wait_until(lambda: snapshots(served.snapshots) <= 2)


def test_what_is_acknowledged_is_there_after_the_writer_was_killed(served: Served) -> None:
    stored = 0
    for _ in range(3):
        over = threading.Event()

        def read(over: threading.Event = over) -> None:
            while not over.is_set():
                last(served.there, "k")

        reading = threading.Thread(target=read)
        reading.start()
        killing = threading.Timer(0.5, os.kill, (served.here.writer.pid, signal.SIGKILL))
        killing.start()
        unsure, before = 0, served.here.writer.pid
        try:
            while not unsure and served.here.writer.pid == before:
                try:
                    write(served.there, "k", stored)
                except StoreFailedError as error:
                    assert "may be stored or not" in str(error)
                    unsure = 1
                else:
                    stored += 1
        finally:
            over.set()
            reading.join()
            killing.join()
        seen = last(served.there, "k")
        assert seen == last(served.here, "k")
        assert stored <= seen <= stored + unsure
        stored = seen


def test_a_writer_that_ended_while_idle_is_replaced_before_a_write_notices(served: Served) -> None:
    write(served.here, "d", 0)
    before = served.here.writer.pid
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{before}").exists())
    write(served.there, "d", 1)
    assert last(served.here, "d") == 2
    assert served.here.writer.pid != before


def test_a_change_that_cannot_be_read_yet_is_said_so_and_published_later(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(served.here, "s", 0)
    assert last(served.here, "s") == 1

    def fail(new_path: object) -> None:
        raise StoreFailedError("the disk is full")

    monkeypatch.setattr("kg.store.isolated.writer._RETRY", 0.2)
    with monkeypatch.context() as patched:
        patched.setattr(served.here.writer, "_checkpoint", fail)
        with pytest.raises(StoreFailedError, match="stored, but cannot be read yet: the disk is full"):
            write(served.there, "s", 1)
        assert last(served.here, "s") == 1
    wait_until(lambda: last(served.there, "s") == 2)


def test_settling_publishes_what_is_committed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    write(served.here, "v", 0)
    assert last(served.here, "v") == last(served.there, "v") == 1
    before, begun, go_on = served.there.version, threading.Event(), threading.Event()
    publish = served.here.writer._publish

    def hold(number: int) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)
        publish(number)

    monkeypatch.setattr(served.here.writer, "_publish", hold)
    writing = threading.Thread(target=write, args=(served.here, "v", 1))
    writing.start()
    try:
        assert begun.wait(PATIENCE)
        assert served.there.version == before
        served.there.settle()
        assert served.there.version != before
    finally:
        go_on.set()
        writing.join(PATIENCE)
    assert last(served.there, "v") == 2


def test_a_large_change_is_stopped_from_another_process(served: Served, tmp_path: Path) -> None:
    removed, added = tmp_path / "removed.nq", tmp_path / "added.nq"
    removed.write_text("")
    added.write_text("".join(f"<http://l/{n}> <http://p> <http://o> <http://g> .\n" for n in range(400_000)))
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.monotonic())
        return True

    try:
        served.there.change_files(removed, added, stop=stop)
    except DiplographError as error:
        assert "was cancelled" in str(error)
        # It may have ended just when it was to be stopped.
        assert last(served.here, "l") in (0, 400_000)
    else:
        assert last(served.here, "l") == 400_000
    assert asked


def test_a_backup_through_the_server_holds_the_last_commit(served: Served, tmp_path: Path) -> None:
    write(served.there, "b", 0)
    served.there.backup(tmp_path / "copy")
    write(served.there, "b", 1)
    copy = open_isolated_copy(tmp_path / "copy")
    assert last(copy, "b") == 1
    copy.close()


def open_isolated_copy(folder: Path) -> IsolatedStore[Writer]:
    (folder.parent / "restored").mkdir()
    folder.rename(folder.parent / "restored" / "store")
    return open_isolated(folder.parent / "restored")


def test_closing_while_writes_wait(served: Served) -> None:
    write(served.here, "c", 0)
    assert last(served.there, "c") == 1
    ended = []

    def writing() -> None:
        try:
            for number in range(1, 10_000):
                last(served.there, "c")
                write(served.there, "c", number)
        except DiplographError:
            ended.append(True)

    thread = threading.Thread(target=writing)
    thread.start()
    time.sleep(0.3)
    served.here.close()
    thread.join(PATIENCE)
    assert ended == [True]
    assert not served.snapshots.exists()


def test_an_address_without_a_writer_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreFailedError, match="does not answer"):
        RemoteWriter(WriterAddress(str(tmp_path / "none"), "key"))
