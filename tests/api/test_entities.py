"""The pages of things and their data."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse

from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, ONTOLOGY, PREFIXES

HTML = {"Accept": "text/html"}
SCRIPT = "<script>alert(1)</script>"
OVERRIDE = "\u202egnorw\u202c"
HOSTILE = f"{SCRIPT}\"><img src=x onerror=alert(1)> &amp; '{OVERRIDE} {{{{ 7*7 }}}}"
LABEL = NamedNode(PREFIXES["rdfs"] + "label")
TYPE = NamedNode(PREFIXES["rdf"] + "type")
BAD = NamedNode(GRAPH + "bad")


VOID = {"meta", "link", "input", "img", "br", "hr", "wbr", "path", "rect", "line"}
ISOLATING = {"bdi", "title", "textarea", "option", "pre", "script"}


class Words(HTMLParser):
    """The words of a page and its elements, as a browser's parser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.loose: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, tag in ISOLATING or "dir" in dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
        if "\u202e" in data and not any(isolated for _, isolated in self._open):
            self.loose.append(data)


def read(client: FlaskClient, path: str, status: int = 200, **headers: str) -> tuple[str, Words]:
    """The words of a page, white space made one, and the page as parsed."""
    response = client.get(path, headers={**HTML, **headers})
    assert response.status_code == status, response.text[:500]
    page = Words()
    page.feed(response.text)
    page.close()
    return " ".join("".join(page.pieces).split()), page


def thing(local: str) -> NamedNode:
    return NamedNode(ID + local)


def dg(local: str) -> NamedNode:
    return NamedNode(ONTOLOGY + local)


def add(store: EmbeddedStore, *triples: tuple[NamedNode, NamedNode, NamedNode | Literal]) -> None:
    store.change((), [Quad(s, p, o, BAD) for s, p, o in triples])


def hrefs(page: Words) -> list[str]:
    return [attributes.get("href") or "" for tag, attributes in page.elements if tag == "a"]


# What a page tells: every expectation is read off the article's graph or the reference data by hand.


def test_a_country_shows_its_name_type_aliases_codes_and_events(client: FlaskClient) -> None:
    text, page = read(client, "/page/country/irn")
    assert ("h1", {}) in page.elements
    for words in ("Iran", "country", "IRN", "364", "Islamic Republic of Iran"):
        assert words in text
    assert any("Q794" in address for address in hrefs(page))
    assert "/page/event/us-iran-deportation" in hrefs(page)


def test_a_claim_tells_who_says_so_how_surely_and_where(client: FlaskClient) -> None:
    text, page = read(client, "/page/claim/us-iran-deportation-deportations-projected")
    assert "Department of Homeland Security" in text
    assert "projected" in text
    assert "paragraph 6" in text
    assert "2236–2306" in text
    assert "/page/agency/department-of-homeland-security" in hrefs(page)
    assert text.index("paragraph") > 0
    steps = [n for n, (tag, attributes) in enumerate(page.elements) if tag == "ol"]
    assert steps, "the chain is an ordered list"


def test_an_event_shows_evidence_with_modality(client: FlaskClient) -> None:
    text, page = read(client, "/page/event/us-iran-deportation")
    assert "Evidence" in text
    for address in ("/page/place/louisiana", "/page/country/qat", "/page/country/irn"):
        assert address in hrefs(page)
    assert "happened" in text


def test_a_person_shows_the_post_held(client: FlaskClient) -> None:
    text, page = read(client, "/page/person/tricia-mclaughlin")
    assert "assistant secretary" in text.lower()
    assert any(address.startswith("/page/post/") for address in hrefs(page))


def test_the_claims_a_figure_rests_on_are_on_its_page(client: FlaskClient) -> None:
    text, _ = read(client, "/page/quantity/us-iran-deportation-deportations-expected")
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
        (claim, dg("aspect"), dg("actor")),
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
def test_a_thing_is_sent_on_with_303(client: FlaskClient, accept: str, target: str) -> None:
    response = client.get("/id/country/irn", headers={"Accept": accept})
    assert (response.status_code, response.headers["Location"]) == (303, target)
    assert "Accept" in response.headers["Vary"]


