"""Building the entailments anew: only what differs from those that are held is written.

What follows from single statements the engine finds by itself, one question for each class and property: it
joins on numbers and writes out no more than the answer. Only things that class expressions and transitive
properties connect are read and reasoned over here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kg.reasoning.entailment_graph import Delta
from kg.reasoning.joined_premises import together
from kg.reasoning.reachable import Neighbours
from kg.reasoning.rule_queries import Asking, chunks, entailed
from kg.reasoning.schema import TYPE, Schema
from kg.reasoning.statement_keys import Key, Members
from kg.store import Store

_BATCH: Final = 5_000


def build(store: Store, schema: Schema, delta: Delta) -> None:
    """Write what has to enter and to leave, so that what is held is what follows. Raises StoreFailedError."""
    asking = Asking(store, schema)
    jointly = together(schema, Neighbours(store, schema).everywhere())
    before = asking.any_held()
    for key, patterns in asking.sources.items():
        wanted = f"{{ {asking.said(*patterns)} }} MINUS {asking.said(key.pattern)}"
        missing = f"{wanted} MINUS {entailed(key.pattern)}" if before else wanted
        delta.enter(asking.lines(key, missing))
    for key, members in jointly.items():
        delta.enter(statements_of(key, members - asking.asserted(key, members) - asking.held(key, members)))
    for key in _held_keys(asking) if before else ():
        patterns = asking.sources.get(key, ())
        unfounded = entailed(key.pattern)
        if patterns:
            unfounded += f" MINUS {{ {asking.said(*patterns)} }}"
        delta.leave(_without(asking.lines(key, unfounded), key, jointly.get(key, set())))
        # Joined as two results: the engine would look an asserted one up for each that is held.
        said = f"{{ SELECT DISTINCT {key.variables} {{ {asking.said(key.pattern)} }} }}"
        delta.leave(asking.lines(key, f"{said} {entailed(key.pattern)}"))


def _held_keys(asking: Asking) -> list[Key]:
    properties = list(asking.query(f"SELECT DISTINCT ?p {{ {entailed('?x ?p ?y')} }}").rows())
    classes = list(asking.query(f"SELECT DISTINCT ?c {{ {entailed(f'?x {TYPE} ?c')} }}").rows())
    return [
        *(Key(str(row["p"])[1:-1]) for row in properties if row["p"] != TYPE),
        *(Key(str(row["c"])[1:-1], True) for row in classes),
    ]


def statements_of(key: Key, members: Iterable[bytes]) -> Iterator[bytes]:
    """Write statements of a key as N-Triples, some at a time."""
    for batch in chunks(members, _BATCH):
        yield b"".join(b"%b .\n" % key.statement(member) for member in batch)


def _without(pieces: Iterable[bytes], key: Key, members: Members) -> Iterator[bytes]:
    """Leave the statements of some members out."""
    kept = {b"%b .\n" % key.statement(member) for member in members}
    for piece in pieces:
        yield (
            b"".join(line for line in piece.splitlines(keepends=True) if line not in kept) if kept else piece
        )
