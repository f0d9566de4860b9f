"""Home, coverage, and what crawlers find: against what the store holds and what the formats ask."""

from __future__ import annotations

import re
import threading
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path

import pyoxigraph
import pytest
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad

from api.doors import home
from kg.errors import QueryStoppedError
from kg.store import EmbeddedStore
from kg.terms import GRAPH, GRAPH_LOADS, ID, LOAD, ONTOLOGY, PREFIXES, term

BROWSER = {"Accept": "text/html"}
FIXTURES = Path(__file__).parents[2] / "fixtures"
HOSTILE = "<script>alert(1)</script>]]>&\x0b\u202e"
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
def codings(store: EmbeddedStore) -> None:
    store.engine.load(path=str(FIXTURES / "coding.trig"), format=pyoxigraph.RdfFormat.TRIG)


def count(store: EmbeddedStore, pattern: str) -> int:
    query = f"PREFIX dg: <{ONTOLOGY}> SELECT (COUNT(DISTINCT ?x) AS ?n) {{ {pattern} }}"
    return int(next(iter(store.query(query).rows()))["n"].value)  # type: ignore[union-attr]


def test_home_counts_what_is_there(client: FlaskClient, store: EmbeddedStore, codings: None) -> None:
    page = client.get("/", headers=BROWSER).text
    for number, word in (
        (count(store, "VALUES ?c { dg:Event dg:Journey } ?x a ?c"), "events"),
        (count(store, "?x a dg:Claim"), "claims"),
        (count(store, "?x a dg:CodingRecord"), "coding records"),
    ):
        assert re.search(rf"<strong>{number}</strong> {word}", page), word
    assert re.search(r"<strong>2018</strong> time span", page)
    assert page.count('href="/queries/') >= 3 and 'href="/coverage"' in page


def test_home_is_fresh_after_a_change(client: FlaskClient, store: EmbeddedStore) -> None:
    assert "Last load" not in client.get("/", headers=BROWSER).text
    load, ended = NamedNode(LOAD + "one"), "2026-03-04T05:06:07Z"
    store.change(
        [],
        [
            Quad(load, term("rdf:type"), NamedNode(ONTOLOGY + "Load"), GRAPH_LOADS),
            Quad(load, term("rdfs:label"), Literal("Load of a file"), GRAPH_LOADS),
            Quad(
                load,
                term("prov:endedAtTime"),
                Literal(ended, datatype=NamedNode(PREFIXES["xsd"] + "dateTime")),
                GRAPH_LOADS,
            ),
        ],
    )
    page = client.get("/", headers=BROWSER).text
    assert "Last load" in page and "Load of a file" in page and "2026-03-04" in page


