"""Search and suggestions: what is found for whatever is typed, in which order; nothing found is markup."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad

from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, ONTOLOGY, term

BROWSER = {"Accept": "text/html"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> \u202eevil"


@pytest.fixture(autouse=True)
def indexed_in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that took long to build, as on a busy machine, is not built again for a while."""
    monkeypatch.setattr("kg.search.index.time", SimpleNamespace(monotonic=lambda: 0.0))


def name(store: EmbeddedStore, slug: str, label: str, cls: str = "Person") -> None:
    graph = NamedNode(GRAPH + "test")
    thing = NamedNode(ID + slug)
    store.change(
        [],
        [
            Quad(thing, term("rdfs:label"), Literal(label), graph),
            Quad(thing, term("rdf:type"), NamedNode(ONTOLOGY + cls), graph),
        ],
    )


def test_the_page_groups_what_it_finds_by_kind(reading: FlaskClient) -> None:
    page = reading.get("/search?q=iran", headers=BROWSER).text
    assert page.index(">Countries <") < page.index(">Events <")
    assert '<a href="/page/country/irn"><bdi>Iran</bdi></a>' in page
    only = reading.get("/search?q=iran&kind=country", headers=BROWSER).text
    assert "/page/country/irn" in only and "/page/event/" not in only


def test_programs_get_json(reading: FlaskClient) -> None:
    response = reading.get("/search?q=IRN")
    assert response.mimetype == "application/json" and "Accept" in response.headers["Vary"]
    first = response.get_json()["results"][0]
    assert first["iri"] == ID + "country/irn" and first["label"] == "Iran" and first["matched"] == "IRN"
    assert first["value"] == "country/irn" and first["page"] == "/page/country/irn"


def test_suggestions_begin_so_and_may_be_held_to_a_class(reading: FlaskClient) -> None:
    found = reading.get("/suggest?q=ira").get_json()["results"]
    assert [one["label"] for one in found[:2]] == ["Iran", "Iraq"] and len(found) <= 8
    agents = reading.get("/suggest?q=ira&of=dg:Country").get_json()["results"]
    assert {one["kind"] for one in agents} == {"country"}
    assert reading.get("/suggest?q=ira&of=dg:Nothing").get_json()["results"] == []
    assert reading.get("/suggest").get_json() == {"results": []}
    for wrong in ("nothing", "xx:y", "dg:<>"):
        assert reading.get("/suggest", query_string={"q": "a", "of": wrong}).status_code == 400


@pytest.mark.parametrize("path", ["/search", "/suggest"])
@pytest.mark.parametrize("text", ['"', "*", "' --", "NEAR(", "\x00", "%", "a" * 5_000, "→", HOSTILE])
def test_whatever_is_typed_is_searched(reading: FlaskClient, path: str, text: str) -> None:
    response = reading.get(path, query_string={"q": text}, headers=BROWSER)
    assert response.status_code == 200
    assert "<script>alert" not in response.text and "<img src=x" not in response.text


def test_a_label_is_never_markup(client: FlaskClient, store: EmbeddedStore) -> None:
    name(store, "person/hostile", HOSTILE)
    page = client.get("/search?q=alert", headers=BROWSER).text
    assert "/page/person/hostile" in page and "&lt;script&gt;" in page
    assert "<script>alert" not in page and "<img src=x" not in page
    assert client.get("/suggest?q=script").get_json()["results"][0]["label"] == HOSTILE


def test_a_change_of_names_shows_at_once(client: FlaskClient, store: EmbeddedStore) -> None:
    assert client.get("/suggest?q=zyxw").get_json()["results"] == []
    name(store, "person/zyxwv", "Zyxwv")
    assert client.get("/suggest?q=zyxw").get_json()["results"][0]["label"] == "Zyxwv"


def test_every_page_offers_suggestions_without_needing_them(reading: FlaskClient) -> None:
    page = reading.get("/queries", headers=BROWSER).text
    assert 'action="/search"' in page and 'data-suggest="/suggest"' in page
    with reading.get("/static/combobox.js") as script:
        assert script.status_code == 200


def test_what_a_misspelt_name_may_mean_is_linked_once_by_its_label(reading: FlaskClient) -> None:
    link = '<a href="/page/country/qat"><bdi>Qatar</bdi></a>'
    for address in ("/page/country/quatar", "/events?actor=Quatar", "/queries/dyad?a=Quatar&b=irn"):
        page = reading.get(address, headers={"Accept": "text/html"})
        assert page.status_code in (400, 404)
        assert "Did you mean " + link in page.text and page.text.count(link) == 1
        told = reading.get(address, headers={"Accept": "application/json"}).get_json()
        assert told["meant"][0] == {"label": "Qatar", "iri": "https://w3id.org/diplograph/id/country/qat"}
        assert "“Qatar”" in told["mend"] and "country/qat" not in told["mend"]
