"""Reading beside writing: every query after an acknowledgment sees the write, in every process."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.errors import (
    DiplographError,
    DiskFullError,
    NotAStoreError,
    QueryStoppedError,
    QuerySyntaxError,
    ReadOnlyError,
    StoreBusyError,
    StoreFailedError,
)
from kg.store.embedded import EmbeddedStore
from kg.store.engine_errors import explain_failure
from kg.store.isolated.frozen import FrozenFolder
from kg.store.isolated.limits import Limits
from kg.store.isolated.messages import RunRequest
from kg.store.isolated.snapshots import current_version
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer import Writer, Writing, _Process
from kg.store.isolated.writer_server import RemoteWriter, WriterAddress, serve_writer
from tests.kg.store.opening import hurry, open_isolated

SECONDS = 4
# A busy machine must not fail a test.
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
        Limits(PATIENCE, 256 << 20),
        workers=2,
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
    # The current snapshot remains, and those that a worker has open.
    wait_until(lambda: snapshots(served.snapshots) <= 1 + 4)


def test_idle_workers_let_go_of_old_snapshots(served: Served) -> None:
    served.there.run(hurry)
    for number in range(3):
        write(served.here, "i", number)
        assert last(served.there, "i") == number + 1
    assert len(served.there.worker_pids()) == 1
    held = served.snapshots / current_version(served.snapshots)
    numbers = itertools.count(3)

    def is_gone_after_a_write() -> bool:
        write(served.here, "i", next(numbers))
        # The current snapshot, and the one that the worker has open.
        return not held.exists() and snapshots(served.snapshots) <= 2

    wait_until(is_gone_after_a_write)


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


def test_a_writer_killed_in_an_update(served: Served) -> None:
    write(served.here, "u", 0)
    failed: list[str] = []

    def update() -> None:
        # The engine needs hours for it.
        pattern = " ".join(f"?s{n} ?p{n} ?o{n} ." for n in range(12))
        with pytest.raises(StoreFailedError) as caught:
            served.here.update(
                f"INSERT {{ ?s0 <http://copy> ?o1 }} WHERE {{ {pattern} FILTER(?o0 = ?o1 + 1) }}"
            )
        failed.append(str(caught.value))

    for number in range(1, 30):
        write(served.here, "u", number)
    writing = threading.Thread(target=update)
    writing.start()
    time.sleep(0.3)
    os.kill(served.here.writer.pid, signal.SIGKILL)
    writing.join(PATIENCE)
    assert failed and "may be stored or not" in failed[0]
    assert last(served.there, "u") == 30
    write(served.there, "u", 30)
    assert last(served.here, "u") == 31


def test_a_writer_killed_while_it_makes_a_checkpoint(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit was there before: the next process publishes it, and the change succeeds."""
    write(served.here, "p", 0)
    make = served.here.writer._make_checkpoint
    killed: list[int] = []

    def kill_first(process: Any, path: Path) -> Path:
        if not killed:
            killed.append(served.here.writer.pid)
            os.kill(killed[0], signal.SIGKILL)
        return make(process, path)

    monkeypatch.setattr(served.here.writer, "_make_checkpoint", kill_first)
    write(served.there, "p", 1)
    assert last(served.here, "p") == 2
    assert killed and served.here.writer.pid != killed[0]


