"""Nodes held against the shapes, with what is known around them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from kg.terms import ONTOLOGY, compact
from kg.validation.facts import Facts, declared
from kg.validation.findings import Finding
from kg.validation.shapes import Shape, shapes
from kg.validation.tokens import TYPE, datatype_name, show, text_of

_TERMS: Final = "Known terms"
_LITERALS: Final = "Literals"
_OURS: Final = b"<" + ONTOLOGY.encode()
_ASPECT: Final = _OURS + b"aspect>"
_PLANS: Final = 10_000
_EXPECTED: Final = {
    "xsd:date": " (YYYY-MM-DD, a day that exists in the calendar)",
    "xsd:dateTime": " (YYYY-MM-DDThh:mm:ss, with Z for UTC)",
    "xsd:integer": " (a whole number)",
    "xsd:decimal": " (a number such as -2.5)",
    "xsd:boolean": " (true or false)",
}

_Plan = tuple[tuple[Shape, ...], tuple[Shape, ...]]


class Checker:
    """Holds nodes against shapes; remembers which shapes concern nodes of a kind and with some properties."""

    def __init__(self, asked: Iterable[Shape] | None = None) -> None:
        self._shapes = shapes() if asked is None else tuple(asked)
        self._plans: dict[tuple[frozenset[bytes], ...], _Plan] = {}

    @property
    def backwards(self) -> frozenset[bytes]:
        """Name the properties that are followed from value to subject."""
        return _backwards(self._shapes)

    def queried(self, facts: Facts, node: bytes) -> frozenset[bytes]:
        """Name the properties that must be known of a node's values, too, for queries about it."""
        _, queries = self._plan(facts, node)
        return frozenset(p for shape in queries if shape.query for p in shape.query.predicates)

    def findings(self, facts: Facts, nodes: Iterable[bytes]) -> Iterator[Finding]:
        """Say what is wrong: unknown terms, literals that are no values, and what the shapes say."""
        looked_at = list(nodes)
        own = frozenset(looked_at)
        told: set[tuple[str, str | None]] = set()
        for subject, predicate, value in facts.ill_typed:
            if subject in own:
                finding = _ill_typed(subject, predicate, value)
                told |= {(finding.node, finding.path), (finding.node, None)}
                yield finding
                yield from _unknown_terms(subject, predicate, ())
        asking: dict[Shape, list[bytes]] = {}
        for node in looked_at:
            for predicate, values in facts.out.get(node, {}).items():
                yield from _unknown_terms(node, predicate, values)
            asked, queries = self._plan(facts, node)
            for shape in asked:
                for (wrong,) in shape.faults(facts, node):
                    finding = _finding(shape, shape.message, node, wrong)
                    if (finding.node, finding.path) not in told:
                        yield finding
            for shape in queries:
                asking.setdefault(shape, []).append(node)
        for shape, some in asking.items():
            for finding in _answers(shape, facts, some):
                if (finding.node, finding.path) not in told:
                    yield finding

    def _plan(self, facts: Facts, node: bytes) -> _Plan:
        """Choose the shapes that can have something to say, by classes and properties."""
        out = frozenset(facts.out.get(node, ()))
        into = frozenset(facts.into[node]) if node in facts.into else frozenset()
        key = (facts.kinds_of(node), out, into)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) > _PLANS:
                self._plans.clear()
            plan = self._plans[key] = self._choose(*key)
        return plan

    def _choose(self, kinds: frozenset[bytes], out: frozenset[bytes], into: frozenset[bytes]) -> _Plan:
        concerned = [s for s in self._shapes if s.classes & kinds or s.subjects_of & out]
        asked: list[Shape] = []
        for shape in concerned:
            if shape.tests:
                asked.append(shape)
            for part in shape.parts:
                # A property that a node does not have can only be missed.
                steps = part.path.steps if part.path else ()
                if part.needs_values or any(p in (into if back else out) for p, back in steps):
                    asked.append(part)
        return tuple(asked), tuple(shape for shape in concerned if shape.query)


@cache
def _backwards(asked: tuple[Shape, ...]) -> frozenset[bytes]:
    found: set[bytes] = set()
    rest = list(asked)
    while rest:
        shape = rest.pop()
        rest += [*shape.parts, *shape.members]
        found |= {predicate for predicate, back in (shape.path.steps if shape.path else ()) if back}
    return frozenset(found)


def _answers(shape: Shape, facts: Facts, nodes: list[bytes]) -> Iterator[Finding]:
    assert shape.query is not None  # noqa: S101
    wanted = shape.query.predicates
    spoken_of = {
        value
        for node in nodes
        for predicate, values in facts.out.get(node, {}).items()
        if predicate in wanted
        for value in values
    }
    statements = (
        (node, predicate, value)
        for node in {*nodes, *spoken_of}
        for predicate, values in facts.out.get(node, {}).items()
        if predicate in wanted
        for value in values
    )
    own = set(nodes)
    for node, value in shape.query.ask(statements):
        if node in own:
            message = _fill(shape.query_message, {"this": node, "value": value})
            yield _finding(shape, message, node, value)


def _fill(message: str, terms: dict[str, bytes | None]) -> str:
    for name, term in terms.items():
        words = "" if term is None else text_of(term)
        message = message.replace(f"{{?{name}}}", words).replace(f"{{${name}}}", words)
    return message


def _finding(shape: Shape, message: str, node: bytes, value: bytes | None) -> Finding:
    return Finding(
        severity=shape.severity,
        node=text_of(node),
        path=shape.path.name if shape.path else None,
        value=None if value is None or value == node else show(value),
        shape=shape.label,
        message=message,
    )


def _ill_typed(subject: bytes, predicate: bytes, value: bytes) -> Finding:
    datatype = datatype_name(value)
    message = f"This is no value of {datatype}{_EXPECTED.get(datatype, '')}; correct it, or leave it out."
    return Finding(
        "violation", text_of(subject), compact(text_of(predicate)), show(value), _LITERALS, message
    )


def _unknown_terms(subject: bytes, predicate: bytes, values: Iterable[bytes]) -> Iterator[Finding]:
    """Find classes and properties of ours that the ontology does not have: most are typing errors."""
    ours = predicate.startswith(_OURS)
    if not ours and predicate != TYPE:
        return
    classes, properties = declared()
    if ours and predicate not in properties:
        yield _unknown(subject, None, predicate, properties)
    if predicate in (TYPE, _ASPECT):
        known, path = (classes, "rdf:type") if predicate == TYPE else (properties, "dg:aspect")
        for value in values:
            if value.startswith(_OURS) and value not in known:
                yield _unknown(subject, path, value, known)


def _unknown(subject: bytes, path: str | None, name: bytes, known: frozenset[bytes]) -> Finding:
    names = sorted(text_of(term).removeprefix(ONTOLOGY) for term in known)
    near = difflib.get_close_matches(text_of(name).removeprefix(ONTOLOGY), names, n=1, cutoff=0.7)
    hint = f"did you mean dg:{near[0]}?" if near else "docs/data-model.md lists the terms there are."
    what = "class" if path == "rdf:type" else "property"
    message = f"The ontology has no such {what}; {hint}"
    return Finding("violation", text_of(subject), path, compact(text_of(name)), _TERMS, message)
