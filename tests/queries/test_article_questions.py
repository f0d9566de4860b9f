"""What the questions answer on the article; rows are written from it and from fixtures, not from queries."""

from __future__ import annotations

import pyoxigraph

from kg.store import EmbeddedStore
from kg.terms import ID
from tests.queries.asking import (
    COLUMNS,
    DEPORTATION,
    NEGOTIATIONS,
    STRIKES,
    Rows,
    ask,
)
from tests.queries.values import EVENT


def test_deportations(article: pyoxigraph.Store) -> None:
    assert ask(article, "deportations", COLUMNS["deportations"] + " originCountry") == [
        (
            "event/us-iran-deportation", DEPORTATION, 100, "approximately", "Iranian nationals", "Louisiana",
            "Qatar", "Iran", "United States",
        )
    ]  # fmt: skip


def test_attribution_chain_of_the_deportation(article: pyoxigraph.Store) -> None:
    assert ask(article, "attribution-chain", "step source kind", **EVENT) == [
        (1, "News article on a US–Iran deportation flight", "document"),
        (2, "The New York Times", "news organization"),
        (3, "senior officials (unnamed)", "unnamed"),
    ]


def test_attribution_chain_of_everything(article: pyoxigraph.Store) -> None:
    rows = ask(article, "attribution-chain", "claim step")
    assert len({claim for claim, _ in rows}) == len({claim for claim, step in rows if step == 1}) > 20


def test_planned_not_confirmed(article: pyoxigraph.Store) -> None:
    planned, projected = ask(article, "planned-not-confirmed")
    assert planned[2:] == ("planned", "News article on a US–Iran deportation flight")
    assert "Iran by way of Qatar" in str(planned[1])
    assert projected[2:] == ("projected", "Department of Homeland Security")
    assert "600,000" in str(projected[1])


def test_a_plan_that_came_true_is_confirmed(store: EmbeddedStore) -> None:
    store.engine.update(
        "PREFIX dg: <https://w3id.org/diplograph/ontology#> INSERT DATA { GRAPH <urn:later> { <urn:claim>"
        f" dg:about <{ID}event/us-iran-deportation-arrival> ; dg:modality <{ID}modality/happened> }} }}"
    )
    assert [row[2] for row in ask(store.engine, "planned-not-confirmed")] == ["projected"]


def test_led_to(article: pyoxigraph.Store) -> None:
    assert ask(article, "led-to", "causeLabel effectLabel") == [(NEGOTIATIONS, DEPORTATION)]


def test_hostile_acts(article: pyoxigraph.Store) -> None:
    assert ask(article, "hostile-acts", "label actor orderedBy recipient target") == [
        (STRIKES, "United States", "Donald Trump", "Iran", "nuclear sites")
    ]


def test_quantities(article: pyoxigraph.Store) -> None:
    dhs = "Department of Homeland Security"
    assert ask(article, "quantities", "value comparator unit asOf deadline modality source") == [
        (100, "approximately", "person", None, None, "happened", "senior officials (unnamed)"),
        (200000, "close to", "deportation", "end of August, year not stated", None, "realised", dhs),
        (600000, "nearly", "deportation", None, "end of the year, year not stated", "projected", dhs),
    ]


