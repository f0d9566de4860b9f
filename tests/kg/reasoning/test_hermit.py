"""HermiT over the ontology and the article: consistent, classified, and contradictions caught."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import NamedNode, RdfFormat, Triple

from kg.errors import ToolFailedError, ToolMissingError
from kg.ontology import article_graphs, reference_graphs
from kg.reasoning import ConsistencyReport, check_consistency, hermit
from kg.terms import GENID, GRAPH_ONTOLOGY, PREFIXES, compact

needs_java = pytest.mark.skipif(
    shutil.which("java") is None, reason="no Java: install one, such as default-jre-headless"
)
HEAD = "@base <https://w3id.org/diplograph/> . " + "".join(
    f"@prefix {p}: <{i}> ." for p, i in PREFIXES.items()
)


def triples(turtle: str) -> list[Triple]:
    return [quad.triple for quad in pyoxigraph.parse(HEAD + turtle, format=RdfFormat.TURTLE)]


def reference() -> list[Triple]:
    """Ontology, concepts and alignments; the countries add time and nothing to find."""
    return [t for graph, found in reference_graphs().items() if "countries" not in graph.value for t in found]


@pytest.fixture(scope="module")
def report() -> ConsistencyReport:
    everything = [t for graphs in (reference_graphs(), article_graphs()) for g in graphs.values() for t in g]
    return check_consistency(everything)


@needs_java
def test_ontology_and_article_are_consistent(report: ConsistencyReport) -> None:
    assert report.consistent
    assert report.unsatisfiable == ()
    assert report.explanation == ()


@needs_java
@pytest.mark.parametrize(
    ("thing", "cls"),
    [
        ("id:person/tricia-mclaughlin", "dg:Official"),
        ("id:event/us-iran-deportation", "dg:CooperativeEvent"),
        ("id:event/us-strikes-on-iranian-nuclear-sites", "dg:ConflictualEvent"),
    ],
)
def test_article_is_classified(report: ConsistencyReport, thing: str, cls: str) -> None:
    assert (thing, cls) in {(compact(i.thing), compact(i.type)) for i in report.inferred_types}


@needs_java
def test_what_was_said_is_not_told_as_inferred(report: ConsistencyReport) -> None:
    said = {(t.subject, t.object) for graph in article_graphs().values() for t in graph}
    assert not said & {(NamedNode(i.thing), NamedNode(i.type)) for i in report.inferred_types}


@needs_java
def test_disjoint_classes_are_caught_and_explained() -> None:
    wrong = triples("<id/person/x> a dg:Person . <id/event/y> a dg:Event ; dg:ledTo <id/person/x> .")
    report = check_consistency([*reference(), *wrong])
    assert not report.consistent
    assert report.inferred_types == ()
    (line,) = report.explanation
    assert "id:person/x cannot be both dg:Agent" in line
    assert "it is the dg:ledTo of id:event/y" in line


@needs_java
def test_second_value_of_a_functional_property_is_caught_and_explained() -> None:
    wrong = triples('<id/country/x> a dg:Country ; dg:iso3 "AAA" , "BBB" .')
    report = check_consistency([*reference(), *wrong])
    assert not report.consistent
    assert report.explanation == ("id:country/x can have one dg:iso3 only, and has: AAA, BBB",)


@needs_java
@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ("<id/claim/x> dg:confirms <id/claim/x> .", "id:claim/x cannot be its own dg:confirms"),
        (
            "<id/claim/x> dg:supersedes <id/claim/y> . <id/claim/y> dg:supersedes <id/claim/x> .",
            "id:claim/x and id:claim/y cannot each be the dg:supersedes of the other",
        ),
    ],
)
def test_claims_that_argue_in_a_circle_are_caught_and_explained(facts: str, says: str) -> None:
    report = check_consistency([*reference(), *triples(facts)])
    assert not report.consistent
    (line,) = report.explanation
    assert line.startswith(says)


@needs_java
def test_what_the_rules_do_not_explain_is_narrowed_down_to_the_fewest_facts() -> None:
    """No simple rule sees a disjointness behind a class expression; the other facts have no part in it."""
    wrong = triples("""
        dg:Envoy a owl:Class ; owl:disjointWith dg:Person ; owl:equivalentClass
          [ a owl:Class ; owl:intersectionOf ( dg:Agent [ a owl:Restriction ; owl:onProperty org:holds ;
            owl:someValuesFrom org:Post ] ) ] .
        <id/person/x> a dg:Person ; org:holds <id/post/p> . <id/post/p> a org:Post .
        <id/person/y> a dg:Person . <id/event/e> a dg:Event ; dg:actor <id/person/y> .""")
    ontology = reference_graphs()[GRAPH_ONTOLOGY]
    report = check_consistency([*ontology, *wrong])
    assert not report.consistent
    assert report.explanation == (
        "these cannot all be true: id:person/x org:holds id:post/p; id:person/x rdf:type dg:Person; "
        "id:post/p rdf:type org:Post",
    )


@pytest.fixture(scope="module")
def classified() -> ConsistencyReport:
    """One run for what does not depend on other facts; with the ontology as a store gives it back."""

    def named(node: object) -> object:
        # Blank nodes as IRIs (RDF 1.1 section 3.5).
        return NamedNode(f"{GENID}{node.value}") if isinstance(node, pyoxigraph.BlankNode) else node

    facts = triples("""
        <id/event/y> a dg:Event ; dg:actor <id/country/x> ; dg:origin <id/country/x> ; dg:time <id/time/z> .
        <id/time/z> dg:begin "2024-01-01"^^xsd:date ; dg:monthOfYear "--01"^^xsd:gMonth .
        <id/person/x> a dg:Person ; org:holds <id/post/p> . <id/post/p> a org:Post .
        <ontology#Both> a owl:Class ; rdfs:subClassOf dg:Person , dg:Event .
        <urn:o> owl:imports <http://127.0.0.1:9/never> .""")
    skolem = [Triple(named(t.subject), t.predicate, named(t.object)) for t in reference()]  # type: ignore[arg-type]
    return check_consistency([*skolem, *facts])


