"""Two actors side by side, as the door shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pyoxigraph import RdfFormat

from kg.describe.lists.dyad_summary import dyad_of
from kg.store import EmbeddedStore
from kg.terms import ID

HTML = {"Accept": "text/html"}
CODING = Path(__file__).parents[2] / "fixtures" / "coding.trig"


@pytest.fixture
def coded(store: EmbeddedStore) -> EmbeddedStore:
    store.engine.load(path=str(CODING), format=RdfFormat.TRIG)
    return store


def show(client: FlaskClient, path: str, status: int = 200) -> str:
    response = client.get(path, headers=HTML)
    assert response.status_code == status, response.text[-2000:]
    return response.text


def section(page: str, name: str) -> str:
    """The part of a page under one heading."""
    start = page.index(f'<section aria-labelledby="{name}">')
    return page[start : page.index("</section>", start)]


def test_the_two_countries_of_the_article(reading: FlaskClient) -> None:
    page = show(reading, "/dyad/usa/irn")
    events = section(page, "events")
    for slug in ("us-iran-deportation", "us-iran-negotiations", "us-strikes-on-iranian-nuclear-sites"):
        assert f"/page/event/{slug}" in events
    assert "Donald Trump" in page
    assert "no dated event" in page


def test_the_order_of_the_two_does_not_matter(reading: FlaskClient) -> None:
    assert section(show(reading, "/dyad/usa/irn"), "events").count("/page/event/") == section(
        show(reading, "/dyad/irn/usa"), "events"
    ).count("/page/event/")


def test_names_lead_to_the_address_of_two_countries(reading: FlaskClient) -> None:
    response = reading.get("/dyad?a=United+States&b=Iran&from=2018", headers=HTML)
    assert (response.status_code, response.headers["Location"]) == (303, "/dyad/usa/irn?from=2018")


def test_two_actors_that_are_no_countries(reading: FlaskClient) -> None:
    page = show(reading, "/dyad/person/donald-trump/country/irn")
    assert "us-strikes-on-iranian-nuclear-sites" in page
    assert "Donald Trump" in show(reading, "/dyad?a=Donald+Trump&b=Iran")


def test_coding_records_stand_apart_and_newest_first(client: FlaskClient, coded: EmbeddedStore) -> None:
    page = show(client, "/dyad/usa/irn")
    assert "/page/record/" not in section(page, "events")
    records = section(page, "records")
    assert records.index("/page/record/invented-2") < records.index("/page/record/invented-1")


def test_the_balance_counts_events_and_no_records(client: FlaskClient, coded: EmbeddedStore) -> None:
    balance = section(show(client, "/dyad/usa/irn"), "balance")
    # Two invented events, both cooperative, in January and February 2018; more records than that.
    assert [month for month in ("2018-01", "2018-02", "2018-03") if month in balance] == [
        "2018-01",
        "2018-02",
    ]


def test_filters_narrow_the_list_and_stay_in_the_form(client: FlaskClient, coded: EmbeddedStore) -> None:
    page = show(client, "/dyad/usa/irn?type=event-type/plover-consult&from=2018&to=2018-02-28")
    events = section(page, "events")
    assert "invented-talks" in events
    assert "invented-return" not in events
    assert 'value="2018-02-28"' in page
    assert "invented-talks" in show(client, "/dyad/usa/irn?to=2018")
    assert "invented-talks" not in section(show(client, "/dyad/usa/irn?to=2018-01"), "events")


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "to=2018-13",
        "from=%22%29",
        "type=no-such-type-here",
        "modality=%3Cx%3E",
        "page=0",
        "page=x",
    ],
)
def test_what_makes_no_sense_is_refused_and_said(reading: FlaskClient, query: str) -> None:
    page = show(reading, "/dyad/usa/irn?" + query, status=400)
    assert "How to fix it" in page


def test_nothing_between_two_is_said_with_care(reading: FlaskClient) -> None:
    assert "No result does not mean that nothing happened" in show(reading, "/dyad/fra/jpn")


def test_an_actor_and_itself(reading: FlaskClient) -> None:
    assert show(reading, "/dyad/irn/irn")


def test_an_unknown_actor(reading: FlaskClient) -> None:
    assert "/search" in show(reading, "/dyad/usa/xxx", status=404)


def test_the_questions_behind_balance_and_claims_give_what_is_shown(store: EmbeddedStore) -> None:
    fixture = Path(__file__).parents[2] / "fixtures" / "coding.trig"
    store.engine.load(path=str(fixture), format=RdfFormat.TRIG)
    found = dyad_of(store, ID + "country/usa", ID + "country/irn")
    assert found.balance
    months = [
        (row["month"].value, int(row["cooperative"].value), int(row["conflictual"].value))
        for row in store.query(found.balance_query).rows()
    ]
    assert months == [(one.month, one.cooperative, one.conflictual) for one in found.balance]
    claims = [row["claim"].value for row in store.query(found.claims_query).rows()]
    assert claims == [statement.name.iri for statement in found.statements]
