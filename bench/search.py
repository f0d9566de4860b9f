"""Names: building their index, and suggestions against the lookup of one label; `python -m bench.search`."""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kg.search import SearchIndex, attach, index_of, search, suggest
from kg.store.isolated.limits import Limits
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer import Writer
from kg.terms import GRAPH, ID, ONTOLOGY

LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def main() -> None:
    """Make a store of named people, index it, measure, print."""
    parser = argparse.ArgumentParser(description="Benchmarks of the index of names")
    parser.add_argument("--names", type=int, default=20_000, help="names (300000 for the record)")
    parser.add_argument("--rounds", type=int, default=200, help="questions of each kind")
    options = parser.parse_args()
    pick = random.Random(20180101)
    words = ["".join(pick.choices(LETTERS, k=pick.randint(3, 9))) for _ in range(20_000)]
    labels = [" ".join(pick.choices(words, k=3)) for _ in range(options.names)]
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as temporary:
        folder = Path(temporary)
        store = IsolatedStore.open(folder / "store", folder / "snapshots", Limits(600, 2**31), workers=2)
        try:
            fill(store, labels)
            attach(store, SearchIndex(folder / "search.sqlite"))
            report(store, labels, options.rounds, pick)
        finally:
            store.close()


def fill(store: IsolatedStore[Writer], labels: list[str]) -> None:
    """Store one named person for each label."""
    graph = f"<{GRAPH}bench>"
    for start in range(0, len(labels), 20_000):
        lines = (
            f'<{ID}person/p{number}> {LABEL} "{label}"@en ; {TYPE} <{ONTOLOGY}Person> .'
            for number, label in enumerate(labels[start : start + 20_000], start)
        )
        store.update(f"INSERT DATA {{ GRAPH {graph} {{ {' '.join(lines)} }} }}")


def report(store: IsolatedStore[Writer], labels: list[str], rounds: int, pick: random.Random) -> None:
    """Measure building, lookups, suggestions and searches; print milliseconds and ratios."""
    started = time.perf_counter()
    index = index_of(store)
    index.rebuild(store)
    spent = time.perf_counter() - started
    print(f"{'index built':28} {spent:10.2f} s   {len(labels) / spent:12,.0f} names/s")
    chosen = [pick.randrange(len(labels)) for _ in range(rounds)]
    lookup = median(
        lambda n: list(store.query(f"SELECT ?l {{ <{ID}person/p{n}> {LABEL} ?l }}").rows()), chosen
    )
    rows = {
        "one label by IRI": lookup,
        "suggestion, 1 letter": median(lambda n: suggest(store, labels[n][:1], 8), chosen),
        "suggestion, 3 letters": median(lambda n: suggest(store, labels[n][:3], 8), chosen),
        "suggestion, 2 words": median(lambda n: suggest(store, labels[n][:12], 8), chosen),
        "search, whole name": median(lambda n: search(store, labels[n], 20), chosen),
        "search, part of a word": median(lambda n: search(store, labels[n][1:5], 20), chosen[:20]),
    }
    for name, milliseconds in rows.items():
        print(f"{name:28} {milliseconds:10.3f} ms  {milliseconds / lookup:8.2f} times one lookup")


def median(ask: Callable[[int], object], chosen: list[int]) -> float:
    """Return the median time of a question, in milliseconds."""
    times = []
    for number in chosen:
        started = time.perf_counter()
        ask(number)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    main()
