"""Entailments beside the load they follow: `python -m bench.materialise --events 62000` (1M triples).

Half of the events have an interaction, so that class expressions have work. Prints the time of the load (by
the engine alone; by ours as records of a table, and as RDF that the shapes check; ours without what follows
it), of building all entailments, and of following an addition of 1,000 events and its undoing. Seconds are of
the clock, with those of processors behind them: on a machine that others use, only the latter tell something.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat, Triple

from bench.events import LABEL, RDF_TYPE, TYPES
from kg.changes import Batch, Change
from kg.load import LoadRequest, Loads, install, prepare, store_load
from kg.load.staged import staging
from kg.readers.detect import find_reader
from kg.readers.reading import ReadingJob
from kg.readers.record import Record
from kg.reasoning import Entailments
from kg.store import EmbeddedStore
from kg.terms import GRAPH, GRAPH_ENTAILMENTS, ID, ONTOLOGY, term

_INTERVAL = term("time:ProperInterval")


_COUNTRIES = (
    "usa",
    "irn",
    "rus",
    "chn",
    "gbr",
    "fra",
    "deu",
    "isr",
    "jpn",
    "ind",
    "qat",
    "tur",
    "egy",
    "nga",
)
_MONTHS = [f"20{year}-{month:02}" for year in range(10, 25) for month in range(1, 13)]
_LABEL_END = '"@en .\n'


def shared() -> Iterator[str]:
    """Write what all events speak of: a source, months."""
    source = f"<{ID}source/bench>"
    yield f'{source} {RDF_TYPE} <{ONTOLOGY}Article> .\n{source} {LABEL} "a source{_LABEL_END}'
    for month in _MONTHS:
        interval = f"<{ID}time/{month}>"
        yield f"{interval} {RDF_TYPE} {_INTERVAL} .\n"
        yield f'{interval} {LABEL} "{month}{_LABEL_END}'
        yield f"{interval} <{ONTOLOGY}precision> <{ID}time-precision/month> .\n"


def lines(first: int, events: int, seed: int = 20180101) -> Iterator[str]:
    """Write events as N-Triples that the shapes accept, seventeen or eighteen statements each."""
    pick = random.Random(seed + first)
    for number in range(first, first + events):
        event = f"<{ID}event/bench-{number}>"
        one, two = (f"<{ID}country/{name}>" for name in pick.sample(_COUNTRIES, 2))
        yield f"{event} {RDF_TYPE} <{ONTOLOGY}Event> .\n"
        yield f'{event} {LABEL} "event {number}{_LABEL_END}'
        yield f"{event} <{ONTOLOGY}actor> {one} .\n"
        yield f"{event} <{ONTOLOGY}recipient> {two} .\n"
        yield f"{event} <{ONTOLOGY}origin> {one} .\n"
        yield f"{event} <{ONTOLOGY}eventType> <{ID}event-type/{pick.choice(TYPES)}> .\n"
        yield f"{event} <{ONTOLOGY}time> <{ID}time/{pick.choice(_MONTHS)}> .\n"
        claim = f"<{ID}claim/bench-{number}>"
        yield f"{claim} {RDF_TYPE} <{ONTOLOGY}Claim> .\n"
        yield f'{claim} {LABEL} "claim {number}{_LABEL_END}'
        yield f"{claim} <{ONTOLOGY}about> {event} .\n"
        yield f"{claim} <{ONTOLOGY}modality> <{ID}modality/happened> .\n"
        yield f"{claim} <{ONTOLOGY}statedIn> <{ID}source/bench> .\n"
        yield f"{claim} <{ONTOLOGY}saidBy> <{ID}source/bench> .\n"
        if number % 2:
            meeting = f"<{ID}interaction/bench-{number}>"
            character = pick.choice(("cooperative", "conflictual", "neutral"))
            yield f"{event} <{ONTOLOGY}hasInteraction> {meeting} .\n"
            yield f"{meeting} {RDF_TYPE} <{ONTOLOGY}Interaction> .\n"
            yield f'{meeting} {LABEL} "meeting {number}{_LABEL_END}'
            yield f"{meeting} <{ONTOLOGY}party> {one} .\n"
            yield f"{meeting} <{ONTOLOGY}party> {two} .\n"
            yield f"{meeting} <{ONTOLOGY}character> <{ID}character/{character}> .\n"


def main() -> None:
    """Load, build, add, undo; print seconds and the ratio to the load."""
    parser = argparse.ArgumentParser(description="The cost of entailments")
    parser.add_argument("--events", type=int, default=6_200)
    parser.add_argument("--added", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as temporary:
        folder = Path(temporary)
        store = EmbeddedStore(folder / "store")
        install(store)
        file = folder / "events.nt"
        with file.open("w", encoding="utf-8") as out:
            out.writelines(shared())
            out.writelines(lines(0, options.events))
        graph = NamedNode(GRAPH + "bench")
        before = len(store.engine)
        bare = took(
            lambda: store.engine.bulk_load(path=str(file), format=RdfFormat.N_TRIPLES, to_graph=graph)
        )
        loaded = len(store.engine) - before
        print(f"{loaded:,} triples put in by the engine alone in {bare}")
        table = own_load(folder / "table", file, "bench", lambda *_, **__: Rows())
        print(f"the same by a load of ours as records of a table, preview and commit, in {table}")
        checked = own_load(folder / "checked", file, "bench.nt")
        print(f"the same by a load of ours as RDF, checked by the shapes, in {checked}")
        follower = Entailments()
        build = took(lambda: follower.rebuild(store))
        print(
            f"{count(store):,} entailments built in {build}: {build / bare:.2f} times the engine alone, "
            f"{build / table:.2f} times a load as records, {build / checked:.2f} times a load as RDF"
        )
        added = read("".join(lines(options.events, options.added)).encode())
        extra = NamedNode(GRAPH + "bench-more")
        quads = [Quad(t.subject, t.predicate, t.object, extra) for t in added]
        write = took(lambda: store.change((), quads))
        came = Change(extra, lambda: as_text(added), lambda: iter(()))
        follow = took(lambda: follower.follow(store, came))
        print(f"{options.added:,} events more: written in {write}, followed in {follow}")
        store.change(quads, ())
        went = Change(extra, lambda: iter(()), lambda: as_text(added))
        print(f"undone: followed in {took(lambda: follower.follow(store, went))}; {count(store):,} left")
        store.close()


def read(data: bytes) -> list[Triple]:
    """Parse N-Triples."""
    return [quad.triple for quad in pyoxigraph.parse(data, format=RdfFormat.N_TRIPLES)]


def count(store: EmbeddedStore) -> int:
    """Count the entailments."""
    return sum(1 for _ in store.engine.quads_for_pattern(None, None, None, GRAPH_ENTAILMENTS))


@dataclass(frozen=True)
class Spent:
    """Seconds: of the clock, and of this process's processors."""

    clock: float
    processors: float

    def __str__(self) -> str:
        return f"{self.clock:.2f} s ({self.processors:.2f} s of processors)"

    def __truediv__(self, other: Spent) -> float:
        return self.processors / other.processors


