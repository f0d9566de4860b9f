"""Bringing the entailments in step with a change: what has to enter and to leave, for one stretch of it.

What came takes no entailment away, but what it asserts is entailed no longer. What went takes away what no
other statement gives: that is taken for gone first, and comes back where the rest still gives it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from kg.reasoning.joined_premises import Fact, together
from kg.reasoning.reachable import Neighbours
from kg.reasoning.rule_queries import Asking
from kg.reasoning.schema import Schema
from kg.reasoning.single_premise import Told
from kg.reasoning.statement_keys import Key, Members
from kg.store import Store

Kept = dict[Key, Members]


@dataclass
class Step:
    """What enters the graph of entailments and what leaves it, by key."""

    entering: Kept = field(default_factory=lambda: defaultdict(set))
    leaving: Kept = field(default_factory=lambda: defaultdict(set))

    def __bool__(self) -> bool:
        return any(self.entering.values()) or any(self.leaving.values())


def step_for(store: Store, schema: Schema, told: Told, *, gone: bool) -> Step:
    """Work out what a stretch of a change asks for; the store holds the change already.

    Raises StoreFailedError.
    """
    asking = Asking(store, schema)
    step = _alone_gone(asking, told) if gone else _alone_come(asking, told)
    typed: Members = set()
    for name in schema.expressed:
        key = Key(name, True)
        typed |= told.own.get(key, set()) | (step.leaving if gone else step.entering).get(key, set())
    if typed or told.joining:
        near = Neighbours(store, schema)
        begun = near.begun(told.joining, typed)
        if begun:
            _jointly(asking, near, schema, step, begun, told.joining, gone=gone)
    return step


def _alone_come(asking: Asking, told: Told) -> Step:
    step = Step()
    for key in told.keys:
        own = told.own.get(key, set())
        new = told.candidates.get(key, set()) - own
        new -= asking.asserted(key, new)
        held = asking.held(key, new | own)
        step.entering[key] = new - held
        step.leaving[key] = own & held
    return step


def _alone_gone(asking: Asking, told: Told) -> Step:
    step = Step()
    # Of most of what went nothing is left, which one question tells for all classes.
    things = {x for key in told.keys if key.of_class for x in _both(told, key)}
    known = asking.known(things)
    for key in told.keys:
        members = _both(told, key)
        supported = asking.supported(key, members & known if key.of_class else members)
        free = supported - asking.asserted(key, supported)
        held = asking.held(key, members)
        step.entering[key] = free - held
        step.leaving[key] = held - free
    return step


def _both(told: Told, key: Key) -> Members:
    return told.candidates.get(key, set()) | told.own.get(key, set())


def _jointly(
    asking: Asking,
    near: Neighbours,
    schema: Schema,
    step: Step,
    begun: Members,
    moved: set[Fact],
    *,
    gone: bool,
) -> None:
    """Add to a step what follows from statements together, of the things that the change reaches."""
    most = near.are_most(begun)
    facts = near.everywhere() if most else set()
    touched = begun | near.ends_of(facts) if most else near.reached(begun, moved)
    if gone:
        for key, members in near.entailed(touched).items():
            doubtful = members - step.leaving[key]
            step.leaving[key] |= doubtful - asking.supported(key, doubtful)
    if not most:
        more: dict[bytes, set[Fact]] = defaultdict(set)
        for fact in _facts(step.entering):
            more[fact[0]].add(fact)
        facts = near.surroundings(touched, more)
        if gone:
            facts -= _facts(step.leaving)
    for key, members in together(schema, facts).items():
        found = {member for member in members if member.partition(b" ")[0] in touched}
        found -= asking.asserted(key, found)
        step.leaving[key] -= found
        step.entering[key] |= found - asking.held(key, found)


def _facts(kept: Kept) -> set[Fact]:
    found: set[Fact] = set()
    for key, members in kept.items():
        for member in members:
            subject, predicate, value = key.statement(member).split(b" ", 2)
            found.add((subject, predicate, value))
    return found
