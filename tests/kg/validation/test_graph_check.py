"""The shapes: one graph that conforms, and for every shape a change that breaks it."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph
import pytest
import rdflib
from pyoxigraph import RdfFormat, Triple
from rdflib.namespace import RDF, RDFS, SH

from kg.bundled import ONTOLOGY_FOLDER
from kg.ontology import article_graphs, reference_graphs
from kg.terms import PREFIXES, compact
from kg.validation import Finding, validate

FIXTURES = Path(__file__).parents[2] / "fixtures" / "shapes"
GOOD = (FIXTURES / "conforming.ttl").read_text(encoding="utf-8")
HEAD = GOOD[: GOOD.index("\n<id/")]


def triples(turtle: str) -> list[Triple]:
    return [quad.triple for quad in pyoxigraph.parse(turtle, format=RdfFormat.TURTLE)]


@dataclass(frozen=True)
class Row:
    """A change of GOOD (`old` to `new`) after which `shape` finds a violation at `node`."""

    shape: str
    node: str
    path: str | None
    old: str
    new: str
    says: str = ""


def _rows() -> list[Row]:
    """Read violations.tsv; in it \\n stands for the end of a line, and an empty path for none."""
    with (FIXTURES / "violations.tsv").open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        cells = [{name: cell.replace("\\n", "\n") for name, cell in row.items()} for row in table]
    return [Row(**{**row, "path": row["path"] or None}) for row in cells]


ROWS = _rows()


def test_conforming_graph_has_no_findings() -> None:
    assert validate(triples(GOOD)) == []


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row.shape}: {row.path} {row.new[:30]}".replace("\n", " ")
)
def test_violation(row: Row) -> None:
    assert row.old in GOOD
    findings = [f for f in validate(triples(GOOD.replace(row.old, row.new))) if f.severity == "violation"]
    matching = [f for f in findings if f.shape == row.shape and f.path == row.path and row.says in f.message]
    assert full_name(row.node) in {f.node for f in matching}, "\n".join(f.text for f in findings)


def full_name(name: str) -> str:
    prefix, _, local = name.partition(":")
    return PREFIXES[prefix] + local


def _shapes() -> rdflib.Graph:
    return rdflib.Graph().parse(ONTOLOGY_FOLDER / "shapes.ttl")


def test_every_shape_has_a_violating_row() -> None:
    shapes = _shapes()
    warnings = set(shapes.subjects(SH.severity, SH.Warning))
    strict = set(shapes.subjects(RDF.type, SH.NodeShape)) - warnings
    assert {str(shapes.value(shape, RDFS.label)) for shape in strict} == {row.shape for row in ROWS}


def test_every_constraint_has_a_message_in_english() -> None:
    shapes = _shapes()
    constraints = {*shapes.objects(predicate=SH.property), *shapes.objects(predicate=SH.sparql)}
    nested = {
        shape
        for members in shapes.objects(predicate=SH["or"])
        for part in shapes.items(members)
        for shape in [
            *shapes.objects(part, SH.property),
            *(inner for no in shapes.objects(part, SH["not"]) for inner in shapes.objects(no, SH.property)),
        ]
    }
    silent = [
        shapes.value(c, SH.path) for c in constraints - nested
        if not any(m.language == "en" and len(m) > 20 for m in shapes.objects(c, SH.message))
    ]  # fmt: skip
    assert not silent


def test_shapes_conform_to_shacl() -> None:
    import pyshacl

    conforms, _, text = pyshacl.validate(rdflib.Graph(), shacl_graph=_shapes(), meta_shacl=True)
    assert conforms, text


def test_shapes_use_the_vocabulary_of_shacl_only() -> None:
    # An unknown term, such as a misspelled constraint, is ignored by processors (SHACL section 3.4).
    terms = {term for triple in _shapes() for term in triple if term in SH or str(term).startswith(str(SH))}
    assert {"path", "message", "minCount"} <= {str(term).removeprefix(str(SH)) for term in terms}
    assert [term for term in terms if term not in SH] == []


def test_shapes_use_declared_terms_only() -> None:
    text = (ONTOLOGY_FOLDER / "shapes.ttl").read_text(encoding="utf-8")
    ontology = rdflib.Graph().parse(ONTOLOGY_FOLDER / "diplomacy.ttl")
    declared = {compact(str(subject)) for subject in ontology.subjects(RDF.type)}
    assert {f"dg:{name}" for name in re.findall(r"\bdg:(\w+)", text)} <= declared


@pytest.mark.parametrize(("states", "warned"), [("dg:states <id/fact/1> ;", 0), ("", 1)])
def test_a_denial_of_nothing_in_particular_is_a_warning(states: str, warned: int) -> None:
    text = GOOD.replace("dg:states <id/fact/1> ;", states).replace("modality/happened", "modality/denied", 1)
    if not states:
        text = "\n".join(line for line in text.splitlines() if not line.startswith("<id/fact/1> "))
    findings = validate(triples(text))
    assert [(f.severity, compact(f.node)) for f in findings] == [("warning", "id:claim/1")] * warned
    assert all("dg:tookPlace" in f.message for f in findings)


def test_event_without_evidence_is_a_warning() -> None:
    findings = validate(triples(GOOD.replace(", <id/event/treaty> ;", ";")))
    assert [(f.severity, compact(f.node)) for f in findings] == [("warning", "id:event/treaty")]
    assert "dg:about" in findings[0].message


@pytest.mark.parametrize(
    ("old", "new", "value", "hint"),
    [
        ("dg:recipient", "dg:recipeint", "dg:recipeint", "dg:recipient"),
        ("a dg:Policy", "a dg:Polizy", "dg:Polizy", "dg:Policy"),
        ("dg:predicate dg:place", "dg:predicate dg:palce", "dg:palce", "dg:place"),
        ("dg:recipient", "dg:madeUpTerm", "dg:madeUpTerm", "data-model"),
        ("dg:states <id/fact/1>", "dg:aspect dg:place", "dg:aspect", "dg:states with a dg:Fact"),
    ],
)
def test_unknown_term(old: str, new: str, value: str, hint: str) -> None:
    findings = [f for f in validate(triples(GOOD.replace(old, new, 1))) if f.shape == "Known terms"]
    assert [(f.severity, f.value) for f in findings] == [("violation", value)]
    assert hint in findings[0].text


@pytest.mark.parametrize(
    ("old", "literal"),
    [
        ('"2024-02-29"^^xsd:date', '"2025-02-31"^^xsd:date'),
        ('"2024-02-29"^^xsd:date', '"29.2.2024"^^xsd:date'),
        ('"--08"^^xsd:gMonth', '"--13"^^xsd:gMonth'),
        ("dg:value 3 ", 'dg:value "three"^^xsd:integer '),
    ],
)
def test_ill_typed_literal_is_named_once(old: str, literal: str) -> None:
    findings = [f for f in validate(triples(GOOD.replace(old, literal))) if f.severity == "violation"]
    assert len(findings) == 1
    assert literal.split()[-1].removeprefix("dg:value ") in findings[0].text
    assert findings[0].shape == "Literals"


def test_ill_typed_literal_of_a_property_without_shape() -> None:
    extra = '<id/event/talks> rdfs:comment "2025-02-31"^^xsd:date .'
    (finding,) = validate(triples(GOOD + extra))
    assert finding.text.startswith('id:event/talks rdfs:comment "2025-02-31"^^xsd:date: ')


def test_background_resolves_references_and_is_not_reported() -> None:
    data = (
        HEAD
        + """
        <id/event/e> a dg:Event ; rdfs:label "e" ; dg:eventType <id/event-type/plover-aid> ;
          dg:actor <id/country/qat> ."""
    )
    background = [t for graph in reference_graphs().values() for t in graph]
    assert [f.severity for f in validate(triples(data), background)] == ["warning"]
    assert "violation" in {f.severity for f in validate(triples(data))}


def test_known_thing_needs_no_second_label() -> None:
    known = '<id/country/qat> a dg:Country ; rdfs:label "Qatar"@en . <id/country/zzz> a dg:Country .'
    data = '<id/country/qat> skos:altLabel "State of Qatar"@en .'
    assert validate(triples(HEAD + data), triples(HEAD + known)) == []


def test_violations_come_first() -> None:
    text = GOOD.replace(", <id/event/treaty> ;", ";").replace("dg:unit <id/unit/day> ;", "")
    assert [f.severity for f in validate(triples(text))] == ["violation", "warning"]


def test_finding_text() -> None:
    finding = Finding(
        "violation", PREFIXES["id"] + "time/x", "dg:begin", '"y"', "Interval of time", "Mend it."
    )
    assert finding.text == 'id:time/x dg:begin "y": Mend it. (shape: Interval of time)'


def test_reference_graphs_conform() -> None:
    everything = [t for graph in reference_graphs().values() for t in graph]
    assert [f.text for f in validate(everything)] == []


@pytest.mark.parametrize("graph", article_graphs(), ids=lambda graph: compact(graph.value))
def test_article_conforms(graph: pyoxigraph.NamedNode) -> None:
    background = [t for known in reference_graphs().values() for t in known]
    assert [f.text for f in validate(article_graphs()[graph], background)] == []


def test_a_literal_that_is_no_value_is_a_finding_and_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    row = next(row for row in ROWS if "27 February" in row.new)
    assert validate(triples(GOOD.replace(row.old, row.new.replace("27", "31"))))
    assert not caplog.records


def test_what_is_known_of_a_subject_counts() -> None:
    """A file may add to a country without saying again what it is."""
    known = triples(HEAD + '<id/country/irn> a dg:Country ; rdfs:label "Iran"@en .')
    more = triples(
        HEAD + '<id/country/irn> dg:headedBy <id/person/x> . <id/person/x> a dg:Person ; rdfs:label "X"@en .'
    )
    assert [f.text for f in validate(more, known)] == []
    assert validate(more)
