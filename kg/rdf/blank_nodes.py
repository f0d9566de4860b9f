"""Replaces blank nodes by IRIs that are hashes of their statements (RDF 1.1 Concepts section 3.5)."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from pyoxigraph import BlankNode, NamedNode, Triple

from kg.rdf.sorted_lines import Watch
from kg.terms import GENID

# Steps around a node that are compared; nodes still equal then are distinguished by position in the file.
# Unbounded canonical labelling (RDFC-1.0) takes exponential time on some graphs.
_ROUNDS: Final = 64
_TICK: Final = 20_000


def skolemise(triples: Iterable[Triple], scope: str, watch: Watch | None = None) -> list[Triple]:
    """Replace blank nodes by IRIs under `terms.GENID`, equal for equal statements in the same scope.

    A node's IRI is a hash of its surroundings, so edits elsewhere in the file do not change it. Nodes of
    different scopes get different IRIs. The work is limited to 64 rounds over the statements with blank
    nodes; `watch` gets the number of nodes done in each round.
    """
    kept = list(triples)
    colours = _colours([t for t in kept if _blank(t.subject) or _blank(t.object)], scope, watch)
    names = {node: NamedNode(GENID + colour) for node, colour in colours.items()}

    def named(term: object) -> object:
        return names[term] if isinstance(term, BlankNode) else term

    return [
        Triple(named(t.subject), t.predicate, named(t.object)) if _blank(t.subject) or _blank(t.object) else t  # type: ignore[arg-type]
        for t in kept
    ]


def _colours(triples: list[Triple], scope: str, watch: Watch | None) -> dict[BlankNode, str]:
    around: dict[BlankNode, list[tuple[str, str, object]]] = defaultdict(list)
    for triple in triples:
        predicate = sys.intern(str(triple.predicate))
        if isinstance(triple.subject, BlankNode):
            around[triple.subject].append(("out", predicate, triple.object))
        if isinstance(triple.object, BlankNode):
            around[triple.object].append(("in", predicate, triple.subject))
    del triples
    colours = dict.fromkeys(around, _hash(scope))
    # A node with a unique colour keeps it, so its name depends on as little of the file as possible.
    settled: set[BlankNode] = set()
    classes = 0
    for _ in range(_ROUNDS):
        if len(settled) == len(around):
            break
        _refine(around, colours, settled, watch)
        counts = Counter(colours.values())
        settled = {node for node, colour in colours.items() if counts[colour] == 1}
        if len(counts) == classes and len(settled) < len(around):
            # One colour at a time, because its numbers may distinguish others in the next round.
            first = min(colour for colour, count in counts.items() if count > 1)
            for node, colour, place in _alike(colours, counts):
                if colour == first:
                    colours[node] = _hash(colour, str(place))
        classes = len(counts)
    for node, colour, place in _alike(colours, Counter(colours.values())):
        colours[node] = _hash(colour, str(place))
    return colours


def _refine(
    around: dict[BlankNode, list[tuple[str, str, object]]],
    colours: dict[BlankNode, str],
    settled: set[BlankNode],
    watch: Watch | None,
) -> None:
    before = dict(colours)
    for number, (node, statements) in enumerate(around.items()):
        if watch is not None and number % _TICK == 0:
            watch(number)
        if node not in settled:
            seen = sorted(
                f"{way} {predicate} {before[other] if isinstance(other, BlankNode) else other}"
                for way, predicate, other in statements
            )
            colours[node] = _hash(before[node], *seen)


def _alike(colours: dict[BlankNode, str], counts: Counter[str]) -> list[tuple[BlankNode, str, int]]:
    places: Counter[str] = Counter()
    found = []
    for node, colour in colours.items():
        if counts[colour] > 1:
            found.append((node, colour, places[colour]))
            places[colour] += 1
    return found


def _blank(term: object) -> bool:
    return isinstance(term, BlankNode)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
