"""Loading against the engine's own loader: python -m bench.loading [ROWS] [--alone], 100 thousand by default.

The same triples go through `diplograph load` (read, preview, store) by a running server whose readers are
timed meanwhile, and, as N-Quads, through `oxigraph load`; with --alone no server runs, and the command works
on the folder itself. Prints times and phases, the ratio of the rates, the CPU time and the memory of all our
processes together, the slowest lookup of a reader, and when a label of the file is found by /search.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path

import httpx
import pyoxigraph

from bench.rows import write_rows
from bench.servers import TOKEN, Server, ours
from kg.load.followers import open_delta

# No two are the same, so that none is answered from what is kept.
_LOOKUP = "SELECT ?p ?o {{ <https://w3id.org/diplograph/id/country/{country}> ?p ?o }} # {number}"
_COUNTRIES = ("irn", "usa", "qat", "fra", "chn", "rus", "bra", "ind", "zaf", "egy", "mex", "jpn")
_LONG = 0.05
_READERS_EVERY = 0.02
_CONNECTIONS = 6
_PHASES_EVERY = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """Samples the memory of processes and all below them, a small lookup, /search, and a load's phases."""

    def __init__(self, data: Path, server: Server | None, label: str) -> None:
        self.peak = 0
        self.lookups: list[float] = []
        self.slowest: dict[str, float] = {}
        self.found: float | None = None
        self.phases: dict[str, float] = {}
        self.pids = [] if server is None else [server.pid]
        self._data, self._server, self._label = data, server, label
        self._now = ""
        self._done = threading.Event()
        works = [self._memory, self._phase] + ([self._look, self._search] if server else [])
        self._threads = [threading.Thread(target=work) for work in works]

    def __enter__(self) -> Watch:
        self.started = time.perf_counter()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def run(self, command: list[str]) -> float:
        """Run a command to its end; returns the seconds that it took."""
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "DIPLOGRAPH_TOKEN": TOKEN},
        )
        self.pids.append(process.pid)
        _, said = process.communicate()
        self.pids.remove(process.pid)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said.decode()}")
        return time.perf_counter() - started

    def settle(self) -> None:
        """Wait until a label of the file is found and the load's files are packed, ten minutes at most."""
        until = time.perf_counter() + 600
        while time.perf_counter() < until:
            unpacked = list(self._data.glob("loads/*/*.nq"))
            if not unpacked and (self.found is not None or self._server is None):
                return
            time.sleep(0.05)

    def _memory(self) -> None:
        while not self._done.wait(0.2):
            self.peak = max(self.peak, sum(map(resident, family(self.pids))))

    def _phase(self) -> None:
        last, since = "", time.perf_counter()
        while not self._done.wait(_PHASES_EVERY):
            now = time.perf_counter()
            phase = _phase_of(self._data)
            if phase != last:
                if last:
                    self.phases[last] = self.phases.get(last, 0.0) + now - since
                last, since = phase, now
                self._now = phase
        if last:
            self.phases[last] = self.phases.get(last, 0.0) + time.perf_counter() - since

    def _look(self) -> None:
        assert self._server is not None
        # The server answers in several processes, one of which carries out the load: all are to be asked.
        with ExitStack() as stack:
            clients = [
                stack.enter_context(httpx.Client(trust_env=False, timeout=120)) for _ in range(_CONNECTIONS)
            ]
            while not self._done.wait(_READERS_EVERY):
                clients.append(client := clients.pop(0))
                phase, started = self._now, time.perf_counter()
                number = len(self.lookups)
                query = _LOOKUP.format(country=_COUNTRIES[number % len(_COUNTRIES)], number=number)
                client.get(self._server.query_url, params={"query": query}).raise_for_status()
                took = time.perf_counter() - started
                self.lookups.append(took)
                self.slowest[phase] = max(self.slowest.get(phase, 0.0), took)

    def _search(self) -> None:
        assert self._server is not None
        url = self._server.query_url.replace("/sparql", "/search")
        with httpx.Client(trust_env=False, timeout=120, headers={"Accept": "application/json"}) as client:
            while self.found is None and not self._done.wait(0.2):
                hits = client.get(url, params={"q": self._label}).raise_for_status().json()["results"]
                if any(hit["label"] == self._label for hit in hits):
                    self.found = time.perf_counter()


def _phase_of(data: Path) -> str:
    for path in sorted((data / "loads").glob("*/state.json"))[-1:]:
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return "" if said["step"] in ("ready", "unchanged") else said["phase"] or said["step"]
    return ""