def test_home_does_not_wait_for_slow_counts(
    client: FlaskClient, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, counted = store.query, threading.Event()

    def slow(text: str, *rest: object) -> object:
        if "COUNT(" in text:
            assert counted.wait(60)
        return answer(text, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "query", slow)
    monkeypatch.setattr(home, "PATIENCE", 0.1)
    page = client.get("/", headers=BROWSER)
    assert page.status_code == 200 and "triples" not in page.text and "/queries/deportations" in page.text
    counted.set()
    monkeypatch.setattr(home, "PATIENCE", 60.0)
    assert "triples" in client.get("/", headers=BROWSER).text


def test_an_empty_store_has_a_home_too() -> None:
    from api.app import create_app
    from kg.settings import Settings

    store = EmbeddedStore()
    client = create_app(store, Settings(data=Path("/nonexistent"), token="t")).test_client()
    for path in ("/", "/coverage", "/events", "/records", "/search?q=a", "/sitemap.xml", "/queries"):
        assert client.get(path, headers=BROWSER).status_code == 200, path
    store.close()


def test_coverage_counts_by_source_and_year(client: FlaskClient, store: EmbeddedStore, codings: None) -> None:
    found = {one["iri"]: one for one in client.get("/coverage").get_json()["sources"]}
    coded = found[GRAPH + "invented-codings"]
    assert coded["years"] == [{"year": 2018, "events": 2, "records": count(store, "?x a dg:CodingRecord")}]
    article = found[GRAPH + "us-iran-deportation"]
    assert article["years"] == [] and article["undated"]["events"] > 0, "the article bears no date"
    page = client.get("/coverage", headers=BROWSER).text
    assert "No result does not mean that nothing happened" in page
    assert "/events?source=graph%2Finvented-codings&amp;from=2018&amp;to=2018" in page


def test_labels_are_never_markup(client: FlaskClient, store: EmbeddedStore) -> None:
    graph, event = NamedNode(GRAPH + "hostile"), NamedNode(ID + "event/hostile")
    store.change(
        [],
        [
            Quad(graph, term("rdfs:label"), Literal(HOSTILE), graph),
            Quad(event, term("rdf:type"), NamedNode(ONTOLOGY + "Event"), graph),
            Quad(event, term("rdfs:label"), Literal(HOSTILE), graph),
            Quad(event, NamedNode(ONTOLOGY + "actor"), NamedNode(ID + "country/mli"), graph),
        ],
    )
    for path in ("/", "/coverage", "/reconcile/preview?id=event/hostile"):
        page = client.get(path, headers=BROWSER).text
        assert "<script>alert" not in page and "&lt;script&gt;" in page, path
    for path in ("/feed/event/hostile.atom", "/feed/country/mli.atom"):
        ET.fromstring(client.get(path).data)


def test_the_sitemap_leads_to_pages_that_are_there(client: FlaskClient) -> None:
    index = ET.fromstring(client.get("/sitemap.xml").data)
    assert index.tag == SITEMAP + "sitemapindex"
    parts = [found.text or "" for found in index.iter(SITEMAP + "loc")]
    assert parts and all(part.startswith("http://localhost/sitemap-") for part in parts)
    urls = []
    for part in parts:
        urlset = ET.fromstring(client.get(part.removeprefix("http://localhost")).data)
        urls += [found.text or "" for found in urlset.iter(SITEMAP + "loc")]
    assert len(urls) == len(set(urls)) < 50_000
    assert (
        "http://localhost/page/country/irn" in urls
        and "http://localhost/page/event/us-iran-deportation" in urls
    )
    assert not [url for url in urls if "/step/" in url or "/span/" in url]
    for url in urls[:: max(1, len(urls) // 25)]:
        assert client.get(url.removeprefix("http://localhost"), headers=BROWSER).status_code == 200, url
    assert client.get("/sitemap-99.xml").status_code == 404


def test_crawlers_are_kept_from_queries_and_told_of_the_sitemap(client: FlaskClient) -> None:
    lines = client.get("/robots.txt").text.splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /sparql", "Disallow: /data", "Disallow: /search"} <= set(lines)
    assert "Sitemap: http://localhost/sitemap.xml" in lines
    assert "Disallow: /page" not in lines


def test_a_feed_is_atom(client: FlaskClient) -> None:
    # RFC 4287 sections 4.1.1 and 4.1.2: what a feed and an entry must have.
    response = client.get("/feed/country/irn.atom")
    assert response.mimetype == "application/atom+xml"
    feed = ET.fromstring(response.data)
    assert feed.tag == ATOM + "feed"
    entries = feed.findall(ATOM + "entry")
    assert entries and len(entries) <= 50
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(ATOM + name)) == 1, name
        moment = element.findtext(ATOM + "updated") or ""
        assert datetime.fromisoformat(moment.replace("Z", "+00:00")).tzinfo is not None
    assert feed.find(ATOM + "author") is not None
    ids = [entry.findtext(ATOM + "id") for entry in entries]
    assert len(ids) == len(set(ids)) and ID + "event/us-strikes-on-iranian-nuclear-sites" in ids
    assert any(link.get("rel") == "self" for link in feed.findall(ATOM + "link"))
    assert client.get("/feed/country/nowhere.atom").status_code == 404
    assert client.get("/feed/country/irn.rss").status_code == 404


def links(response) -> dict[str, list[str]]:  # type: ignore[no-untyped-def]
    found: dict[str, list[str]] = {}
    for header in response.headers.getlist("Link"):
        target, relation = re.fullmatch(r'<([^>]*)>; rel="([^"]+)".*', header).groups()  # type: ignore[union-attr]
        found.setdefault(relation, []).append(target)
    return found


def test_signposts_lead_from_a_thing_to_its_data(client: FlaskClient) -> None:
    iri = ID + "country/irn"
    thing = client.get("/id/country/irn", headers=BROWSER)
    assert thing.status_code == 303 and "Accept" in thing.headers["Vary"]
    page = client.get("/page/country/irn", headers=BROWSER)
    for response in (thing, page):
        found = links(response)
        assert found["cite-as"] == [iri]
        assert ONTOLOGY + "Country" in found["type"]
        assert found["license"] == ["https://www.apache.org/licenses/LICENSE-2.0"]
        for target in found["describedby"]:
            assert client.get(target).status_code == 200, target
        assert client.get(found["alternate"][0]).status_code == 200
    data = links(client.get("/data/country/irn.ttl"))
    assert data["describes"] == ["/page/country/irn"] and data["cite-as"] == [iri]
    assert not client.get("/page/country/nowhere", headers=BROWSER).headers.getlist("Link")


def test_home_stands_when_counting_takes_too_long(
    client: FlaskClient, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = store.query

    def impatient(text: str, *rest: object) -> object:
        if "COUNT(" in text:
            raise QueryStoppedError("it took longer than 1 s", mend="Narrow it.")
        return answer(text, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "query", impatient)
    page = client.get("/", headers=BROWSER)
    assert page.status_code == 200 and "time limit" in page.text and "/queries/deportations" in page.text
    assert client.get("/coverage", headers=BROWSER).status_code == 503
