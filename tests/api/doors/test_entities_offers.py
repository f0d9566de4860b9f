"""What the pages of things offer besides reading, and what they weigh."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat

from kg.describe.entity.entity_page import describe
from kg.store import EmbeddedStore
from kg.terms import GRAPH_ENTAILMENTS, ID, ONTOLOGY, PREFIXES
from tests.api.words import (
    BAD,
    HOSTILE,
    HTML,
    LABEL,
    TYPE,
    Words,
    add,
    dg,
    hrefs,
    read,
    thing,
)
from tests.browser.pages import PAGES


def test_the_facts_as_csv(reading: FlaskClient) -> None:
    response = reading.get("/data/event/us-iran-deportation.csv")
    assert response.content_type.startswith("text/csv")
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text)))
    actors = [row for row in rows if row["property"] == ONTOLOGY + "actor"]
    assert [(row["value"], row["valueLabel"]) for row in actors] == [(ID + "country/usa", "United States")]
    assert reading.get("/data/country/nowhere.csv").status_code == 404
    assert reading.get("/data?format=csv&iri=" + ID + "country/irn").status_code == 200


def test_every_download_that_is_offered_is_there(reading: FlaskClient) -> None:
    _, page = read(reading, "/page/person/donald-trump")
    offered = [a for a in hrefs(page) if a.startswith("/data/")]
    assert {a.rpartition(".")[2] for a in offered} == {"ttl", "nt", "rdf", "jsonld", "csv"}
    assert all(reading.get(a).status_code == 200 for a in offered)


def fetch(client: FlaskClient, address: str) -> bytes:
    """A static file; nothing when it is not there."""
    with client.get(address) as response:
        return response.data if response.status_code == 200 else b""


def linked_data(client: FlaskClient, path: str) -> dict[str, object]:
    """The schema.org description in a page, as a machine finds it."""
    text = client.get(path, headers=HTML).text
    start = text.index('<script type="application/ld+json">') + len('<script type="application/ld+json">')
    found: dict[str, object] = json.loads(text[start : text.index("</script>", start)])
    return found


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("/page/country/irn", "Country", "Iran"),
        ("/page/person/donald-trump", "Person", "Donald Trump"),
        (
            "/page/event/us-iran-deportation-arrival",
            "Event",
            "arrival of the deportation flight in Iran",
        ),
        ("/page/place/louisiana", "Place", "Louisiana"),
    ],
)
def test_schema_org_in_the_page(reading: FlaskClient, path: str, kind: str, name: str) -> None:
    found = linked_data(reading, path)
    assert (found["@context"], found["@type"], found["name"]) == ("https://schema.org", kind, name)
    assert found["@id"] == ID + path.removeprefix("/page/")


def test_schema_org_of_a_hostile_thing_ends_no_element(client: FlaskClient, hostile: EmbeddedStore) -> None:
    found = linked_data(client, "/page/event/bad")
    assert found["name"] == HOSTILE
    assert "startDate" not in found


def test_how_to_cite(client: FlaskClient, app: Flask) -> None:
    text, page = read(client, "/page/country/irn")
    assert ID + "country/irn" in text
    assert f"Accessed {date.today().isoformat()}" in text
    assert "@misc{diplograph-country-irn," in text
    assert "/loads" in hrefs(page)


def test_bibtex_of_a_hostile_name_stays_one_entry(client: FlaskClient, store: EmbeddedStore) -> None:
    add(store, (thing("topic/tex"), LABEL, Literal("50% of {x} & \\y_z~#$^", language="en")))
    text, _ = read(client, "/page/topic/tex")
    entry = text[text.index("@misc") :]
    assert "50\\% of \\{x\\} \\& \\textbackslash{}y\\_z\\textasciitilde{}\\#\\$\\textasciicircum{}" in entry


def test_a_card_for_those_who_share_the_page(reading: FlaskClient) -> None:
    _, page = read(reading, "/page/country/irn")
    metas = {a.get("property"): a.get("content") or "" for tag, a in page.elements if tag == "meta"}
    assert metas["og:title"].startswith("Iran")
    image = fetch(reading, "/" + metas["og:image"].partition("://")[2].partition("/")[2])
    assert image.startswith(b"\x89PNG")


def test_the_query_behind_a_block_opens_in_the_editor(reading: FlaskClient) -> None:
    _, page = read(reading, "/page/country/irn")
    opened = [a for a in hrefs(page) if a.startswith("/sparql?query=")]
    assert len(opened) >= 3
    for address in opened:
        assert reading.get(address, headers=HTML).status_code == 200
        rows = reading.get(address, headers={"Accept": "text/csv"}).text.splitlines()
        assert len(rows) > 1, "a heading and what the block shows"


def test_claims_lead_to_the_words_at_the_source(client: FlaskClient, store: EmbeddedStore) -> None:
    oa = PREFIXES["oa"]
    add(
        store,
        (thing("claim/quoted"), TYPE, dg("Claim")),
        (thing("claim/quoted"), dg("about"), thing("country/fra")),
        (thing("claim/quoted"), dg("span"), thing("span/quoted")),
        (thing("span/quoted"), dg("inText"), thing("text/quoted")),
        (thing("span/quoted"), NamedNode(oa + "exact"), Literal("ours, well-known")),
        (thing("text/quoted"), dg("textOf"), thing("source/quoted")),
        (thing("source/quoted"), dg("url"), Literal("https://example.org/a")),
    )
    text, page = read(client, "/page/country/fra")
    assert "ours, well-known" in text
    assert "https://example.org/a#:~:text=ours%2C%20well%2Dknown" in hrefs(page)


def test_a_dangerous_address_of_a_source_is_no_link(client: FlaskClient, store: EmbeddedStore) -> None:
    add(
        store,
        (thing("claim/js"), TYPE, dg("Claim")),
        (thing("claim/js"), dg("about"), thing("country/fra")),
        (thing("claim/js"), dg("span"), thing("span/js")),
        (thing("span/js"), dg("inText"), thing("text/js")),
        (thing("text/js"), dg("textOf"), thing("source/js")),
        (thing("source/js"), dg("url"), Literal("javascript:alert(1)")),
    )
    for path in ("/page/country/fra", "/page/claim/js", "/page/source/js"):
        assert not [a for a in hrefs(read(client, path)[1]) if a.startswith("javascript")]


def test_the_timeline_leads_to_the_events_of_a_month(client: FlaskClient, store: EmbeddedStore) -> None:
    for number, day in enumerate(["2018-01-05", "2018-01-31", "2018-03-01"]):
        event, when = thing(f"event/t{number}"), thing(f"time/{day}")
        add(
            store,
            (event, TYPE, dg("Event")),
            (event, dg("actor"), thing("country/fra")),
            (event, dg("time"), when),
            (when, dg("begin"), Literal(day, datatype=NamedNode(PREFIXES["xsd"] + "date"))),
        )
    _, page = read(client, "/page/country/fra")
    assert "/events?actor=country%2Ffra&from=2018-01-01&to=2018-01-31" in hrefs(page)


def test_coding_records_stand_apart_from_events(client: FlaskClient, hostile: EmbeddedStore) -> None:
    text, page = read(client, "/page/country/irn")
    assert "not verified" in text
    assert "/page/record/bad" in hrefs(page)


# The doors of the pictures


def test_the_neighbours_as_json(reading: FlaskClient) -> None:
    found = reading.get("/neighbours?iri=" + ID + "event/us-iran-deportation").get_json()
    assert found["nodes"][0]["id"] == ID + "event/us-iran-deportation"
    ids = {node["id"] for node in found["nodes"]}
    assert ID + "country/irn" in ids
    assert all({edge["source"], edge["target"]} <= ids for edge in found["edges"])


def test_the_places_as_json(reading: FlaskClient) -> None:
    found = reading.get("/places?iri=" + ID + "event/us-iran-deportation").get_json()["places"]
    assert [place["label"] for place in found if place["way"]] == ["Louisiana", "Qatar", "Iran"]


@pytest.mark.parametrize("door", ["/neighbours", "/places"])
def test_what_is_no_thing_has_no_picture(reading: FlaskClient, door: str) -> None:
    assert reading.get(door).status_code == 400
    assert reading.get(door + "?iri=" + ID + "country/nowhere").status_code == 404
    assert reading.get(door + "?iri=%3Cx").status_code == 404


# Weight


def test_a_thing_that_100000_others_point_to(client: FlaskClient, store: EmbeddedStore) -> None:
    link = f"<{ONTOLOGY}locatedIn> <{ID}place/louisiana> <{BAD.value}> .\n"
    lines = "".join(f"<{ID}place/p{number}> {link}" for number in range(100_000))
    store.engine.bulk_load(lines.encode(), RdfFormat.N_QUADS)
    response = client.get("/page/place/louisiana", headers=HTML)
    assert response.status_code == 200
    assert "10,000+" in response.text
    assert len(response.data) < 100_000
    assert client.get("/page/place/louisiana?page=200", headers=HTML).status_code == 200
    assert client.get("/page/place/louisiana?page=201", headers=HTML).status_code == 404


@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_is_light(reading: FlaskClient, name: str) -> None:
    """The page and the style sheets it asks for first: few requests, and little once compressed."""
    response = reading.get(PAGES[name], headers=HTML)
    page = Words()
    page.feed(response.text)
    links = [a for tag, a in page.elements if tag == "link" and a.get("rel") == "stylesheet"]
    wanted = [a.get("href") or "" for a in links]
    wanted += [a.get("src") or "" for tag, a in page.elements if tag in ("img", "script") and a.get("src")]
    assert all(address.startswith("/") for address in wanted), "everything comes from this server"
    # The editor's page brings an editor.
    assert len(wanted) <= (8 if name == "sparql" else 6)
    own = len(gzip.compress(response.data))
    sheets = sum(
        len(gzip.compress(body)) for a in wanted if a.endswith(".css") and (body := fetch(reading, a))
    )
    # The ontology's page explains some 240 terms.
    limit = (52 if name == "ontology" else 40) * 1024
    assert own + sheets < limit, f"{own} bytes of page and {sheets} of style"


def test_a_claim_says_what_contradicts_and_supersedes_it(client: FlaskClient, store: EmbeddedStore) -> None:
    for slug in ("old", "new"):
        claim = thing("claim/" + slug)
        add(store, (claim, TYPE, dg("Claim")), (claim, LABEL, Literal(f"the {slug} claim", language="en")))
        add(store, (claim, dg("about"), thing("country/fra")))
    add(store, (thing("claim/new"), dg("supersedes"), thing("claim/old")))
    add(store, (thing("claim/new"), dg("contradicts"), thing("claim/old")))
    assert "superseded by the new claim" in read(client, "/page/claim/old")[0]
    text = read(client, "/page/claim/new")[0]
    assert "supersedes the old claim" in text
    assert "contradicts the old claim" in text
    assert "contradicted by the new claim" in read(client, "/page/country/fra")[0]


def test_what_follows_is_marked_and_repeats_nothing(client: FlaskClient, store: EmbeddedStore) -> None:
    event = thing("event/us-iran-deportation")
    for prop, other in (("participant", "country/usa"), ("place", "place/louisiana")):
        store.engine.add(Quad(event, dg(prop), thing(other), GRAPH_ENTAILMENTS))
    store.engine.add(Quad(event, TYPE, dg("CooperativeEvent"), GRAPH_ENTAILMENTS))
    found = describe(store, event.value)
    facts = {group.property.iri: group.facts for group in found.facts}
    # The graph states that the United States acted; that they took part says nothing more.
    assert ONTOLOGY + "participant" not in facts
    assert [fact.inferred for fact in facts[ONTOLOGY + "place"]] == [True]
    assert [name.iri for name in found.types] == [ONTOLOGY + "Event"]
    assert ONTOLOGY + "CooperativeEvent" in {name.iri for name in found.inferred}
    assert GRAPH_ENTAILMENTS.value not in {name.iri for name in found.graphs}
    assert "inferred" in read(client, "/page/event/us-iran-deportation")[0]


@pytest.mark.parametrize(
    ("path", "block"),
    [
        ("event/us-iran-deportation", "glance"),
        ("event/us-iran-deportation", "map"),
        ("event/us-iran-deportation", "neighbourhood"),
        ("country/irn", "identifiers"),
    ],
)
def test_the_question_behind_a_picture_gives_what_it_shows(
    article_store: EmbeddedStore, path: str, block: str
) -> None:
    found = describe(article_store, ID + path)
    rows = [
        tuple(str(getattr(value, "value", value)) for value in row.values())
        for row in article_store.query(found.queries[block]).rows()
    ]
    if block == "map":
        assert [row[1] for row in rows] == [spot.name.iri for spot in found.spots]
    elif block == "neighbourhood":
        edges = {(e.source.iri, p.iri, e.target.iri) for e in found.network.edges for p in e.properties}
        assert set(rows) == edges
        linked = {end for source, _, target in edges for end in (source, target)}
        assert {name.iri for name in found.network.things} == linked
    elif block == "identifiers":
        values = {
            (g.property.iri, f.value.name.iri if f.value.name else f.value.text)
            for g in found.identifiers
            for f in g.facts
        }
        assert set(rows) == values
    else:
        assert (ONTOLOGY + "actor", ID + "country/usa") in rows
        assert (ONTOLOGY + "quantityOf", ID + "quantity/us-iran-deportation-deported") in rows or any(
            row[0] == ONTOLOGY + "quantityOf" for row in rows
        )


def test_a_mission_tells_its_ranks_in_time_order_and_its_heads(
    client: FlaskClient, store: EmbeddedStore
) -> None:
    fixture = Path(__file__).parents[2] / "fixtures" / "missions.trig"
    store.engine.load(path=str(fixture), format=RdfFormat.TRIG)
    found = describe(store, ID + "mission/usa-irn")
    days = [status.when.begin or status.when.end or "" for status in found.statuses.items if status.when]
    assert days == sorted(days) and days[0].startswith("1944")
    assert next(status.rank.label for status in found.statuses.items if status.rank) == "embassy"
    text, _ = read(client, "/page/mission/usa-irn")
    assert "Ranks over time" in text and "Heads and staff" in text
    assert "Ambassador Extraordinary" in text
