"""Documents and acts of diplomacy: one example each, asked; rows written from the fixture."""

from __future__ import annotations

import pyoxigraph
import pytest

from kg.describe.entity.entity_page import describe
from kg.ontology import reference_graphs
from kg.store import EmbeddedStore
from kg.terms import ID
from kg.validation import validate
from tests.queries.asking import FIXTURES, ask

SUMMIT = "third summit of the islands"
COUNCIL = "Council of the Sea"
STATEMENT = "Statement of the third summit"
EXAMPLES = {
    "agreements": [
        ("Reef Treaty", "Atlantis", "2031-05-02", "2031-06-01", COUNCIL, SUMMIT),
        ("Reef Treaty", "Lemuria", "2031-05-02", "2031-06-01", COUNCIL, SUMMIT),
        (STATEMENT, "Atlantis", "2031-05-02", None, None, SUMMIT),
        (STATEMENT, "Avalon", "2031-05-02", None, None, SUMMIT),
        (STATEMENT, "Lemuria", "2031-05-02", None, None, SUMMIT),
    ],
    "votes": [
        ("Resolution 7 on the reef", "Avalon", "abstained", COUNCIL, "2031-03-15"),
        ("Resolution 7 on the reef", "Lemuria", "against", COUNCIL, "2031-03-15"),
        ("Resolution 7 on the reef", "Atlantis", "in favour", COUNCIL, "2031-03-15"),
    ],
    "notes": [
        (
            "note of protest over the reef", "Foreign Ministry of Atlantis", "Lemuria", "territory",
            "2031-01-20",
        )
    ],
    "sanctions": [
        (
            "order against Pearl Bank", "Pearl Bank", "Atlantis", "2031-03-20", "2031-06-30",
            "Resolution 7 on the reef",
        )
    ],
    "relations-between": [
        ("Atlantis", "Lemuria", "broken off", None, "2028-08-09", "2031-04-30"),
        ("Atlantis", "Lemuria", "established", "embassy", "2031-05-01", None),
        ("Lemuria", "Atlantis", "broken off", None, "2028-08-09", "2031-04-30"),
        ("Lemuria", "Atlantis", "established", "embassy", "2031-05-01", None),
    ],
    "recognitions": [("Lemuria", "Avalon", "2020-07-04", None)],
    "visits": [
        (
            "visit of Dot Invented to Atlantis", "Atlantis", "Dot Invented", "minister", None, None,
            "2031-02-10",
        ),
        (
            SUMMIT, "Avalon", "Atlantis", "head of government",
            "summits of the islands", 3, "2031-05-01",
        ),
        (
            SUMMIT, "Avalon", "Lemuria", "head of government",
            "summits of the islands", 3, "2031-05-01",
        ),
    ],
    "mediations": [
        ("mediation over the reef", "Dot Invented", "Atlantis", "territory", "Avalon"),
        ("mediation over the reef", "Dot Invented", "Lemuria", "territory", "Avalon"),
    ],
    "demands": [
        (
            "demand to leave the reef", "Atlantis", "Lemuria", "event/reef-refusal",
            "refusal to leave the reef", "refused",
        )
    ],
    "prisoner-exchanges": [
        (
            "exchange of prisoners after the reef dispute", "Atlantis", "three divers of Lemuria",
            "two sailors of Atlantis", "Lemuria",
        ),
        (
            "exchange of prisoners after the reef dispute", "Lemuria", "two sailors of Atlantis",
            "three divers of Lemuria", "Atlantis",
        ),
    ],
    "appointments": [
        (
            "Eve Invented", "Ambassador of Atlantis to Lemuria", "Atlantis", "2031-05-10", "Lemuria",
            "2031-06-03",
        )
    ],
    # Held without a membership.
    "offices": [("Eve Invented", "Ambassador of Atlantis to Lemuria", "Foreign Ministry of Atlantis")],
    "posts": [
        ("Eve Invented", "Ambassador of Atlantis to Lemuria", "Foreign Ministry of Atlantis", None, None)
    ],
}  # fmt: skip
COLUMNS = {
    "agreements": "label signatory signed inForce depositary from",
    "votes": "label member vote body day",
    "notes": "label from to topic day",
    "sanctions": "label sanctioned by from to legalBase",
    "relations-between": "one other status level from to",
    "recognitions": "recognized by from to",
    "visits": "label host guest level series round day",
    "mediations": "label mediator party topic onBehalfOf",
    "demands": "label by of answer answerLabel kind",
    "prisoner-exchanges": "label by released inExchangeFor otherSide",
    "offices": "personLabel postLabel organization",
    "posts": "personLabel post organization from to",
    "appointments": "personLabel post appointedBy appointed presentedTo presented",
}


@pytest.fixture(scope="module")
def store() -> EmbeddedStore:
    store = EmbeddedStore()
    for graph, triples in reference_graphs().items():
        store.engine.bulk_extend(pyoxigraph.Quad(t.subject, t.predicate, t.object, graph) for t in triples)
    store.engine.load(path=FIXTURES / "diplomacy.trig")
    return store


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str, store: EmbeddedStore) -> None:
    assert ask(store.engine, name, COLUMNS[name]) == EXAMPLES[name]


def test_sanctions_in_force_on_a_day(store: EmbeddedStore) -> None:
    assert ask(store.engine, "sanctions", "label", on="2031-07-01") == []
    assert ask(store.engine, "sanctions", "label", on="2031-06-30") == [("order against Pearl Bank",)]


def test_the_examples_may_be_loaded_without_a_warning(store: EmbeddedStore) -> None:
    known = [t for triples in reference_graphs().values() for t in triples]
    fixture = [quad.triple for quad in pyoxigraph.parse(path=FIXTURES / "diplomacy.trig")]
    assert [finding.text for finding in validate(fixture, known)] == []


@pytest.mark.parametrize(
    ("iri", "facts"),
    [
        (
            "instrument/reef-treaty",
            {"signatory", "signed on", "in force", "depositary", "produced by", "topic"},
        ),
        ("instrument/pearl-order", {"issued by", "sanctions", "legal base", "time", "topic"}),
        ("ballot/resolution-7-xat", {"cast by", "vote", "ballot on"}),
        ("relation/xat-xlm-broken", {"party", "status", "time"}),
        ("recognition/xav-xlm", {"recognized by", "recognizes", "time"}),
        ("participation/dot-mediation", {"agent", "role", "on behalf of", "level"}),
    ],
)
def test_the_page_names_everything(iri: str, facts: set[str], store: EmbeddedStore) -> None:
    found = describe(store, ID + iri)
    assert found is not None
    assert {group.property.label for group in found.facts} == facts
    assert all(f.value.name is None or f.value.name.described for g in found.facts for f in g.facts)
