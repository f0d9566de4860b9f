"""Several processes read a large file: the same preview and the same files, and none of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kg import load as loading
from kg.errors import CancelledError, StoreFailedError, ValidationFailedError
from kg.load import Loads
from kg.readers.gdelt import reader_processes
from kg.store import EmbeddedStore
from tests.kg.readers.test_blocks import rows

Staged = tuple[dict[str, object], bytes, list[str]]


@pytest.fixture(scope="module")
def store() -> EmbeddedStore:
    store = EmbeddedStore()
    loading.install(store)
    return store


@pytest.fixture
def table(tmp_path: Path, row: Callable[..., str]) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(rows(row, 1500)), encoding="utf-8")
    return path


def several(monkeypatch: pytest.MonkeyPatch, count: int = 3) -> None:
    """Have even small files read by several processes, in small blocks."""
    monkeypatch.setattr("kg.readers.reading._BLOCK", 20_000)
    monkeypatch.setattr("kg.load.table_reading.worth_it", lambda path: count)


def staged(
    store: EmbeddedStore,
    root: Path,
    table: Path,
    max_errors: int = 1000,
    progress: loading.Progress = loading.silent,
) -> Staged:
    folder, _ = Loads(root).new("rows.csv")
    preview = loading.prepare(
        store, folder, table, name="rows.csv", format="gdelt", max_errors=max_errors, progress=progress
    )
    names = sorted(path.name for path in folder.path.iterdir())
    return preview.summary(), folder.added.read_bytes(), names


def children() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_it_makes_no_difference_who_reads(store, tmp_path, table, monkeypatch, count) -> None:
    monkeypatch.setattr("kg.readers.reading._BLOCK", 20_000)
    before = children()
    alone = staged(store, tmp_path / "alone", table)
    assert alone[0]["unreadable"], "there are faults to compare"
    several(monkeypatch, count)
    assert staged(store, tmp_path / "several", table) == alone
    assert children() == before


def test_rows_of_other_sources_are_compared_all_the_same(tmp_path, row, monkeypatch) -> None:
    store = EmbeddedStore()
    loading.install(store)
    path = tmp_path / "first.csv"
    path.write_text("\n".join(row(id=str(n)) for n in range(1, 40)), encoding="utf-8")
    loads = Loads(tmp_path / "loads")
    folder, _ = loads.new("first.csv")
    loading.prepare(store, folder, path, name="first.csv", format="gdelt")
    loading.store_load(store, loads, folder)
    path.write_text(
        "\n".join(row(id=str(n), code="174" if n == 7 else "043") for n in range(1, 40)), encoding="utf-8"
    )
    alone = staged(store, tmp_path / "alone", path)
    assert alone[0]["conflict_count"] == 1
    several(monkeypatch)
    assert staged(store, tmp_path / "several", path) == alone


def test_too_many_faults_end_all_of_them(store, tmp_path, table, monkeypatch) -> None:
    several(monkeypatch)
    before = children()
    with pytest.raises(ValidationFailedError):
        staged(store, tmp_path / "loads", table, max_errors=0)
    assert children() == before


def test_cancelling_ends_all_of_them(store, tmp_path, table, monkeypatch) -> None:
    several(monkeypatch)
    before = children()

    def stop(phase: str, done: int, total: int | None = None) -> None:
        if phase == "reading rows":
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        staged(store, tmp_path / "loads", table, progress=stop)
    assert children() == before
    (left,) = (tmp_path / "loads").glob("*/")
    assert {path.name for path in left.iterdir()} == {"state.json", "lock"}


def test_a_process_that_is_gone_is_told(store, tmp_path, table, monkeypatch) -> None:
    several(monkeypatch)
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def note(*arguments, **options):
        started.append(start(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(reader_processes.subprocess, "Popen", note)

    def kill(phase: str, done: int, total: int | None = None) -> None:
        if phase == "reading rows":
            for process in started:
                process.kill()

    with pytest.raises(StoreFailedError, match="ended unexpectedly"):
        staged(store, tmp_path / "loads", table, progress=kill)


def test_they_end_with_who_started_them() -> None:
    """Also where that is killed without a warning."""
    script = (
        "import sys, time\n"
        "from kg.actors import Resolver\n"
        "from kg.readers.gdelt.blocks import Rows\n"
        "from kg.readers.gdelt.code_columns import V2\n"
        "from kg.readers.gdelt.reader_processes import ReaderProcesses\n"
        "with ReaderProcesses(2, V2, Rows(), Resolver()) as some:\n"
        "    print(*(one.pid for one in some._processes), flush=True)\n"
        "    time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    )
    assert parent.stdout
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 60
    while any(map(runs, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(runs, pids))


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_small_files_are_read_by_this_process(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * 100)
    assert reader_processes.worth_it(path) == 0
    monkeypatch.setattr(reader_processes, "LARGE", 100)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    assert reader_processes.worth_it(path) == 2
    assert reader_processes.worth_it(tmp_path) == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert reader_processes.worth_it(path) == 0