def test_a_checkpoint_that_fails_does_not_end_checkpoints(served: Served, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(StoreFailedError, match="no checkpoint could be made"):
        served.there.backup(tmp_path / "taken")
    write(served.there, "f", 0)
    assert last(served.here, "f") == 1
    served.there.backup(tmp_path / "free")
    assert (tmp_path / "free" / "CURRENT").exists()


def test_a_snapshot_that_could_not_be_published_is_made_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.store.isolated.writer._RETRY", 0.1)
    publish, is_full = served.here.writer._snapshots.publish, threading.Event()
    is_full.set()

    def fail_while_full(path: Path) -> None:
        if is_full.is_set():
            raise OSError(28, "No space left on device")
        publish(path)

    monkeypatch.setattr(served.here.writer._snapshots, "publish", fail_while_full)
    with pytest.raises(DiskFullError, match="is stored, but cannot be read yet"):
        write(served.here, "n", 0)
    with pytest.raises(DiskFullError, match="was not carried out"):
        write(served.here, "n", 1)
    is_full.clear()
    wait_until(lambda: last(served.there, "n") == 1)
    wait_until(lambda: "publish" not in [thread.name for thread in threading.enumerate()])


def quads(path: Path, word: str) -> Path:
    path.write_text(
        "".join(f"<http://{word}/{n}> <http://p> <http://o> <http://g> .\n" for n in range(50_000))
    )
    return path


@pytest.mark.parametrize("phase", ["put_in", "_take_out", "after"])
def test_a_writer_killed_in_a_large_change(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phase: str
) -> None:
    """Readers see all of the change or nothing, and the caller hears which."""
    old, new = quads(tmp_path / "old.nq", "old"), quads(tmp_path / "new.nq", "new")
    (tmp_path / "none.nq").touch()
    served.here.change_files(tmp_path / "none.nq", old)
    before = served.here.writer.pid
    journal = tmp_path / "store.journal" / "entry.json"

    def kill() -> None:
        wait_until(journal.exists)
        if phase != "put_in":
            wait_until(lambda: not journal.exists() or bool(list((tmp_path / "store").glob("bulk-*"))))
            wait_until(lambda: not list((tmp_path / "store").glob("bulk-*")))
        if phase == "after":
            wait_until(lambda: not journal.exists())
        os.kill(before, signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    try:
        served.there.change_files(old, new)
    except StoreFailedError as error:
        assert "may be stored or not" in str(error)
        assert (last(served.here, "old"), last(served.here, "new")) in ((50_000, 0), (0, 50_000))
    else:
        assert (last(served.here, "old"), last(served.here, "new")) == (0, 50_000)
    killing.join(PATIENCE)
    write(served.there, "w", 0)
    assert last(served.here, "w") == 1
    assert not journal.exists()


def test_a_large_change_stopped_when_only_removals_are_left_is_finished(
    served: Served, tmp_path: Path
) -> None:
    old, new = quads(tmp_path / "old.nq", "old"), quads(tmp_path / "new.nq", "new")
    (tmp_path / "none.nq").touch()
    served.here.change_files(tmp_path / "none.nq", old)
    journal, store = tmp_path / "store.journal" / "entry.json", tmp_path / "store"
    began: list[bool] = []

    def stop() -> bool:
        began.append(bool(began) or (journal.exists() and bool(list(store.glob("bulk-*")))))
        return began[-1] and journal.exists() and not list(store.glob("bulk-*"))

    try:
        served.here.change_files(old, new, stop=stop)
    except QueryStoppedError:
        expected = (50_000, 0)
    else:
        expected = (0, 50_000)
    assert (last(served.there, "old"), last(served.there, "new")) == expected


def test_a_stop_that_fails_breaks_the_change_off(served: Served, tmp_path: Path) -> None:
    """Its late answer must not be taken for that of the next change."""
    (tmp_path / "none.nq").touch()

    def stop() -> bool:
        raise RuntimeError("the disk with the mark is gone")

    with pytest.raises(RuntimeError, match="is gone"):
        served.here.change_files(tmp_path / "none.nq", quads(tmp_path / "new.nq", "new"), stop=stop)
    with pytest.raises(QuerySyntaxError):
        served.here.update("INSERT")
    assert last(served.there, "new") in (0, 50_000)


def test_closing_breaks_a_long_change_off(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.store.isolated.writer._STOP_TIME", 0.2)
    write(served.here, "x", 0)
    write(served.here, "x", 1)
    pattern = " ".join(f"?s{n} ?p{n} ?o{n} ." for n in range(40))
    errors: list[str] = []

    def update() -> None:
        with pytest.raises(StoreFailedError) as caught:
            served.here.update(
                f"INSERT {{ ?s0 <http://copy> ?o1 }} WHERE {{ {pattern} FILTER(?o0 + ?o39 > 7) }}"
            )
        errors.append(str(caught.value))

    threads = [threading.Thread(target=update) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    served.here.close()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted("may be stored" in error for error in errors) == [False, False, True]
    again = open_isolated(tmp_path)
    assert last(again, "x") == 2
    again.close()


def test_a_store_that_cannot_have_snapshots_lets_go_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailedError, match="snapshots"):
        Writer(tmp_path / "store", tmp_path / "file" / "snapshots")
    open_isolated(tmp_path).close()


def test_a_second_opening_leaves_the_first_alone(served: Served, tmp_path: Path) -> None:
    write(served.here, "o", 0)
    with pytest.raises(StoreBusyError):
        open_isolated(tmp_path)
    assert last(served.there, "o") == 1


def test_a_change_that_cannot_be_published_raises_an_error_and_is_published_later(
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


def test_an_address_without_a_writer_raises_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreFailedError, match="does not answer"):
        RemoteWriter(WriterAddress(str(tmp_path / "none"), "key"))


def test_the_error_of_a_stopped_update_quotes_the_limit_of_its_store(served: Served) -> None:
    # A front reaches a writer that another process opened, perhaps under another limit.
    p, graph = NamedNode("http://p"), NamedNode("http://g")
    served.here.change((), [Quad(NamedNode(f"http://m/{n}"), p, Literal(n), graph) for n in range(3000)])
    text = "INSERT { ?a <http://copy> ?d } WHERE { GRAPH ?g { ?a ?b ?c . ?d ?e ?f } }"
    update = RunRequest(EmbeddedStore.update, (text,))
    with pytest.raises(QueryStoppedError, match=r"longer than 0\.5 s"):
        served.there.writer.write(update, budget=0.5)


def full(store: EmbeddedStore) -> None:
    """Stand for a change that the engine cannot write."""
    raise explain_failure("IO error: No space left on device: While appending to file: 7.sst")


def test_after_a_full_disk_the_store_is_opened_again_and_nothing_is_lost(served: Served) -> None:
    write(served.there, "a", 1)
    before = served.here.writer.pid
    with pytest.raises(DiskFullError):
        served.there.writer.write(RunRequest(full))
    assert last(served.there, "a") == 1
    write(served.there, "a", 2)
    assert last(served.there, "a") == 2
    assert served.here.writer.pid != before


def test_a_full_disk_is_reported_until_there_is_space(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(served.there, "a", 1)
    with monkeypatch.context() as small:
        small.setattr("kg.store.free_space.RESERVE", 1 << 60)
        with pytest.raises(DiskFullError, match="MiB left"):
            served.there.check_writing()
        with pytest.raises(DiskFullError):
            write(served.there, "a", 2)
        assert last(served.there, "a") == 1
    served.there.check_writing()
    write(served.there, "a", 2)


def test_a_store_that_cannot_be_opened_for_writing_is_read_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_isolated(tmp_path)) as store:
        write(store, "a", 1)
    with monkeypatch.context() as no_room:
        no_room.setattr(_Process, "await_opening", lambda self: full(self))
        store = open_isolated(tmp_path)
        assert last(store, "a") == 1
        with pytest.raises(DiskFullError):
            write(store, "a", 2)
    store.writer.check()
    write(store, "a", 2)
    assert last(store, "a") == 2
    store.close()


def test_a_folder_that_is_only_read(tmp_path: Path) -> None:
    with closing(open_isolated(tmp_path)) as store:
        write(store, "a", 1)
    frozen = FrozenFolder(tmp_path / "store")
    with closing(
        IsolatedStore(tmp_path / "store", frozen.snapshots, frozen, Limits(30, 1 << 28), 1)
    ) as store:
        assert last(store, "a") == 1
        with pytest.raises(ReadOnlyError):
            write(store, "a", 2)
    assert not frozen.snapshots.exists()
    with pytest.raises(NotAStoreError):
        FrozenFolder(tmp_path / "nothing")


def test_what_is_acknowledged_is_on_the_disk(served: Served, tmp_path: Path) -> None:
    """The checkpoint before the acknowledgment moves it from the log into files that are synchronised."""
    write(served.there, "d", 1)
    newest = max((tmp_path / "store").glob("*.log"))
    assert newest.stat().st_size == 0