def as_text(triples: Iterable[Triple]) -> Iterator[Batch]:
    """Yield triples as a follower gets them."""
    yield Batch([f"{triple} .".encode() for triple in triples], 2)


def took(work: Callable[[], object]) -> Spent:
    """Measure a piece of work."""
    clock, processors = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - clock, time.process_time() - processors)


class Rows:
    """Reads the events as a table of ours is read: a record for each, which needs no shapes."""

    codes_records = False

    layout = None

    def rows(self, job: ReadingJob) -> Iterator[Record]:
        """Yield the records."""
        with job.parts[0].open() as file:
            for number, (event, some) in enumerate(groupby(file, lambda line: line.split(b" ", 1)[0]), 1):
                yield Record(event[1:-1].decode(), "Event", b"".join(some), number)


def own_load(folder: Path, file: Path, name: str, find: Callable[..., Any] = find_reader) -> Spent:
    """Measure our own load of a file, into a store of its own."""
    store, loads = EmbeddedStore(folder / "store"), Loads(folder / "loads")
    install(store)
    made, _ = loads.new(name)
    try:

        def load() -> None:
            staging.find_reader = find
            prepare(store, made, LoadRequest(file, name))
            store_load(store, loads, made)

        return took(load)
    finally:
        store.close()


if __name__ == "__main__":
    main()
