"""Loads in processes of their own: what they did and what ended them comes through, and none stays behind."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from api.folder.data_folder import LOADS, keep_folder
from api.loading.load_jobs import Job
from api.loading.load_worker import _NICENESS, load_apart
from bench.rows import write_rows
from kg.errors import (
    CancelledError,
    ConflictError,
    DataSyntaxError,
    StoreFailedError,
    UnknownNameError,
    ValidationFailedError,
)
from kg.load import LoadFolder, LoadRequest, Loads, settle
from kg.settings import Settings
from kg.store import EmbeddedStore
from kg.store.isolated.writer_server import WriterAddress
from tests.api.running import AUTHORITY, descendants, gone, start

pytestmark = pytest.mark.server

FIXTURES = Path(__file__).parents[2] / "fixtures"
EVENT = (FIXTURES / "new-event.ttl").read_text(encoding="utf-8")
PATIENCE = 60.0
# So many that several processes read them.
ROWS = 26_000


@dataclass(frozen=True)
class Loading:
    """A data folder that this process holds, as fronts see it."""

    settings: Settings
    address: WriterAddress | None

    def carry_out(self, job: Job) -> None:
        load_apart(self.settings, self.address, job)


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, copy_installed: Callable[[Path], Path]
) -> Iterator[Loading]:
    folder = copy_installed(tmp_path_factory.mktemp("loads") / "data")
    settings = replace(Settings(), data=folder, workers=2, fronts=1)
    with keep_folder(settings) as address:
        yield Loading(settings, address)


def working() -> set[int]:
    """List the processes that carry out loads for this one: those of lower priority than the writer."""
    found = set()
    # 19 is the lowest priority that there is.
    lowest = min(19, os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)
    for pid in descendants(os.getpid()):
        with suppress(OSError):
            if os.getpriority(os.PRIO_PROCESS, pid) >= lowest:
                found.add(pid)
    return found


def receive(settings: Settings, name: str, text: str) -> tuple[LoadFolder, Job]:
    """Take a file as the door of loading does; gives the folder and the job of its preview."""
    folder, _ = Loads(settings.data / LOADS).new(name)
    path = folder.source / name
    path.write_text(text, encoding="utf-8")
    return folder, Job(do="preview", load=folder.id, reading=LoadRequest(path, name))


def test_a_load_is_previewed_stored_and_undone(served: Loading) -> None:
    folder, preview = receive(served.settings, "new-event.ttl", EVENT)
    served.carry_out(preview)
    assert folder.read().step == "ready"
    served.carry_out(Job(do="store", load=folder.id, skip=[]))
    assert folder.read().step == "stored"
    served.carry_out(Job(do="undo", load=folder.id, started_by="Ada"))
    assert folder.read().step == "undone"
    assert not working()


def test_errors_come_through_with_all_that_they_say(served: Loading) -> None:
    settings = served.settings
    text = EVENT.replace('dg:begin "2018-03-14"', 'dg:begin "2018-03-41"')
    folder, preview = receive(settings, "wrong.ttl", text)
    with pytest.raises(ValidationFailedError) as caught:
        served.carry_out(preview)
    [finding] = caught.value.findings
    assert "2018-03-41" in finding
    assert caught.value.mend
    assert folder.read().step == "failed"
    _, preview = receive(settings, "cut.ttl", EVENT[: len(EVENT) // 2])
    with pytest.raises(DataSyntaxError) as cut:
        served.carry_out(preview)
    assert cut.value.line
    with pytest.raises(UnknownNameError):
        served.carry_out(Job(do="store", load="20200101t000000000000z-0000000000000000", skip=[]))
    with pytest.raises(ConflictError):
        served.carry_out(Job(do="store", load=folder.id, skip=[]))


def test_the_end_of_a_process_is_told_and_the_load_is_settled(
    served: Loading,
) -> None:
    settings = served.settings
    folder, job = receive(settings, "rows.csv", rows(ROWS))
    job = replace(job, reading=LoadRequest(job.reading.path, job.reading.name, "gdelt"))

    def kill() -> None:
        wait_until(lambda: folder.read().phase == "reading rows")
        for pid in working():
            os.kill(pid, signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    with pytest.raises(StoreFailedError, match=f"{folder.id} ended unexpectedly"):
        served.carry_out(job)
    killing.join()
    said = settle(EmbeddedStore(), Loads(settings.data / LOADS), folder)
    assert said.ended
    assert said.problem and "nothing was stored" in said.problem["detail"]
    _, job = receive(settings, "new-event.ttl", EVENT)
    served.carry_out(job)


def test_cancelling_reaches_it(served: Loading) -> None:
    settings = served.settings
    folder, job = receive(settings, "rows.csv", rows(ROWS))
    job = replace(job, reading=LoadRequest(job.reading.path, job.reading.name, "gdelt"))

    def cancel() -> None:
        wait_until(lambda: folder.read().phase == "reading rows")
        folder.cancel()

    cancelling = threading.Thread(target=cancel)
    cancelling.start()
    with pytest.raises(CancelledError):
        served.carry_out(job)
    cancelling.join()
    assert folder.read().step == "cancelled"


def test_a_server_loads_in_another_process_and_leaves_none_behind(installed: Path) -> None:
    server = start(installed)
    try:
        with httpx.Client(base_url=server.url, headers=AUTHORITY, timeout=PATIENCE) as client:
            turtle = {"Content-Type": "text/turtle"}
            made = client.post("/load?name=new-event.ttl", content=EVENT, headers=turtle)
            place = made.json()["links"]["self"]
            wait_until(lambda: client.get(place).json()["state"] == "ready")
            done = client.post(f"{place}/commit")
            wait_until(lambda: client.get(place).json()["state"] == "stored")
            assert client.get("/loads").json()["loads"][0]["id"] == done.json()["id"]
            wrong = client.post(
                "/load?name=x.ttl",
                content=EVENT.replace('dg:begin "2018-03-14"', 'dg:begin "2018-03-41"'),
                headers=turtle,
            )
            if wrong.status_code == 202:  # the machine is slow
                place = wrong.json()["links"]["self"]
                wait_until(lambda: "problem" in client.get(place).json())
                findings = client.get(place).json()["problem"]["findings"]
            else:
                assert wrong.status_code == 422
                findings = wrong.json()["findings"]
            assert "2018-03-41" in findings[0]
            large = client.post("/load?name=rows.csv&format=gdelt", content=rows(ROWS))
            assert large.status_code in (201, 202)
        below = server.descendants()
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
