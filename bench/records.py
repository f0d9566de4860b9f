# ruff: noqa: E501 - a query a line
"""Questions over coding records, from tables and from quads: python -m bench.records [ROWS], 100 thousand by default.

The same state of a store is asked by both in one process. Prints the milliseconds of each, first and repeated,
and their ratio. With --random N, N random queries are compared instead; --data names a folder that has the
records already.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random

from bench.rows import write_rows
from kg.catalogue import read_catalogue
from kg.load import install
from kg.store import EmbeddedStore
from kg.table.current import current_tables
from kg.table.routed_store import RoutedStore
from tests.kg.table.both_ways import BothWays
from tests.kg.table.random_queries import PREFIXES, RandomQuery
from tests.kg.table.rich_queries import RichQuery

_OF_USA = "{ ?r dg:codedActor country:usa } UNION { ?r dg:codedRecipient country:usa }"
QUESTIONS = {
    "records per type": "SELECT ?type (COUNT(*) AS ?n) { ?r a dg:CodingRecord ; dg:eventType ?type } GROUP BY ?type ORDER BY DESC(?n) ?type",
    "busiest pairs": "SELECT ?a ?b (COUNT(*) AS ?n) { ?r dg:codedActor ?a ; dg:codedRecipient ?b } GROUP BY ?a ?b ORDER BY DESC(?n) ?a ?b LIMIT 20",
    "mean Goldstein by month": "SELECT ?month (AVG(?g) AS ?mean) (COUNT(?r) AS ?n) { ?r a dg:CodingRecord ; dg:goldstein ?g ; dg:time/dg:begin ?d BIND(SUBSTR(STR(?d), 1, 7) AS ?month) } GROUP BY ?month ORDER BY ?month",
    "tone by year and month": "SELECT ?y ?m (AVG(?t) AS ?mean) (MIN(?t) AS ?low) (MAX(?t) AS ?high) { ?r dg:averageTone ?t ; dg:time ?i . ?i dg:begin ?d } GROUP BY (YEAR(?d) AS ?y) (MONTH(?d) AS ?m) ORDER BY ?y ?m",
    "timeline of an actor": f"SELECT ?month (COUNT(DISTINCT ?r) AS ?n) {{ {_OF_USA} ?r dg:time/dg:begin ?d BIND(SUBSTR(STR(?d), 1, 7) AS ?month) }} GROUP BY ?month ORDER BY ?month",
    "records in half a year": "SELECT (COUNT(*) AS ?n) { ?r a dg:CodingRecord ; dg:time/dg:begin ?d FILTER(?d >= '2016-01-01'^^xsd:date && ?d < '2016-07-01'^^xsd:date) }",
    "mean by country of the place": "SELECT ?c (COUNT(*) AS ?n) (AVG(?g) AS ?mean) { ?r dg:codedPlace ?place ; dg:goldstein ?g . ?place dg:country ?c } GROUP BY ?c ORDER BY DESC(?n) ?c",
    "articles by actor": "SELECT ?a (COUNT(DISTINCT ?s) AS ?n) { ?r dg:codedActor ?a ; dg:codedFrom ?s } GROUP BY ?a ORDER BY DESC(?n) ?a LIMIT 30",
}


def main() -> None:
    """Load the rows, ask, print."""
    parser = argparse.ArgumentParser(description="Questions over coding records, from tables and from quads")
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--data", type=Path, help="a data folder that has records already")
    parser.add_argument("--random", type=int, default=0, help="compare so many random queries instead")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="diplograph-bench-")))
        data = options.data or load(folder, options.rows)
        store = EmbeddedStore(data / "store")
        store.backup(folder / "snapshot")
        store.close()
        find = partial(current_tables, folder=data / "tables")
        both = BothWays(
            RoutedStore.open(folder / "snapshot", find), EmbeddedStore.open_snapshot(folder / "snapshot")
        )
        if options.random:
            compare(both, options.random, options.seed)
        else:
            measure(both)
        both.close()


def load(folder: Path, rows: int) -> Path:
    """Load made rows into a new data folder and return it."""
    data, table = folder / "data", folder / "rows.export.CSV"
    store = EmbeddedStore(data / "store")
    install(store)
    store.close()
    write_rows(table, rows)
    started = time.perf_counter()
    command = [sys.executable, "-m", "api.cli", "load", str(table), "--data", str(data), "--yes"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    size = sum(path.stat().st_size for path in (data / "tables").iterdir())
    print(
        f"{rows:,} rows loaded in {time.perf_counter() - started:.0f} s; {size / rows:.0f} bytes a row in the table"
    )
    return data


def measure(both: BothWays) -> None:
    """Print how long each question takes with tables and without."""
    questions = {name: read_catalogue()[name].text for name in ("monthly-balance", "coding-records")}
    questions |= {name: PREFIXES + text for name, text in QUESTIONS.items()}
    print(f"{'question':30} {'quads ms':>9} {'tables, first':>14} {'tables, again':>14} {'ratio':>7}")
    for name, text in questions.items():
        ours = [timed(both.routed, text) for _ in range(4)]
        theirs, rows = min(timed(both.plain, text) for _ in range(2))
        assert {found for _, found in ours} == {rows}, name
        again = min(seconds for seconds, _ in ours[1:])
        engine = both.routed.plan(text).engine
        print(
            f"{name:30} {1000 * theirs:9.0f} {1000 * ours[0][0]:14.1f} {1000 * again:14.1f} "
            f"{theirs / again:6.0f}x{'' if engine == 'sql' else ' (from quads)'}"
        )


def timed(store: EmbeddedStore, text: str) -> tuple[float, int]:
    """Return the seconds that a query takes, and its number of rows."""
    started = time.perf_counter()
    rows = sum(1 for _ in store.query(text).rows())
    return time.perf_counter() - started, rows


def compare(both: BothWays, number: int, seed: int) -> None:
    """Compare the answers to random queries; raises AssertionError with the first that differ."""
    found = Counter[str]()
    for one in range(number):
        kind = RichQuery if one % 2 else RandomQuery
        text = kind(Random(seed * 1_000_003 + one)).text
        if both.is_routed(text):
            found["with rows" if both.same(text) else "empty"] += 1
        else:
            found["not answered from tables"] += 1
    print(dict(found))


if __name__ == "__main__":
    main()
