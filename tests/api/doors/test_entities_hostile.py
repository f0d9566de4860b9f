"""Pages of things with strange addresses and hostile texts."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode

from kg.store import EmbeddedStore
from kg.terms import PREFIXES
from tests.api.words import (
    HTML,
    LABEL,
    SCRIPT,
    TYPE,
    Words,
    add,
    dg,
    hrefs,
    read,
    thing,
)


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
