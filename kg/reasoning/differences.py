"""Differences between the stored entailments and the right ones, after a change or in the whole store.

Added statements end no entailment, but what they assert is no longer entailed. Removed statements may end
entailments: each is removed first, and added back if the remaining statements still entail it.

In the whole store, entailments with one premise are computed by the engine, with one query for each class and
property: it joins on numbers and serialises no more than the result. Only things connected by class
expressions or transitive properties are read and reasoned over here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from kg.reasoning.joined_premises import joint_entailments
from kg.reasoning.reachable import Neighbours
from kg.reasoning.rule_queries import RuleQueries, chunks, entailed
from kg.reasoning.schema import TYPE, Schema
from kg.reasoning.single_premise import ChangePart
from kg.reasoning.statement_keys import Fact, Key, Members
from kg.store import Store

_BATCH: Final = 5_000
ByKey = dict[Key, Members]


@dataclass
class Step:
    """Entailments to add and to remove, by key."""

    added: ByKey = field(default_factory=lambda: defaultdict(set))
    removed: ByKey = field(default_factory=lambda: defaultdict(set))

    def __bool__(self) -> bool:
        return any(self.added.values()) or any(self.removed.values())


def step_for(store: Store, schema: Schema, part: ChangePart, *, gone: bool) -> Step:
    """Compute the step for statements that were removed (`gone`) or added; the store holds the change.

    Raises StoreFailedError.
    """
    queries = RuleQueries(store, schema)
    step = _single_after_removal(queries, part) if gone else _single_after_addition(queries, part)
    changed = step.removed if gone else step.added
    keys = [Key(name, True) for name in schema.expressed]
    retyped: Members = set().union(
        *(some.get(key, ()) for key in keys for some in (part.entailable, changed))
    )
    if retyped or part.joining:
        _add_joint(queries, Neighbours(store, schema), schema, step, part.joining, retyped, gone=gone)
    return step


def _single_after_addition(queries: RuleQueries, part: ChangePart) -> Step:
    step = Step()
    for key in part.keys:
        own = part.entailable.get(key, set())
        new = part.candidates.get(key, set()) - own
        new -= queries.asserted(key, new)
        stored = queries.stored(key, new | own)
        step.added[key] = new - stored
        step.removed[key] = own & stored
    return step


def _single_after_removal(queries: RuleQueries, part: ChangePart) -> Step:
    step = Step()
    # Most removed things have no statements left, which one query finds for all classes.
    things = {x for key in part.keys if key.of_class for x in _affected(part, key)}
    known = queries.matching(things, ("?x ?p ?other", "?other ?p ?x"))
    for key in part.keys:
        members = _affected(part, key)
        supported = queries.supported(key, members & known if key.of_class else members)
        only_entailed = supported - queries.asserted(key, supported)
        stored = queries.stored(key, members)
        step.added[key] = only_entailed - stored
        step.removed[key] = stored - only_entailed
    return step


def _affected(part: ChangePart, key: Key) -> Members:
    return part.candidates.get(key, set()) | part.entailable.get(key, set())


def _add_joint(
    queries: RuleQueries,
    near: Neighbours,
    schema: Schema,
    step: Step,
    moved: set[Fact],
    retyped: Members,
    *,
    gone: bool,
) -> None:
    """Add to a step the entailments with several premises, of the things that the change reaches."""
    start = near.starting_points(moved, retyped)
    if not start:
        return
    most = near.are_most(start)
    facts = near.everywhere() if most else set()
    touched = start | near.ends_of(facts) if most else near.reached(start, moved)
    if gone:
        for key, members in near.entailed(touched).items():
            doubtful = members - step.removed[key]
            step.removed[key] |= doubtful - queries.supported(key, doubtful)
    if not most:
        added: dict[bytes, set[Fact]] = defaultdict(set)
        for fact in _facts(step.added):
            added[fact[0]].add(fact)
        facts = near.surroundings(touched, added)
        if gone:
            facts -= _facts(step.removed)
    for key, members in joint_entailments(schema, facts).items():
        found = {member for member in members if member.partition(b" ")[0] in touched}
        found -= queries.asserted(key, found)
        step.removed[key] -= found
        step.added[key] |= found - queries.stored(key, found)


def _facts(by_key: ByKey) -> set[Fact]:
    return {key.fact(member) for key, members in by_key.items() for member in members}


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
