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

from kg.reasoning.schema import TYPE, Schema, keeps, reason
from kg.reasoning.single_premise import consequences
from kg.reasoning.statement_keys import Key, Members, key_of

_SORT: Final = "urn:x-diplograph:sort:"
_TYPE: Final = str(TYPE).encode()

Fact = tuple[bytes, bytes, bytes]
"""A statement, term by term as N-Triples has them."""
Mark = tuple[bytes, bytes]
Leads = tuple[tuple[bytes, bytes], ...]
"""What a thing leads to, with the property; `^` before one that leads here."""


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
    for subject, predicate, value in _classes(schema, facts | links | more if links else facts):
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
    marks = _Marks()
    marked: dict[bytes, int] = {}
    leads: dict[bytes, Leads] = {}
    for subject, predicate, value in facts:
        if predicate == _TYPE or predicate in valued or (predicate in restricted and not _is_iri(value)):
            marked[subject] = marks.with_mark(marked.get(subject, 0), (predicate, value))
        if predicate not in restricted:
            continue
        if predicate in valued or not _is_iri(value):
            leads.setdefault(subject, ())
            continue
        leads[subject] = (*leads.get(subject, ()), (predicate, value))
        leads.setdefault(value, ())
        if schema.universal:
            leads[value] = (*leads[value], (b"^" + predicate, subject))
    if not leads:
        return
    sorts = _sorts(marked, leads)
    members: dict[int, list[bytes]] = defaultdict(list)
    for thing, number in sorts.items():
        members[number].append(thing)
    specimens = [schema.axioms_of_classes]
    for number, things in members.items():
        one, node = things[0], _iri(f"{_SORT}{number}")
        specimens += [b"%b %b %b .\n" % (node, *mark) for mark in marks.of(marked.get(one, 0))]
        specimens += [
            b"%b %b %b .\n" % (node, name, _iri(f"{_SORT}{sorts[far]}"))
            for name, far in leads[one]
            if not name.startswith(b"^")
        ]
    for s, p, o in reason(b"".join(specimens)):
        if not s.startswith(_SORT) or o.startswith(_SORT):
            continue
        if (p == TYPE.value and keeps(o)) or (p != TYPE.value and keeps(p)):
            predicate, value = _iri(p), _iri(o)
            for thing in members[int(s[len(_SORT) :])]:
                if (thing, predicate, value) not in facts:
                    yield thing, predicate, value


class _Marks:
    """Numbers sets of marks (classes, and values of properties), so that many things share few sets."""

    def __init__(self) -> None:
        self._sets: list[frozenset[Mark]] = [frozenset()]
        self._numbers: dict[frozenset[Mark], int] = {frozenset(): 0}
        self._next: dict[tuple[int, Mark], int] = {}

    def with_mark(self, number: int, mark: Mark) -> int:
        """Give the number of a set with one mark more."""
        found = self._next.get((number, mark))
        if found is None:
            more = self._sets[number] | {mark}
            found = self._numbers.setdefault(more, len(self._sets))
            if found == len(self._sets):
                self._sets.append(more)
            self._next[number, mark] = found
        return found

    def of(self, number: int) -> frozenset[Mark]:
        """Give a set by its number."""
        return self._sets[number]


def _sorts(marked: dict[bytes, int], leads: dict[bytes, Leads]) -> dict[bytes, int]:
    """Sort things so that those of one sort cannot be told apart by class expressions, ever more finely."""
    sorts = {thing: marked.get(thing, 0) for thing in leads}
    count = len(set(sorts.values()))
    while True:
        numbers: dict[object, int] = {}
        finer: dict[bytes, int] = {}
        for thing, ways in leads.items():
            if len(ways) == 1:
                [(name, far)] = ways
                key: object = (sorts[thing], name, sorts[far])
            else:
                key = (sorts[thing], frozenset([(name, sorts[far]) for name, far in ways]))
            finer[thing] = numbers.setdefault(key, len(numbers))
        if len(numbers) == count:
            return finer
        sorts, count = finer, len(numbers)


def _is_iri(term: bytes) -> bool:
    return term[:1] == b"<" and term[:2] != b"<<"


def _iri(name: str) -> bytes:
    return f"<{name}>".encode()
