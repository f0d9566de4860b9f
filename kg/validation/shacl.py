"""The shapes of `ontology/shapes.ttl`, applied by pyrudof; findings carry the project's own messages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import pyoxigraph
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple

from kg.bundled import ONTOLOGY_FOLDER
from kg.lazy import LazyModule
from kg.store import Term
from kg.terms import PREFIXES, compact, term
from kg.validation.findings import Finding, Severity, name_of
from kg.validation.known_terms import SUBCLASS, TYPE, class_hierarchy

if TYPE_CHECKING:
    import pyrudof
else:
    pyrudof = LazyModule("pyrudof")

_PROPERTY: Final = term("sh:property")
_SPARQL: Final = PREFIXES["sh"] + "SPARQLConstraintComponent"
_SEVERITY: Final[dict[str, Severity]] = {"Violation": "violation", "Warning": "warning", "Info": "info"}
_PREFIXED: Final = re.compile(r"(?<![\w?$])([a-z]+):(\w+)")


@dataclass
class ShapeTexts:
    """Label and message of a shape, and its path if that is a single property."""

    label: str = ""
    message: str = ""
    path: str | None = None


@dataclass(frozen=True)
class Shapes:
    """The shapes as N-Triples, and what has to be known of them to feed a validator.

    `texts` are those of each shape by its IRI. `inverse_properties` are followed by some shape from object to
    subject. `query_properties` are read by SPARQL constraints, also of the values of a focus node.

    In place of sh:targetClass a shape has sh:targetSubjectsOf with a property of its own, listed by class in
    `targets`: validating the things around the nodes to check would double the time.
    """

    ntriples: str
    texts: Mapping[str, ShapeTexts]
    inverse_properties: frozenset[NamedNode]
    query_properties: frozenset[NamedNode]
    targets: Mapping[Term, Sequence[NamedNode]]


@cache
def read_shapes() -> Shapes:
    """Read `ontology/shapes.ttl`."""
    graph: list[Triple] = []
    targets: dict[Term, list[NamedNode]] = defaultdict(list)
    for shape, predicate, value in _with_named_properties(ONTOLOGY_FOLDER / "shapes.ttl"):
        if predicate == term("sh:targetClass") and isinstance(shape, NamedNode):
            marker = NamedNode(f"{shape.value}.target")
            targets[value].append(marker)
            graph.append(Triple(shape, term("sh:targetSubjectsOf"), marker))
        else:
            graph.append(Triple(shape, predicate, value))
    queries = " ".join(str(value) for _, predicate, value in graph if predicate == term("sh:select"))
    return Shapes(
        _ntriples(graph),
        _texts(graph),
        frozenset(o for _, p, o in graph if p == term("sh:inversePath") and isinstance(o, NamedNode)),
        frozenset(term(f"{prefix}:{name}") for prefix, name in _PREFIXED.findall(queries)),
        targets,
    )


class ShapesValidator:
    """Validates graphs against the shapes. Threads may share a validator; they take turns.

    pyrudof leaves out the messages of some constraints and has its own notation for complex paths, so that
    label, message and path are looked up by the shape that a result names.
    """

    def __init__(self, subclasses: Iterable[Triple] = ()) -> None:
        """Prepare the shapes; `subclasses` are rdfs:subClassOf statements beside those of the ontology."""
        shapes = read_shapes()
        self._texts = shapes.texts
        self._targets = shapes.targets
        self._hierarchy = (*class_hierarchy(), *subclasses)
        self._superclasses = _superclasses(self._hierarchy)
        self._lock = Lock()
        self._rudof = pyrudof.Rudof()
        self._rudof.read_shacl(shapes.ntriples, pyrudof.ShaclFormat.NTriples)
        self._read(self._hierarchy)

    def findings(self, graph: Sequence[Triple], nodes: Container[str]) -> Iterator[Finding]:
        """Yield the results for some nodes (IRIs, or labels of blank nodes) of a graph."""
        marked = [*graph, *self._target_statements(graph, nodes)]
        with self._lock:
            self._rudof.begin_staging()
            try:
                self._read(marked)
                report = self._rudof.validate_shacl()
            finally:
                self._rudof.rollback_staging()
        for entry in report:
            node = entry.focus_node.removeprefix("_:")
            if node in nodes:
                yield self._finding(entry, node)

    def _target_statements(self, graph: Sequence[Triple], nodes: Container[str]) -> Iterator[Triple]:
        """Yield the statements that make nodes targets of the shapes of their classes."""
        added = [triple for triple in graph if triple.predicate == SUBCLASS]
        hierarchy = _superclasses((*self._hierarchy, *added)) if added else self._superclasses
        markers = cache(
            lambda kind: {m for cls in _closed(kind, hierarchy) for m in self._targets.get(cls, ())}
        )
        for node, predicate, kind in graph:
            if predicate == TYPE and name_of(node) in nodes:
                yield from (Triple(node, marker, node) for marker in markers(kind))

    def _read(self, graph: Iterable[Triple]) -> None:
        if text := _ntriples(graph):
            strict = pyrudof.ReaderMode.Strict
            self._rudof.read_data(text, pyrudof.RDFFormat.NTriples, reader_mode=strict, merge=True)

    def _finding(self, entry: pyrudof.ShaclValidationEntry, node: str) -> Finding:
        texts = self._texts[entry.source_shape or ""]
        message = texts.message
        if entry.constraint_component == _SPARQL:
            # The result names the shape, not the constraint, whose message has the values filled in.
            message = entry.message[1 : entry.message.rindex('"')]
        value = entry.value
        return Finding(
            severity=_SEVERITY[entry.severity],
            node=node,
            path=texts.path,
            value=None if value is None or value == entry.focus_node else _shown(value),
            shape=texts.label,
            message=message,
        )


def _with_named_properties(path: Path) -> Iterator[Triple]:
    """Yield a graph of shapes with IRIs for its property shapes, so that results can name them."""
    graph = [quad.triple for quad in pyoxigraph.parse(path=path, format=RdfFormat.TURTLE)]
    inner = dict.fromkeys(t.object for t in graph if t.predicate == _PROPERTY)
    names: dict[Any, Any] = {
        node: NamedNode(f"urn:x-diplograph:property-shape:{number}")
        for number, node in enumerate(inner)
        if isinstance(node, BlankNode)
    }
    for subject, predicate, value in graph:
        yield Triple(names.get(subject, subject), predicate, names.get(value, value))


def _superclasses(hierarchy: Iterable[Triple]) -> Mapping[Term, set[Term]]:
    found: dict[Term, set[Term]] = defaultdict(set)
    for narrow, _, wide in hierarchy:
        found[narrow].add(wide)
    return found


def _closed(cls: Term, superclasses: Mapping[Term, set[Term]]) -> set[Term]:
    """Return a class with all classes above it."""
    reached = new = {cls}
    while new:
        new = set().union(*(superclasses.get(one, ()) for one in new)) - reached
        reached = reached | new
    return reached


def _texts(shapes: Iterable[Triple]) -> dict[str, ShapeTexts]:
    """Return the texts of each shape by its IRI; a property shape has the label of the shape around it."""
    texts: dict[str, ShapeTexts] = defaultdict(ShapeTexts)
    inside: list[tuple[ShapeTexts, str]] = []
    for subject, predicate, value in shapes:
        if not isinstance(subject, NamedNode):
            continue
        found = texts[subject.value]
        if predicate == term("sh:message") and isinstance(value, Literal):
            found.message = value.value
        elif predicate == term("rdfs:label") and isinstance(value, Literal):
            found.label = value.value
        elif predicate == term("sh:path") and isinstance(value, NamedNode):
            found.path = compact(value.value)
        elif predicate == _PROPERTY and isinstance(value, NamedNode):
            inside.append((found, value.value))
    for outer, name in inside:
        texts[name].label = outer.label
    return texts


def _ntriples(triples: Iterable[Triple]) -> str:
    return (pyoxigraph.serialize(triples, format=RdfFormat.N_TRIPLES) or b"").decode()


def _shown(value: str) -> str:
    """Write a value as findings do: pyrudof leaves out the datatype of texts and the quotes of booleans."""
    if value in ("true", "false"):
        return f'"{value}"^^xsd:boolean'
    if not value.startswith('"'):
        return compact(value.removeprefix("_:"))
    end = value.rindex('"') + 1
    kind = value[end:]
    if not kind:
        return f"{value}^^xsd:string"
    return f"{value[:end]}^^{compact(kind[3:-1])}" if kind.startswith("^^<") else value
