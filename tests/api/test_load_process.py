"""Loads in processes of their own: what they did and what ended them comes through, and none stays behind."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from api.server.fronts import task
from kg.store.isolated.keeper_socket import KeeperSocket
from kg.store.isolated.shared import SharedNumber

from api.server import load_worker as load_process
from api.server.data_folder import KEEPER, LOADS, keep_folder
from api.server.load_jobs import Job, Reading
from api.server.load_worker import LoadProcesses
from bench.rows import write_rows
from kg.errors import (
    CancelledError,
    ConflictError,
    DataSyntaxError,
    StoreFailedError,
    UnknownNameError,
    ValidationFailedError,
)
from kg.load import LoadFolder, Loads, settle
from kg.settings import Settings
from kg.store import EmbeddedStore
from tests.api.running import AUTHORITY, gone, start

pytestmark = pytest.mark.server

FIXTURES = Path(__file__).parent.parent / "fixtures"
EVENT = (FIXTURES / "new-event.ttl").read_text(encoding="utf-8")
PATIENCE = 60.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, LoadProcesses]]:
    """A keeper with its socket, and what a front has to carry out loads."""
    settings = replace(Settings(), data=tmp_path_factory.mktemp("loads") / "data", workers=2, fronts=1)
    settings.data.mkdir()
    count = SharedNumber()
    keeper = keep_folder(settings, count)
    door = KeeperSocket(keeper, settings.data / KEEPER)
    members = {"path": str(settings.data / KEEPER), "epoch": keeper.epoch, "descriptor": count.descriptor}
    processes = LoadProcesses(task(settings, members))
    yield settings, processes
    processes.close()
    door.close()
    keeper.close()


def working() -> set[int]:
    """List the processes that carry out loads for this one."""
    found = set()
    listed = Path("/proc/self/task").glob("*/children")
    for pid in {int(pid) for path in listed for pid in path.read_text().split()}:
        try:
            if b"api.server.load_worker" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                found.add(pid)
        except OSError:
            continue
    return found


def receive(settings: Settings, name: str, text: str) -> tuple[LoadFolder, Job]:
    """Take a file as the door of loading does; gives the folder and the job of its preview."""
    folder, _ = Loads(settings.data / LOADS).new(name)
    path = folder.source / name
    path.write_text(text, encoding="utf-8")
    reading = Reading(
        path=str(path), name=name, format=None, media_type=None, source=None, base_iri=None, max_errors=0,
        mapping=None,
    )  # fmt: skip
    return folder, Job(do="preview", load=folder.id, reading=reading)


def test_one_process_previews_stores_and_undoes(served: tuple[Settings, LoadProcesses]) -> None:
    settings, processes = served
    folder, preview = receive(settings, "new-event.ttl", EVENT)
    processes.carry_out(preview)
    [pid] = working()
    assert folder.read().step == "ready"
    processes.carry_out(Job(do="store", load=folder.id, skip=[]))
    assert folder.read().step == "stored"
    processes.carry_out(Job(do="undo", load=folder.id, started_by="Ada"))
    assert folder.read().step == "undone"
    assert working() == {pid}


def test_one_that_is_expected_is_there_for_the_job(served: tuple[Settings, LoadProcesses]) -> None:
    settings, processes = served
    processes.close()
    wait_until(lambda: not working())
    processes.expect()
    processes.expect()
    before = working()
    assert len(before) == 1
    _, preview = receive(settings, "new-event.ttl", EVENT)
    processes.carry_out(preview)
    assert working() == before


def test_no_load_pays_for_the_end_of_one_that_was_kept(served: tuple[Settings, LoadProcesses]) -> None:
    settings, processes = served
    processes.expect()
    [kept] = working()
    os.kill(kept, signal.SIGKILL)
    assert processes._kept is not None
    wait_until(lambda: processes._kept is None or not processes._kept.lives)
    _, preview = receive(settings, "new-event.ttl", EVENT)
    processes.carry_out(preview)
    assert kept not in working()


def test_errors_come_through_with_all_that_they_say(served: tuple[Settings, LoadProcesses]) -> None:
    settings, processes = served
    text = EVENT.replace('dg:begin "2018-03-14"', 'dg:begin "2018-03-41"')
    folder, preview = receive(settings, "wrong.ttl", text)
    with pytest.raises(ValidationFailedError) as caught:
        processes.carry_out(preview)
    [finding] = caught.value.findings
    assert "2018-03-41" in finding
    assert caught.value.mend
    assert folder.read().step == "failed"
    _, preview = receive(settings, "cut.ttl", EVENT[: len(EVENT) // 2])
    with pytest.raises(DataSyntaxError) as cut:
        processes.carry_out(preview)
    assert cut.value.line
    with pytest.raises(UnknownNameError):
        processes.carry_out(Job(do="store", load="20200101t000000000000z-0000000000000000", skip=[]))
    with pytest.raises(ConflictError):
        processes.carry_out(Job(do="store", load=folder.id, skip=[]))
    assert len(working()) == 1, "an error leaves the process fit"


def test_loads_at_once_have_a_process_each_of_which_one_is_kept_a_while(
    served: tuple[Settings, LoadProcesses], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, processes = served
    seen: list[int] = []

    def preview(number: int) -> None:
        _, job = receive(settings, f"rows-{number}.csv", rows(5_000))
        job["reading"]["format"] = "gdelt"
        processes.carry_out(job)

    threads = [threading.Thread(target=preview, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen.append(len(working()))
        time.sleep(0.02)
    assert max(seen) == 2
    wait_until(lambda: len(working()) == 1)
    monkeypatch.setattr(load_process, "_KEPT", 0.1)
    _, job = receive(settings, "new-event.ttl", EVENT)
    processes.carry_out(job)
    wait_until(lambda: not working())


def test_the_end_of_a_process_is_told_and_the_load_is_settled(
    served: tuple[Settings, LoadProcesses],
) -> None:
    settings, processes = served
    folder, job = receive(settings, "rows.csv", rows(50_000))
    job["reading"]["format"] = "gdelt"

    def kill() -> None:
        wait_until(lambda: folder.read().phase == "reading rows")
        for pid in working():
            os.kill(pid, signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    with pytest.raises(StoreFailedError, match=f"{folder.id} ended unexpectedly"):
        processes.carry_out(job)
    killing.join()
    said = settle(EmbeddedStore(), Loads(settings.data / LOADS), folder)
    assert said.ended
    assert said.problem and "the process that worked on it ended" in said.problem["detail"]
    _, job = receive(settings, "new-event.ttl", EVENT)
    processes.carry_out(job)


def test_cancelling_reaches_it(served: tuple[Settings, LoadProcesses]) -> None:
    settings, processes = served
    folder, job = receive(settings, "rows.csv", rows(50_000))
    job["reading"]["format"] = "gdelt"

    def cancel() -> None:
        wait_until(lambda: folder.read().phase == "reading rows")
        folder.cancel()

    cancelling = threading.Thread(target=cancel)
    cancelling.start()
    with pytest.raises(CancelledError):
        processes.carry_out(job)
    cancelling.join()
    assert folder.read().step == "cancelled"


def test_a_server_loads_in_another_process_and_leaves_none_behind(tmp_path: Path) -> None:
    server = start(tmp_path / "data")
    try:
        with httpx.Client(base_url=server.url, headers=AUTHORITY, timeout=PATIENCE) as client:
            turtle = {"Content-Type": "text/turtle"}
            made = client.post("/load?name=new-event.ttl", content=EVENT, headers=turtle)
            assert made.status_code == 201
            done = client.post(made.json()["links"]["commit"])
            assert done.status_code == 200
            assert client.get("/loads").json()["loads"][0]["id"] == done.json()["id"]
            wrong = client.post(
                "/load?name=x.ttl",
                content=EVENT.replace('dg:begin "2018-03-14"', 'dg:begin "2018-03-41"'),
                headers=turtle,
            )
            assert wrong.status_code == 422
            assert "2018-03-41" in wrong.json()["findings"][0]
        below = server.descendants()
        assert any(b"api.server.load_worker" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in below)
    finally:
        assert server.stop() == 0
    assert not gone(below)


def rows(number: int) -> str:
    """Rows as GDELT's files have them."""
    with tempfile.NamedTemporaryFile() as file:
        write_rows(Path(file.name), number)
        return Path(file.name).read_text(encoding="utf-8")


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
