"""What follows from statements that have to be looked at together.

Links first: the reasoner closes the relations (transitivity, chains). Then classes: things that are said to
be the same, and that lead to the same in the same way, are of the same classes; one specimen of each sort is
enough for the reasoner, however many things there are. An intersection of named classes alone is not looked
at for a thing without links that a class expression speaks of; the ontology has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from kg.reasoning.keys import Key, Members, key_of
from kg.reasoning.schema import TYPE, Schema, keeps, reason
from kg.reasoning.told import consequences

_SORT: Final = "urn:x-diplograph:sort:"
_TYPE: Final = str(TYPE).encode()

Fact = tuple[bytes, bytes, bytes]
"""A statement, term by term as N-Triples has them."""


def together(schema: Schema, facts: set[Fact]) -> dict[Key, Members]:
    """Give what follows from facts that are closed already under what follows from each one alone."""
    found: dict[Key, Members] = defaultdict(set)
    links = set(_links(schema, facts)) - facts
    more: set[Fact] = set()
    for link in links:
        found[key_of(*link[1:])].add(b"%b %b" % (link[0], link[2]))
        for key, member in consequences(schema, link):
            found[key].add(member)
            subject, predicate, value = key.statement(member).split(b" ", 2)
            more.add((subject, predicate, value))
    for subject, predicate, value in _classes(schema, facts | links | more):
        key = key_of(predicate, value)
        found[key].add(subject if key.of_class else b"%b %b" % (subject, value))
    return found


def _links(schema: Schema, facts: set[Fact]) -> Iterator[Fact]:
    relational = {f"<{name}>".encode() for name in schema.relational}
    relations = [b"%b %b %b .\n" % fact for fact in facts if fact[1] in relational and fact[2][:1] == b"<"]
    if not relations:
        return
    for s, p, o in reason(schema.axioms + b"".join(relations)):
        if p != TYPE.value and s != o and keeps(p):
            yield _iri(s), _iri(p), _iri(o)


def _classes(schema: Schema, facts: set[Fact]) -> Iterator[Fact]:
    restricted = {f"<{name}>".encode() for name in schema.restricted}
    valued = {f"<{name}>".encode() for name in schema.valued}
    types: dict[bytes, set[bytes]] = defaultdict(set)
    leads: dict[bytes, list[tuple[bytes, bytes]]] = defaultdict(list)
    for subject, predicate, value in facts:
        if predicate == _TYPE:
            types[subject].add(value)
        elif predicate in restricted:
            leads[subject].append((predicate, value))
            if schema.universal and value[:1] == b"<":
                leads[value].append((b"^" + predicate, subject))
    sorts = _sorts(valued, types, leads)
    members: dict[int, list[bytes]] = defaultdict(list)
    for thing, number in sorts.items():
        members[number].append(thing)
    specimens = [schema.axioms_of_classes]
    for number, things in members.items():
        one, node = things[0], _iri(f"{_SORT}{number}")
        specimens += [b"%b %b %b .\n" % (node, _TYPE, cls) for cls in types.get(one, ())]
        for name, far in leads.get(one, ()):
            if not name.startswith(b"^"):
                if far in sorts and name not in valued:
                    far = _iri(f"{_SORT}{sorts[far]}")
                specimens.append(b"%b %b %b .\n" % (node, name, far))
    if not members:
        return
    for s, p, o in reason(b"".join(specimens)):
        if not s.startswith(_SORT) or o.startswith(_SORT):
            continue
        if (p == TYPE.value and keeps(o)) or (p != TYPE.value and keeps(p)):
            predicate, value = _iri(p), _iri(o)
            for thing in members[int(s[len(_SORT) :])]:
                if (thing, predicate, value) not in facts:
                    yield thing, predicate, value


def _sorts(
    valued: set[bytes], types: dict[bytes, set[bytes]], leads: dict[bytes, list[tuple[bytes, bytes]]]
) -> dict[bytes, int]:
    """Sort things so that those of one sort cannot be told apart by class expressions, ever more finely."""
    things = set(leads)
    for ways in leads.values():
        things.update(far for name, far in ways if name not in valued and _is_iri(far))
    nothing: frozenset[bytes] = frozenset()
    kinds = {thing: frozenset(types[thing]) if thing in types else nothing for thing in things}
    # What is led to is of a sort; what only stands as a value is itself.
    sorts: dict[bytes, int] = dict.fromkeys(things, 0)
    count = 0
    while True:
        numbers: dict[object, int] = {}
        finer = {}
        for thing in things:
            ways_on = frozenset(
                [(name, far if name in valued else sorts.get(far, far)) for name, far in leads.get(thing, ())]
            )
            key = (sorts[thing], kinds[thing], ways_on)
            finer[thing] = numbers.setdefault(key, len(numbers))
        if len(numbers) == count:
            return finer
        sorts, count = finer, len(numbers)


def _is_iri(term: bytes) -> bool:
    return term[:1] == b"<" and term[:2] != b"<<"


def _iri(name: str) -> bytes:
    return f"<{name}>".encode()
