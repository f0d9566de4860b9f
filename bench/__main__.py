"""Run every benchmark: `make bench`, or `python -m bench --events 300000`."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pyoxigraph

from bench.client import drive, time_query
from bench.events import write_events
from bench.servers import Server, ours, oxigraph, running
from kg.terms import ID, ONTOLOGY

PREFIX = f"PREFIX dg: <{ONTOLOGY}> PREFIX id: <{ID}> "
LOOKUPS = [f"SELECT ?p ?o {{ <{ID}record/bench-{n * 37}> ?p ?o }}" for n in range(2000)]
QUERIES = {
    "count of records": "SELECT (COUNT(*) AS ?n) { ?r a dg:CodingRecord }",
    "records of an actor": "SELECT (COUNT(*) AS ?n) { ?r dg:codedActor <A>country/a00> }",
    "top pairs": "SELECT ?a ?b (COUNT(*) AS ?n) { ?r dg:codedActor ?a ; dg:codedRecipient ?b } "
    "GROUP BY ?a ?b ORDER BY DESC(?n) LIMIT 10",
    "mean by type": "SELECT ?t (AVG(?g) AS ?m) { ?r dg:eventType ?t ; dg:goldstein ?g } GROUP BY ?t",
    "dyad, newest first": "SELECT ?r ?d { ?r dg:codedActor <A>country/a00> ; "
    "dg:codedRecipient <A>country/a01> ; dg:time ?t . ?t dg:begin ?d } ORDER BY DESC(?d) LIMIT 50",
    "one day": "SELECT ?r ?a { ?r dg:time <A>time/2018-01-01> ; dg:codedActor ?a }",
    "100,000 rows": "SELECT ?r ?a { ?r dg:codedActor ?a } LIMIT 100000",
}


def main() -> None:
    """Build the data, start the servers, measure, print."""
    parser = argparse.ArgumentParser(description="Benchmarks of diplograph against peers")
    parser.add_argument(
        "--events", type=int, default=30_000, help="events of ten quads each (300000 for the record)"
    )
    parser.add_argument("--seconds", type=float, default=5, help="length of each run of lookups")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        build(folder, options.events)
        servers = [stack.enter_context(running(*ours(folder / "data")))]
        peer = oxigraph(folder / "peer")
        if peer is None:
            print("The Oxigraph server is not installed (pip install oxigraph): no ratios.")
        else:
            servers.append(stack.enter_context(running(*peer)))
        report(servers, options.seconds)


def build(folder: Path, events: int) -> None:
    """Make one store and a copy of it for the peer."""
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


def report(servers: list[Server], seconds: float) -> None:
    """Measure each scenario on each server, side by side; the ratio is ours to the peer's."""
    names = [server.name for server in servers]
    print(f"\n{'scenario':34}" + "".join(f"{name:>16}" for name in names) + "   ratio")
    for title, queries in {
        "lookups, first time (1/s)": LOOKUPS,
        "lookups, repeated (1/s)": LOOKUPS[:1],
    }.items():
        rates = [drive(server.query_url, queries, seconds=seconds).per_second for server in servers]
        line(title, [f"{rate:,.0f}" for rate in rates], rates)
    for title, query in QUERIES.items():
        text = PREFIX + query.replace("<A>", f"<{ID}")
        times = [time_query(server.query_url, text) for server in servers]
        line(f"{title} (ms)", [f"{t * 1000:,.1f}" for t in times], times)


def line(title: str, shown: list[str], values: list[float]) -> None:
    """Print one line of the table."""
    ratio = f"{values[0] / values[1]:8.2f}" if len(values) > 1 else ""
    print(f"{title:34}" + "".join(f"{text:>16}" for text in shown) + ratio)


if __name__ == "__main__":
    main()
