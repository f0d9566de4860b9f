"""The pages of documents and acts of diplomacy; words written from tests/fixtures/diplomacy.trig by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode

from kg.store import EmbeddedStore
from kg.terms import PREFIXES
from tests.api.words import LABEL, TYPE, add, dg, hrefs, read, thing

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def islands(client: FlaskClient, store: EmbeddedStore) -> FlaskClient:
    store.engine.load(path=FIXTURES / "diplomacy.trig")
    return client


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            "instrument/reef-treaty",
            ["signatory Atlantis", "Lemuria", "signed on 2031-05-02", "in force from 1 June 2031 on",
             "depositary Council of the Sea", "produced by third summit of the islands"],
        ),
        ("instrument/island-statement", ["joint statement", "Avalon", "signed on 2031-05-02"]),
        ("instrument/resolution-7", ["adopted by Council of the Sea", "adopted on 2031-03-15"]),
        (
            "instrument/note-of-protest",
            ["issued by Foreign Ministry of Atlantis", "addressed to Lemuria", "topic territory"],
        ),
        (
            "instrument/pearl-order",
            ["issued by Atlantis", "sanctions Pearl Bank", "time 20 March to 30 June 2031",
             "legal base Resolution 7 on the reef"],
        ),
        ("relation/xat-xlm-established", ["status established", "level embassy", "time from 1 May 2031 on"]),
        ("recognition/xav-xlm", ["recognized by Avalon", "recognizes Lemuria", "from 4 July 2020 on"]),
        (
            "event/island-summit-3",
            ["host Avalon", "guest Atlantis", "level head of government", "series summits of the islands",
             "round 3", "Documents from it"],
        ),
        ("event/dot-visit", ["host Atlantis", "guest Dot Invented", "level minister", "topic trade"]),
        ("event/reef-mediation", ["mediator Dot Invented , on behalf of Avalon (minister)"]),
        ("event/reef-refusal", ["answer to demand to leave the reef", "answer refused"]),
        (
            "event/eve-appointment",
            ["actor Atlantis", "affected Eve Invented", "post Ambassador of Atlantis to Lemuria"],
        ),
        ("event/eve-credentials", ["actor Eve Invented", "recipient Lemuria", "time 2031-06-03"]),
    ],
)  # fmt: skip
def test_a_page_tells_what_happened_and_every_fact_has_its_source(
    islands: FlaskClient, path: str, told: list[str]
) -> None:
    text, _ = read(islands, f"/page/{path}")
    spaced = text.replace(",", " ,").replace("  ", " ")
    for each in told:
        assert each in spaced, each
    assert "no source" not in text


def test_a_resolution_shows_the_votes_in_groups_with_their_numbers(islands: FlaskClient) -> None:
    text, page = read(islands, "/page/instrument/resolution-7")
    votes = text[text.index("Votes") : text.index("Legal base of")]
    order = [
        votes.index(words)
        for words in ("in favour 1", "Atlantis", "against 1", "Lemuria", "abstained 1", "Avalon")
    ]
    assert order == sorted(order)
    assert "/page/ballot/resolution-7-xav" in hrefs(page)
    assert "absent" not in votes


def test_votes_are_counted_in_full_beyond_one_page(islands: FlaskClient, store: EmbeddedStore) -> None:
    for number in range(193):
        ballot = thing(f"ballot/other-{number}")
        choice = "in-favour" if number < 141 else "absent"
        add(
            store,
            (ballot, TYPE, dg("Ballot")),
            (ballot, LABEL, Literal(f"ballot {number}", language="en")),
            (ballot, dg("ballotOn"), thing("instrument/other")),
            (ballot, dg("castBy"), thing("country/xat")),
            (ballot, dg("vote"), thing(f"vote-choice/{choice}")),
        )
    text, _ = read(islands, "/page/instrument/other")
    assert "in favour 141" in text
    assert "absent 52" in text
    assert "are shown on this page" not in text


def test_an_exchange_shows_who_went_for_whom(islands: FlaskClient) -> None:
    text, page = read(islands, "/page/event/reef-exchange")
    parts = text[text.index("Parts") : text.index("Sources and certainty")]
    assert "release of the divers Atlantis three divers of Lemuria release of the sailors" in parts
    assert "release of the sailors Lemuria two sailors of Atlantis release of the divers" in parts
    named = [attributes["data-name"] for tag, attributes in page.elements if "data-name" in attributes]
    assert named[:3] == ["actor", "affected", "in exchange for"]


def test_either_release_names_the_other(islands: FlaskClient) -> None:
    # Only the release of the divers states the exchange.
    text, _ = read(islands, "/page/event/sailors-release")
    assert "in exchange for release of the divers" in text
    assert "inferred" not in text
    assert "no source" not in text


def test_a_demand_shows_its_answer(islands: FlaskClient) -> None:
    text, _ = read(islands, "/page/event/reef-demand")
    answers = text[text.index("Answers") : text.index("Sources and certainty")]
    assert "refusal to leave the reef Lemuria refused" in answers


def test_the_documents_of_a_summit_and_the_rounds_of_a_series(islands: FlaskClient) -> None:
    text, _ = read(islands, "/page/event/island-summit-3")
    assert "Reef Treaty Atlantis, Lemuria 2031-05-02" in text
    text, _ = read(islands, "/page/series/island-summits")
    assert "third summit of the islands Avalon head of government 2031-05-01 3" in text


def test_relations_stand_in_time_order_on_pages_of_the_states(islands: FlaskClient) -> None:
    text, page = read(islands, "/page/country/xat")
    relations = text[text.index("Relations") :]
    assert "Lemuria broken off 9 August 2028 to 30 April 2031" in relations
    assert relations.index("broken off") < relations.index("Lemuria established embassy from 1 May 2031 on")
    assert "/page/relation/xat-xlm-broken" in hrefs(page)
    text, page = read(islands, "/page/relation/xat-xlm-broken")
    assert any(
        address.startswith("/dyad?") and "xat" in address and "xlm" in address for address in hrefs(page)
    )
    text, _ = read(islands, "/dyad/xat/xlm")
    assert "broken off 9 August 2028 to 30 April 2031 established, embassy from 1 May 2031 on" in text
    text, _ = read(islands, "/dyad/xav/xlm")
    assert "recognition by Avalon from 4 July 2020 on" in text
    assert "Diplomatic relations" not in read(islands, "/dyad/usa/irn")[0]


def test_a_post_lists_its_holder_once_and_the_events_of_filling_it(islands: FlaskClient) -> None:
    text, _ = read(islands, "/page/post/xat-xlm-ambassador")
    holders = text[text.index("Office holders") : text.index("Facts")]
    assert holders.count("Eve Invented") == 1
    assert holders.count("dates not recorded") == 1
    assert "appointment of Eve Invented" in text[text.index("Events") :]


def test_a_claim_lists_the_values_of_a_property_together(islands: FlaskClient) -> None:
    text, _ = read(islands, "/page/claim/island-treaty")
    assert "Reef Treaty: signatory Atlantis, Lemuria; signed on 2031-05-02; in force" in text


def test_a_council_and_a_bank_show_the_documents_that_concern_them(islands: FlaskClient) -> None:
    text, _ = read(islands, "/page/organization/sea-council")
    assert "Adopted" in text
    assert "Resolution 7 on the reef 2031-03-15" in text
    assert "Depositary of" in text
    text, _ = read(islands, "/page/organization/pearl-bank")
    assert "Sanctioned by" in text
    assert "order against Pearl Bank Atlantis 20 March to 30 June 2031 Resolution 7 on the reef" in text


def test_a_claim_about_a_thing_as_a_whole_is_named_in_place_of_a_source(
    client: FlaskClient, store: EmbeddedStore
) -> None:
    add(
        store,
        (thing("event/fair"), TYPE, dg("Event")),
        (thing("event/fair"), LABEL, Literal("fair", language="en")),
        (thing("event/fair"), dg("actor"), thing("country/irn")),
    )
    assert "actor Iran no source" in read(client, "/page/event/fair")[0]
    add(
        store,
        (thing("claim/fair"), TYPE, dg("Claim")),
        (thing("claim/fair"), LABEL, Literal("There was a fair", language="en")),
        (thing("claim/fair"), dg("about"), thing("event/fair")),
    )
    text, page = read(client, "/page/event/fair")
    assert "actor Iran see claim 1" in text
    assert "#claim-1" in hrefs(page)
    assert "no source" not in text
    # A claim that states other facts says nothing of this one.
    add(store, (thing("claim/fair"), dg("states"), thing("fact/fair")))
    assert "actor Iran no source" in read(client, "/page/event/fair")[0]


def test_a_stop_of_a_route_is_listed_once(reading: FlaskClient) -> None:
    text, _ = read(reading, "/page/event/us-iran-deportation-flight")
    route = text[text.index("route origin") : text.index("Parts")]
    assert route.count("Qatar") == 1
    assert route.count("Iran") == 1
    assert "origin: Louisiana ✓ happened" in route
    text, _ = read(reading, "/page/event/us-iran-deportation")
    route = text[text.index("route origin") : text.index("figures approximately")]
    assert "destination: Iran ✓ happened → planned in deportation flight from Louisiana" in route
    assert route.count("Qatar") == 1


@pytest.mark.parametrize(
    ("value", "comparator", "label", "told"),
    [
        ("12", "at-least", "the dead", "at least 12 people the dead"),
        ("1", "exactly", "the dead", "1 person the dead"),
        ("120000", "nearly", "nearly 120,000 displaced", "nearly 120,000 displaced"),
        ("", "several", "the dead", "several people the dead"),
        ("12", "exactly", "12 dead", "12 dead"),
        ("12", "at-least", "12 dead", "at least 12 people 12 dead"),
    ],
)
def test_a_figure_reads_as_in_a_text(
    client: FlaskClient, store: EmbeddedStore, value: str, comparator: str, label: str, told: str
) -> None:
    number = Literal(value, datatype=NamedNode(PREFIXES["xsd"] + "integer"))
    add(
        store,
        (thing("event/fire"), TYPE, dg("Event")),
        (thing("event/fire"), LABEL, Literal("fire", language="en")),
        (thing("quantity/fire"), TYPE, dg("Quantity")),
        (thing("quantity/fire"), LABEL, Literal(label, language="en")),
        (thing("quantity/fire"), dg("quantityOf"), thing("event/fire")),
        (thing("quantity/fire"), dg("comparator"), thing(f"comparator/{comparator}")),
        (thing("quantity/fire"), dg("unit"), thing("unit/person")),
        *([(thing("quantity/fire"), dg("value"), number)] if value else []),
    )
    assert f"figures {told} Show the SPARQL" in read(client, "/page/event/fire")[0]
