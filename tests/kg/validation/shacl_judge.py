"""What pySHACL says of triples, in the words of our findings: the judge of our own reading of the shapes."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph
import pyshacl
import rdflib
from pyoxigraph import RdfFormat, Triple

from kg.bundled import ONTOLOGY_FOLDER
from kg.terms import compact
from kg.validation import Finding

_SAID = ("focusNode", "resultPath", "value", "sourceShape", "resultSeverity", "resultMessage")
_SEVERITY = {"Violation": "violation", "Warning": "warning", "Info": "info"}


def shapes() -> rdflib.Graph:
    """Read the shapes."""
    return rdflib.Graph().parse(ONTOLOGY_FOLDER / "shapes.ttl")


def judge(triples: Iterable[Triple], about: set[str], shacl: rdflib.Graph) -> set[Finding]:
    """Return pySHACL's findings on some nodes, with the ontology's classes and concepts in sight.

    Literals that are no values are left out: pySHACL breaks off when it compares them.
    """
    graph = rdflib.Graph()
    text = pyoxigraph.serialize(triples, format=RdfFormat.N_TRIPLES)
    graph.parse(text, format="nt")
    for triple in list(graph):
        if isinstance(triple[2], rdflib.Literal) and triple[2].ill_typed:
            graph.remove(triple)
    spoken_of = set(graph.all_nodes())
    for triple in _known():
        if triple[0] in spoken_of or triple[1] == rdflib.RDFS.subClassOf:
            graph.add(triple)
    _, report, text = pyshacl.validate(graph, shacl_graph=shacl, inplace=True, inference="none")
    assert isinstance(report, rdflib.Graph), text
    found = set()
    for result in report.subjects(rdflib.RDF.type, rdflib.SH.ValidationResult):
        said = {name: report.value(result, rdflib.SH[name]) for name in _SAID}
        focus, path, value = said["focusNode"], said["resultPath"], said["value"]
        if str(focus) not in about:
            continue
        holder = shacl.value(predicate=rdflib.SH.property, object=said["sourceShape"]) or said["sourceShape"]
        found.add(
            Finding(
                severity=_SEVERITY[str(said["resultSeverity"]).rpartition("#")[2]],
                node=str(focus),
                path=compact(str(path)) if isinstance(path, rdflib.URIRef) else None,
                value=None if value is None or value == focus else _show(value),
                shape=str(shacl.value(holder, rdflib.RDFS.label)),
                message=str(said["resultMessage"]),
            )
        )
    return found


def _known() -> Iterable[tuple[rdflib.term.Node, rdflib.term.Node, rdflib.term.Node]]:
    if not _KNOWN:
        ontology = rdflib.Graph().parse(ONTOLOGY_FOLDER / "diplomacy.ttl")
        _KNOWN.extend(t for t in ontology if t[1] == rdflib.RDFS.subClassOf)
        for name in ("event-types.ttl", "cameo.ttl"):
            concepts = rdflib.Graph().parse(ONTOLOGY_FOLDER / name)
            _KNOWN.extend(t for t in concepts if t[1] in (rdflib.RDF.type, rdflib.RDFS.label))
    return _KNOWN


_KNOWN: list[tuple[rdflib.term.Node, rdflib.term.Node, rdflib.term.Node]] = []


def _show(value: rdflib.term.Node) -> str:
    if not isinstance(value, rdflib.Literal):
        return compact(str(value))
    if value.language:
        return f'"{value}"@{value.language}'
    return f'"{value}"^^{compact(str(value.datatype or rdflib.XSD.string))}'
