"""The shapes of `ontology/shapes.ttl`, read once: whom each looks at, and what it asks (SHACL)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import pyoxigraph
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import ToolFailedError
from kg.terms import PREFIXES, compact
from kg.validation.constraints import TESTS, Test, every
from kg.validation.facts import Facts
from kg.validation.findings import Severity
from kg.validation.sparql import Query

_SH: Final = PREFIXES["sh"]
_LABEL: Final = PREFIXES["rdfs"] + "label"
_TYPE: Final = PREFIXES["rdf"] + "type"
_TOLD: Final = frozenset(
    _SH + name
    for name in ("path", "message", "severity", "property", "targetClass", "targetSubjectsOf", "sparql", "or")
)
_SEVERITY: Final[dict[str, Severity]] = {
    _SH + "Violation": "violation",
    _SH + "Warning": "warning",
    _SH + "Info": "info",
}

Term = NamedNode | BlankNode | Literal


@dataclass(frozen=True)
class Path:
    """Properties to follow from a node, one or the other, forwards or backwards (SHACL section 2.3.1)."""

    steps: tuple[tuple[bytes, bool], ...]

    @property
    def name(self) -> str | None:
        """Give the property as a prefixed name where it is one."""
        predicate, backwards = self.steps[0]
        return compact(predicate[1:-1].decode()) if len(self.steps) == 1 and not backwards else None

    def values(self, facts: Facts, node: bytes) -> list[bytes]:
        """Give what is reached from a node, each once."""
        if len(self.steps) == 1:
            predicate, backwards = self.steps[0]
            return (facts.into if backwards else facts.out).get(node, {}).get(predicate, [])
        found: dict[bytes, None] = {}
        for predicate, backwards in self.steps:
            found.update(
                dict.fromkeys((facts.into if backwards else facts.out).get(node, {}).get(predicate, ()))
            )
        return list(found)


@dataclass(frozen=True, eq=False)
class Shape:
    """What is asked of a node, or with a path of the values of a property; its `parts` ask for more.

    `members` are the shapes of its sh:or; `needs_values` tells that it misses a property that is not there.
    """

    label: str
    message: str
    severity: Severity
    path: Path | None
    tests: tuple[Test, ...]
    parts: tuple[Shape, ...] = ()
    members: tuple[Shape, ...] = ()
    query: Query | None = None
    query_message: str = ""
    classes: frozenset[bytes] = frozenset()
    subjects_of: frozenset[bytes] = frozenset()
    needs_values: bool = False

    def conforms(self, facts: Facts, node: bytes) -> bool:
        """Tell whether a node has nothing against it."""
        return next(self.faults(facts, node), None) is None and all(
            p.conforms(facts, node) for p in self.parts
        )

    def faults(self, facts: Facts, node: bytes) -> Iterator[tuple[bytes | None]]:
        """Give each value that is wrong, or None where there is no one value."""
        values = [node] if self.path is None else self.path.values(facts, node)
        for test in self.tests:
            for value in test(facts, node, values):
                yield (value,)


class _Reader:
    """Reads shapes out of their graph."""

    def __init__(self, turtle: str) -> None:
        self._graph: dict[Term, dict[str, list[Term]]] = {}
        for quad in pyoxigraph.parse(turtle, format=RdfFormat.TURTLE):
            subject: Term = quad.subject
            value: Term = quad.object
            self._graph.setdefault(subject, {}).setdefault(quad.predicate.value, []).append(value)

    def shapes(self) -> tuple[Shape, ...]:
        """Give the shapes that have targets."""
        return tuple(
            self._shape(node, "")
            for node, said in self._graph.items()
            if any(kind.value == _SH + "NodeShape" for kind in said.get(_TYPE, ()))
        )

    def _shape(self, node: Term, label: str) -> Shape:
        said = self._graph[node]
        label = self._text(node, _LABEL) or label
        severity = said.get(_SH + "severity")
        path = self._path(said[_SH + "path"][0]) if _SH + "path" in said else None
        tests: list[Test] = []
        for name, values in said.items():
            if not name.startswith(_SH) or name in _TOLD:
                continue
            tests.extend(self._test(name, value) for value in values)
        groups = [tuple(self._shape(m, "") for m in self._list(one)) for one in said.get(_SH + "or", ())]
        tests.extend(map(_one_of, groups))
        sparql = said.get(_SH + "sparql")
        return Shape(
            label=label,
            message=self._text(node, _SH + "message"),
            severity=_SEVERITY[severity[0].value] if severity else "violation",
            path=path,
            tests=tuple(tests),
            parts=tuple(self._shape(part, label) for part in said.get(_SH + "property", ())),
            members=tuple(member for group in groups for member in group),
            query=self._query(sparql[0]) if sparql else None,
            query_message=self._text(sparql[0], _SH + "message") if sparql else "",
            classes=frozenset(_token(name) for name in said.get(_SH + "targetClass", ())),
            subjects_of=frozenset(_token(name) for name in said.get(_SH + "targetSubjectsOf", ())),
            needs_values=_SH + "minCount" in said or _SH + "hasValue" in said,
        )

    def _test(self, name: str, value: Term) -> Test:
        local = name.removeprefix(_SH)
        if local in TESTS:
            return TESTS[local](_token(value))
        raise ToolFailedError(
            f"sh:{local} is not understood",
            where="ontology/shapes.ttl",
            mend="Write it in other words, or teach it to kg/validation/constraints.py.",
        )

    def _path(self, node: Term) -> Path:
        if isinstance(node, NamedNode):
            return Path(((_token(node), False),))
        said = self._graph[node]
        if _SH + "inversePath" in said:
            return Path(((_token(said[_SH + "inversePath"][0]), True),))
        if _SH + "alternativePath" in said:
            members = self._list(said[_SH + "alternativePath"][0])
            return Path(tuple(step for member in members for step in self._path(member).steps))
        raise ToolFailedError("a path is not understood", where="ontology/shapes.ttl")

    def _query(self, node: Term) -> Query:
        said = self._graph[node]
        prefixes = {
            self._text(declared, _SH + "prefix"): self._text(declared, _SH + "namespace")
            for ontology in said.get(_SH + "prefixes", ())
            for declared in self._graph[ontology].get(_SH + "declare", ())
        }
        return Query(self._text(node, _SH + "select"), prefixes)

    def _list(self, node: Term) -> Iterator[Term]:
        first, rest, nil = (PREFIXES["rdf"] + name for name in ("first", "rest", "nil"))
        while node.value != nil:
            yield self._graph[node][first][0]
            node = self._graph[node][rest][0]

    def _text(self, node: Term, predicate: str) -> str:
        return next((value.value for value in self._graph[node].get(predicate, ())), "")


def _one_of(members: tuple[Shape, ...]) -> Test:
    return every(lambda facts, node: any(member.conforms(facts, node) for member in members))


def _token(term: Term) -> bytes:
    return str(term).encode()


@cache
def shapes() -> tuple[Shape, ...]:
    """Give the shapes that come with the ontology. Raises ToolFailedError for one that is not understood."""
    return read_shapes((ONTOLOGY_FOLDER / "shapes.ttl").read_text(encoding="utf-8"))


def read_shapes(turtle: str) -> tuple[Shape, ...]:
    """Read shapes. Raises ToolFailedError for one that is not understood: nothing asked is passed over."""
    return _Reader(turtle).shapes()