def family(pids: list[int]) -> set[int]:
    """Return processes with all that they started."""
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
    """Return the bytes that a process holds in memory and shares with no file."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")


def cpu(pid: int) -> float:
    """Return the seconds of CPU that a process and those of its children that ended have taken."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(rows: int, alone: bool) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as temporary:
        folder = Path(temporary)
        table, data = folder / "rows.csv", folder / "data"
        write_rows(table, rows)
        command = [sys.executable, "-m", "api.cli", "load", str(table), "--format", "gdelt", "--yes"]
        command += ["--data", str(data)]
        if alone:
            # The reference graphs are there, as they are beside a server.
            data.mkdir()
            subprocess.run(
                [sys.executable, "-m", "api.cli", "loads", "--data", str(data)],
                check=True,
                capture_output=True,
            )
        with (
            nullcontext() if alone else ours(data, 60) as server,
            Watch(data, server, _last_place(table)) as watch,
        ):
            preview = watch.run([*command, "--dry-run"])
            watch.phases.clear()
            watch.slowest.clear()
            before, theirs = _children(), sum(map(cpu, family(watch.pids)))
            started = time.perf_counter()
            whole = watch.run(command)
            watch.settle()
            used = _children() - before + sum(map(cpu, family(watch.pids))) - theirs
        count, quads = 0, folder / "rows.nq"
        [load] = (data / "loads").glob("*/")
        with quads.open("wb") as plain:
            for line in open_delta(load / "added.nq"):
                plain.write(line)
                count += 1
        peer, peer_used = engine_time(folder / "peer", quads)
        print(f"{rows:,} rows, {count:,} quads{', without a server' if alone else ''}")
        print(f"preview            {preview:10.1f} s   {preview / whole:6.2f} of the load")
        print(f"load, with preview {whole:10.1f} s   {count / whole:10,.0f} quads/s   CPU {used:.1f} s")
        for phase, seconds in watch.phases.items():
            slow = f"   slowest lookup {watch.slowest.get(phase, 0) * 1000:.0f} ms" if watch.lookups else ""
            print(f"  {phase:42} {seconds:10.1f} s{slow}")
        if watch.found is not None:
            print(f"  a label is found by /search after          {watch.found - started:10.1f} s")
        print(
            f"the engine's own   {peer:10.1f} s   {count / peer:10,.0f} quads/s   CPU {peer_used:.1f} s"
            f"   ratio {peer / whole:.2f}"
            + (f", to searchable {peer / (watch.found - started):.2f}" if watch.found else "")
        )
        print(f"memory, all processes at their peak {watch.peak / 2**20:,.0f} MiB")
        lookups = sorted(watch.lookups)
        if lookups:
            half, most, slowest = (
                lookups[min(int(len(lookups) * part), len(lookups) - 1)] * 1000 for part in (0.5, 0.99, 1)
            )
            long = sum(took > _LONG for took in lookups)
            print(
                f"{len(lookups):,} lookups meanwhile: median {half:.1f} ms, 99% within {most:.1f} ms,"
                f" slowest {slowest:.1f} ms; {long} took over {_LONG * 1000:g} ms"
            )


def _last_place(table: Path) -> str:
    """Find the name of a place that the file brings and nobody else knows: the last one in it."""
    name = ""
    with table.open(encoding="utf-8") as file:
        for line in file:
            at = line.rfind("\tTown ")
            if at > 0:
                name = line[at + 1 :].split("\t", 1)[0]
    return name


def engine_time(store: Path, quads: Path) -> tuple[float, float]:
    """Time `oxigraph load`, or the same loader through Python where the program is not installed.

    Returns the seconds that it took, and those of CPU.
    """
    beside = Path(sys.executable).parent / "oxigraph"
    program = str(beside) if beside.exists() else shutil.which("oxigraph")
    before = time.process_time() + _children()
    started = time.perf_counter()
    if program is not None:
        subprocess.run(
            [program, "load", "--location", str(store), "--file", str(quads)], check=True, capture_output=True
        )
    else:
        engine = pyoxigraph.Store(str(store))
        engine.bulk_load(path=str(quads), format=pyoxigraph.RdfFormat.N_QUADS)
    return time.perf_counter() - started, time.process_time() + _children() - before


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Loading against the engine's own loader")
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--alone", action="store_true", help="without a running server")
    options = parser.parse_args()
    main(options.rows, options.alone)
