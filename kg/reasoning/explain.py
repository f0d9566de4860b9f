"""Explanations of common contradictions by their statements and axioms.

They are: two disjoint classes of one thing, by types, subclasses, domains and ranges; a second value of a
functional property; a thing related to itself, or both ways, by a property that excludes it. Each
contradiction is explained once, by the fewest statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations

from pyoxigraph import Literal, NamedNode, Triple

from kg.reasoning.schema import TYPE, list_items, list_links
from kg.terms import PREFIXES, compact, term


def explain(triples: Iterable[Triple]) -> tuple[str, ...]:
    """Return a line for each contradiction: the thing, and the axioms that cannot all hold."""
    return tuple(sorted(set(_contradictions(list(triples)))))


def _contradictions(triples: list[Triple]) -> Iterator[str]:
    facts = _Facts(triples)
    for thing, classes in facts.reasons_for_types().items():
        explained: set[tuple[str, str]] = set()
        pairs = (p for p in combinations(sorted(classes), 2) if frozenset(p) in facts.disjoint)
        # The same two statements often contradict several axioms; the nearest one explains most.
        for one, other in sorted(pairs, key=lambda pair: sum(len(classes[c]) for c in pair)):
            origins = classes[one][0], classes[other][0]
            if origins not in explained:
                explained.add(origins)
                yield (
                    f"{compact(thing)} cannot be both {compact(one)} ({', and '.join(classes[one])}) and "
                    f"{compact(other)} ({', and '.join(classes[other])}): the two are disjoint"
                )
    for (thing, name), values in facts.values.items():
        if name in facts.functional and len(values) > 1 and all(isinstance(v, Literal) for v in values):
            shown = ", ".join(sorted(v.value for v in values if isinstance(v, Literal)))
            yield f"{compact(thing)} can have one {compact(name)} only, and has: {shown}"
        for way in sorted(facts.upwards(name).keys() & (facts.irreflexive | facts.asymmetric)):
            if any(isinstance(v, NamedNode) and v.value == thing for v in values):
                reason = f"{compact(way)} leads to another thing"
                yield f"{compact(thing)} cannot be its own {compact(name)}: {reason}"
            elif way in facts.asymmetric:
                for other in (v.value for v in values if isinstance(v, NamedNode)):
                    if NamedNode(thing) in facts.values.get((other, name), ()) and thing < other:
                        yield (
                            f"{compact(thing)} and {compact(other)} cannot each be the {compact(name)} "
                            f"of the other: {compact(way)} goes one way only"
                        )


class _Facts:
    """The axioms and facts that the explanations use, by IRI."""

    def __init__(self, triples: list[Triple]) -> None:
        self.above: dict[str, set[str]] = defaultdict(set)
        self.range: dict[str, set[str]] = defaultdict(set)
        self.domain: dict[str, set[str]] = defaultdict(set)
        self.types: list[tuple[str, str]] = []
        self.statements: list[tuple[str, str, str | None]] = []
        self.values: dict[tuple[str, str], set[object]] = defaultdict(set)
        self.disjoint = {frozenset(pair) for pair in _disjoint_pairs(triples)}
        tables = {
            term("rdfs:subClassOf"): self.above,
            term("rdfs:subPropertyOf"): self.above,
            term("rdfs:range"): self.range,
            term("rdfs:domain"): self.domain,
        }
        for t in triples:
            if not isinstance(t.subject, NamedNode):
                continue
            target = t.object.value if isinstance(t.object, NamedNode) else None
            if t.predicate in tables and target:
                tables[t.predicate][t.subject.value].add(target)
            elif t.predicate == TYPE and target:
                self.types.append((t.subject.value, target))
            else:
                self.statements.append((t.subject.value, t.predicate.value, target))
                self.values[t.subject.value, t.predicate.value].add(t.object)

        kinds = ("FunctionalProperty", "IrreflexiveProperty", "AsymmetricProperty")
        self.functional, self.irreflexive, self.asymmetric = (
            {thing for thing, cls in self.types if cls == f"{PREFIXES['owl']}{kind}"} for kind in kinds
        )

    def upwards(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return a class or property and all wider ones, each with the steps that lead to it."""
        found: dict[str, tuple[str, ...]] = {name: ()}
        new = [name]
        while new:
            here = new.pop(0)
            for above in sorted(self.above.get(here, set()) - found.keys()):
                found[above] = (*found[here], f"every {compact(here)} is a {compact(above)}")
                new.append(above)
        return found

    def reasons_for_types(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Return for each thing its classes, each with the fewest steps that make it a member."""
        why: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
        climb = cache(self.upwards)

        def note(thing: str, cls: str, *reason: str) -> None:
            for name, steps in climb(cls).items():
                known = why[thing].get(name)
                if known is None or len(known) > len(reason) + len(steps):
                    why[thing][name] = (*reason, *steps)

        for thing, cls in self.types:
            note(thing, cls, f"it is stated to be a {compact(cls)}")
        for subject, predicate, target in self.statements:
            for name, steps in climb(predicate).items():
                for cls in self.domain.get(name, ()):
                    reason = f"everything with {compact(name)} is a {compact(cls)}"
                    note(subject, cls, f"it has {compact(predicate)}", *steps, reason)
                for cls in self.range.get(name, ()) if target else ():
                    reason = f"every value of {compact(name)} is a {compact(cls)}"
                    start = f"it is the {compact(predicate)} of {compact(subject)}"
                    note(target or "", cls, start, *steps, reason)
        return why


def _disjoint_pairs(triples: list[Triple]) -> Iterator[tuple[str, str]]:
    links = list_links(triples)
    for t in triples:
        if t.predicate == term("owl:disjointWith"):
            if isinstance(t.subject, NamedNode) and isinstance(t.object, NamedNode):
                yield t.subject.value, t.object.value
        elif t.predicate == term("owl:members"):
            members = [item.value for item in list_items(links, t.object) if isinstance(item, NamedNode)]
            yield from combinations(members, 2)
