"""Lists of events and records, timelines, networks and places, on graphs small enough to count by hand."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.describe import newest_first
from kg.describe.entity.description_rdf import facts_table
from kg.describe.entity.entity_page import describe
from kg.describe.entity.map_points import spots_of
from kg.describe.entity.neighbourhood import neighbours_of
from kg.describe.entity.timeline import timeline_of
from kg.describe.listing import listed
from kg.describe.lists.coding_records import records_between, records_of
from kg.describe.lists.dyad_summary import Filters, dyad_of
from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, ONTOLOGY, PREFIXES

G = NamedNode(GRAPH + "tests")
TYPE = NamedNode(PREFIXES["rdf"] + "type")
LABEL = NamedNode(PREFIXES["rdfs"] + "label")
DATE = NamedNode(PREFIXES["xsd"] + "date")


def thing(local: str) -> NamedNode:
    return NamedNode(ID + local)


def dg(local: str) -> NamedNode:
    return NamedNode(ONTOLOGY + local)


def event(store: EmbeddedStore, slug: str, day: str | None, *links: tuple[str, str]) -> None:
    node = thing("event/" + slug)
    quads = [Quad(node, TYPE, dg("Event"), G), Quad(node, LABEL, Literal(slug, language="en"), G)]
    quads += [Quad(node, dg(prop), thing(other), G) for prop, other in links]
    if day:
        when = thing("time/" + day)
        quads += [Quad(node, dg("time"), when, G), Quad(when, dg("begin"), Literal(day, datatype=DATE), G)]
    store.change((), quads)


def record(store: EmbeddedStore, slug: str, day: str, actor: str, recipient: str) -> None:
    node, when = thing("record/" + slug), thing("time/" + day)
    store.change(
        (),
        [
            Quad(node, TYPE, dg("CodingRecord"), G),
            Quad(node, dg("codedActor"), thing(actor), G),
            Quad(node, dg("codedRecipient"), thing(recipient), G),
            Quad(node, dg("time"), when, G),
            Quad(when, dg("begin"), Literal(day, datatype=DATE), G),
        ],
    )


# Timelines


def test_a_timeline_counts_by_month_and_shows_the_empty_months_between(store: EmbeddedStore) -> None:
    for number, day in enumerate(["2018-01-05", "2018-01-31", "2018-03-01"]):
        event(store, f"e{number}", day, ("actor", "country/fra"))
    event(store, "undated", None, ("actor", "country/fra"))
    found = timeline_of(store, f"?item dg:actor <{ID}country/fra>")
    assert [(bar.name, bar.count) for bar in found.bars] == [("2018-01", 2), ("2018-02", 0), ("2018-03", 1)]
    assert found.undated == 1
    assert (found.bars[1].begin, found.bars[1].end) == ("2018-02-01", "2018-02-28")


def test_a_timeline_of_many_years_counts_by_year(store: EmbeddedStore) -> None:
    for number, day in enumerate(["2010-01-05", "2012-02-29", "2016-12-31", "2016-01-01"]):
        event(store, f"e{number}", day, ("actor", "country/fra"))
    found = timeline_of(store, f"?item dg:actor <{ID}country/fra>")
    assert [(bar.name, bar.count) for bar in found.bars if bar.count] == [
        ("2010", 1),
        ("2012", 1),
        ("2016", 2),
    ]
    assert len(found.bars) == 7


@pytest.mark.parametrize(
    ("month", "last"), [("2016-02", 29), ("1900-02", 28), ("2000-02", 29), ("2018-04", 30), ("2018-12", 31)]
)
def test_months_end_on_the_right_day(store: EmbeddedStore, month: str, last: int) -> None:
    event(store, "e", f"{month}-01", ("actor", "country/fra"))
    (bar,) = timeline_of(store, f"?item dg:actor <{ID}country/fra>").bars
    assert bar.end == f"{month}-{last}"


@pytest.mark.parametrize("begin", ["--03-05", "-0044-03-15", "0000-05-01", "20181", "next week"])
def test_what_is_no_date_of_our_calendar_is_undated(store: EmbeddedStore, begin: str) -> None:
    event(store, "e", None, ("actor", "country/fra"), ("time", "time/odd"))
    store.change((), [Quad(thing("time/odd"), dg("begin"), Literal(begin), G)])
    found = timeline_of(store, f"?item dg:actor <{ID}country/fra>")
    assert (found.bars, found.undated) == ((), 1)


def test_too_much_is_counted_on_demand_only(store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.describe.entity.timeline.COUNTED", 2)
    for number in range(3):
        event(store, f"e{number}", "2018-01-05", ("actor", "country/fra"))
    assert timeline_of(store, f"?item dg:actor <{ID}country/fra>").more
    whole = timeline_of(store, f"?item dg:actor <{ID}country/fra>", whole=True)
    assert [bar.count for bar in whole.bars] == [3]


# Coding records


@pytest.fixture
def coded(store: EmbeddedStore) -> EmbeddedStore:
    pick = random.Random(7)
    for number in range(130):
        day = (date(2020, 1, 1) + timedelta(days=pick.randrange(500))).isoformat()
        pair = ["country/fra", "country/deu"]
        pick.shuffle(pair)
        record(store, f"r{number:03d}", day, *pair)
    record(store, "other", "2024-01-01", "country/fra", "country/ita")
    return store


def expected(store: EmbeddedStore) -> list[str]:
    """The records of France and Germany, newest first, sorted here and not by a query."""
    days = {
        quad.subject.value: store_day(store, quad.object)
        for quad in store.engine.quads_for_pattern(None, dg("time"), None, G)
        if "/record/r" in quad.subject.value
    }
    return sorted(days, key=lambda iri: ([-int(part) for part in days[iri].split("-")], iri))


def store_day(store: EmbeddedStore, interval: NamedNode) -> str:
    (quad,) = store.engine.quads_for_pattern(interval, dg("begin"), None, G)
    return quad.object.value


@pytest.mark.parametrize("counted", [10_000, 120])
def test_records_come_newest_first_however_they_are_found(
    coded: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr(newest_first, "COUNTED", counted)
    pages = [records_between(coded, ID + "country/fra", ID + "country/deu", n) for n in (1, 2, 3)]
    assert [len(page.items) for page in pages] == [50, 50, 30]
    assert [line.name.iri for page in pages for line in page.items] == expected(coded)
    assert (pages[0].total, pages[0].more) == (min(counted, 130), counted < 130)


def test_the_query_shown_gives_the_same_records(
    coded: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest_first, "COUNTED", 100)
    page = records_of(coded, ID + "country/fra", 2)
    rows = [row["item"].value for row in coded.query(page.query).rows()]
    assert rows == [line.name.iri for line in page.items]


def test_records_without_a_single_day_are_not_lost(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest_first, "COUNTED", 2)
    for number in range(3):
        store.change(
            (),
            [
                Quad(thing(f"record/m{number}"), dg("codedActor"), thing("country/fra"), G),
                Quad(thing(f"record/m{number}"), dg("time"), thing("time/2020-05"), G),
            ],
        )
    found = records_of(store, ID + "country/fra", 1)
    assert (len(found.items), found.more) == (2, True)


def test_a_list_beyond_the_cap_says_so(coded: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.describe.listing.COUNTED", 100)
    found = listed(coded, f"?item dg:codedActor|dg:codedRecipient <{ID}country/fra>", 1)
    assert (found.total, found.more, len(found.items)) == (100, True, 50)
    assert not listed(coded, f"?item dg:codedActor|dg:codedRecipient <{ID}country/fra>", 3).items


# The query behind a block


@pytest.mark.parametrize(
    "local",
    ["country/irn", "person/donald-trump", "event/us-iran-deportation", "source/us-iran-deportation-article"],
)
def test_the_query_shown_gives_the_rows_of_its_block(article_store: EmbeddedStore, local: str) -> None:
    found = describe(article_store, ID + local)
    checked = 0
    for block in (found.events, found.about, found.by, found.mentions):
        if block.items:
            rows = [row["item"].value for row in article_store.query(block.query).rows()]
            assert rows == [item.name.iri for item in block.items]
            checked += 1
    assert checked
    facts = {(r["p"].value, str(r["o"])) for r in article_store.query(found.queries["facts"]).rows()}
    assert facts


# Networks and places


def test_the_network_of_an_event_holds_its_parties_and_places(article_store: EmbeddedStore) -> None:
    found = neighbours_of(article_store, ID + "event/us-iran-deportation")
    things = {name.iri.removeprefix(ID) for name in found.things}
    assert found.things[0].iri == ID + "event/us-iran-deportation"
    assert {"country/usa", "country/irn"} <= things
    assert all(edge.source in found.things and edge.target in found.things for edge in found.edges)


def test_the_network_of_a_country_reaches_the_other_parties(article_store: EmbeddedStore) -> None:
    things = {name.iri for name in neighbours_of(article_store, ID + "country/irn").things}
    assert ID + "country/usa" in things


def test_a_busy_thing_has_a_small_network(store: EmbeddedStore) -> None:
    for number in range(500):
        event(store, f"e{number}", None, ("actor", "country/fra"), ("recipient", f"organization/o{number}"))
    assert len(neighbours_of(store, ID + "country/fra").things) <= 40


def test_the_way_of_an_event_leads_from_origin_to_destination(article_store: EmbeddedStore) -> None:
    spots = [spot for spot in spots_of(article_store, ID + "event/us-iran-deportation") if spot.way]
    assert [spot.name.iri.removeprefix(ID) for spot in spots] == [
        "place/louisiana",
        "country/qat",
        "country/irn",
    ]
    assert [spot.country.label if spot.country else "" for spot in spots] == [
        "United States",
        "Qatar",
        "Iran",
    ]
    assert [spot.iso_numeric for spot in spots] == ["840", "634", "364"]


@pytest.mark.parametrize(
    ("latitude", "longitude", "point"),
    [
        ("-18.0", "180", (-18.0, 180.0)),
        ("-18.0", "-180.0", (-18.0, -180.0)),
        ("90", "0", (90.0, 0.0)),
        ("90.1", "0", None),
        ("0", "180.5", None),
        ("nowhere", "0", None),
        ("NaN", "0", None),
    ],
)
def test_coordinates_at_the_edges_of_the_map(
    store: EmbeddedStore, latitude: str, longitude: str, point: tuple[float, float] | None
) -> None:
    place = thing("place/edge")
    store.change(
        (),
        [
            Quad(place, TYPE, dg("Place"), G),
            Quad(place, dg("latitude"), Literal(latitude), G),
            Quad(place, dg("longitude"), Literal(longitude), G),
        ],
    )
    (spot,) = spots_of(store, place.value)
    assert (None if spot.latitude is None else (spot.latitude, spot.longitude)) == point


def test_a_centroid_is_longitude_then_latitude(store: EmbeddedStore) -> None:
    wkt = Literal("POINT(53 32)", datatype=NamedNode(PREFIXES["geo"] + "wktLiteral"))
    store.change((), [Quad(thing("country/irn"), dg("centroid"), wkt, G)])
    (spot,) = spots_of(store, ID + "country/irn")
    assert (spot.latitude, spot.longitude) == (32.0, 53.0)


# Posts and facts


def test_the_title_on_the_day(store: EmbeddedStore) -> None:
    event(store, "visit", "2018-06-12", ("actor", "person/ada"))
    org = PREFIXES["org"]
    for slug, begin, end in (("minister", "2017-01-01", "2018-12-31"), ("envoy", "2010-01-01", "2016-12-31")):
        member, held = thing("membership/" + slug), thing("time/held-" + slug)
        store.change(
            (),
            [
                Quad(member, NamedNode(org + "member"), thing("person/ada"), G),
                Quad(member, dg("post"), thing("post/" + slug), G),
                Quad(thing("post/" + slug), LABEL, Literal(slug, language="en"), G),
                Quad(member, NamedNode(org + "memberDuring"), held, G),
                Quad(held, dg("begin"), Literal(begin, datatype=DATE), G),
                Quad(held, dg("end"), Literal(end, datatype=DATE), G),
            ],
        )
    titles = describe(store, ID + "event/visit").titles
    assert {who: [post.label for post in posts] for who, posts in titles.items()} == {
        ID + "person/ada": ["minister"]
    }


def test_the_table_of_facts_names_graph_and_claims(article_store: EmbeddedStore) -> None:
    rows = list(facts_table(article_store, ID + "event/us-iran-deportation").rows())
    actor = [row for row in rows if row["property"].value == ONTOLOGY + "actor"]
    assert [row["valueLabel"].value for row in actor] == ["United States"]
    assert actor[0]["graph"].value == GRAPH + "us-iran-deportation"
    assert ID + "claim/" in actor[0]["claims"].value


# Dyads


def test_a_dyad_tells_last_contact_level_and_balance(store: EmbeddedStore) -> None:
    pair = (("actor", "country/fra"), ("recipient", "country/deu"))
    event(store, "talks", "2018-01-05", *pair, ("eventType", "event-type/plover-consult"))
    event(store, "threat", "2018-01-20", *pair, ("eventType", "event-type/plover-threaten"))
    event(store, "aid", "2018-03-01", *pair, ("eventType", "event-type/plover-aid"), ("actor", "person/ada"))
    store.change(
        (),
        [
            Quad(thing("person/ada"), TYPE, dg("Person"), G),
            Quad(thing("person/ada"), dg("country"), thing("country/fra"), G),
        ],
    )
    found = dyad_of(store, ID + "country/fra", ID + "country/deu")
    assert [p.event.name.label for p in found.passages.items] == ["aid", "threat", "talks"]
    assert [p.character for p in found.passages.items] == ["cooperative", "conflictual", "cooperative"]
    assert found.last is not None and found.last.name.label == "aid"
    assert found.level is not None and (found.level[0], found.level[2].label) == ("person", "aid")
    assert [(b.month, b.cooperative, b.conflictual) for b in found.balance or ()] == [
        ("2018-01", 1, 1),
        ("2018-03", 1, 0),
    ]


def test_a_dyad_is_narrowed_by_type_dates_and_modality(store: EmbeddedStore) -> None:
    pair = (("actor", "country/fra"), ("recipient", "country/deu"))
    event(store, "talks", "2018-01-05", *pair, ("eventType", "event-type/plover-consult-meet"))
    event(store, "threat", "2018-02-20", *pair, ("eventType", "event-type/plover-threaten"))
    store.change(
        (),
        [
            Quad(thing("claim/t"), TYPE, dg("Claim"), G),
            Quad(thing("claim/t"), dg("about"), thing("event/threat"), G),
            Quad(thing("claim/t"), dg("modality"), thing("modality/planned"), G),
            Quad(
                thing("event-type/plover-consult-meet"),
                NamedNode(PREFIXES["skos"] + "broader"),
                thing("event-type/plover-consult"),
                G,
            ),
        ],
    )

    def labels(**chosen: str) -> list[str]:
        found = dyad_of(store, ID + "country/fra", ID + "country/deu", filters=Filters(**chosen))
        return [passage.event.name.label for passage in found.passages.items]

    assert labels() == ["threat", "talks"]
    assert labels(kind=ID + "event-type/plover-consult") == ["talks"]
    assert labels(modality=ID + "modality/planned") == ["threat"]
    assert labels(since="2018-02-01") == ["threat"]
    assert labels(until="2018-01-31") == ["talks"]
    assert labels(since="2018-01-05", until="2018-02-20") == ["threat", "talks"]


def test_the_article_s_deportation_is_cooperation_between_the_two(article_store: EmbeddedStore) -> None:
    found = dyad_of(article_store, ID + "country/usa", ID + "country/irn")
    characters = {p.event.name.iri.removeprefix(ID + "event/"): p.character for p in found.passages.items}
    assert characters == {
        "us-iran-deportation": "cooperative",
        "us-iran-negotiations": "cooperative",
        "us-strikes-on-iranian-nuclear-sites": "conflictual",
    }
    assert found.last is None, "the article bears no date"
    assert found.level is not None and found.level[1].label == "Donald Trump"