def test_no_format_that_is_not_offered(client: FlaskClient) -> None:
    assert client.get("/id/country/irn", headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize(
    ("ending", "media_type", "form"),
    [
        ("ttl", "text/turtle", RdfFormat.TURTLE),
        ("nt", "application/n-triples", RdfFormat.N_TRIPLES),
        ("rdf", "application/rdf+xml", RdfFormat.RDF_XML),
        ("jsonld", "application/ld+json", RdfFormat.JSON_LD),
    ],
)
def test_the_data_in_each_format(client: FlaskClient, ending: str, media_type: str, form: RdfFormat) -> None:
    response = client.get(f"/data/country/irn.{ending}")
    assert response.status_code == 200
    assert response.content_type.startswith(media_type)
    triples = {(q.subject, q.predicate, q.object) for q in parse(response.data, form)}
    assert (thing("country/irn"), dg("iso3"), Literal("IRN")) in triples


def test_an_unknown_ending_names_those_that_there_are(client: FlaskClient) -> None:
    response = client.get("/data/country/irn.docx")
    assert response.status_code == 404
    assert "ttl" in response.text


def test_an_unknown_thing_is_404_with_a_search(client: FlaskClient) -> None:
    text, page = read(client, "/page/country/iram", status=404)
    assert "country/iran" in text or "Iran" in text
    assert any(tag == "form" and attributes.get("action") == "/search" for tag, attributes in page.elements)
    assert client.get("/id/country/nowhere", headers={"Accept": "text/turtle"}).status_code == 404


def test_a_foreign_iri_has_a_page_and_ours_is_sent_on(client: FlaskClient) -> None:
    text, _ = read(client, "/page?iri=http://www.wikidata.org/entity/Q794")
    assert "Iran" in text
    response = client.get("/page?iri=" + ID + "country/irn", headers=HTML)
    assert (response.status_code, response.headers["Location"]) == (302, "/page/country/irn")


def test_a_graph_shows_what_it_holds(client: FlaskClient) -> None:
    text, _ = read(client, "/graph/us-iran-deportation")
    assert "claims" in text
    assert "triples" in text


# Bad input


@pytest.mark.parametrize(
    "path",
    [
        "/page/country/%00",
        "/page/country/%3Cscript%3E",
        "/page/country/..%2f..%2fetc",
        "/page/country/%E2%80%AEnri",
        "/page/country/%FF%FE",
        "/page/country/a%20b",
        "/page/country/" + "x" * 10_000,
        "/page?iri=" + "http://example.org/" + "x" * 10_000,
        "/page?iri=not%20an%20iri",
        "/page?iri=%3Cscript%3Ealert(1)%3C/script%3E",
        "/page?iri=javascript:alert(1)",
        "/page",
        "/data?iri=%7Bx%7D&format=ttl",
        "/page/country/irn?page=0",
        "/page/country/irn?page=-1",
        "/page/country/irn?page=99999999999999999999",
        "/page/country/irn?page=999",
        "/graph/%22%3E",
    ],
)
def test_strange_addresses_are_refused_and_nothing_breaks(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers=HTML)
    assert response.status_code in (400, 404), path[:60]
    assert "<script>" not in response.text
    assert len(response.data) < 40_000


@pytest.fixture
def hostile(store: EmbeddedStore) -> EmbeddedStore:
    """A graph in which everything that bears a text bears a hostile one."""
    bad = Literal(HOSTILE, language="en")
    plain = Literal(HOSTILE)
    kinds = {
        "event/bad": "Event",
        "country/xbd": "Country",
        "person/bad": "Person",
        "agency/bad": "Agency",
        "organization/bad": "Organization",
        "claim/bad": "Claim",
        "source/bad": "Article",
        "text/bad": "SourceText",
        "place/bad": "Place",
        "record/bad": "CodingRecord",
        "mention/bad": "Mention",
        "quantity/bad": "Quantity",
        "event-type/bad": "EventType",
        "modality/bad": "Modality",
        "step/bad": "AttributionStep",
        "span/bad": "Thing",
        "interaction/bad": "Interaction",
        "character/bad": "Character",
        "unit/bad": "Unit",
        "time/bad": "Time",
        "topic/bad": "Topic",
    }
    add(store, (BAD, LABEL, bad))
    for local, cls in kinds.items():
        add(
            store,
            (thing(local), TYPE, dg(cls)),
            (thing(local), LABEL, bad),
            (thing(local), NamedNode(PREFIXES["rdfs"] + "comment"), bad),
            (thing(local), NamedNode(PREFIXES["skos"] + "altLabel"), plain),
            (thing(local), NamedNode(PREFIXES["skos"] + "definition"), bad),
            (thing(local), dg("iso3"), plain),
        )
    add(
        store,
        (thing("event/bad"), dg("actor"), thing("country/xbd")),
        (thing("event/bad"), dg("recipient"), thing("country/irn")),
        (thing("event/bad"), dg("actor"), thing("person/bad")),
        (thing("event/bad"), dg("place"), thing("place/bad")),
        (thing("event/bad"), dg("origin"), thing("place/bad")),
        (thing("event/bad"), dg("destination"), thing("country/irn")),
        (thing("event/bad"), dg("eventType"), thing("event-type/bad")),
        (thing("event/bad"), dg("time"), thing("time/bad")),
        (thing("event/bad"), dg("hasInteraction"), thing("interaction/bad")),
        (thing("interaction/bad"), dg("party"), thing("country/xbd")),
        (thing("interaction/bad"), dg("party"), thing("country/irn")),
        (thing("interaction/bad"), dg("character"), thing("character/bad")),
        (thing("time/bad"), dg("begin"), plain),
        (thing("claim/bad"), dg("about"), thing("event/bad")),
        (thing("claim/bad"), dg("modality"), thing("modality/bad")),
        (thing("claim/bad"), dg("quotedPhrase"), plain),
        (thing("claim/bad"), dg("statedIn"), thing("source/bad")),
        (thing("claim/bad"), dg("attributionStep"), thing("step/bad")),
        (thing("claim/bad"), dg("span"), thing("span/bad")),
        (thing("span/bad"), NamedNode(PREFIXES["oa"] + "hasSource"), thing("text/bad")),
        (thing("span/bad"), NamedNode(PREFIXES["oa"] + "hasSelector"), thing("selector/bad")),
        (thing("selector/bad"), NamedNode(PREFIXES["oa"] + "exact"), plain),
        (thing("text/bad"), dg("textOf"), thing("source/bad")),
        (thing("source/bad"), dg("url"), plain),
        (thing("step/bad"), dg("stepNumber"), Literal(1)),
        (thing("step/bad"), dg("attributedTo"), thing("person/bad")),
        (thing("step/bad"), dg("reportingVerb"), plain),
        (thing("mention/bad"), dg("mentionText"), plain),
        (thing("mention/bad"), dg("refersTo"), thing("country/xbd")),
        (thing("quantity/bad"), dg("quantityOf"), thing("event/bad")),
        (thing("quantity/bad"), dg("value"), plain),
        (thing("quantity/bad"), dg("unit"), thing("unit/bad")),
        (thing("record/bad"), dg("codedActor"), thing("country/xbd")),
        (thing("record/bad"), dg("codedRecipient"), thing("country/irn")),
        (thing("record/bad"), dg("eventType"), thing("event-type/bad")),
    )
    return store


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/events",
        "/search?q=%3Cscript%3E",
        "/page/event/bad",
        "/page/country/xbd",
        "/page/country/irn",
        "/page/person/bad",
        "/page/agency/bad",
        "/page/organization/bad",
        "/page/claim/bad",
        "/page/source/bad",
        "/page/text/bad",
        "/page/place/bad",
        "/page/record/bad",
        "/page/mention/bad",
        "/page/quantity/bad",
        "/page/event-type/bad",
        "/page/step/bad",
        "/page/time/bad",
        "/page/span/bad",
        "/graph/bad",
        "/dyad/xbd/irn",
        "/dyad?a=%3Cscript%3E&b=%3Cscript%3E",
        "/queries/dyad?a=country/xbd",
        "/sparql?query=SELECT%20*%20%7B%20%3Chttps://w3id.org/diplograph/id/event/bad%3E%20?p%20?o%20%7D",
        "/page/country/nowhere%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/ontology",
    ],
)
def test_hostile_labels_stay_text_in_every_page(
    client: FlaskClient, hostile: EmbeddedStore, path: str
) -> None:
    response = client.get(path, headers=HTML)
    assert response.status_code in (200, 400, 404)
    page = Words()
    page.feed(response.text)
    page.close()
    assert not [tag for tag, attributes in page.elements if tag == "img" and "onerror" in attributes]
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert all("src" in s or s.get("type") == "application/ld+json" for s in scripts), scripts
    assert not [1 for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not [1 for _, attributes in page.elements if "style" in attributes]
    assert SCRIPT not in response.text
    # What turns the direction of writing stands in an element that ends its reach.
    assert not page.loose


def test_a_thing_without_a_label_is_named_by_its_iri(client: FlaskClient, store: EmbeddedStore) -> None:
    add(store, (thing("event/no-label-here"), dg("actor"), thing("country/irn")))
    assert "no label here" in read(client, "/page/event/no-label-here")[0]


def test_fifty_types(client: FlaskClient, store: EmbeddedStore) -> None:
    for number in range(50):
        add(store, (thing("event/typed"), TYPE, NamedNode(f"http://example.org/Type{number:02d}")))
    text, _ = read(client, "/page/event/typed")
    assert "Type00" in text


def test_a_literal_of_a_megabyte_is_cut_and_said_to_be(client: FlaskClient, store: EmbeddedStore) -> None:
    add(
        store,
        (thing("event/long"), TYPE, dg("Event")),
        (thing("event/long"), dg("recordId"), Literal("wörd " * 200_000)),
        (thing("event/long"), LABEL, Literal("lang " * 200_000, language="en")),
    )
    response = client.get("/page/event/long", headers=HTML)
    assert response.status_code == 200
    assert len(response.data) < 60_000
    assert "1,000,000 characters" in response.text


@pytest.mark.parametrize(
    "begin", ["--03-05", "-0044-03-15", "0000-01-01", "12018-01-01", "2018-01", "2018-02-30"]
)
def test_strange_dates_are_shown_as_they_are(client: FlaskClient, store: EmbeddedStore, begin: str) -> None:
    add(
        store,
        (thing("event/dated"), TYPE, dg("Event")),
        (thing("event/dated"), LABEL, Literal("strangely dated", language="en")),
        (thing("event/dated"), dg("actor"), thing("country/fra")),
        (thing("event/dated"), dg("time"), thing("time/strange")),
        (thing("time/strange"), LABEL, Literal("that time", language="en")),
        (thing("time/strange"), dg("begin"), Literal(begin, datatype=NamedNode(PREFIXES["xsd"] + "date"))),
    )
    for path in ("/page/country/fra", "/page/event/dated", "/page/time/strange", "/dyad/fra/irn"):
        assert read(client, path)[0]
    assert "strangely dated" in read(client, "/page/country/fra")[0]


def test_incoming_links_are_counted_and_paged(client: FlaskClient, store: EmbeddedStore) -> None:
    for number in range(120):
        add(store, (thing(f"place/in-{number:03d}"), dg("locatedIn"), thing("place/louisiana")))
    text, page = read(client, "/page/place/louisiana")
    assert "120" in text
    assert "/page/place/in-000" in hrefs(page)
    last = [a for a in hrefs(page) if "page=" in a]
    assert last
    second, page = read(client, "/page/place/louisiana?page=3")
    assert "/page/place/in-119" in hrefs(page)


def test_every_page_bears_a_strict_policy(app: Flask) -> None:
    policy = app.test_client().get("/page/country/irn", headers=HTML).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
