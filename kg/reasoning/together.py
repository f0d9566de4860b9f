"""What follows from statements that have to be looked at together.

Links first: the reasoner closes the relations (transitivity, chains). Then classes: things that are said to
be the same, and that lead to the same in the same way, are of the same classes; one specimen of each sort is
enough for the reasoner, however many things there are. An intersection of named classes alone is not looked
at for a thing without links that a class expression speaks of; the ontology has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from pyoxigraph import NamedNode, Triple

from kg.reasoning.schema import TYPE, Schema, keeps, reason
from kg.store import Term

_SORT: Final = "urn:x-diplograph:sort:"


def together(schema: Schema, facts: Iterable[Triple]) -> Iterator[Triple]:
    """Give what follows from facts that are closed already under what follows from each one alone."""
    known = set(facts)
    links = set(_links(schema, known))
    yield from links - known
    more = {found for link in links for found in schema.follows(link)}
    yield from more - known
    yield from _classes(schema, known | links | more)


def _links(schema: Schema, facts: set[Triple]) -> Iterator[Triple]:
    relations = [
        t for t in facts if t.predicate.value in schema.relational and isinstance(t.object, NamedNode)
    ]
    if not relations:
        return
    for s, p, o in reason([*schema.ontology, *relations]):
        if p != TYPE.value and s != o and keeps(p):
            yield Triple(NamedNode(s), NamedNode(p), NamedNode(o))


def _classes(schema: Schema, facts: set[Triple]) -> Iterator[Triple]:
    types: dict[NamedNode, set[object]] = defaultdict(set)
    leads: dict[NamedNode, list[tuple[str, Term]]] = defaultdict(list)
    for t in facts:
        if not isinstance(t.subject, NamedNode):
            continue
        if t.predicate == TYPE:
            types[t.subject].add(t.object)
        elif t.predicate.value in schema.restricted:
            leads[t.subject].append((t.predicate.value, t.object))
            if schema.universal and isinstance(t.object, NamedNode):
                leads[t.object].append(("^" + t.predicate.value, t.subject))
    sorts = _sorts(schema, types, leads)
    members: dict[int, list[NamedNode]] = defaultdict(list)
    for thing, number in sorts.items():
        members[number].append(thing)
    specimens = []
    for number, things in members.items():
        one = things[0]
        node = NamedNode(f"{_SORT}{number}")
        specimens += [Triple(node, TYPE, c) for c in types[one] if isinstance(c, NamedNode)]
        for name, far in leads[one]:
            if not name.startswith("^"):
                if isinstance(far, NamedNode) and name not in schema.valued:
                    far = NamedNode(f"{_SORT}{sorts[far]}")
                specimens.append(Triple(node, NamedNode(name), far))
    for s, p, o in reason([*schema.of_classes, *specimens]):
        if not s.startswith(_SORT) or o.startswith(_SORT):
            continue
        if (p == TYPE.value and keeps(o)) or (p != TYPE.value and keeps(p)):
            predicate, value = NamedNode(p), NamedNode(o)
            for thing in members[int(s[len(_SORT) :])]:
                found = Triple(thing, predicate, value)
                if found not in facts:
                    yield found


def _sorts(
    schema: Schema,
    types: dict[NamedNode, set[object]],
    leads: dict[NamedNode, list[tuple[str, Term]]],
) -> dict[NamedNode, int]:
    """Sort things so that those of one sort cannot be told apart by class expressions, ever more finely."""
    things = {*leads, *(o for pairs in leads.values() for _, o in pairs if isinstance(o, NamedNode))}
    sorts: dict[NamedNode, int] = dict.fromkeys(things, 0)
    count = 0
    while True:
        numbers: dict[object, int] = {}
        finer = {}
        for thing in things:
            ways = frozenset(
                (name, sorts[far] if isinstance(far, NamedNode) and name not in schema.valued else far)
                for name, far in leads.get(thing, ())
            )
            key = (sorts[thing], frozenset(types.get(thing, ())), ways)
            finer[thing] = numbers.setdefault(key, len(numbers))
        if len(numbers) == count:
            return finer
        sorts, count = finer, len(numbers)
