"""Things that a change can reach through joining properties, and the statements about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from kg.reasoning.rule_queries import RuleQueries, chunks, entailed
from kg.reasoning.schema import NONE, Schema
from kg.reasoning.statement_keys import TYPE_TOKEN, Fact, Key, Members, facts_in, iri, is_iri, key_and_member
from kg.store import Store
from kg.terms import GRAPH_ONTOLOGY

_BATCH: Final = 500
_MANY: Final = 2_000
Things = set[bytes]


class Neighbours:
    """Reads the surroundings of things along joining properties, without the graph of the ontology."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._queries = RuleQueries(store, schema, aside=(GRAPH_ONTOLOGY,))
        self._schema = schema
        self._joining = set(map(iri, schema.joining))
        self._walked = set(map(iri, schema.walked))
        self._expressed = set(map(iri, schema.expressed))
        ends = schema.restricted - schema.valued
        self._linked = [
            *(f"?x <{name}> ?other" for name in sorted(schema.restricted)),
            *(f"?other <{name}> ?x" for name in sorted(ends)),
        ]

    def everywhere(self) -> set[Fact]:
        """Return the statements that matter about all things with joining statements.

        They include what each statement entails alone.
        """
        links = self._links()
        found = {(s, iri(name), o) for name, pairs in links.items() for s, o in pairs}
        ends = {
            name: ({s for s, _ in pairs}, {o for _, o in pairs if is_iri(o)}) for name, pairs in links.items()
        }
        restricted = self._schema.restricted
        linked = {thing for name in restricted for some in ends.get(name, ()) for thing in some}
        for name in sorted(self._schema.expressed) if linked else ():
            beside = self._schema.beside.get(name)
            things = linked if beside is None else {x for p in beside & ends.keys() for x in ends[p][0]}
            found.update((thing, TYPE_TOKEN, iri(name)) for thing in self._of_class(name, things, ends))
        return found

    def _links(self) -> dict[str, set[tuple[bytes, bytes]]]:
        """Read the pairs of joining properties; only other joining properties entail further ones."""
        found: dict[str, set[tuple[bytes, bytes]]] = defaultdict(set)
        for name in sorted(self._schema.joining):
            key, follows = Key(name), self._schema.properties.get(name, NONE)
            lines = self._queries.lines(key, self._queries.asserts(key.pattern))
            pairs = {(subject, value) for piece in lines for subject, _, value in facts_in(piece)}
            for other in {name, *follows.forward} & self._schema.joining:
                found[other] |= pairs
            for other in follows.backward & self._schema.joining:
                found[other].update((value, subject) for subject, value in pairs if is_iri(value))
        return found

    def _of_class(
        self, name: str, things: Things, ends: Mapping[str, tuple[Things, Things]]
    ) -> Iterable[bytes]:
        """Yield the things of a class, by an asserted statement or by what a single one entails."""
        known: Things = set()
        for link, (subjects, values) in ends.items():
            follows = self._schema.properties.get(link, NONE)
            known.update(
                subjects if name in follows.subject else (), values if name in follows.object else ()
            )
        yield from known & things
        asked = things - known
        if not asked:
            return
        key = Key(name, True)
        patterns = (key.pattern, *self._queries.sources.get(key, ()))
        members = self._queries.all_if_few(key, patterns, len(asked))
        if members is None:
            # Two subqueries are joined at once; a pattern would be looked up for each thing.
            linked, asserted = self._queries.asserts(*self._linked), self._queries.asserts(*patterns)
            members = self._queries.members(
                key, f"{{ SELECT DISTINCT ?x {{ {linked} }} }} {{ SELECT DISTINCT ?x {{ {asserted} }} }}"
            )
        yield from filter(asked.__contains__, members)

    def starting_points(self, moved: set[Fact], retyped: Things) -> Things:
        """Return the things whose entailments with several premises a change may affect first.

        They are the ends of `moved`, its statements with joining properties, and those of `retyped` that have
        such statements: things whose classes changed in a way that class expressions may see.
        """
        found = {subject for subject, _, _ in moved}
        found.update(value for _, predicate, value in moved if predicate in self._walked and is_iri(value))
        return found | self._queries.matching(retyped - found, self._linked) if self._joining else found

    def are_most(self, things: Things) -> bool:
        """Return whether reading all things costs less than reading these."""
        links = tuple(f"?x <{name}> ?y" for name in sorted(self._schema.joining))
        return len(things) > _MANY and self._queries.all_if_few(Key(""), links, len(things)) is not None

    def ends_of(self, facts: Iterable[Fact]) -> Things:
        """Return the things that statements with joining properties connect."""
        return {end for s, p, o in facts if p in self._joining for end in (s, o) if is_iri(end)}

    def reached(self, start: Things, moved: Iterable[Fact]) -> Things:
        """Return the things that a change can reach from its starting points, against the links.

        The links are those of class expressions, and those of transitive properties and chains if the change
        has one.
        """
        schema = self._schema
        changed = {predicate[1:-1].decode() for _, predicate, _ in moved} & schema.relational
        followed = (schema.restricted - schema.valued) | (schema.relational if changed else frozenset())
        found = self._closure(start, followed, "?y <{}> ?x", "?x <{}> ?y")
        if schema.universal:
            found = self._closure(found, schema.walked, "?x <{}> ?y", "?y <{}> ?x")
        return found

    def surroundings(self, things: Things, more: Mapping[bytes, set[Fact]]) -> set[Fact]:
        """Return the statements that matter about things and about what they are linked to.

        They are asserted, stored entailments, or in `more`, which has further entailments by subject.
        """
        found: set[Fact] = set()
        seen, new = set(things), set(things)
        while new:
            read = {fact for thing in new for fact in more.get(thing, ()) if self._matters(fact)}
            where = f"{self._queries.asserts('?x ?p ?y')} UNION {entailed('?x ?p ?y')}"
            read.update(filter(self._matters, self._facts(new, where)))
            found |= read
            new = {value for _, p, value in read if p in self._walked and is_iri(value)} - seen
            seen |= new
        return found

    def entailed(self, things: Things) -> dict[Key, Members]:
        """Return the stored entailments of things that may have several premises."""
        found: dict[Key, Members] = defaultdict(set)
        for fact in self._facts(things, entailed("?x ?p ?y")):
            key, member = key_and_member(fact)
            if key.name in self._schema.joint:
                found[key].add(member)
        return found

    def _facts(self, things: Things, where: str) -> Iterator[Fact]:
        """Yield the statements ?x ?p ?y of a pattern about things."""
        for batch in chunks(sorted(things), _BATCH):
            values = f"VALUES ?x {{ {b' '.join(batch).decode()} }}"
            yield from self._queries.statements(f"CONSTRUCT {{ ?x ?p ?y }} {{ {values} {where} }}")

    def _matters(self, fact: Fact) -> bool:
        _, predicate, value = fact
        if predicate == TYPE_TOKEN:
            return value in self._expressed
        return predicate in self._joining and not value.startswith(b"_:")

    def _closure(self, start: Things, names: Iterable[str], pattern: str, turned: str) -> Things:
        """Follow properties, those with an inverse among them in both directions."""
        there = set(names)
        back = {name for name in there if self._schema.properties.get(name, NONE).backward & there}
        patterns = [pattern.format(name) for name in sorted(there)]
        patterns += [turned.format(name) for name in sorted(back)]
        found, new = set(start), set(start) if patterns else set()
        while new:
            more: Things = set()
            for batch in chunks(sorted(new), _BATCH):
                values = f"VALUES ?x {{ {b' '.join(batch).decode()} }}"
                rows = self._queries.members(Key(""), f"{values} {{ {self._queries.asserts(*patterns)} }}")
                more.update(row.partition(b" ")[2] for row in rows)
            new = set(filter(is_iri, more)) - found
            found |= new
        return found
