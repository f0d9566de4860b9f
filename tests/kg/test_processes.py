"""Processes of our own: started, ended, and gone with the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from kg.errors import StoreFailedError
from kg.processes import end, interrupt, start, start_connected

ROOT = Path(__file__).parents[2]
PATIENCE = 60

STORE = """
import sys
from pathlib import Path
from kg.rdf.formats import result_format
from kg.store.isolated.limits import Limits
from kg.store.isolated.store import IsolatedStore
folder = Path(sys.argv[1])
store = IsolatedStore.open(
    folder / "store", folder / "snapshots", Limits(600, 256 << 20), workers=2
)
store.update("INSERT DATA { " + " ".join(f"<http://s/{n}> <http://p> {n} ." for n in range(2000)) + " }")
unread = store.query("SELECT * { ?s ?p ?o }")
pieces = store.query("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }").serialize(
    result_format("solutions", "csv")
)
next(pieces)
"""


def run_store(folder: Path, ending: str) -> subprocess.Popen[str]:
    """Start an interpreter that opens a store, keeps both workers busy and goes on with `ending`."""
    return subprocess.Popen(
        [sys.executable, "-c", STORE + ending, str(folder)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.fixture
def session() -> Iterator[list[int]]:
    """Sessions whose processes must all have ended at the end of the test."""
    sessions: list[int] = []
    yield sessions
    for number in sessions:
        for process in members(number):
            process.kill()


def members(session: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            pass
    return found


def all_end(session: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not members(session):
            return True
        time.sleep(0.05)
    return False


def test_nothing_is_left_of_a_process_that_was_killed(tmp_path: Path, session: list[int]) -> None:
    with run_store(tmp_path, "print('ready', flush=True)\nimport time; time.sleep(600)") as it:
        session.append(it.pid)
        assert it.stdout is not None
        assert it.stdout.readline() == "ready\n"
        # The interpreter, the fork server, its resource tracker, the writer and two workers.
        assert len(members(it.pid)) >= 5
        it.kill()
        it.wait(PATIENCE)
        assert all_end(it.pid), [process.cmdline() for process in members(it.pid)]


@pytest.mark.parametrize("ending", ["", "raise SystemExit(0)", "del pieces, unread"])
def test_an_interpreter_ends_without_close(tmp_path: Path, session: list[int], ending: str) -> None:
    with run_store(tmp_path, ending) as it:
        session.append(it.pid)
        printed, complaints = it.communicate(timeout=PATIENCE)
        assert (it.returncode, printed, complaints) == (0, "", "")
        assert all_end(it.pid), [process.cmdline() for process in members(it.pid)]


def test_a_process_ends_with_its_parent_at_work_in_the_engine(tmp_path: Path, session: list[int]) -> None:
    """The worker is in a call of the engine that lasts for minutes and takes no message."""
    ending = (
        "pieces.close()\nimport threading\n"
        "threading.Thread(target=lambda: list(store.query("
        "'SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }').rows()), daemon=True).start()\n"
        "import time; time.sleep(0.5)\nprint('ready', flush=True)\ntime.sleep(600)"
    )
    with run_store(tmp_path, ending) as it:
        session.append(it.pid)
        assert it.stdout is not None
        assert it.stdout.readline() == "ready\n"
        it.kill()
        it.wait(PATIENCE)
        assert all_end(it.pid)


def test_end_waits_for_a_process_that_ends_by_itself() -> None:
    assert end(start(_exit, 7, name="exits"), PATIENCE) == 7


def test_end_kills_a_process_that_does_not_end() -> None:
    process = start(_sleep, name="sleeps")
    pid = process.pid or 0
    assert end(process, 0.1) == -signal.SIGKILL
    assert not psutil.pid_exists(pid)
    interrupt(process)


def test_each_end_of_a_connection_notices_the_end_of_the_other() -> None:
    process, connection = start_connected(_echo)
    with connection:
        connection.send("word")
        assert connection.recv() == "word"
    assert end(process, PATIENCE) == 0
    process, connection = start_connected(_echo)
    with connection:
        os.kill(process.pid or 0, signal.SIGKILL)
        with pytest.raises(EOFError):
            connection.recv()
        assert end(process) == -signal.SIGKILL


def test_a_process_is_ended_even_if_the_fork_server_was_killed() -> None:
    process, connection = start_connected(_echo)
    with connection:
        connection.send("word")
        assert connection.recv() == "word"
        server = psutil.Process(process.pid).ppid()
        assert server == forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
        os.kill(server, signal.SIGKILL)
        end(process, 1)
        with pytest.raises(EOFError):
            connection.recv()
    # The next start has a new fork server.
    assert end(start(_exit, 3, name="exits"), PATIENCE) == 3


def test_no_room_for_a_process_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fds: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(forkserver, "connect_to_new_process", refuse)
    with pytest.raises(StoreFailedError, match="Too many open files"):
        start_connected(_echo)


def _exit(status: int) -> None:
    sys.exit(status)


def _sleep() -> None:
    time.sleep(600)


def _echo(connection: Connection) -> None:
    try:
        while True:
            connection.send(connection.recv())
    except EOFError:
        return
