"""What the questions answer on posts, missions, countries, groups; rows are written from the fixtures."""

from __future__ import annotations

import pyoxigraph
import pytest

from tests.queries.asking import (
    ask,
)
from tests.queries.values import EVENT


def test_who_held_post_on(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    mclaughlin = ("Tricia McLaughlin", "Assistant Secretary", "Department of Homeland Security", None, None)
    trump = ("Donald Trump", "President", "United States government", None, None)
    columns = "person post organization from to"
    assert ask(article, "who-held-post-on", columns, **EVENT) == [trump, mclaughlin]
    assert set(ask(article, "who-held-post-on", columns)) == {trump, mclaughlin}
    for event, post in (("event/invented-visit", "Envoy"), ("event/invented-treaty", "Minister")):
        assert ask(everything, "who-held-post-on", "person post", event=event) == [("Ada Invented", post)]
    assert ask(everything, "who-held-post-on", event="event/invented-meeting") == []


def test_who_held_post_on_the_day_of_an_event_among_appointments(everything: pyoxigraph.Store) -> None:
    """Two former or present ambassadors were there; one of them held the post."""
    assert ask(everything, "who-held-post-on", event="event/invented-audience") == [SULLIVAN[1:4]]


SULLIVAN = ("person/sullivan", "William Healy Sullivan", "Ambassador Extraordinary and Plenipotentiary",
            "Mission of the United States in Iran", "1977-06-18", "1979-04-06", "dated")  # fmt: skip


@pytest.mark.parametrize("place", ["country/irn", "place/tehran-irn"])
def test_who_headed_the_mission_in_tehran_in_1978(place: str, everything: pyoxigraph.Store) -> None:
    year = {"first": "1978-01-01", "last": "1978-12-31"}
    assert ask(everything, "head-of-mission", place=place, sender="country/usa", **year) == [SULLIVAN]
    assert ask(everything, "head-of-mission", place=place, first="1978-07-04") == [SULLIVAN]


def test_a_change_at_the_head_shows_both(everything: pyoxigraph.Store) -> None:
    rows = ask(everything, "head-of-mission", "personLabel", first="1976-12-27", last="1977-06-18")
    assert rows == [("Richard Helms",), ("William Healy Sullivan",)]
    assert ask(everything, "head-of-mission", "personLabel", first="1976-12-28", last="1977-06-17") == []


def test_a_head_whose_end_is_not_known(everything: pyoxigraph.Store) -> None:
    assert ask(everything, "head-of-mission", "person certainty", first="1980-01-01") == [
        ("person/stand-in", "end not known")
    ]
    everyone = ask(everything, "head-of-mission", "person certainty", place="country/irn")
    assert ("person/cutler", "not dated") in everyone
    assert len(everyone) == 4


def test_other_places_and_senders_have_no_such_head(everything: pyoxigraph.Store) -> None:
    assert ask(everything, "head-of-mission", place="country/cub") == []
    assert ask(everything, "head-of-mission", sender="country/gbr") == []


@pytest.mark.parametrize(
    ("day", "status"),
    [("1980-04-06", "embassy"), ("1980-04-07", "none"), ("1980-05-01", "none"),
     ("1980-05-21", "interests section"), ("1995-01-01", "interests section")],
)  # fmt: skip
def test_status_of_the_mission_in_iran(day: str, status: str, everything: pyoxigraph.Store) -> None:
    rows = ask(
        everything,
        "mission-status-on",
        "mission status",
        receiver="country/irn",
        sender="country/usa",
        on=day,
    )
    assert rows == [("mission/usa-irn", status)]


def test_missions_closed_in_a_period(everything: pyoxigraph.Store) -> None:
    assert ask(everything, "missions-closed", first="1980-01-01", last="1989-12-31") == [
        ("mission/usa-irn", "Mission of the United States in Iran", "1980-04-07", "embassy", "none", "yes")
    ]
    assert ask(everything, "missions-closed", "mission day") == [
        ("mission/usa-cub", "1961-01-03"),
        ("mission/usa-irn", "1980-04-07"),
    ]
    assert ask(everything, "missions-closed", sender="country/irn") == []


@pytest.mark.parametrize(
    ("text", "country", "which"),
    [
        ("IZ", "country/irq", "FIPS 10-4"),
        ("816", "country/vnm", "COW number"),
        ("GMY", "country/deu", "COW abbreviation"),
        ("ROM", "country/rou", "CAMEO"),
        ("276", "country/deu", "ISO 3166-1 numeric"),
        ("qat", "country/qat", "ISO 3166-1 alpha-3"),
        ("إيران", "country/irn", "name"),
        ("伊朗", "country/irn", "name"),
        ("иран", "country/irn", "name"),
        ("États-Unis", "country/usa", "name"),
        ("Iranian", "country/irn", "further name or demonym"),
        ("burma", "country/mmr", "further name or demonym"),
    ],
)
def test_a_country_is_found_by_any_code_or_name(
    text: str, country: str, which: str, article: pyoxigraph.Store
) -> None:
    rows = ask(article, "find-country", "country list", text=text)
    assert (country, which) in rows
    assert {found for found, _ in rows} == {country}


def test_one_code_can_mean_two_countries(article: pyoxigraph.Store) -> None:
    """CH is Switzerland in ISO 3166, China in FIPS 10-4; 630 is Iran in COW, Puerto Rico in ISO 3166."""
    assert ask(article, "find-country", "country list", text="CH") == [
        ("country/chn", "FIPS 10-4"),
        ("country/che", "ISO 3166-1 alpha-2"),
    ]
    both = ask(article, "find-country", "country list", text="630")
    assert ("country/irn", "COW number") in both
    assert ("country/pri", "ISO 3166-1 numeric") in both


def test_members_of_the_group_of_seven_in_the_article(article: pyoxigraph.Store) -> None:
    rows = ask(article, "members-in-events", "event member")
    assert {member for _, member in rows} == {"country/usa"}
    assert ("event/us-iran-deportation", "country/usa") in rows
    opec = ask(article, "members-in-events", "member", organization="organization/opec")
    assert set(opec) == {("country/irn",)}


def test_events_of_a_type_and_of_narrower_ones(
    article: pyoxigraph.Store, everything: pyoxigraph.Store
) -> None:
    coerced = ask(article, "events-by-type", "event kind")
    assert ("event/us-iran-deportation", "event-type/plover-coerce-deport") in coerced
    assert ("event/us-iran-deportation", "event-type/cameo-174") in coerced
    assert not any("consult" in str(kind) for _, kind in coerced)
    assert set(ask(article, "events-by-type", "event kind", type="event-type/cameo-17")) == {
        row for row in coerced if "cameo" in str(row[1])
    }
    # 046 leads to CONSULT by its match.
    consulted = ask(everything, "events-by-type", "event kind", type="event-type/plover-consult")
    assert ("event/invented-border-talks", "event-type/cameo-046") in consulted


def test_contested_names(article: pyoxigraph.Store) -> None:
    columns = "name user"
    turkey = {"country": "country/tur"}
    assert ask(article, "contested-names", columns, **turkey, on="2020-01-01") == [
        ("Turkey", "organization/united-nations")
    ]
    assert ask(article, "contested-names", columns, **turkey, on="2023-01-01") == [
        ("Türkiye", "organization/united-nations")
    ]
    assert set(ask(article, "contested-names", columns, country="country/flk")) == {
        ("Falkland Islands", "country/gbr"),
        ("Islas Malvinas", "country/arg"),
    }


def test_what_came_before(everything: pyoxigraph.Store) -> None:
    assert ask(everything, "events-before", "earlier reason", event="event/invented-border-treaty") == [
        ("event/invented-border-talks", "by its dates")
    ]
    assert ask(everything, "events-before", "earlier reason", event="event/invented-border-talks") == [
        ("event/invented-border-quarrel", "as a source says")
    ]


def test_known_by_a_day(everything: pyoxigraph.Store) -> None:
    then = ask(everything, "known-by", "event modality issued", on="2017-03-12")
    assert ("event/invented-visit", "opinion", "2017-03-12") in then
    assert all(str(issued) <= "2017-03-12" for _, _, issued in then)
    before = ask(everything, "known-by", "event", on="2017-03-11")
    assert ("event/invented-visit",) not in before


def test_events_between_neighbours(everything: pyoxigraph.Store) -> None:
    rows = ask(everything, "neighbours", "event neighbour", country="country/tur")
    assert [row for row in rows if "border" in str(row[0])] == [
        ("event/invented-border-quarrel", "country/irq"),
        ("event/invented-border-talks", "country/irq"),
        ("event/invented-border-treaty", "country/irq"),
    ]
