"""Which things a change can reach through joining properties, and what the reasoner makes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from pyoxigraph import NamedNode, Triple

from kg.reasoning.schema import NONE, SOME_VALUE, TYPE, Schema, keeps, reason
from kg.store import Store
from kg.store.answer import Term
from kg.terms import GRAPH_ENTAILMENTS, GRAPH_ONTOLOGY

_BATCH: Final = 500
_ASSERTED: Final = f"FILTER(?g NOT IN ({GRAPH_ENTAILMENTS}, {GRAPH_ONTOLOGY}))"
Things = set[NamedNode]


class Neighbours:
    """Reads, from what is asserted, the surroundings of things along joining properties."""

    def __init__(self, store: Store, schema: Schema) -> None:
        self._store = store
        self._schema = schema
        self._joining = " ".join(f"<{name}>" for name in sorted(schema.joining))

    def joined(self) -> Things:
        """Give every thing that a joining property connects."""
        if not self._joining:
            return set()
        rows = self._store.query(
            f"SELECT DISTINCT ?x ?y {{ VALUES ?p {{ {self._joining} }} GRAPH ?g {{ ?x ?p ?y }} {_ASSERTED} }}"
        ).rows()
        return {term for row in rows for term in (row["x"], row["y"]) if isinstance(term, NamedNode)}

    def reached(self, changed: list[Triple]) -> Things:
        """Give the things whose entailments by joined statements can differ after a change.

        These are its own things that joining properties connect, and what leads to them: along a transitive
        property only where the change has one, else along the properties of class expressions.
        """
        if not self._joining:
            return set()
        ends = {t for triple in changed for t in (triple.subject, triple.object) if isinstance(t, NamedNode)}
        joins = [t for t in changed if t.predicate.value in self._schema.joining]
        found = {t for triple in joins for t in (triple.subject, triple.object) if isinstance(t, NamedNode)}
        found |= set(self._connected(ends - found))
        moved = {t.predicate.value for t in joins}
        followed = sorted(
            name
            for name in self._schema.joining
            if name not in self._schema.transitive or name in moved or self._gives(name) & moved
        )
        return self._closure(found, self._steps(followed, "?y ?p ?x", "?x ?p ?y"))

    def together(self, things: Things, known: Iterable[Triple] = ()) -> set[Triple]:
        """Give what follows for things from all that is asserted of them and of what they lead to.

        Some of it may be asserted. `known` are types that follow from single statements.
        Raises StoreFailedError.
        """
        if not things:
            return set()
        everything = self._closure(things, self._steps(self._schema.joining, "?x ?p ?y", "?y ?p ?x"))
        facts = {*self._facts(everything), *self._ends(everything)}
        facts |= {t for t in known if t.subject in everything}
        stand_ins = {
            t if isinstance(t.object, NamedNode) else Triple(t.subject, t.predicate, SOME_VALUE)
            for t in facts
        }
        wanted = {thing.value: thing for thing in things}
        # What follows for literals from one statement, such as a wider property with the same value.
        found = {f for t in facts for f in self._schema.follows(t)} | facts.intersection(known)
        found = {t for t in found.union(self._ends(things)) if t.subject in things}
        for s, p, o in reason([*self._schema.ontology, *stand_ins]):
            if s not in wanted or o == SOME_VALUE.value or s == o:
                continue
            if (p == TYPE.value and keeps(o)) or (p != TYPE.value and keeps(p)):
                found.add(Triple(wanted[s], NamedNode(p), NamedNode(o)))
        return found

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
        back = {name for name in there if self._schema.properties.get(name, NONE).backward & there}
        return " UNION ".join(
            f"{{ VALUES ?p {{ {' '.join(f'<{name}>' for name in sorted(some))} }} GRAPH ?g {{ {way} }} }}"
            for some, way in ((there, pattern), (back, turned))
        )

    def _gives(self, name: str) -> set[str]:
        follows = self._schema.properties.get(name, NONE)
        return set(follows.forward | follows.backward)

    def _connected(self, things: Things) -> Iterator[NamedNode]:
        for nodes in _batches(things):
            rows = self._store.query(
                f"SELECT ?x {{ VALUES ?x {{ {nodes} }} FILTER EXISTS {{"
                f" {{ VALUES ?p {{ {self._joining} }} GRAPH ?g {{ ?x ?p ?y }} }} UNION"
                f" {{ VALUES ?p {{ {self._joining} }} GRAPH ?g {{ ?y ?p ?x }} }} {_ASSERTED} }} }}"
            ).rows()
            yield from (row["x"] for row in rows if isinstance(row["x"], NamedNode))

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
        turned = " ".join(
            f"<{name}>" for name, follows in self._schema.properties.items() if follows.backward
        )
        useful = " ".join(
            f"<{name}>" for name in sorted({TYPE.value, *self._schema.properties, *self._schema.joining})
        )
        for nodes in _batches(things):
            yield from self._store.query(
                f"CONSTRUCT {{ ?x ?p ?y }} {{ VALUES ?x {{ {nodes} }} VALUES ?p {{ {useful} }}"
                f" GRAPH ?g {{ ?x ?p ?y }} {_ASSERTED} }}"
            ).triples()
            yield from self._store.query(
                f"CONSTRUCT {{ ?y ?p ?x }} {{ VALUES ?x {{ {nodes} }} VALUES ?p {{ {turned} }}"
                f" GRAPH ?g {{ ?y ?p ?x }} {_ASSERTED} }}"
            ).triples()

    def _ends(self, things: Things) -> Iterator[Triple]:
        """Give the types of things as the far end of statements."""
        told = " ".join(f"<{name}>" for name, follows in self._schema.properties.items() if follows.object)
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
                for cls in self._schema.properties[name].object:
                    yield from (Triple(x, TYPE, NamedNode(cls)) for x in some)


def _batches(things: Iterable[NamedNode]) -> Iterator[str]:
    nodes = sorted(str(thing) for thing in things)
    return (" ".join(nodes[start : start + _BATCH]) for start in range(0, len(nodes), _BATCH))
