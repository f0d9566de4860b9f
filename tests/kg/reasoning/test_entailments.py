"""Entailments: what inference says is found, said once, and in step with every change."""

from __future__ import annotations

import random

import owlrl
import pyoxigraph
import pytest
import rdflib
from pyoxigraph import NamedNode, RdfFormat, Triple

from kg.ontology import reference_graphs
from kg.reasoning import AssertedStore, Entailments, asserted_only
from kg.reasoning.schema import keeps, read_schema
from kg.store import UNION, EmbeddedStore
from kg.terms import (
    GRAPH_ENTAILMENTS,
    GRAPH_LOADS,
    GRAPH_ONTOLOGY,
    ID,
    ONTOLOGY,
    PREFIXES,
    term,
)
from tests.kg.reasoning.graphs import (
    COOPERATIVE,
    OTHER,
    SOURCE,
    TREATY,
    entailed,
    put,
    random_fact,
    triples,
)


def test_what_only_inference_says_is_found(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.rebuild(small)
    change = put(small, triples(TREATY))
    assert not small.query(COOPERATIVE).truth()
    follower.follow(small, change)
    assert small.query(COOPERATIVE).truth()
    atlantis = NamedNode(ID + "country/atl")
    treaty = NamedNode(ID + "event/treaty")
    assert {
        Triple(treaty, term("dg:participant"), atlantis),
        Triple(atlantis, term("rdf:type"), term("dg:Agent")),
        Triple(NamedNode(ID + "interaction/treaty"), term("dg:interactionOf"), treaty),
    } <= entailed(small)


def test_the_article_is_classified(store: EmbeddedStore) -> None:
    Entailments().rebuild(store)
    deportation = f"<{ID}event/us-iran-deportation>"
    assert store.query(f"ASK {{ {deportation} a {term('dg:CooperativeEvent')} }}").truth()


def test_without_entailments(small: EmbeddedStore) -> None:
    assert asserted_only(small) == UNION
    follower = Entailments()
    follower.rebuild(small)
    follower.follow(small, put(small, triples(TREATY)))
    plain = AssertedStore(small)
    assert not plain.query(COOPERATIVE).truth()
    assert not small.query(COOPERATIVE, asserted_only(small)).truth()
    assert not plain.query("ASK { GRAPH ?g { ?s ?p ?o } FILTER(STRENDS(STR(?g), 'entailments')) }").truth()
    # Who names the graph gets it.
    assert plain.query(f"ASK FROM {GRAPH_ENTAILMENTS} {{ ?s ?p ?o }}").truth()
    put(small, triples("<id/place/x> a dg:Place ."), graph=OTHER)
    assert plain.query(f"ASK {{ <{ID}place/x> a ?c }}").truth()


def test_undo_takes_it_back(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.rebuild(small)
    before = entailed(small)
    follower.follow(small, put(small, triples(TREATY)))
    assert entailed(small) > before
    follower.follow(small, put(small, (), triples(TREATY)))
    assert entailed(small) == before


def test_what_still_follows_from_another_source_stays(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.follow(small, put(small, triples("<id/event/e> dg:actor <id/country/atl> .")))
    follower.follow(small, put(small, triples("<id/event/f> dg:recipient <id/country/atl> ."), graph=OTHER))
    follower.follow(small, put(small, (), triples("<id/event/e> dg:actor <id/country/atl> .")))
    agent = Triple(NamedNode(ID + "country/atl"), term("rdf:type"), term("dg:Agent"))
    assert agent in entailed(small)
    assert not [t for t in entailed(small) if t.subject == NamedNode(ID + "event/e")]


def test_nothing_asserted_is_repeated(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.follow(small, put(small, triples(TREATY)))
    said = triples("<id/event/treaty> a dg:CooperativeEvent ; dg:participant <id/country/atl> .")
    follower.follow(small, put(small, said, graph=OTHER))
    assert not entailed(small) & set(said)
    follower.follow(small, put(small, (), said, graph=OTHER))
    assert set(said) <= entailed(small)


def test_no_useless_statement_is_kept(store: EmbeddedStore) -> None:
    Entailments().rebuild(store)
    found = entailed(store)
    assert found
    own = tuple(PREFIXES[name] for name in ("rdf", "rdfs", "owl"))
    for t in found:
        assert t.predicate == term("rdf:type") or not t.predicate.value.startswith(own)
        assert t.predicate != term("rdf:type") or keeps(t.object.value)  # type: ignore[union-attr]
        assert t.subject != t.object


def test_the_graph_says_where_it_comes_from(small: EmbeddedStore) -> None:
    Entailments().rebuild(small)
    said = {q.predicate: q.object for q in small.engine.quads_for_pattern(GRAPH_ENTAILMENTS, None, None)}
    assert said[term("prov:wasDerivedFrom")] == GRAPH_ONTOLOGY
    software = said[term("prov:wasAttributedTo")]
    assert "reasonable" in str(software)
    assert term("prov:generatedAtTime") in said
    assert not list(small.engine.quads_for_pattern(GRAPH_ENTAILMENTS, None, None, GRAPH_ENTAILMENTS))


def test_ensure_builds_once_and_again_for_another_ontology(small: EmbeddedStore) -> None:
    put(small, triples(TREATY))
    assert Entailments().ensure(small)
    assert not Entailments().ensure(small)
    put(small, triples("dg:Treaty rdfs:subClassOf dg:Event ."), graph=GRAPH_ONTOLOGY)
    assert Entailments().ensure(small)
    later = triples('<load/1> a dg:Load ; prov:endedAtTime "2999-01-01T00:00:00Z"^^xsd:dateTime .')
    put(small, later, graph=GRAPH_LOADS)
    assert Entailments().ensure(small)


def test_a_change_of_the_ontology_changes_what_follows(small: EmbeddedStore) -> None:
    follower = Entailments()
    follower.follow(small, put(small, triples("<id/event/e> a dg:Journey .")))
    wider = triples("dg:Journey rdfs:subClassOf dg:Policy .")
    follower.follow(small, put(small, wider, graph=GRAPH_ONTOLOGY))
    policy = Triple(NamedNode(ID + "event/e"), term("rdf:type"), term("dg:Policy"))
    assert policy in entailed(small)
    follower.follow(small, put(small, (), wider, graph=GRAPH_ONTOLOGY))
    assert policy not in entailed(small)


def test_nothing_is_entailed_of_blank_nodes(small: EmbeddedStore) -> None:
    Entailments().rebuild(small)
    before = entailed(small)
    small.update(
        f"INSERT DATA {{ GRAPH {SOURCE} {{ _:e {term('dg:actor')} _:a ; a {term('dg:Journey')} ; "
        f"{term('dg:hasInteraction')} [ {term('dg:character')} <{ID}character/cooperative> ] }} }}"
    )
    Entailments().rebuild(small)
    assert {t.subject for t in entailed(small) - before} == {NamedNode(ID + "character/cooperative")}
    before = entailed(small)
    small.update(f"INSERT DATA {{ GRAPH {SOURCE} {{ <{ID}event/e> {term('dg:actor')} _:a }} }}")
    Entailments().rebuild(small)
    assert entailed(small) - before == {Triple(NamedNode(ID + "event/e"), term("rdf:type"), term("dg:Event"))}


def test_building_anew_mends_what_is_held(small: EmbeddedStore) -> None:
    put(small, triples(TREATY))
    Entailments().rebuild(small)
    right = entailed(small)
    small.update(
        f"DELETE WHERE {{ GRAPH {GRAPH_ENTAILMENTS} {{ ?x {term('dg:participant')} ?y }} }} ; INSERT DATA {{"
        f" GRAPH {GRAPH_ENTAILMENTS} {{ <{ID}event/treaty> a {term('dg:Event')}, {term('dg:Policy')} ;"
        f" {term('dg:place')} <{ID}place/x> ; <urn:p> 'text' ; a <urn:C> }} }}"
    )
    assert entailed(small) != right
    assert Entailments().rebuild(small) == len(right)
    assert entailed(small) == right


def test_classes_that_expressions_speak_of() -> None:
    schema = read_schema(reference_graphs()[GRAPH_ONTOLOGY])
    spoken = {name.removeprefix(ONTOLOGY) for name in schema.expressed}
    # Journey is an event, and Official is defined by a post.
    assert {"Event", "Journey", "CooperativeEvent", "Person", "Official"} <= spoken
    assert not {"Article", "Source", "Place", "Country", "CodingRecord"} & spoken


@pytest.mark.parametrize("seed", range(1))
def test_a_second_reasoner_finds_the_same(small: EmbeddedStore, seed: int) -> None:
    """owlrl is another program for the rules of OWL 2 RL; equality of things is left out."""
    pick = random.Random(100 + seed)
    facts = {random_fact(pick) for _ in range(14)}
    # Two events of one interaction are one by prp-fp; that two IRIs are one thing is never materialised.
    facts = {t for t in facts if t.predicate not in (term("dg:hasInteraction"), term("dg:interactionOf"))}
    facts |= set(triples(TREATY))
    put(small, facts)
    Entailments().rebuild(small)
    graph = rdflib.Graph()
    ontology = [q.triple for q in small.engine.quads_for_pattern(None, None, None, GRAPH_ONTOLOGY)]
    text = pyoxigraph.serialize([*ontology, *facts], format=RdfFormat.N_TRIPLES)
    graph.parse(data=text, format="nt")
    # Its own reading of datatypes would change rdflib's for every other test.
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics, improved_datatypes=False).expand(graph)
    things = {str(node.value) for t in facts for node in (t.subject, t.object) if isinstance(node, NamedNode)}

    def worth(s: object, p: object, o: object) -> bool:
        name = o if str(p) == term("rdf:type").value else p
        return str(s) in things and isinstance(o, rdflib.URIRef) and s != o and keeps(str(name))

    expected = {
        Triple(NamedNode(str(s)), NamedNode(str(p)), NamedNode(str(o))) for s, p, o in graph if worth(s, p, o)
    }
    found = {t for t in entailed(small) if isinstance(t.subject, NamedNode) and t.subject.value in things}
    assert found == expected - facts


def test_what_joins_is_read_from_the_ontology() -> None:
    schema = read_schema(reference_graphs()[GRAPH_ONTOLOGY])
    joining = {name.removeprefix(ONTOLOGY) for name in schema.joining}
    # Transitive, functional or in a class expression, and inverses of such.
    assert {"subEventOf", "locatedIn", "interactionOf", "hasInteraction", "character"} <= joining
    assert not {"actor", "participant", "time", "eventType", "codedActor"} & joining
