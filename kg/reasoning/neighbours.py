"""Which things a change can reach through joining properties, and what is said of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from pyoxigraph import NamedNode, Triple

from kg.reasoning.schema import NONE, TYPE, Schema
from kg.store import Store
from kg.store.answer import Term
from kg.terms import GRAPH_ENTAILMENTS, GRAPH_ONTOLOGY

_BATCH: Final = 500
_MANY_ASKED: Final = 2_000
_MANY_LINKS: Final = 200_000
_ASSERTED: Final = f"FILTER(?g NOT IN ({GRAPH_ENTAILMENTS}, {GRAPH_ONTOLOGY}))"
Things = set[NamedNode]


class Neighbours:
    """Reads, from what is asserted, the surroundings of things along joining properties."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store = store
        self.schema = schema
        self._asked = 0
        self._linked: Things | None = None
        self._joining, self._walked = (
            " ".join(f"<{name}>" for name in sorted(names)) for names in (schema.joining, schema.walked)
        )

    def everywhere(self) -> tuple[Things, set[Triple]]:
        """Give all things with joining statements, and of what is asserted of them the part that matters."""
        if not self._joining:
            return set(), set()
        links = set(
            self._store.query(
                f"CONSTRUCT {{ ?x ?p ?y }} {{ VALUES ?p {{ {self._joining} }}"
                f" GRAPH ?g {{ ?x ?p ?y }} {_ASSERTED} }}"
            ).triples()
        )
        things = {t for link in links for t in (link.subject, link.object) if isinstance(t, NamedNode)}
        types = self._store.query(
            f"CONSTRUCT {{ ?x a ?c }} {{ {{ SELECT DISTINCT ?x {{ VALUES ?p {{ {self._joining} }}"
            f" {{ ?x ?p ?y }} UNION {{ ?y ?p ?x }} }} }} GRAPH ?g {{ ?x a ?c }} {_ASSERTED} }}"
        )
        return things, links.union(types.triples())

    def ends(self, changed: list[Triple]) -> Things:
        """Give the things whose class the statements tell, by name or by domain and range."""
        ends: Things = set()
        for t in changed:
            follows = self.schema.properties.get(t.predicate.value, NONE)
            if (t.predicate == TYPE or follows.subject) and isinstance(t.subject, NamedNode):
                ends.add(t.subject)
            if follows.object and isinstance(t.object, NamedNode):
                ends.add(t.object)
        return ends

    def reached(self, changed: list[Triple], typed: Things) -> Things:
        """Give the things whose entailments by joined statements can differ after a change.

        `typed` are the things whose classes differ. Reached are the things that joining properties of the
        change connect, those of `typed` that any connect, and what leads to them: along a property that gives
        further links only where the change has one, else along those of class expressions.
        """
        if not self._joining:
            return set()
        schema = self.schema
        found: Things = set()
        for t in changed:
            if t.predicate.value in schema.joining:
                found |= {
                    end
                    for end in (t.subject, t.object if t.predicate.value in schema.walked else None)
                    if isinstance(end, NamedNode)
                }
        found |= set(self._connected(typed - found))
        moved = {t.predicate.value for t in changed} & schema.relational
        followed = (schema.restricted - schema.valued) | (schema.relational if moved else frozenset())
        found = self._closure(found, self._steps(followed, "?y ?p ?x", "?x ?p ?y"))
        if schema.universal:
            found = self._closure(found, self._steps(schema.walked, "?x ?p ?y", "?y ?p ?x"))
        return found

    def surroundings(self, things: Things) -> set[Triple]:
        """Give what is asserted of things and of what they lead to, with what follows from each statement."""
        everything = self._closure(things, self._steps(self.schema.walked, "?x ?p ?y", "?y ?p ?x"))
        facts = {*self._facts(everything), *self._ends(everything)}
        return facts.union(*(self.schema.follows(t) for t in facts)) if facts else facts

    def entailed(self, things: Iterable[NamedNode]) -> Iterator[Triple]:
        """Read what the graph of entailments holds of things."""
        for nodes in _batches(things):
            yield from self._store.query(
                f"CONSTRUCT {{ ?x ?p ?y }} {{ VALUES ?x {{ {nodes} }}"
                f" GRAPH {GRAPH_ENTAILMENTS} {{ ?x ?p ?y }} }}"
            ).triples()

    def _steps(self, names: Iterable[str], pattern: str, turned: str) -> str:
        """Write a step along properties; along those that hold in both directions, also the other way."""
        there = set(names)
        back = {name for name in there if self.schema.properties.get(name, NONE).backward & there}
        return " UNION ".join(
            f"{{ VALUES ?p {{ {' '.join(f'<{name}>' for name in sorted(some))} }} GRAPH ?g {{ {way} }} }}"
            for some, way in ((there, pattern), (back, turned))
        )

    def _connected(self, things: Things) -> Iterator[NamedNode]:
        self._asked += len(things)
        if self._asked > _MANY_ASKED >= self._asked - len(things):
            self._linked = self._read_linked()
        if self._linked is not None:
            yield from things & self._linked
            return
        # Each property by its name: the engine would join a second VALUES before it looks at the thing.
        ways = [f"{{ GRAPH ?g {{ ?x <{name}> ?y }} }}" for name in sorted(self.schema.joining)]
        ways += [f"{{ GRAPH ?g {{ ?y <{name}> ?x }} }}" for name in sorted(self.schema.walked)]
        for nodes in _batches(things):
            rows = self._store.query(
                f"SELECT ?x {{ VALUES ?x {{ {nodes} }}"
                f" FILTER EXISTS {{ {' UNION '.join(ways)} {_ASSERTED} }} }}"
            ).rows()
            yield from (row["x"] for row in rows if isinstance(row["x"], NamedNode))

    def _read_linked(self) -> Things | None:
        """Give all that joining properties connect, where that is less work than to ask for each thing."""
        found: Things = set()
        left = _MANY_LINKS
        for name in sorted(self.schema.joining):
            rows = self._store.query(
                f"SELECT ?x ?y {{ GRAPH ?g {{ ?x <{name}> ?y }} {_ASSERTED} }} LIMIT {left + 1}"
            ).rows()
            for row in rows:
                left -= 1
                ends = (row["x"], row["y"] if name in self.schema.walked else None)
                found.update(end for end in ends if isinstance(end, NamedNode))
            if left < 0:
                return None
        return found

    def _closure(self, start: Things, pattern: str) -> Things:
        found, new = set(start), set(start)
        while new:
            more: set[Term] = set()
            for nodes in _batches(new):
                rows = self._store.query(
                    f"SELECT DISTINCT ?y {{ VALUES ?x {{ {nodes} }} {pattern} {_ASSERTED} }}"
                ).rows()
                more.update(row["y"] for row in rows)
            new = {thing for thing in more if isinstance(thing, NamedNode)} - found
            found |= new
        return found

    def _facts(self, things: Things) -> Iterator[Triple]:
        """Give what is asserted of things, and the statements that end at them and can be turned round."""
        turned = " UNION ".join(
            f"{{ GRAPH ?g {{ ?y <{name}> ?x }} BIND(<{name}> AS ?p) }}"
            for name, follows in sorted(self.schema.properties.items())
            if follows.backward
        )
        useful = {TYPE.value, *self.schema.properties, *self.schema.joining}
        for nodes in _batches(things):
            own = self._store.query(
                f"CONSTRUCT {{ ?x ?p ?y }} {{ VALUES ?x {{ {nodes} }} GRAPH ?g {{ ?x ?p ?y }} {_ASSERTED} }}"
            ).triples()
            yield from (t for t in own if t.predicate.value in useful)
            yield from self._store.query(
                f"CONSTRUCT {{ ?y ?p ?x }} {{ VALUES ?x {{ {nodes} }} {{ {turned} }} {_ASSERTED} }}"
            ).triples()

    def _ends(self, things: Things) -> Iterator[Triple]:
        """Give the types of things as the far end of statements."""
        told = " ".join(f"<{name}>" for name, follows in self.schema.properties.items() if follows.object)
        for nodes in _batches(things):
            ends: dict[str, list[NamedNode]] = defaultdict(list)
            rows = self._store.query(
                f"SELECT ?x ?p {{ VALUES ?x {{ {nodes} }} VALUES ?p {{ {told} }}"
                f" FILTER EXISTS {{ GRAPH ?g {{ ?y ?p ?x }} {_ASSERTED} }} }}"
            ).rows()
            for row in rows:
                if isinstance(row["x"], NamedNode) and isinstance(row["p"], NamedNode):
                    ends[row["p"].value].append(row["x"])
            for name, some in ends.items():
                for cls in self.schema.properties[name].object:
                    yield from (Triple(x, TYPE, NamedNode(cls)) for x in some)


def _batches(things: Iterable[NamedNode]) -> Iterator[str]:
    nodes = sorted(str(thing) for thing in things)
    return (" ".join(nodes[start : start + _BATCH]) for start in range(0, len(nodes), _BATCH))
