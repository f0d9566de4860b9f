"""What is known around the nodes that are looked at: statements, what points at them, classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from kg.bundled import ONTOLOGY_FOLDER
from kg.terms import ONTOLOGY, PREFIXES
from kg.validation.tokens import SUBCLASS, TYPE, is_ill_typed, is_typed, split

NO_CLASSES: Final[frozenset[bytes]] = frozenset()
_NOTHING: Final[list[bytes]] = []
_OF_CONCEPTS: Final = frozenset(
    (TYPE, *(f"<{PREFIXES[prefix]}{name}>".encode() for prefix, name in (
        ("rdfs", "label"), ("skos", "prefLabel"), ("skos", "inScheme")))),
)  # fmt: skip

Statements = dict[bytes, dict[bytes, list[bytes]]]


class Classes:
    """The classes above each class: those of the ontology, and those that the data add."""

    def __init__(self, added: Mapping[bytes, Iterable[bytes]] | None = None) -> None:
        self._above: dict[bytes, set[bytes]] = {name: set(above) for name, above in _hierarchy().items()}
        for name, more in (added or {}).items():
            self._above.setdefault(name, set()).update(more)
        self._closed: dict[frozenset[bytes], frozenset[bytes]] = {}

    def close(self, classes: Iterable[bytes]) -> frozenset[bytes]:
        """Give some classes with all that are above them."""
        given = frozenset(classes)
        found = self._closed.get(given)
        if found is None:
            reached, rest = set(given), list(given)
            while rest:
                for above in self._above.get(rest.pop(), ()):
                    if above not in reached:
                        reached.add(above)
                        rest.append(above)
            if len(self._closed) > 10_000:
                self._closed.clear()
            found = self._closed[given] = frozenset(reached)
        return found


class Facts:
    """Statements around some nodes; literals that are no values are kept apart, since nothing compares them.

    `kinds` are the classes of things with all classes above them.
    """

    def __init__(self, classes: Classes) -> None:
        self.classes = classes
        self.out: Statements = {}
        self.into: Statements = defaultdict(dict)
        self.kinds: dict[bytes, frozenset[bytes]] = {}
        self.ill_typed: list[tuple[bytes, bytes, bytes]] = []

    def add(self, lines: Iterable[bytes]) -> None:
        """Take statements, lines of N-Triples."""
        out = self.out
        for line in lines:
            subject, predicate, value = split(line)
            if is_typed(value) and is_ill_typed(value):
                self.ill_typed.append((subject, predicate, value))
                out.setdefault(subject, {})
                continue
            known = out.get(subject)
            if known is None:
                known = out[subject] = {}
            values = known.get(predicate)
            if values is None:
                known[predicate] = [value]
            else:
                values.append(value)

    def add_known(self, subject: bytes, predicate: bytes, value: bytes) -> None:
        """Take one more statement, which may be there already."""
        values = self.out.setdefault(subject, {}).setdefault(predicate, [])
        if value not in values:
            values.append(value)

    def point(self, value: bytes, predicate: bytes, subject: bytes) -> None:
        """Note that something points at a node."""
        subjects = self.into[value].setdefault(predicate, [])
        if subject not in subjects:
            subjects.append(subject)

    def classify(self, node: bytes, classes: Iterable[bytes]) -> None:
        """Note the classes of a thing, beside those that the ontology gives a concept."""
        self.kinds[node] = self.classes.close((*classes, *concepts().get(node, {}).get(TYPE, ())))

    def values(self, node: bytes, predicate: bytes) -> list[bytes]:
        """Give the values of a property."""
        return self.out.get(node, {}).get(predicate, _NOTHING)

    def kinds_of(self, node: bytes) -> frozenset[bytes]:
        """Give the classes of a thing."""
        return self.kinds.get(node, NO_CLASSES)


@cache
def concepts() -> Statements:
    """Give type, labels and scheme of the concepts that come with the ontology."""
    found: Statements = {}
    for name in ("event-types.ttl", "cameo.ttl"):
        for subject, predicate, value in _lines_of(name):
            if predicate in _OF_CONCEPTS:
                found.setdefault(subject, {}).setdefault(predicate, []).append(value)
    return found


@cache
def declared() -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Give the classes and the properties of the ontology."""
    classes: set[bytes] = set()
    properties: set[bytes] = set()
    ours = b"<" + ONTOLOGY.encode()
    for subject, predicate, kind in _lines_of("diplomacy.ttl"):
        if predicate == TYPE and subject.startswith(ours):
            (classes if kind.endswith(b"#Class>") else properties).add(subject)
    return frozenset(classes), frozenset(properties)


@cache
def _hierarchy() -> dict[bytes, frozenset[bytes]]:
    found: dict[bytes, set[bytes]] = {}
    for subject, predicate, above in _lines_of("diplomacy.ttl"):
        if predicate == SUBCLASS and above[:1] == b"<":
            found.setdefault(subject, set()).add(above)
    return {name: frozenset(above) for name, above in found.items()}


def _lines_of(name: str) -> Iterable[tuple[bytes, bytes, bytes]]:
    quads = pyoxigraph.parse(path=ONTOLOGY_FOLDER / name, format=RdfFormat.TURTLE)
    triples = [quad.triple for quad in quads if isinstance(quad.subject, NamedNode)]
    lines = pyoxigraph.serialize(triples, format=RdfFormat.N_TRIPLES) or b""
    return [split(line) for line in lines.splitlines(keepends=True)]