def test_statements_by(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    mclaughlin = ask(article, "statements-by", speaker="person/tricia-mclaughlin")
    assert [row[2:] for row in mclaughlin] == [("Tricia McLaughlin", "Assistant Secretary")] * 2
    (white_house,) = ask(article, "statements-by", speaker="agency/white-house")
    assert white_house[2:] == ("White House", None)
    # Neither newspapers nor the nameless, nor a clause that only says who says something.
    speakers = {row[2] for row in ask(article, "statements-by")}
    assert speakers == {
        "Department of Homeland Security", "Donald Trump", "Tricia McLaughlin", "White House",
    }  # fmt: skip
    # The bulletin is of March 2017, when she was still envoy.
    ada = ask(everything, "statements-by", "label post", speaker="person/ada-invented")
    assert ada == [("The visit went well", "Envoy")]


def test_posts(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    mclaughlin = (
        "person/tricia-mclaughlin", "Tricia McLaughlin", "Assistant Secretary",
        "Department of Homeland Security", None, None,
    )  # fmt: skip
    trump = ("person/donald-trump", "Donald Trump", "President", "United States government", None, None)
    assert ask(article, "posts") == [trump, mclaughlin]
    assert ask(article, "posts", on="2018-05-01") == [trump, mclaughlin]
    for day, post in (("2015-02-01", "Envoy"), ("2017-06-30", "Envoy"), ("2017-07-01", "Minister")):
        assert ("Ada Invented", post) in ask(everything, "posts", "personLabel post", on=day)
        assert len(elsewhere(ask(everything, "posts", on=day))) == 4
    eve = (
        "person/eve-invented", "Eve Invented", "Ambassador of Atlantis to Lemuria",
        "Foreign Ministry of Atlantis", None, None,
    )  # fmt: skip
    assert elsewhere(ask(everything, "posts", on="2015-01-31")) == [trump, eve, mclaughlin]


def elsewhere(rows: Rows) -> Rows:
    """Leave out the sample missions: two of their heads have an end, or both bounds, that nobody knows."""
    return [row for row in rows if row[3] != "Mission of the United States in Iran"]


def test_undisclosed(article: pyoxigraph.Store) -> None:
    assert ask(article, "undisclosed", "about source") == [
        ("identities of the deported", "sources (unnamed)"),
        ("reasons for seeking entry into the United States", "sources (unnamed)"),
    ]


def test_metonyms(article: pyoxigraph.Store) -> None:
    capital = "capital for government"
    assert [row[:2] for row in ask(article, "metonyms")] == [
        ("Tehran", "Iranian government"),
        ("Washington", "United States government"),
        ("White House", "Trump administration"),
    ]
    assert [row[2] == capital for row in ask(article, "metonyms")] == [True, True, False]


def test_dyad(article: pyoxigraph.Store) -> None:
    expected = {(NEGOTIATIONS, "cooperative"), (DEPORTATION, "cooperative"), (STRIKES, "conflictual")}
    rows = ask(article, "dyad", "label cooperation date source")
    assert {row[:2] for row in rows} == expected
    assert len(rows) == 3
    assert {row[2:] for row in rows} == {(None, "News article on a US–Iran deportation flight")}
    turned = ask(article, "dyad", "label cooperation", a="id:country/irn", b="id:country/usa")
    assert set(turned) == expected
    # The governments negotiated; the rest passed between the countries.
    assert ask(article, "dyad", "label", a="government/irn", b="government/usa") == [(NEGOTIATIONS,)]
    assert ask(article, "dyad", a="country/irn", b="country/qat") == []


def test_dyad_newest_first(everything: pyoxigraph.Store) -> None:
    rows = ask(everything, "dyad", "label cooperation date source")
    assert rows[:2] == [
        ("invented talks", "cooperative", "2018-02-01", "Invented dataset of codings"),
        ("agreed return of invented people", "cooperative", "2018-01-05", "Invented dataset of codings"),
    ]
    assert [row[2] for row in rows[2:]] == [None, None, None]


def test_anonymous_only(article: pyoxigraph.Store) -> None:
    rows = ask(article, "anonymous-only")
    assert [(claim, step) for claim, _, step in rows] == [
        ("claim/us-iran-deportation-deported", "senior officials (unnamed)"),
        ("claim/us-iran-deportation-make-up", "sources (unnamed)"),
    ]


def test_coding_records(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    assert ask(article, "coding-records") == []
    rows = ask(everything, "coding-records", "record code goldstein event disagrees")
    assert ("record/invented-1", "174", -5, "event/invented-return", "yes") in rows
    assert ("record/invented-4", "046", 7, "event/invented-talks", "no") in rows
    assert ("record/invented-6", "046", None, None, "") in rows
    assert {row[0] for row in rows} == {f"record/invented-{n}" for n in range(1, 7)}
    assert [row[0] for row in ask(everything, "coding-records", b="country/qat")] == ["record/invented-7"]


def test_monthly_balance(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    assert ask(article, "monthly-balance") == []
    expected = [("2018-01", 1, 1, 1), ("2018-02", 1, 1, -1.5), ("2018-03", 1, 0, None)]
    assert ask(everything, "monthly-balance") == expected
    assert ask(everything, "monthly-balance", a="country/irn", b="country/usa") == expected
    plover = ask(everything, "monthly-balance", scheme="scheme/plover")
    assert plover == [("2018-02", 1, 0, 7)]
