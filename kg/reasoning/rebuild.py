"""Rebuilding the entailments: only the differences from the stored ones are written.

Entailments with one premise are computed by the engine, with one query for each class and property: it joins
on numbers and serialises no more than the result. Only things connected by class expressions or transitive
properties are read and reasoned over here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kg.reasoning.joined_premises import joint_entailments
from kg.reasoning.reachable import Neighbours
from kg.reasoning.rule_queries import RuleQueries, chunks, entailed
from kg.reasoning.schema import TYPE, Schema
from kg.reasoning.statement_keys import Key, Members
from kg.store import Store

_BATCH: Final = 5_000


def differences(store: Store, schema: Schema) -> Iterator[tuple[bool, Iterable[bytes]]]:
    """Yield lines of N-Triples to add (False) and to remove (True), to make the stored entailments right.

    Raises StoreFailedError.
    """
    queries = RuleQueries(store, schema)
    joint = joint_entailments(schema, Neighbours(store, schema).everywhere())
    stored = _stored_keys(queries)
    for key, patterns in queries.sources.items():
        wanted = f"{{ {queries.asserts(*patterns)} }} MINUS {queries.asserts(key.pattern)}"
        missing = f"{wanted} MINUS {entailed(key.pattern)}" if stored else wanted
        yield False, queries.lines(key, missing)
    for key, members in joint.items():
        new = members - queries.asserted(key, members) - queries.stored(key, members)
        yield False, statements_of(key, new)
    for key in stored:
        patterns = queries.sources.get(key, ())
        unfounded = entailed(key.pattern)
        if patterns:
            unfounded += f" MINUS {{ {queries.asserts(*patterns)} }}"
        yield True, _without(queries.lines(key, unfounded), key, joint.get(key, set()))
        # Two subqueries are joined at once; a pattern would be looked up for each stored entailment.
        asserted = f"{{ SELECT DISTINCT {key.variables} {{ {queries.asserts(key.pattern)} }} }}"
        yield True, queries.lines(key, f"{asserted} {entailed(key.pattern)}")


def _stored_keys(queries: RuleQueries) -> list[Key]:
    properties = queries.query(f"SELECT DISTINCT ?k {{ {entailed('?x ?k ?y')} }}").rows()
    keys = [Key(str(row["k"])[1:-1]) for row in properties if row["k"] != TYPE]
    classes = queries.query(f"SELECT DISTINCT ?k {{ {entailed(f'?x {TYPE} ?k')} }}").rows()
    return [*keys, *(Key(str(row["k"])[1:-1], True) for row in classes)]


def statements_of(key: Key, members: Iterable[bytes]) -> Iterator[bytes]:
    """Write statements of a key as N-Triples, some at a time."""
    for batch in chunks(members, _BATCH):
        yield b"".join(b"%b .\n" % key.statement(member) for member in batch)


def _without(pieces: Iterable[bytes], key: Key, members: Members) -> Iterator[bytes]:
    """Leave out the statements of some members."""
    kept = {b"%b .\n" % key.statement(member) for member in members}
    if not kept:
        return iter(pieces)
    return (b"".join(line for line in piece.splitlines(True) if line not in kept) for piece in pieces)
