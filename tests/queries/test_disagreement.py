"""Two papers of our own that disagree on who attacked whom, when, and how many died: found by value."""

from __future__ import annotations

import pyoxigraph
import pytest

from kg.describe.entity.entity_page import describe
from kg.describe.page_model import Value
from kg.ontology import reference_graphs
from kg.search import Name
from kg.store import EmbeddedStore
from kg.terms import ID
from tests.queries.asking import FIXTURES, ask

POST, STAR = "Invented Morning Post", "Invented Evening Star"
MINISTRY, CY = "Invented Ministry of the Blue", "Cy Invented"
RED, BLUE = "the red fleet", "the blue fleet"
HARBOUR = "the old harbour"


@pytest.fixture(scope="module")
def store() -> EmbeddedStore:
    store = EmbeddedStore()
    for graph, triples in reference_graphs().items():
        store.engine.bulk_extend(pyoxigraph.Quad(t.subject, t.predicate, t.object, graph) for t in triples)
    store.engine.load(path=FIXTURES / "disagreement.trig")
    return store


def test_contradictions_by_value(store: EmbeddedStore) -> None:
    rows = ask(
        store.engine,
        "contradicted-claims",
        "property value speaker otherValue otherSpeaker source otherSource",
    )
    # The star's claims sort after the post's in the IRIs, but "The blue fleet …" first among the labels.
    assert sorted(map(str, rows)) == sorted(
        map(
            str,
            [
                ("actor", RED, POST, BLUE, MINISTRY, POST, STAR),
                ("recipient", BLUE, POST, RED, MINISTRY, POST, STAR),
                ("time", "2019-04-02", POST, "2019-04-03", MINISTRY, POST, STAR),
                ("target", HARBOUR, POST, "not " + HARBOUR, CY, POST, STAR),
                ("target", HARBOUR, MINISTRY, "not " + HARBOUR, CY, STAR, STAR),
            ],
        )
    )


def test_what_both_say_is_no_contradiction_but_confirmed(store: EmbeddedStore) -> None:
    rows = ask(store.engine, "confirmed-claims", "property value")
    assert sorted(map(str, rows)) == sorted(
        map(str, [("event type", "Assault"), ("target", HARBOUR), ("took place", "true")])
    )


def test_figures_that_disagree(store: EmbeddedStore) -> None:
    assert ask(store.engine, "disagreeing-figures", "label value comparator speaker source") == [
        ("attack on the old harbour", 12, "exactly", POST, POST),
        ("attack on the old harbour", 30, "at least", MINISTRY, STAR),
    ]


def test_a_denial_denies_one_fact(store: EmbeddedStore) -> None:
    rows = ask(store.engine, "denied", "label denied asserted property value")
    assert rows == [
        ("attack on the old harbour", CY, MINISTRY, "target", HARBOUR),
        ("attack on the old harbour", CY, POST, "target", HARBOUR),
    ]


def test_the_page_of_the_event_says_who_claims_what(store: EmbeddedStore) -> None:
    found = describe(store, ID + "event/harbour-attack")
    assert found is not None
    told = {
        (d.property.label, _text(account.value), _label(account.speaker), _label(account.modality))
        for d in found.disagreements
        for account in d.accounts
    }
    assert told == {
        ("actor", RED, POST, "happened"), ("actor", BLUE, MINISTRY, "happened"),
        ("recipient", BLUE, POST, "happened"), ("recipient", RED, MINISTRY, "happened"),
        ("time", "2019-04-02", POST, "happened"), ("time", "2019-04-03", MINISTRY, "happened"),
        ("target", HARBOUR, POST, "happened"), ("target", HARBOUR, MINISTRY, "happened"),
        ("target", HARBOUR, CY, "denied"),
        ("value", "12", POST, "realised"), ("value", "30", MINISTRY, "realised"),
    }  # fmt: skip


def test_the_page_of_a_claim_lists_its_facts(store: EmbeddedStore) -> None:
    found = describe(store, ID + "claim/harbour-star-denial")
    assert found is not None
    assert found.statement is not None
    (fact,) = found.statement.facts
    assert (fact.subject.label, fact.property.label) == ("attack on the old harbour", "target")
    assert fact.value.name is not None
    assert fact.value.name.label == HARBOUR
    assert found.statement.said_by is not None
    assert found.statement.said_by.label == CY


def test_a_denied_fact_does_not_support_a_statement(store: EmbeddedStore) -> None:
    found = describe(store, ID + "event/harbour-attack")
    assert found is not None
    (target,) = (facts for facts in found.facts if facts.property.label == "target")
    claims = {claim.iri.removeprefix(ID) for fact in target.facts for claim in fact.claims}
    assert claims == {"claim/harbour-post-attack", "claim/harbour-star-attack"}


def _text(value: Value) -> str:
    return value.name.label if value.name else value.text


def _label(name: Name | None) -> str:
    return name.label if name else ""
