"""The checks: each catches its fixture, and our own files give none of them anything to say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import Triple

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import DataSyntaxError
from kg.ontology import article_graphs, reference_graphs
from kg.reasoning import explain
from kg.terms import PREFIXES, compact
from kg.validation.ontology_checks import Check, read_checks, run_checks

FIXTURES = Path(__file__).parents[2] / "fixtures" / "checks"
CHECKS = read_checks()


def parsed(path: Path) -> list[Triple]:
    return [quad.triple for quad in pyoxigraph.parse(path=path)]


def ours() -> list[Triple]:
    graphs = {**reference_graphs(), **article_graphs()}
    return [t for graph, triples in graphs.items() if "countries" not in graph.value for t in triples]


def culprit(path: Path) -> str:
    """The term that the first line of a fixture names."""
    found = re.match(r"# finds: (?:<([^>]+)>|(\w+):(\w+))\n", path.read_text(encoding="utf-8"))
    assert found, f"{path.name} does not begin with # finds: …"
    return found[1] or PREFIXES[found[2]] + found[3]


def test_our_files_have_no_finding() -> None:
    findings = run_checks([*ours(), *parsed(ONTOLOGY_FOLDER / "shapes.ttl")])
    assert [finding.text for finding in findings] == []


def test_every_check_has_a_fixture_and_every_fixture_a_check() -> None:
    assert {path.stem for path in FIXTURES.glob("*.ttl")} == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_the_fixture_is_caught(check: Check) -> None:
    path = FIXTURES / f"{check.name}.ttl"
    (finding,) = (f for f in run_checks(parsed(path), {check.name: check}) if f.term == culprit(path))
    assert finding.text.startswith(compact(finding.term))
    assert check.mend in finding.text


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_the_header_is_whole(check: Check) -> None:
    assert check.finds.endswith(".")
    assert check.mend.endswith(".")
    assert not check.title.endswith(".")
    assert re.search(r"^SELECT DISTINCT \?term\b", check.text, re.MULTILINE)


# What the catalogue of OOPS! leaves to people, and why it is not decided here.
NOT_DECIDED = {
    "P01": "whether one name has two meanings",
    "P09": "whether something of the domain is missing",
    "P12": "whether two properties mean the same",
    "P13": "an inverse is not always wanted: SPARQL asks backwards with ^",
    "P14": "whether allValuesFrom was meant as someValuesFrom",
    "P15": "whether none of was meant as not all",
    "P16": "whether a class is primitive or defined",
    "P17": "whether a hierarchy is too fine",
    "P18": "whether a domain is too narrow",
    "P23": "whether a step of reasoning was written twice",
    "P30": "whether two classes mean the same",
    "P31": "whether two equivalent classes do not",
    "P37": "whether the ontology is on the web: needs the network",
}


def test_every_pitfall_is_decided_or_has_a_reason() -> None:
    decided = {number for check in CHECKS.values() for number in re.findall(r"P\d\d", check.covers)}
    assert not decided & set(NOT_DECIDED)
    assert decided | set(NOT_DECIDED) == {f"P{number:02}" for number in range(1, 42)}


def test_one_finding_for_a_term_of_a_check() -> None:
    triples = parsed(FIXTURES / "class-cycle.ttl")
    found = run_checks([*triples, *triples], {"class-cycle": CHECKS["class-cycle"]})
    assert [compact(finding.term) for finding in found] == ["dg:Envoy", "dg:Legate"]


def test_a_check_without_a_mend_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.rq").write_text("# title: X\n# finds: X.\n# severity: error\nSELECT ?term { ?term ?p ?o }")
    with pytest.raises(DataSyntaxError, match="mend"):
        read_checks(tmp_path)


def test_a_check_of_another_severity_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.rq").write_text("# title: X\n# finds: X.\n# severity: fatal\n# mend: X.\n")
    with pytest.raises(DataSyntaxError, match="“fatal” is not a severity"):
        read_checks(tmp_path)


def test_a_check_without_a_term_is_refused(tmp_path: Path) -> None:
    shutil.copy(ONTOLOGY_FOLDER / "checks" / "naming.rq", tmp_path)
    broken = (tmp_path / "naming.rq").read_text().replace("SELECT DISTINCT ?term", "SELECT DISTINCT ?name")
    (tmp_path / "naming.rq").write_text(broken.replace("ORDER BY ?term", ""))
    with pytest.raises(DataSyntaxError, match=r"\?term"):
        run_checks([], read_checks(tmp_path))


# The ontology, broken in ways that people break one, each told with the term and the mend.
BREAKS = {
    "a cycle": ("dg:Agent rdfs:subClassOf dg:Person .", "dg:Person", "closes the circle"),
    "a disjointness": ("<id/person/x> a dg:Person, dg:Event .", "id:person/x", "cannot be both"),
    "a missing label": ("dg:Envoy a owl:Class ; rdfs:subClassOf dg:Person .", "dg:Envoy", "Add rdfs:label"),
    "a missing definition": (
        'dg:Envoy a owl:Class ; rdfs:label "envoy"@en .',
        "dg:Envoy",
        "Add skos:definition",
    ),
    "a wrong inverse": (
        "dg:actor owl:inverseOf dg:party . dg:actor rdfs:domain dg:Event ; rdfs:range dg:Agent .",
        "dg:actor",
        "take owl:inverseOf out",
    ),
    "a punned property": ("dg:actor a owl:DatatypeProperty .", "dg:actor", "Keep one declaration"),
    "a typing error": ("dg:Envoy rdfs:subClassOf dg:Persn .", "dg:Persn", "correct the spelling"),
    "a composite role": (
        "dg:locatedIn a owl:FunctionalProperty .",
        "dg:locatedIn",
        "Take out the transitivity",
    ),
    "a second domain": ("dg:cites rdfs:domain dg:Claim .", "dg:cites", "owl:unionOf"),
    "a datatype unknown": ("dg:begin rdfs:range xsd:date .", "dg:begin", "leave xsd:date"),
    "a cycle of concepts": (
        "<id/modality/asserted> skos:broader <id/modality/happened> .",
        "id:modality/asserted",
        "closes the circle",
    ),
    "a reserved name": ("owl:Envoy a owl:Class .", "owl:Envoy", "our own namespace"),
    "an impossible class": (
        "dg:Envoy a owl:Class ; rdfs:subClassOf dg:Person, dg:Event .",
        "dg:Envoy",
        "Take out one of the two",
    ),
    "a second value": ('<id/country/x> dg:iso3 "AAA", "BBB" .', "id:country/x", "can have one dg:iso3 only"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_ontology_is_told_with_term_and_mend(name: str) -> None:
    turtle, culprit, mend = BREAKS[name]
    head = "@base <https://w3id.org/diplograph/> ." + "".join(
        f"@prefix {p}: <{i}> ." for p, i in PREFIXES.items()
    )
    broken = [q.triple for q in pyoxigraph.parse(head + turtle, format=pyoxigraph.RdfFormat.TURTLE)]
    graphs = [
        t for graph, triples in reference_graphs().items() if "countries" not in graph.value for t in triples
    ]
    told = [finding.text for finding in run_checks([*graphs, *broken])] + list(explain([*graphs, *broken]))
    assert [line for line in told if line.startswith(culprit) and mend in line], told
