"""Entailments beside the load they follow: `python -m bench.materialise --events 85000` (1M triples).

Half of the events have an interaction, so that class expressions have work. Prints the time of
the load, of building all entailments, and of following an addition of 1,000 events and its undoing.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat, Triple

from bench.events import ACTORS, LABEL, RDF_TYPE, TYPES
from kg.changes import Change
from kg.load import install
from kg.reasoning import Entailments
from kg.store import EmbeddedStore
from kg.terms import GRAPH, GRAPH_ENTAILMENTS, ID, ONTOLOGY


def lines(first: int, events: int, seed: int = 20180101) -> Iterator[str]:
    """Write events as N-Triples, about twelve statements each."""
    pick = random.Random(seed + first)
    for number in range(first, first + events):
        event = f"<{ID}event/bench-{number}>"
        one, two = (f"<{ID}country/{name}>" for name in pick.sample(ACTORS, 2))
        day = f"<{ID}time/20{pick.randrange(10, 25)}-{pick.randrange(1, 13):02}>"
        yield f"{event} {RDF_TYPE} <{ONTOLOGY}Event> .\n"
        yield f'{event} {LABEL} "event {number}"@en .\n'
        yield f"{event} <{ONTOLOGY}actor> {one} .\n"
        yield f"{event} <{ONTOLOGY}recipient> {two} .\n"
        yield f"{event} <{ONTOLOGY}origin> {one} .\n"
        yield f"{event} <{ONTOLOGY}eventType> <{ID}event-type/{pick.choice(TYPES)}> .\n"
        yield f"{event} <{ONTOLOGY}time> {day} .\n"
        claim = f"<{ID}claim/bench-{number}>"
        yield f"{claim} {RDF_TYPE} <{ONTOLOGY}Claim> .\n"
        yield f"{claim} <{ONTOLOGY}about> {event} .\n"
        if number % 2:
            meeting = f"<{ID}interaction/bench-{number}>"
            character = pick.choice(("cooperative", "conflictual", "neutral"))
            yield f"{event} <{ONTOLOGY}hasInteraction> {meeting} .\n"
            yield f"{meeting} {RDF_TYPE} <{ONTOLOGY}Interaction> .\n"
            yield f"{meeting} <{ONTOLOGY}party> {one} .\n"
            yield f"{meeting} <{ONTOLOGY}party> {two} .\n"
            yield f"{meeting} <{ONTOLOGY}character> <{ID}character/{character}> .\n"


def main() -> None:
    """Load, build, add, undo; print seconds and the ratio to the load."""
    parser = argparse.ArgumentParser(description="The cost of entailments")
    parser.add_argument("--events", type=int, default=8_500)
    parser.add_argument("--added", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as temporary:
        folder = Path(temporary)
        store = EmbeddedStore(folder / "store")
        install(store)
        file = folder / "events.nt"
        with file.open("w", encoding="utf-8") as out:
            out.writelines(lines(0, options.events))
        graph = NamedNode(GRAPH + "bench")
        before = len(store.engine)
        load = took(
            lambda: store.engine.bulk_load(path=str(file), format=RdfFormat.N_TRIPLES, to_graph=graph)
        )
        print(f"{len(store.engine) - before:,} triples loaded in {load:.2f} s")
        follower = Entailments()
        build = took(lambda: follower.rebuild(store))
        print(f"{count(store):,} entailments built in {build:.2f} s: {build / load:.2f} times the load")
        added = read("".join(lines(options.events, options.added)).encode())
        extra = NamedNode(GRAPH + "bench-more")
        quads = [Quad(t.subject, t.predicate, t.object, extra) for t in added]
        write = took(lambda: store.change((), quads))
        came = Change(extra, lambda: iter(added), lambda: iter(()))
        follow = took(lambda: follower.follow(store, came))
        print(f"{options.added:,} events more: written in {write:.2f} s, followed in {follow:.2f} s")
        store.change(quads, ())
        went = Change(extra, lambda: iter(()), lambda: iter(added))
        print(
            f"undone: followed in {took(lambda: follower.follow(store, went)):.2f} s; {count(store):,} left"
        )
        store.close()


def read(data: bytes) -> list[Triple]:
    """Parse N-Triples."""
    return [quad.triple for quad in pyoxigraph.parse(data, format=RdfFormat.N_TRIPLES)]


def count(store: EmbeddedStore) -> int:
    """Count the entailments."""
    return sum(1 for _ in store.engine.quads_for_pattern(None, None, None, GRAPH_ENTAILMENTS))


def took(work: Callable[[], object]) -> float:
    """Give the seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
