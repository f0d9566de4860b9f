"""Entailments with several premises.

First links: the reasoner closes the relations (transitivity, chains). Then classes: things of the same types
that are linked to the same in the same way have the same entailed classes, so that the reasoner sees one
specimen of each kind, however many things there are. An intersection of named classes is only considered for
things with links that class expressions use; the ontology has no other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Final

from kg.reasoning.schema import TYPE, Schema, keeps, reason
from kg.reasoning.single_premise import consequences
from kg.reasoning.statement_keys import TYPE_TOKEN, Fact, Key, Members, iri, is_iri, key_and_member

_SPECIMEN: Final = "urn:x-diplograph:sort:"

Marks = frozenset[tuple[bytes, bytes]]
"""Properties and values of a thing that class expressions look at, its classes included."""
Links = tuple[tuple[bytes, bytes], ...]
"""The links of a thing: property and the thing at the other end; `^` precedes an inverse one."""
_NO_MARKS: Final[Marks] = frozenset()


def joint_entailments(schema: Schema, facts: set[Fact]) -> dict[Key, Members]:
    """Return what facts entail together; they must hold all that each entails alone."""
    links = set(_links(schema, facts)) - facts
    more = {key.fact(member) for link in links for key, member in consequences(schema, link)} | links
    found: dict[Key, Members] = defaultdict(set)
    for fact in chain(more, _classes(schema, facts | more if more else facts)):
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
    marked: dict[bytes, Marks] = {}
    # Many things share few sets of marks.
    shared: dict[Marks, Marks] = {}
    linked: dict[bytes, Links] = {}
    for subject, predicate, value in facts:
        if predicate == TYPE_TOKEN or predicate in valued or (predicate in restricted and not is_iri(value)):
            marks = marked.get(subject, _NO_MARKS) | {(predicate, value)}
            marked[subject] = shared.setdefault(marks, marks)
        if predicate not in restricted:
            continue
        links = linked.get(subject, ())
        if predicate in valued or not is_iri(value):
            linked[subject] = links
            continue
        linked[subject] = (*links, (predicate, value))
        back = ((b"^" + predicate, subject),) if schema.universal else ()
        linked[value] = (*linked.get(value, ()), *back)
    if not linked:
        return
    kinds = _kinds(marked, linked)
    members: dict[int, list[bytes]] = defaultdict(list)
    for thing, number in kinds.items():
        members[number].append(thing)
    specimens = [schema.axioms_of_classes]
    for number, things in members.items():
        one, node = things[0], iri(f"{_SPECIMEN}{number}")
        specimens += [b"%b %b %b .\n" % (node, *mark) for mark in marked.get(one, ())]
        specimens += [
            b"%b %b %b .\n" % (node, name, iri(f"{_SPECIMEN}{kinds[far]}"))
            for name, far in linked[one]
            if not name.startswith(b"^")
        ]
    for s, p, o in reason(b"".join(specimens)):
        named = keeps(o if p == TYPE.value else p) and not o.startswith(_SPECIMEN)
        if named and s.startswith(_SPECIMEN):
            predicate, value = iri(p), iri(o)
            for thing in members[int(s[len(_SPECIMEN) :])]:
                if (thing, predicate, value) not in facts:
                    yield thing, predicate, value


def _kinds(marked: dict[bytes, Marks], linked: dict[bytes, Links]) -> dict[bytes, int]:
    """Return the number of each thing's kind; class expressions cannot distinguish things of one kind.

    Kinds are refined until they are stable (bisimulation).
    """
    kinds: Mapping[bytes, object] = {thing: marked.get(thing, _NO_MARKS) for thing in linked}
    count = len(set(kinds.values()))
    while True:
        numbers: dict[object, int] = {}
        finer: dict[bytes, int] = {}
        for thing, links in linked.items():
            key = kinds[thing], frozenset([(name, kinds[far]) for name, far in links])
            finer[thing] = numbers.setdefault(key, len(numbers))
        if len(numbers) == count:
            return finer
        kinds, count = finer, len(numbers)
