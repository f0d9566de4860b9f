"""The pages of things and their data."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, parse

from kg.describe import describe
from kg.store import EmbeddedStore
from kg.terms import GRAPH, GRAPH_ENTAILMENTS, ID, ONTOLOGY, PREFIXES
from tests.browser.pages import PAGES

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
    data = ("application/ld+json", "application/json")
    assert all("src" in s or s.get("type") in data for s in scripts), scripts
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
    _, page = read(client, "/page/place/louisiana?page=3")
    assert "/page/place/in-119" in hrefs(page)


def test_every_page_bears_a_strict_policy(app: Flask) -> None:
    policy = app.test_client().get("/page/country/irn", headers=HTML).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


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
def test_a_language_that_is_none_is_passed_over(client: FlaskClient, lang: str) -> None:
    response = client.get("/page/country/irn", query_string={"lang": lang}, headers=HTML)
    assert response.status_code == 200
    assert "<title>Iran " in response.text


# What a page offers besides reading


def test_the_facts_as_csv(client: FlaskClient) -> None:
    response = client.get("/data/event/us-iran-deportation.csv")
    assert response.content_type.startswith("text/csv")
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text)))
    actors = [row for row in rows if row["property"] == ONTOLOGY + "actor"]
    assert [(row["value"], row["valueLabel"]) for row in actors] == [(ID + "country/usa", "United States")]
    assert client.get("/data/country/nowhere.csv").status_code == 404
    assert client.get("/data?format=csv&iri=" + ID + "country/irn").status_code == 200


def test_every_download_that_is_offered_is_there(client: FlaskClient) -> None:
    _, page = read(client, "/page/person/donald-trump")
    offered = [a for a in hrefs(page) if a.startswith("/data/")]
    assert {a.rpartition(".")[2] for a in offered} == {"ttl", "nt", "rdf", "jsonld", "csv"}
    assert all(client.get(a).status_code == 200 for a in offered)


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
            "arrival of the deportation flight in Iran via Qatar",
        ),
        ("/page/place/louisiana", "Place", "Louisiana"),
    ],
)
def test_schema_org_in_the_page(client: FlaskClient, path: str, kind: str, name: str) -> None:
    found = linked_data(client, path)
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


def test_a_card_for_those_who_share_the_page(client: FlaskClient) -> None:
    _, page = read(client, "/page/country/irn")
    metas = {a.get("property"): a.get("content") or "" for tag, a in page.elements if tag == "meta"}
    assert metas["og:title"].startswith("Iran")
    image = fetch(client, "/" + metas["og:image"].partition("://")[2].partition("/")[2])
    assert image.startswith(b"\x89PNG")


def test_the_query_behind_a_block_opens_in_the_editor(client: FlaskClient) -> None:
    _, page = read(client, "/page/country/irn")
    opened = [a for a in hrefs(page) if a.startswith("/sparql?query=")]
    assert len(opened) >= 3
    for address in opened:
        assert client.get(address, headers=HTML).status_code == 200
        rows = client.get(address, headers={"Accept": "text/csv"}).text.splitlines()
        assert len(rows) > 1, "a heading and what the block shows"


def test_claims_lead_to_the_words_at_the_source(client: FlaskClient, store: EmbeddedStore) -> None:
    oa = PREFIXES["oa"]
    add(
        store,
        (thing("claim/quoted"), TYPE, dg("Claim")),
        (thing("claim/quoted"), dg("about"), thing("country/fra")),
        (thing("claim/quoted"), dg("span"), thing("span/quoted")),
        (thing("span/quoted"), NamedNode(oa + "hasSource"), thing("text/quoted")),
        (thing("span/quoted"), NamedNode(oa + "hasSelector"), thing("selector/quoted")),
        (thing("selector/quoted"), NamedNode(oa + "exact"), Literal("ours, well-known")),
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
        (thing("span/js"), NamedNode(PREFIXES["oa"] + "hasSource"), thing("text/js")),
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
    assert "none of it is stated as fact" in text
    assert "/page/record/bad" in hrefs(page)


# The doors of the pictures


def test_the_neighbours_as_json(client: FlaskClient) -> None:
    found = client.get("/neighbours?iri=" + ID + "event/us-iran-deportation").get_json()
    assert found["nodes"][0]["id"] == ID + "event/us-iran-deportation"
    ids = {node["id"] for node in found["nodes"]}
    assert ID + "country/irn" in ids
    assert all({edge["source"], edge["target"]} <= ids for edge in found["edges"])


def test_the_places_as_json(client: FlaskClient) -> None:
    found = client.get("/places?iri=" + ID + "event/us-iran-deportation").get_json()["places"]
    assert [place["label"] for place in found if place["way"]] == ["Louisiana", "Qatar", "Iran"]


@pytest.mark.parametrize("door", ["/neighbours", "/places"])
def test_what_is_no_thing_has_no_picture(client: FlaskClient, door: str) -> None:
    assert client.get(door).status_code == 400
    assert client.get(door + "?iri=" + ID + "country/nowhere").status_code == 404
    assert client.get(door + "?iri=%3Cx").status_code == 404


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
def test_a_page_is_light(client: FlaskClient, name: str) -> None:
    """The page and the style sheets it asks for first: few requests, and little once compressed."""
    response = client.get(PAGES[name], headers=HTML)
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
        len(gzip.compress(body)) for a in wanted if a.endswith(".css") and (body := fetch(client, a))
    )
    assert own + sheets < 40 * 1024, f"{own} bytes of page and {sheets} of style"


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
    fixture = Path(__file__).parents[1] / "fixtures" / "missions.trig"
    store.engine.load(path=str(fixture), format=RdfFormat.TRIG)
    found = describe(store, ID + "mission/usa-irn")
    days = [status.when.begin or status.when.end or "" for status in found.statuses.items if status.when]
    assert days == sorted(days) and days[0].startswith("1944")
    assert next(status.rank.label for status in found.statuses.items if status.rank) == "embassy"
    text, _ = read(client, "/page/mission/usa-irn")
    assert "Ranks over time" in text and "Heads and staff" in text
    assert "Ambassador Extraordinary" in text