@needs_java
def test_a_country_is_an_agent_and_a_place_and_a_claim_about_dates_does_no_harm(
    classified: ConsistencyReport,
) -> None:
    assert classified.consistent
    found = {(compact(i.thing), compact(i.type)) for i in classified.inferred_types}
    assert {("id:country/x", "dg:Agent"), ("id:country/x", "dg:Place")} <= found
    assert ("id:time/z", "time:ProperInterval") in found


@needs_java
def test_unsatisfiable_class_is_named(classified: ConsistencyReport) -> None:
    assert classified.unsatisfiable == (PREFIXES["dg"] + "Both",)


@needs_java
def test_skolemised_class_expressions_are_read(classified: ConsistencyReport) -> None:
    assert ("id:person/x", "dg:Official") in {
        (compact(i.thing), compact(i.type)) for i in classified.inferred_types
    }


@needs_java
def test_imports_are_not_fetched(classified: ConsistencyReport) -> None:
    """An import that was fetched would have failed the run: nothing listens at its address."""
    assert classified.consistent


@needs_java
def test_time_is_bounded() -> None:
    with pytest.raises(ToolFailedError, match=r"0\.01 seconds"):
        check_consistency(reference(), timeout=0.01)


def test_java_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hermit.shutil, "which", lambda name: None)
    with pytest.raises(ToolMissingError) as caught:
        check_consistency([])
    assert "Java" in caught.value.detail
    assert "apt install" in str(caught.value.mend)
    assert caught.value.exit_code == 3


@needs_java
def test_every_kind_of_thing_can_be_true_at_once() -> None:
    """Documents and acts of diplomacy, papers that disagree, and one thing of each kind, in wide domains."""
    fixtures = Path(__file__).parents[2] / "fixtures"
    files = ("diplomacy.trig", "disagreement.trig", "claims.trig", "shapes/conforming.ttl")
    facts = [quad.triple for name in files for quad in pyoxigraph.parse(path=fixtures / name)]
    report = check_consistency([*reference(), *facts])
    assert report.consistent
    assert report.unsatisfiable == ()
