"""Entailments with several premises.

First links: the reasoner closes the relations (transitivity, chains). Then classes: things of the same types
that are linked to the same in the same way have the same entailed classes, so that the reasoner sees one
specimen of each kind, however many things there are. An intersection of named classes is only considered for
things with links that class expressions use; the ontology has no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from kg.reasoning.schema import TYPE, Schema, keeps, reason
from kg.reasoning.single_premise import consequences
from kg.reasoning.statement_keys import TYPE_TOKEN, Fact, Key, Members, iri, is_iri, key_and_member

_SPECIMEN: Final = "urn:x-diplograph:sort:"

Mark = tuple[bytes, bytes]
Links = tuple[tuple[bytes, bytes], ...]
"""The links of a thing: property and the thing at the other end; `^` precedes an inverse one."""


def joint_entailments(schema: Schema, facts: set[Fact]) -> dict[Key, Members]:
    """Return what facts entail together; they must hold all that each entails alone."""
    found: dict[Key, Members] = defaultdict(set)
    links = set(_links(schema, facts)) - facts
    more: set[Fact] = set()
    for link in links:
        key, member = key_and_member(link)
        found[key].add(member)
        for key, member in consequences(schema, link):
            found[key].add(member)
            more.add(key.fact(member))
    for fact in _classes(schema, facts | links | more if links else facts):
        key, member = key_and_member(fact)
        found[key].add(member)
    return found


def _links(schema: Schema, facts: set[Fact]) -> Iterator[Fact]:
    relational = set(map(iri, schema.relational))
    relations = [b"%b %b %b .\n" % fact for fact in facts if fact[1] in relational and fact[2][:1] == b"<"]
    if not relations:
        return
    for s, p, o in reason(schema.axioms + b"".join(relations)):
        if p != TYPE.value and s != o and keeps(p):
            yield iri(s), iri(p), iri(o)


def _classes(schema: Schema, facts: set[Fact]) -> Iterator[Fact]:
    restricted = set(map(iri, schema.restricted))
    valued = set(map(iri, schema.valued))
    marks = _Marks()
    marked: dict[bytes, int] = {}
    linked: dict[bytes, Links] = {}
    for subject, predicate, value in facts:
        if predicate == TYPE_TOKEN or predicate in valued or (predicate in restricted and not is_iri(value)):
            marked[subject] = marks.with_mark(marked.get(subject, 0), (predicate, value))
        if predicate not in restricted:
            continue
        if predicate in valued or not is_iri(value):
            linked.setdefault(subject, ())
            continue
        linked[subject] = (*linked.get(subject, ()), (predicate, value))
        linked.setdefault(value, ())
        if schema.universal:
            linked[value] = (*linked[value], (b"^" + predicate, subject))
    if not linked:
        return
    kinds = _kinds(marked, linked)
    members: dict[int, list[bytes]] = defaultdict(list)
    for thing, number in kinds.items():
        members[number].append(thing)
    specimens = [schema.axioms_of_classes]
    for number, things in members.items():
        one, node = things[0], iri(f"{_SPECIMEN}{number}")
        specimens += [b"%b %b %b .\n" % (node, *mark) for mark in marks.of(marked.get(one, 0))]
        specimens += [
            b"%b %b %b .\n" % (node, name, iri(f"{_SPECIMEN}{kinds[far]}"))
            for name, far in linked[one]
            if not name.startswith(b"^")
        ]
    for s, p, o in reason(b"".join(specimens)):
        if not s.startswith(_SPECIMEN) or o.startswith(_SPECIMEN):
            continue
        if (p == TYPE.value and keeps(o)) or (p != TYPE.value and keeps(p)):
            predicate, value = iri(p), iri(o)
            for thing in members[int(s[len(_SPECIMEN) :])]:
                if (thing, predicate, value) not in facts:
                    yield thing, predicate, value


class _Marks:
    """Numbers sets of marks (classes, and values of properties): many things share few sets."""

    def __init__(self) -> None:
        self._sets: list[frozenset[Mark]] = [frozenset()]
        self._numbers: dict[frozenset[Mark], int] = {frozenset(): 0}
        self._next: dict[tuple[int, Mark], int] = {}

    def with_mark(self, number: int, mark: Mark) -> int:
        """Return the number of a set after adding a mark."""
        found = self._next.get((number, mark))
        if found is None:
            more = self._sets[number] | {mark}
            found = self._numbers.setdefault(more, len(self._sets))
            if found == len(self._sets):
                self._sets.append(more)
            self._next[number, mark] = found
        return found

    def of(self, number: int) -> frozenset[Mark]:
        """Return a set by its number."""
        return self._sets[number]


def _kinds(marked: dict[bytes, int], linked: dict[bytes, Links]) -> dict[bytes, int]:
    """Return the number of each thing's kind; class expressions cannot distinguish things of one kind.

    Kinds are refined until they are stable (bisimulation).
    """
    kinds = {thing: marked.get(thing, 0) for thing in linked}
    count = len(set(kinds.values()))
    while True:
        numbers: dict[object, int] = {}
        finer: dict[bytes, int] = {}
        for thing, links in linked.items():
            if len(links) == 1:
                [(name, far)] = links
                key: object = (kinds[thing], name, kinds[far])
            else:
                key = (kinds[thing], frozenset([(name, kinds[far]) for name, far in links]))
            finer[thing] = numbers.setdefault(key, len(numbers))
        if len(numbers) == count:
            return finer
        kinds, count = finer, len(numbers)
