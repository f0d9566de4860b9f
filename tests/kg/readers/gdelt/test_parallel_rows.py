"""Several processes read a large file: the preview and the files are the same, and the processes end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kg import load as loading
from kg.errors import CancelledError, StoreFailedError, UnreadableRowsError
from kg.load import LoadRequest, Loads
from kg.readers.gdelt import parallel_rows
from kg.readers.gdelt.blocks import RowOptions
from kg.readers.gdelt.code_columns import V2
from kg.readers.gdelt.parallel_rows import read_in_parallel
from kg.readers.reading import Block
from kg.resolver import Resolver
from kg.store import EmbeddedStore
from tests.kg.readers.gdelt.test_blocks import rows

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
    monkeypatch.setattr("kg.load.staged.table_reading.worker_count", lambda path: count)


def staged(
    store: EmbeddedStore,
    root: Path,
    table: Path,
    max_errors: int = 1000,
    progress: loading.Progress = loading.silent,
) -> Staged:
    folder, _ = Loads(root).new("rows.csv")
    request = LoadRequest(table, "rows.csv", "gdelt", max_errors=max_errors)
    preview = loading.prepare(store, folder, request, progress)
    names = sorted(path.name for path in folder.path.iterdir())
    return preview.summary(), folder.added.read_bytes(), names


def workers() -> set[int | None]:
    return {process.pid for process in multiprocessing.active_children()}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_number_of_processes_makes_no_difference(store, tmp_path, table, monkeypatch, count) -> None:
    monkeypatch.setattr("kg.readers.reading._BLOCK", 20_000)
    before = workers()
    alone = staged(store, tmp_path / "alone", table)
    assert alone[0]["unreadable"], "there are faults to compare"
    several(monkeypatch, count)
    assert staged(store, tmp_path / "several", table) == alone
    assert workers() == before


def test_rows_are_compared_with_those_of_other_sources(tmp_path, row, monkeypatch) -> None:
    store = EmbeddedStore()
    loading.install(store)
    path = tmp_path / "first.csv"
    path.write_text("\n".join(row(id=str(n)) for n in range(1, 40)), encoding="utf-8")
    loads = Loads(tmp_path / "loads")
    folder, _ = loads.new("first.csv")
    loading.prepare(store, folder, LoadRequest(path, "first.csv", "gdelt"))
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
    before = workers()
    with pytest.raises(UnreadableRowsError):
        staged(store, tmp_path / "loads", table, max_errors=0)
    assert workers() == before


def test_cancelling_ends_all_of_them(store, tmp_path, table, monkeypatch) -> None:
    several(monkeypatch)
    before = workers()

    def stop(phase: str, done: int, total: int | None = None) -> None:
        if phase == "reading rows":
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        staged(store, tmp_path / "loads", table, progress=stop)
    assert workers() == before
    (left,) = (tmp_path / "loads").glob("*/")
    assert {path.name for path in left.iterdir()} == {"state.json", "lock"}


def test_a_killed_process_is_an_error(store, tmp_path, table, monkeypatch) -> None:
    several(monkeypatch)

    def kill(phase: str, done: int, total: int | None = None) -> None:
        if phase == "reading rows":
            for process in multiprocessing.active_children():
                process.kill()

    with pytest.raises(StoreFailedError, match="was killed") as caught:
        staged(store, tmp_path / "loads", table, progress=kill)
    assert "memory" in (caught.value.mend or "")
    assert workers() == set()


def test_the_processes_end_with_a_killed_parent() -> None:
    script = (
        "import multiprocessing, time\n"
        "from kg.resolver import Resolver\n"
        "from kg.readers.gdelt.blocks import RowOptions\n"
        "from kg.readers.gdelt.code_columns import V2\n"
        "from kg.readers.gdelt.parallel_rows import read_in_parallel\n"
        "from kg.readers.reading import Block\n"
        "blocks = (Block('a', 1, b'1') for _ in range(9))\n"
        "read = read_in_parallel(blocks, 2, V2, RowOptions(), Resolver())\n"
        "next(read)\n"
        "print(*(process.pid for process in multiprocessing.active_children()), flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4]
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


def test_at_most_one_block_more_than_workers_is_held() -> None:
    taken = 0

    def blocks() -> Iterator[Block]:
        nonlocal taken
        for taken in range(1, 21):
            yield Block("a", taken, b"not a row")

    read = read_in_parallel(blocks(), 2, V2, RowOptions(), Resolver())
    for number, (block, found) in enumerate(read, 1):
        assert (block.first, [line for line, _, _ in found.faults]) == (number, [number])
        assert taken <= number + 2
    assert taken == 20


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_small_files_are_read_without_other_processes(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * 100)
    assert parallel_rows.worker_count(path) == 0
    monkeypatch.setattr(parallel_rows, "LARGE", 100)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    assert parallel_rows.worker_count(path) == 2
    assert parallel_rows.worker_count(tmp_path) == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert parallel_rows.worker_count(path) == 0
