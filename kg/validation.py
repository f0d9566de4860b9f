"""What the shapes say of triples, in words that tell how to mend them."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

import pyoxigraph
from pyoxigraph import BlankNode, NamedNode, Triple

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import ToolFailedError
from kg.late import Late
from kg.terms import ONTOLOGY, compact

if TYPE_CHECKING:
    import pyshacl
else:
    pyshacl = Late("pyshacl")

if TYPE_CHECKING:
    import rdflib

    _RdflibTriple = tuple[rdflib.term.Node, rdflib.term.Node, rdflib.term.Node]
else:
    rdflib = Late("rdflib")

Severity = Literal["violation", "warning", "info"]

_SEVERITIES: Final[dict[str, Severity]] = {"Violation": "violation", "Warning": "warning", "Info": "info"}
_ORDER: Final[tuple[Severity, ...]] = ("violation", "warning", "info")
_ASPECT: Final = ONTOLOGY + "aspect"

# rdflib prints a traceback for every literal that is none of its datatype; here each is a finding.
logging.getLogger("rdflib.term").addFilter(
    lambda record: not record.getMessage().startswith("Failed to convert Literal lexical form")
)


@dataclass(frozen=True)
class Finding:
    """What a shape has to say about a node (a full IRI); `path` is a prefixed name where one fits."""

    severity: Severity
    node: str
    path: str | None
    value: str | None
    shape: str
    message: str

    @property
    def text(self) -> str:
        """Give it as one line: node, property, value, what is wrong and how to mend it, and the shape."""
        place = " ".join(part for part in (compact(self.node), self.path, self.value) if part)
        return f"{place}: {self.message} (shape: {self.shape})"


def validate(data: Iterable[Triple], background: Iterable[Triple] = ()) -> list[Finding]:
    """Check triples against `ontology/shapes.ttl`; violations first, then by node and property.

    `background` is what is known already, so that references resolve; only nodes of `data` are reported.
    Beside the shapes, terms in the `dg:` namespace must be declared and literals be values of their datatype.
    """
    graph = rdflib.Graph()
    for triple in data:
        graph.add(_rdflib(triple))
    nodes = set(graph.subjects())
    found = [*_unknown_terms(graph), *_ill_typed(graph)]
    told = {(f.node, path) for f in found if f.shape == _LITERALS for path in (f.path, None)}
    # pySHACL breaks off when it compares what is no value (sh:lessThan and its like).
    for node, path, value in list(graph):
        if isinstance(value, rdflib.Literal) and value.ill_typed and path in _compared():
            graph.remove((node, path, value))
    for known in _surroundings(graph, background):
        graph.add(known)
    found += (f for f in _shacl(graph, nodes) if (f.node, f.path) not in told)
    return sorted(
        dict.fromkeys(found), key=lambda f: (_ORDER.index(f.severity), f.node, f.path or "", f.message)
    )


_TERMS: Final = "Known terms"
_LITERALS: Final = "Literals"


def _unknown_terms(graph: rdflib.Graph) -> Iterator[Finding]:
    """Find classes and properties of ours that the ontology does not have: most are typing errors."""
    classes, properties = _declared()
    for subject, predicate, value in graph:
        if str(predicate).startswith(ONTOLOGY) and predicate not in properties:
            yield _unknown(subject, None, predicate, properties)
        if predicate == rdflib.RDF.type and str(value).startswith(ONTOLOGY) and value not in classes:
            yield _unknown(subject, "rdf:type", value, classes)
        if str(predicate) == _ASPECT and str(value).startswith(ONTOLOGY) and value not in properties:
            yield _unknown(subject, "dg:aspect", value, properties)


def _unknown(
    subject: rdflib.term.Node, path: str | None, name: rdflib.term.Node, known: frozenset[rdflib.URIRef]
) -> Finding:
    names = {str(term).removeprefix(ONTOLOGY) for term in known}
    near = difflib.get_close_matches(str(name).removeprefix(ONTOLOGY), sorted(names), n=1, cutoff=0.7)
    hint = f"did you mean dg:{near[0]}?" if near else "docs/data-model.md lists the terms there are."
    value = compact(str(name))
    what = "class" if path == "rdf:type" else "property"
    return Finding("violation", str(subject), path, value, _TERMS, f"The ontology has no such {what}; {hint}")


def _ill_typed(graph: rdflib.Graph) -> Iterator[Finding]:
    """Take out literals whose text is no value of their datatype (RDF 1.1 Concepts section 3.3).

    The engine compares values, and rdflib has none for them.
    """
    for subject, predicate, value in list(graph):
        if isinstance(value, rdflib.Literal) and value.ill_typed:
            graph.remove((subject, predicate, value))
            datatype = compact(str(value.datatype))
            message = (
                f"This is no value of {datatype}{_EXPECTED.get(datatype, '')}; correct it, or leave it out."
            )
            yield Finding(
                "violation", str(subject), compact(str(predicate)), _show(value), _LITERALS, message
            )


_EXPECTED: Final = {
    "xsd:date": " (YYYY-MM-DD, a day that exists in the calendar)",
    "xsd:dateTime": " (YYYY-MM-DDThh:mm:ss, with Z for UTC)",
    "xsd:integer": " (a whole number)",
    "xsd:decimal": " (a number such as -2.5)",
    "xsd:boolean": " (true or false)",
}


def _shacl(graph: rdflib.Graph, nodes: set[rdflib.term.Node]) -> Iterator[Finding]:
    shapes = _shapes()
    _, report, text = pyshacl.validate(graph, shacl_graph=shapes, inplace=True, inference="none")
    if not isinstance(report, rdflib.Graph):
        raise ToolFailedError(f"the shapes could not be applied: {text}", where="ontology/shapes.ttl")
    for result in report.subjects(rdflib.RDF.type, rdflib.SH.ValidationResult):
        focus = report.value(result, rdflib.SH.focusNode)
        if focus in nodes:
            path = report.value(result, rdflib.SH.resultPath)
            value = report.value(result, rdflib.SH.value)
            source = report.value(result, rdflib.SH.sourceShape)
            yield Finding(
                severity=_SEVERITIES[
                    str(report.value(result, rdflib.SH.resultSeverity)).removeprefix(str(rdflib.SH))
                ],
                node=str(focus),
                path=compact(str(path)) if isinstance(path, rdflib.URIRef) else None,
                value=None if value is None or value == focus else _show(value),
                shape=_shape_label(source),
                message=str(report.value(result, rdflib.SH.resultMessage)),
            )


def _shape_label(source: rdflib.term.Node | None) -> str:
    shapes = _shapes()
    holder = shapes.value(predicate=rdflib.SH.property, object=source) or source
    return str(shapes.value(holder, rdflib.RDFS.label) or compact(str(holder)))


def _show(value: rdflib.term.Node) -> str:
    if not isinstance(value, rdflib.Literal):
        return compact(str(value))
    text = f'"{value}"'
    if value.language:
        return f"{text}@{value.language}"
    return text if value.datatype is None else f"{text}^^{compact(str(value.datatype))}"


def _surroundings(graph: rdflib.Graph, background: Iterable[Triple]) -> list[_RdflibTriple]:
    """Keep what is known of the things that the data speaks of; the rest could only slow the engine down."""
    spoken_of = {str(node) for node in graph.all_nodes() if isinstance(node, rdflib.URIRef)}
    own = {str(node) for node in graph.subjects() if isinstance(node, rdflib.URIRef)}
    kept = [
        _rdflib(triple)
        for triple in background
        if (isinstance(triple.subject, NamedNode) and triple.subject.value in spoken_of)
        or (isinstance(triple.object, NamedNode) and triple.object.value in own)
    ]
    return [*kept, *(t for t in _concepts() if str(t[0]) in spoken_of), *_hierarchy()]


def _rdflib(triple: Triple) -> _RdflibTriple:
    return _term(triple.subject), _term(triple.predicate), _term(triple.object)


def _term(term: NamedNode | BlankNode | pyoxigraph.Literal | Triple) -> rdflib.term.Node:
    if isinstance(term, NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, BlankNode):
        return rdflib.BNode(term.value)
    if isinstance(term, Triple):
        raise TypeError("a triple inside a triple has no place here")
    if term.language:
        return rdflib.Literal(term.value, lang=term.language)
    return rdflib.Literal(term.value, datatype=rdflib.URIRef(term.datatype.value), normalize=False)


@cache
def _shapes() -> rdflib.Graph:
    return rdflib.Graph().parse(ONTOLOGY_FOLDER / "shapes.ttl", format="turtle")


@cache
def _compared() -> frozenset[rdflib.term.Node]:
    found: set[rdflib.term.Node | None] = set()
    for comparison in (rdflib.SH.lessThan, rdflib.SH.lessThanOrEquals):
        for shape, other in _shapes().subject_objects(comparison):
            found |= {other, _shapes().value(shape, rdflib.SH.path)}
    return frozenset(path for path in found if path is not None)


@cache
def _ontology() -> rdflib.Graph:
    return rdflib.Graph().parse(ONTOLOGY_FOLDER / "diplomacy.ttl", format="turtle")


@cache
def _declared() -> tuple[frozenset[rdflib.URIRef], frozenset[rdflib.URIRef]]:
    classes: set[rdflib.URIRef] = set()
    properties: set[rdflib.URIRef] = set()
    for subject, kind in _ontology().subject_objects(rdflib.RDF.type):
        if isinstance(subject, rdflib.URIRef) and subject.startswith(ONTOLOGY):
            (classes if str(kind).endswith("#Class") else properties).add(subject)
    return frozenset(classes), frozenset(properties)


@cache
def _hierarchy() -> tuple[_RdflibTriple, ...]:
    return tuple(
        (subject, rdflib.RDFS.subClassOf, above)
        for subject, above in _ontology().subject_objects(rdflib.RDFS.subClassOf)
        if isinstance(above, rdflib.URIRef)
    )


@cache
def _concepts() -> tuple[_RdflibTriple, ...]:
    schemes = rdflib.Graph()
    for name in ("event-types.ttl", "cameo.ttl"):
        schemes.parse(ONTOLOGY_FOLDER / name, format="turtle")
    wanted = (rdflib.RDF.type, rdflib.RDFS.label, rdflib.SKOS.prefLabel, rdflib.SKOS.inScheme)
    return tuple(t for t in schemes if t[1] in wanted)
