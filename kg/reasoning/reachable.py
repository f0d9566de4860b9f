"""Which things a change can reach through joining properties, and what is said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from kg.reasoning.joined_premises import Fact
from kg.reasoning.rule_queries import Asking, chunks, entailed
from kg.reasoning.schema import NONE, TYPE, Schema
from kg.reasoning.statement_keys import Key, Members, key_of
from kg.store import Store
from kg.terms import GRAPH_ONTOLOGY

_BATCH: Final = 500
_MANY: Final = 2_000
_TYPE: Final = str(TYPE).encode()
_X: Final = Key("", True)
Things = set[bytes]


class Neighbours:
    """Reads the surroundings of things along joining properties, but for what the ontology says of terms."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._asking = Asking(store, schema, aside=(GRAPH_ONTOLOGY,))
        self._schema = schema
        self._joining = {f"<{name}>".encode() for name in schema.joining}
        self._walked = {f"<{name}>".encode() for name in schema.walked}
        self._expressed = {f"<{name}>".encode() for name in schema.expressed}
        ends = schema.restricted - schema.valued
        self._linked = [
            *(f"?x <{name}> ?other" for name in sorted(schema.restricted)),
            *(f"?other <{name}> ?x" for name in sorted(ends)),
        ]

    def everywhere(self) -> set[Fact]:
        """Give the part that matters of what is asserted of all things with joining statements.

        It is closed under what follows from each statement alone.
        """
        links = self._links()
        found = {(s, f"<{name}>".encode(), o) for name, pairs in links.items() for s, o in pairs}
        ends = {
            name: ({s for s, _ in pairs}, {o for _, o in pairs if _is_iri(o)})
            for name, pairs in links.items()
        }
        restricted = self._schema.restricted
        linked = {thing for name in restricted for some in ends.get(name, ()) for thing in some}
        for name in sorted(self._schema.expressed) if linked else ():
            beside = self._schema.beside.get(name)
            things = linked if beside is None else {x for p in beside & ends.keys() for x in ends[p][0]}
            found.update((thing, _TYPE, f"<{name}>".encode()) for thing in self._of_class(name, things, ends))
        return found

    def _links(self) -> dict[str, set[tuple[bytes, bytes]]]:
        """Read what joining properties link, with what follows: these follow from others of them alone."""
        found: dict[str, set[tuple[bytes, bytes]]] = defaultdict(set)
        for name in sorted(self._schema.joining):
            key, follows = Key(name), self._schema.properties.get(name, NONE)
            pairs = {
                (subject, value) for subject, _, value in self._read(key, self._asking.said(key.pattern))
            }
            for other in {name, *follows.forward} & self._schema.joining:
                found[other] |= pairs
            for other in follows.backward & self._schema.joining:
                found[other].update((value, subject) for subject, value in pairs if _is_iri(value))
        return found

    def _of_class(
        self, name: str, things: Things, ends: Mapping[str, tuple[Things, Things]]
    ) -> Iterable[bytes]:
        """Keep the things that are of a class, by what is asserted or follows from single statements."""
        told: Things = set()
        for link, (subjects, values) in ends.items():
            follows = self._schema.properties.get(link, NONE)
            told |= (subjects if name in follows.subject else set()) | (
                values if name in follows.object else set()
            )
        yield from told & things
        asked = things - told
        if not asked:
            return
        key = Key(name, True)
        patterns = (key.pattern, *self._asking.sources.get(key, ()))
        members = self._asking.few(key, patterns, len(asked))
        if members is None:
            # Two results are joined at once; a pattern would be looked up anew for each thing.
            linked, said = self._asking.said(*self._linked), self._asking.said(*patterns)
            members = self._asking.members(
                key, f"{{ SELECT DISTINCT ?x {{ {linked} }} }} {{ SELECT DISTINCT ?x {{ {said} }} }}"
            )
        yield from (thing for thing in members if thing in asked)

    def begun(self, moved: Iterable[Fact], typed: Things) -> Things:
        """Give the things at which a change may have other entailments by joined statements.

        `moved` are its statements with joining properties, whose ends these are, and `typed` the things whose
        classes differ so that a class expression may see it, of which these are those that any connect.
        """
        found: Things = set()
        for subject, predicate, value in moved:
            found.add(subject)
            if predicate in self._walked and _is_iri(value):
                found.add(value)
        return found | self._asking.those(typed - found, self._linked) if self._joining else found

    def are_most(self, things: Things) -> bool:
        """Tell whether so many things are asked for that all there are cost less."""
        links = (f"?x <{name}> ?y" for name in sorted(self._schema.joining))
        return len(things) > _MANY and self._asking.few(Key(""), tuple(links), len(things)) is not None

    def ends_of(self, facts: Iterable[Fact]) -> Things:
        """Give the things that statements with joining properties connect."""
        return {end for s, p, o in facts if p in self._joining for end in (s, o) if _is_iri(end)}

    def reached(self, begun: Things, moved: Iterable[Fact]) -> Things:
        """Give the things that a change can reach from where it begins: those, and what leads to them.

        Along a property that gives further links only where the change has one, else along those of class
        expressions.
        """
        schema = self._schema
        changed = {predicate[1:-1].decode() for _, predicate, _ in moved} & schema.relational
        followed = (schema.restricted - schema.valued) | (schema.relational if changed else frozenset())
        found = self._closure(begun, followed, "?y <{}> ?x", "?x <{}> ?y")
        if schema.universal:
            found = self._closure(found, schema.walked, "?x <{}> ?y", "?y <{}> ?x")
        return found

    def surroundings(self, things: Things, more: Mapping[bytes, set[Fact]]) -> set[Fact]:
        """Give what is asserted or entailed of things and of what they lead to, as far as it matters.

        `more` is what is to be entailed beside it, by its subject.
        """
        found: set[Fact] = set()
        seen, new = set(things), set(things)
        while new:
            read = {fact for thing in new for fact in more.get(thing, ()) if self._matters(fact)}
            for batch in chunks(sorted(new), _BATCH):
                nodes = b" ".join(batch).decode()
                where = self._asking.said("?x ?p ?y") + f" UNION {entailed('?x ?p ?y')}"
                text = f"CONSTRUCT {{ ?x ?p ?y }} {{ VALUES ?x {{ {nodes} }} {where} }}"
                read.update(fact for fact in self._asking.statements(text) if self._matters(fact))
            found |= read
            new = {value for _, p, value in read if p in self._walked and _is_iri(value)} - seen
            seen |= new
        return found

    def entailed(self, things: Things) -> dict[Key, Members]:
        """Read what the graph of entailments holds of things that statements together may give."""
        found: dict[Key, Members] = defaultdict(set)
        for batch in chunks(sorted(things), _BATCH):
            text = (
                f"CONSTRUCT {{ ?x ?p ?y }} {{ VALUES ?x {{ {b' '.join(batch).decode()} }}"
                f" {entailed('?x ?p ?y')} }}"
            )
            for subject, predicate, value in self._asking.statements(text):
                key = key_of(predicate, value)
                if key.name in self._schema.joint:
                    found[key].add(subject if key.of_class else b"%b %b" % (subject, value))
        return found

    def _read(self, key: Key, where: str) -> Iterable[Fact]:
        for piece in self._asking.lines(key, where):
            for statement in piece.split(b" .\n"):
                if statement:
                    subject, predicate, value = statement.split(b" ", 2)
                    yield subject, predicate, value

    def _matters(self, fact: Fact) -> bool:
        _, predicate, value = fact
        if predicate == _TYPE:
            return value in self._expressed
        return predicate in self._joining and not value.startswith(b"_:")

    def _closure(self, start: Things, names: Iterable[str], pattern: str, turned: str) -> Things:
        """Follow properties; those that hold in both directions, also the other way."""
        there = set(names)
        back = {name for name in there if self._schema.properties.get(name, NONE).backward & there}
        patterns = [pattern.format(name) for name in sorted(there)]
        patterns += [turned.format(name) for name in sorted(back)]
        found, new = set(start), set(start) if patterns else set()
        while new:
            more: Things = set()
            for batch in chunks(sorted(new), _BATCH):
                where = f"VALUES ?x {{ {b' '.join(batch).decode()} }} {{ {self._asking.said(*patterns)} }}"
                more.update(y for row in self._asking.members(_PAIR, where) for y in [row.partition(b" ")[2]])
            new = {thing for thing in more if _is_iri(thing)} - found
            found |= new
        return found


_PAIR: Final = Key("")


def _is_iri(term: bytes) -> bool:
    return term[:1] == b"<" and term[:2] != b"<<"
