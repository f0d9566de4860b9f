"""Changes of graphs, from triples and as triples."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from pyoxigraph import NamedNode, RdfFormat, Triple, parse

from kg.changes import Batch, Change, Statements

# Few lines in a batch, so that a change has several.
_BATCH = 3


def as_text(triples: Iterable[Triple]) -> Statements:
    rest = iter(triples)
    while lines := [f"{triple} .".encode() for triple in islice(rest, _BATCH)]:
        yield Batch(lines, 2)


def change_of(graph: NamedNode, added: Iterable[Triple] = (), removed: Iterable[Triple] = ()) -> Change:
    came, went = list(added), list(removed)
    return Change(graph, lambda: as_text(came), lambda: as_text(went))


def as_triples(statements: Statements) -> list[Triple]:
    lines = [line[: -batch.end] + b" ." for batch in statements for line in batch.lines]
    return [quad.triple for quad in parse(b"\n".join(lines), format=RdfFormat.N_TRIPLES)]
