"""Run every benchmark: `make bench`, or `python -m bench --events 300000`."""

from __future__ import annotations

import argparse
import http.client
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pyoxigraph

from bench import scenarios
from bench.events import write_events
from bench.servers import Server, ours, oxigraph, virtuoso

FAULTS = (RuntimeError, OSError, http.client.HTTPException)


def main() -> None:
    """Build the data, start the servers, measure, print."""
    parser = argparse.ArgumentParser(description="Benchmarks of diplograph against peers")
    parser.add_argument("--events", type=int, default=300_000, help="events of ten quads each")
    parser.add_argument("--seconds", type=float, default=5, help="length of each run of lookups")
    parser.add_argument("--stream", type=float, default=1024, help="MiB of the streamed result")
    parser.add_argument("--without-virtuoso", action="store_true", help="leave it out where it is installed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        quads = build(folder, options.events)
        started = time.perf_counter()
        servers = [stack.enter_context(ours(folder / "data", timeout=120))]
        print(f"diplograph answered {time.perf_counter() - started:.1f} s after its start")
        peers: list[Server | None] = [stack.enter_context(oxigraph(folder / "peer"))]
        if not options.without_virtuoso:
            peers.append(stack.enter_context(virtuoso(folder / "virtuoso", folder / "events.nq", quads)))
        servers += [peer for peer in peers if peer is not None]
        for name, peer in zip(("The Oxigraph server", "Virtuoso"), peers, strict=False):
            if peer is None:
                print(f"{name} is not installed: no figures of it.")
        report(servers, options.events, options.seconds, int(options.stream * 2**20))


def build(folder: Path, events: int) -> int:
    """Make one store and a copy of it for the peer; give the number of quads."""
    started = time.perf_counter()
    quads = write_events(folder / "events.nq", events)
    store = folder / "data" / "store"
    store.mkdir(parents=True)
    engine = pyoxigraph.Store(str(store))
    engine.bulk_load(path=str(folder / "events.nq"), format=pyoxigraph.RdfFormat.N_QUADS)
    engine.optimize()
    engine.flush()
    del engine
    shutil.copytree(store, folder / "peer")
    print(f"{quads:,} quads written and loaded in {time.perf_counter() - started:.1f} s")
    return quads


def report(servers: list[Server], events: int, seconds: float, size: int) -> None:
    """Measure each scenario on each server, side by side; ratios are ours to each peer's."""
    titles = "".join(f"{server.name:>14}" for server in servers)
    ratios = "".join(f"{'to ' + server.name:>15}" for server in servers[1:])
    print(f"\n{'scenario':44}{titles}{ratios}")
    line(
        "lookups for the first time, 8 connections (1/s)",
        servers,
        lambda s: scenarios.cold(s, events, seconds),
    )
    line("lookups repeated, 8 connections (1/s)", servers, lambda s: scenarios.repeated(s, events, seconds))
    for title, query in scenarios.QUERIES.items():
        line(f"{title} (ms)", servers, lambda s, query=query: scenarios.one(s, query))
    line("100,000 rows (ms)", servers, lambda s: scenarios.one(s, scenarios.ROWS))
    mixed = both(servers, lambda s: scenarios.mixed(s, events, seconds))
    line("lookups beside a writer (1/s)", servers, lambda s: mixed[s.name][0])
    line("its updates beside them (1/s)", servers, lambda s: mixed[s.name][1])
    hostile = both(servers, lambda s: scenarios.beside_hostile(s, events, seconds))
    line("p95 of lookups alone (ms)", servers, lambda s: hostile[s.name][0])
    line("p95 of lookups beside a hostile query (ms)", servers, lambda s: hostile[s.name][1])
    line("  the second to the first", servers, lambda s: hostile[s.name][1] / hostile[s.name][0])
    growth = f"growth while {size / 2**20:,.0f} MiB stream (MiB)"
    line(growth, servers, lambda s: scenarios.front_memory(s, size))


def both(
    servers: list[Server], measure: Callable[[Server], tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Measure a scenario of two figures; one that a server cannot do gives none."""
    found = {}
    for server in servers:
        try:
            found[server.name] = measure(server)
        except FAULTS as error:
            print(f"  {server.name}: {error}")
            found[server.name] = (float("nan"), float("nan"))
    return found


def line(title: str, servers: list[Server], measure: Callable[[Server], float]) -> None:
    """Measure and print one line of the table."""
    values = []
    for server in servers:
        try:
            values.append(measure(server))
        except FAULTS as error:
            print(f"  {server.name}: {error}")
            values.append(float("nan"))
    shown = "".join(f"{value:>14,.{0 if value >= 1000 else 1}f}" for value in values)
    ratios = "".join(f"{values[0] / value if value else float('nan'):>15.2f}" for value in values[1:])
    print(f"{title:44}{shown}{ratios}", flush=True)


if __name__ == "__main__":
    main()
