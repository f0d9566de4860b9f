"""The pages of things and their data: what they tell, their addresses and languages."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph
import pytest
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from kg.store import EmbeddedStore
from kg.terms import ID, PREFIXES
from tests.api.words import (
    HTML,
    LABEL,
    TYPE,
    add,
    dg,
    hrefs,
    read,
    thing,
)

# What a page tells: every expectation is read off the article's graph or the reference data by hand.


def test_a_country_shows_its_name_type_aliases_codes_and_events(reading: FlaskClient) -> None:
    text, page = read(reading, "/page/country/irn")
    assert ("h1", {}) in page.elements
    for words in ("Iran", "country", "IRN", "364", "Islamic Republic of Iran"):
        assert words in text
    assert any("Q794" in address for address in hrefs(page))
    assert "/page/event/us-iran-deportation" in hrefs(page)


def test_a_claim_tells_who_says_so_how_surely_and_where(reading: FlaskClient) -> None:
    text, page = read(reading, "/page/claim/us-iran-deportation-deportations-projected")
    assert "Department of Homeland Security" in text
    assert "projected" in text
    assert "paragraph 6" in text
    assert "2312–2349" in text
    assert "/page/agency/department-of-homeland-security" in hrefs(page)
    assert text.index("paragraph") > 0
    steps = [n for n, (tag, attributes) in enumerate(page.elements) if tag == "ol"]
    assert steps, "the chain is an ordered list"


def test_an_event_shows_evidence_with_modality(reading: FlaskClient) -> None:
    text, page = read(reading, "/page/event/us-iran-deportation")
    assert "Sources and certainty" in text
    for address in ("/page/place/louisiana", "/page/country/qat", "/page/country/irn"):
        assert address in hrefs(page)
    assert "happened" in text


def test_a_person_shows_the_post_held(reading: FlaskClient) -> None:
    text, page = read(reading, "/page/person/tricia-mclaughlin")
    assert "assistant secretary" in text.lower()
    assert any(address.startswith("/page/post/") for address in hrefs(page))


def test_the_claims_a_figure_rests_on_are_on_its_page(reading: FlaskClient) -> None:
    text, _ = read(reading, "/page/quantity/us-iran-deportation-deportations-expected")
    assert "600,000" in text
    assert "Department of Homeland Security" in text


def test_events_stand_in_time_order(client: FlaskClient, store: EmbeddedStore) -> None:
    for number, day in enumerate(["2018-03-05", "2016-01-09", "2017-07-01"]):
        event, when = thing(f"event/dated-{number}"), thing(f"time/{day}")
        add(
            store,
            (event, TYPE, dg("Event")),
            (event, LABEL, Literal(f"dated {day}", language="en")),
            (event, dg("actor"), thing("country/fra")),
            (event, dg("time"), when),
            (when, dg("begin"), Literal(day, datatype=NamedNode(PREFIXES["xsd"] + "date"))),
        )
    text, _ = read(client, "/page/country/fra")
    places = [text.index(f"dated {day}") for day in ("2018-03-05", "2017-07-01", "2016-01-09")]
    assert places == sorted(places)


def test_a_fact_without_a_claim_is_marked(client: FlaskClient, store: EmbeddedStore) -> None:
    event = thing("event/bare")
    add(
        store,
        (event, TYPE, dg("Event")),
        (event, LABEL, Literal("bare", language="en")),
        (event, dg("actor"), thing("country/fra")),
    )
    assert "no source" in read(client, "/page/event/bare")[0]
    claim = thing("claim/bare")
    add(
        store,
        (claim, TYPE, dg("Claim")),
        (claim, LABEL, Literal("France acted", language="en")),
        (claim, dg("about"), event),
        (claim, dg("states"), thing("fact/bare")),
        (thing("fact/bare"), dg("subject"), event),
        (thing("fact/bare"), dg("predicate"), dg("actor")),
        (thing("fact/bare"), dg("object"), thing("country/fra")),
    )
    assert "no source" not in read(client, "/page/event/bare")[0]


# Addresses, formats and negotiation


@pytest.mark.parametrize(
    ("accept", "target"),
    [
        ("text/html", "/page/country/irn"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "/page/country/irn"),
        ("text/turtle", "/data/country/irn.ttl"),
        ("application/ld+json", "/data/country/irn.jsonld"),
        ("application/n-triples", "/data/country/irn.nt"),
        ("application/rdf+xml", "/data/country/irn.rdf"),
        ("*/*", "/data/country/irn.ttl"),
    ],
)
def test_a_thing_is_sent_on_with_303(reading: FlaskClient, accept: str, target: str) -> None:
    response = reading.get("/id/country/irn", headers={"Accept": accept})
    assert (response.status_code, response.headers["Location"]) == (303, target)
    assert "Accept" in response.headers["Vary"]


def test_no_format_that_is_not_offered(reading: FlaskClient) -> None:
    assert reading.get("/id/country/irn", headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize(
    ("ending", "media_type", "form"),
    [
        ("ttl", "text/turtle", RdfFormat.TURTLE),
        ("nt", "application/n-triples", RdfFormat.N_TRIPLES),
        ("rdf", "application/rdf+xml", RdfFormat.RDF_XML),
        ("jsonld", "application/ld+json", RdfFormat.JSON_LD),
    ],
)
def test_the_data_in_each_format(reading: FlaskClient, ending: str, media_type: str, form: RdfFormat) -> None:
    response = reading.get(f"/data/country/irn.{ending}")
    assert response.status_code == 200
    assert response.content_type.startswith(media_type)
    triples = {(q.subject, q.predicate, q.object) for q in parse(response.data, form)}
    assert (thing("country/irn"), dg("iso3"), Literal("IRN")) in triples


def test_an_unknown_ending_names_those_that_there_are(reading: FlaskClient) -> None:
    response = reading.get("/data/country/irn.docx")
    assert response.status_code == 404
    assert "ttl" in response.text


def test_an_unknown_thing_is_404_with_a_search(reading: FlaskClient) -> None:
    text, page = read(reading, "/page/country/iram", status=404)
    assert "country/iran" in text or "Iran" in text
    assert any(tag == "form" and attributes.get("action") == "/search" for tag, attributes in page.elements)
    assert reading.get("/id/country/nowhere", headers={"Accept": "text/turtle"}).status_code == 404


def test_a_foreign_iri_has_a_page_and_ours_is_sent_on(reading: FlaskClient) -> None:
    text, _ = read(reading, "/page?iri=http://www.wikidata.org/entity/Q794")
    assert "Iran" in text
    response = reading.get("/page?iri=" + ID + "country/irn", headers=HTML)
    assert (response.status_code, response.headers["Location"]) == (302, "/page/country/irn")


def test_a_graph_shows_what_it_holds(reading: FlaskClient) -> None:
    text, _ = read(reading, "/graph/us-iran-deportation")
    assert "claims" in text
    assert "triples" in text


# Languages


def test_names_come_in_the_reader_s_language(client: FlaskClient, store: EmbeddedStore) -> None:
    add(store, (thing("country/irn"), LABEL, Literal("ایران", language="fa")))
    for path, headers in (("?lang=fa", {}), ("", {"Accept-Language": "fa-IR, en;q=0.5"})):
        response = client.get(f"/page/country/irn{path}", headers={**HTML, **headers})
        assert "<title>ایران" in response.text
        assert 'lang="fa"' in response.text
        assert {"Accept", "Accept-Language"} <= {v.strip() for v in response.headers["Vary"].split(",")}
    assert "<title>Iran " in client.get("/page/country/irn", headers=HTML).text
    assert "<title>Iran " in client.get("/page/country/irn?lang=de", headers=HTML).text


def test_the_switch_offers_the_languages_there_are(client: FlaskClient, store: EmbeddedStore) -> None:
    assert not [a for a in hrefs(read(client, "/page/place/louisiana")[1]) if "lang=" in a]
    add(store, (thing("place/louisiana"), LABEL, Literal("Luisiana", language="es")))
    _, page = read(client, "/page/place/louisiana")
    offered = [address for address in hrefs(page) if "lang=" in address]
    assert offered == ["/page/place/louisiana?lang=en", "/page/place/louisiana?lang=es"]


@pytest.mark.parametrize("lang", ["<script>", "x" * 500, "fa;q=2", "\u202e", "*", "en\u0000"])
def test_a_language_that_is_none_is_passed_over(reading: FlaskClient, lang: str) -> None:
    response = reading.get("/page/country/irn", query_string={"lang": lang}, headers=HTML)
    assert response.status_code == 200
    assert "<title>Iran " in response.text


# Who claims what


def test_the_page_of_an_event_shows_where_sources_disagree(client: FlaskClient, store: EmbeddedStore) -> None:
    store.engine.load(path=Path(__file__).parents[2] / "fixtures" / "disagreement.trig")
    text, _ = read(client, "/page/event/harbour-attack")
    assert "Sources disagree" in text
    told = text[text.index("Sources disagree") :]
    assert "the blue fleet — Invented Ministry of the Blue in Invented Evening Star ✓ happened" in told
    assert "the red fleet — Invented Morning Post ✓ happened" in told
    assert "the old harbour — Cy Invented in Invented Evening Star × denied" in told
    assert "figures 12 dead — Invented Morning Post" in told
    assert "at least 30 dead — Invented Ministry of the Blue in Invented Evening Star" in told
    assert "Sources disagree" not in read(client, "/page/event/us-iran-deportation")[0]


def test_the_page_of_an_event_tells_whether_it_took_place(client: FlaskClient, store: EmbeddedStore) -> None:
    """As the question did-it-happen does; what only a denial tells leads to the denial."""
    text = """
        @prefix dg: <https://w3id.org/diplograph/ontology#> . @base <https://w3id.org/diplograph/id/> .
        @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
        <event/raid> a dg:Event ; rdfs:label "raid"@en ;
          dg:eventType <event-type/cameo-19> ; dg:actor <country/irn> .
        <source/star> a dg:Article ; rdfs:label "Star"@en . <source/sun> a dg:Article ; rdfs:label "Sun"@en .
        <fact/raid> a dg:Fact ; dg:subject <event/raid> ; dg:predicate dg:tookPlace ; dg:object true .
        <claim/star> a dg:Claim ; rdfs:label "no raid"@en ; dg:about <event/raid> ; dg:states <fact/raid> ;
          dg:modality <modality/denied> ; dg:statedIn <source/star> ; dg:saidBy <source/star> .
        <claim/sun> a dg:Claim ; rdfs:label "a raid"@en ; dg:about <event/raid> ; dg:states <fact/raid> ;
          dg:modality <modality/happened> ; dg:statedIn <source/sun> ; dg:saidBy <source/sun> ."""
    graph = pyoxigraph.NamedNode("https://w3id.org/diplograph/graph/papers")
    store.engine.load(text.encode(), format=pyoxigraph.RdfFormat.TURTLE, to_graph=graph)
    shown, _ = read(client, "/page/event/raid")
    told = shown[shown.index("took place") :]
    assert told.startswith("took place no — Starclaim 1: no raidyes — Sunclaim 2: a raid event type"), told[
        :200
    ]
    assert "actor Iran see claim 1" in shown and "no source" not in shown
    disagree = shown[shown.index("Sources disagree") :]
    assert "took place no — Star × denies it: no raidyes — Sun ✓ happened" in disagree
    assert re.search(r"Denies ?raid ?: took place yes", read(client, "/page/claim/star")[0])


def test_the_page_of_a_claim_shows_its_facts_and_its_stance(client: FlaskClient) -> None:
    text, _ = read(client, "/page/claim/us-iran-deportation-strikes")
    assert "States" in text
    assert "ordered by" in text
    assert "Donald Trump" in text
    text, _ = read(client, "/page/claim/us-iran-deportation-migrants-criticized")
    assert "criticism" in text
    assert "migrants in the United States" in text


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("only%2Fenc", "only%2Fenc"),
        ("only%2Bplus", "only%2Bplus"),
        ("only%c3%a9", "only%c3%a9"),
        ("only?x=1", "only%3Fx=1"),
        ("only%7Etilde", "only%7Etilde"),
        ("日本", "%E6%97%A5%E6%9C%AC"),
        ("a/b", "a/b"),
    ],
)
def test_an_address_leads_to_that_very_thing(
    client: FlaskClient, store: EmbeddedStore, name: str, path: str
) -> None:
    # Another reading of the first path is a thing, too.
    for local, label in ((name, f"the place {name}"), ("only/enc", "another")):
        add(store, (NamedNode(f"{ID}place/{local}"), LABEL, Literal(label)))
    found = client.get(f"/page/place/{path}", headers=HTML)
    assert f"the place {name}" in found.text
    assert f"the place {name}" in client.get(f"/page/place/{path}/", headers=HTML).text
    assert f"the place {name}" in client.get(f"/id/place/{path}", headers=HTML, follow_redirects=True).text
    assert Literal(f"the place {name}") in {
        triple.object
        for triple in parse(client.get(f"/data/place/{path}.nt").data, format=RdfFormat.N_TRIPLES)
    }
    targets = re.findall(r"<(/[^>]*)>", ", ".join(found.headers.getlist("Link")))
    assert len(targets) >= 4
    assert {client.get(target).status_code for target in targets} == {200}
