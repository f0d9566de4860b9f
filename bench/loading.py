"""Loading against the engine's own loader: python -m bench.loading [ROWS], 100 thousand by default.

The same triples go through `diplograph load` (read, preview, store) beside a running server whose readers are
timed meanwhile, and, as N-Quads, through `oxigraph load`. Prints times, the ratio of the rates, the memory of
all our processes together and the slowest lookup of a reader.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pyoxigraph

from bench.servers import ours

_LOOKUP = "SELECT ?p ?o { <https://w3id.org/diplograph/id/country/irn> ?p ?o }"
_READERS_EVERY = 0.02


class Watch:
    """Samples the memory of a process and all below it, and the time of a small lookup."""

    def __init__(self, pids: list[int], query_url: str) -> None:
        self.peak = 0
        self.lookups: list[float] = []
        self._pids, self._url = pids, query_url
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._memory), threading.Thread(target=self._look)]

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _memory(self) -> None:
        while not self._done.wait(0.2):
            self.peak = max(self.peak, sum(map(resident, family(self._pids))))

    def _look(self) -> None:
        with httpx.Client(trust_env=False, timeout=120) as client:
            while not self._done.wait(_READERS_EVERY):
                started = time.perf_counter()
                client.get(self._url, params={"query": _LOOKUP}).raise_for_status()
                self.lookups.append(time.perf_counter() - started)


def family(pids: list[int]) -> set[int]:
    """Give processes with all that they started."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
    found = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def resident(pid: int) -> int:
    """Give the bytes that a process holds in memory and shares with no file."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")


def main(rows: int) -> None:
    """Measure and print."""
    try:
        from bench.rows import write_rows
    except ImportError:
        raise SystemExit("bench/rows.py, which writes the tables, is not here.") from None
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as temporary:
        folder = Path(temporary)
        table = folder / "rows.csv"
        write_rows(table, rows)
        command = [sys.executable, "-m", "api.cli", "load", str(table), "--format", "gdelt", "--yes"]
        with ours(folder / "data", 60) as server, Watch([server.pid], server.query_url) as watch:
            started = time.perf_counter()
            subprocess.run(
                [*command, "--dry-run", "--data", str(folder / "data")], check=True, capture_output=True
            )
            preview = time.perf_counter() - started
            started = time.perf_counter()
            subprocess.run([*command, "--data", str(folder / "data")], check=True, capture_output=True)
            whole = time.perf_counter() - started
        [delta] = (folder / "data" / "loads").glob("*/added.nq.gz")
        quads = folder / "rows.nq"
        with gzip.open(delta, "rb") as packed, quads.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        count = sum(1 for _ in quads.open("rb"))
        peer = engine_time(folder / "peer", quads)
        print(f"{rows:,} rows, {count:,} quads")
        print(f"preview            {preview:10.1f} s   {preview / whole:6.2f} of the load")
        print(f"load, with preview {whole:10.1f} s   {count / whole:10,.0f} quads/s")
        print(f"the engine's own   {peer:10.1f} s   {count / peer:10,.0f} quads/s   ratio {peer / whole:.2f}")
        print(f"memory, all processes at their peak {watch.peak / 2**20:,.0f} MiB")
        lookups = sorted(watch.lookups)
        print(
            f"{len(lookups):,} lookups meanwhile: median {lookups[len(lookups) // 2] * 1000:.1f} ms, 99% "
            f"within {lookups[int(len(lookups) * 0.99)] * 1000:.1f} ms, slowest {lookups[-1] * 1000:.1f} ms"
        )


def engine_time(store: Path, quads: Path) -> float:
    """Time `oxigraph load`, or the same loader through Python where the program is not installed."""
    beside = Path(sys.executable).parent / "oxigraph"
    program = str(beside) if beside.exists() else shutil.which("oxigraph")
    started = time.perf_counter()
    if program is not None:
        subprocess.run(
            [program, "load", "--location", str(store), "--file", str(quads)], check=True, capture_output=True
        )
    else:
        engine = pyoxigraph.Store(str(store))
        engine.bulk_load(path=str(quads), format=pyoxigraph.RdfFormat.N_QUADS)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
