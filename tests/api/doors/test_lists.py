"""Lists of events and machine codings: filters in the address, exports that hold what the list holds."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pyoxigraph
import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from pyoxigraph import Literal, NamedNode, Quad

from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, ONTOLOGY, term

BROWSER = {"Accept": "text/html"}
FIXTURES = Path(__file__).parents[2] / "fixtures"
G = NamedNode(GRAPH + "many")


@pytest.fixture(autouse=True)
def codings(store: EmbeddedStore) -> None:
    """The invented codings and events of the fixture, beside the article."""
    for name in ("coding.trig", "posts.trig"):
        store.engine.load(path=str(FIXTURES / name), format=pyoxigraph.RdfFormat.TRIG)


def rows(client: FlaskClient, address: str) -> list[dict[str, str]]:
    path, _, query = address.partition("?")
    response = client.get(f"{path}.csv?{query}")
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text)))


def names(client: FlaskClient, address: str) -> set[str]:
    return {row["iri"].removeprefix(ID) for row in rows(client, address)}


def listed(page: str) -> list[str]:
    return re.findall(r'<strong><a href="/page/([^"]+)"', page)


def many(store: EmbeddedStore, count: int) -> None:
    def quads() -> Iterable[Quad]:
        for number in range(count):
            event = NamedNode(f"{ID}event/many-{number:03}")
            yield Quad(event, term("rdf:type"), NamedNode(ONTOLOGY + "Event"), G)
            yield Quad(event, term("rdfs:label"), Literal(f"event {number}"), G)
            yield Quad(event, NamedNode(ONTOLOGY + "actor"), NamedNode(ID + "country/mli"), G)

    store.change([], quads())


def test_a_dyad_is_two_actors_and_a_country_stands_for_those_who_act_for_it(client: FlaskClient) -> None:
    found = names(client, "/events?actor=Iran&actor=country/usa")
    assert "event/us-iran-negotiations" in found, "held by the two governments"
    assert "event/us-strikes-on-iranian-nuclear-sites" in found
    assert "event/us-iran-deportation-flight" not in found
    assert names(client, "/events?actor=Iran") >= found


def test_a_type_stands_for_those_under_it(client: FlaskClient) -> None:
    assert names(client, "/events?type=174") == names(client, "/events?type=event-type/cameo-174")
    wide, narrow = (
        names(client, "/events?type=plover-coerce"),
        names(client, "/events?type=plover-coerce-deport"),
    )
    assert "event/us-iran-deportation" in narrow and narrow <= wide


def test_days_hold_what_touches_them(client: FlaskClient) -> None:
    # invented-return is on 2018-01-05, invented-talks in February 2018, known to the month.
    assert names(client, "/events?from=2018-01-05&to=2018-01-05") == {"event/invented-return"}
    assert names(client, "/events?from=2018-02-10&to=2018-02-11") == {"event/invented-talks"}
    assert names(client, "/events?from=2018-02&to=2018-02") == {"event/invented-talks"}
    assert {"event/invented-return", "event/invented-talks"} <= names(client, "/events?from=2018&to=2018")
    assert names(client, "/events?to=1066") == set()


def test_modality_place_and_source(client: FlaskClient) -> None:
    query = f"""PREFIX dg: <{ONTOLOGY}> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
        SELECT DISTINCT ?e {{ ?e a/rdfs:subClassOf* dg:Event . ?c dg:about ?e ;
        dg:modality <{ID}modality/planned> }}"""
    planned = client.get("/sparql", query_string={"query": query}).get_json(force=True)
    wanted = {row["e"]["value"].removeprefix(ID) for row in planned["results"]["bindings"]}
    assert wanted and names(client, "/events?modality=planned") == wanted
    assert names(client, "/events?place=Qatar") >= {"event/us-iran-deportation-arrival"}
    assert "event/us-iran-deportation-flight" in names(client, "/events?place=usa"), "Louisiana is in it"
    assert names(client, "/events?source=graph/invented-codings") == {
        "event/invented-return",
        "event/invented-talks",
    }


def test_codings_are_listed_apart_with_their_goldstein(client: FlaskClient) -> None:
    found = rows(client, "/records?actor=usa&actor=irn")
    assert found and all("/id/record/" in row["iri"] for row in found)
    assert not names(client, "/events") & names(client, "/records")
    assert any(row["goldstein"] for row in found)
    page = client.get("/records?actor=usa&actor=irn", headers=BROWSER).text
    assert "not verified" in page and len(listed(page)) == len(found)


@pytest.mark.parametrize(
    "address", ["/events", "/events?actor=Iran", "/records?actor=usa", "/events?to=1066"]
)
def test_exports_hold_exactly_what_the_pages_show(client: FlaskClient, address: str) -> None:
    shown = listed(client.get(address, headers=BROWSER).text)
    table = rows(client, address)
    assert [row["iri"].removeprefix(ID) for row in table] == shown
    path, _, query = address.partition("?")
    data = json.loads(client.get(f"{path}.json?{query}").data)["rows"]
    assert [row["iri"].removeprefix(ID) for row in data] == shown
    book = load_workbook(io.BytesIO(client.get(f"{path}.xlsx?{query}").data)).active
    sheet = [[cell or "" for cell in row] for row in book.iter_rows(values_only=True)]
    assert sheet[0] == list(data[0] if data else sheet[0])
    assert sheet[1:] == [list(row.values()) for row in table]
    for row, other in zip(data, table, strict=True):
        for key, value in row.items():
            text = value if isinstance(value, str) else "; ".join(one["label"] for one in value)
            assert text == other[key]


def test_exports_go_beyond_the_page(client: FlaskClient, store: EmbeddedStore) -> None:
    many(store, 130)
    page = client.get("/events?actor=mli", headers=BROWSER).text
    assert len(listed(page)) == 50 and ">130 events" in page
    pages = [listed(client.get(f"/events?actor=mli&page={n}", headers=BROWSER).text) for n in (1, 2, 3)]
    assert [row["iri"].removeprefix(ID) for row in rows(client, "/events?actor=mli")] == [
        iri for page in pages for iri in page
    ]


def test_programs_get_the_whole_list_from_the_same_address(client: FlaskClient) -> None:
    response = client.get("/events?actor=Iran")
    assert response.mimetype == "application/json" and "Accept" in response.headers["Vary"]
    assert len(response.get_json()["rows"]) == len(rows(client, "/events?actor=Iran"))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("actor=Nowhereland", "actor: nothing is called"),
        ("from=2018-02-30", "from: “2018-02-30” is not a date"),
        ("to=yesterday", "Use 2026-11-30, 2026-11 or 2026"),
        ("to=2018-13", "is not a date"),
        ("place=irn&place=usa", "place is given 2 times"),
        ("&".join(["actor=irn"] * 9), "at most 8 times"),
    ],
)
def test_a_filter_that_means_nothing_is_told(client: FlaskClient, query: str, says: str) -> None:
    page = client.get(f"/events?{query}", headers=BROWSER)
    assert page.status_code == 400 and says in page.text and "<form" in page.text
    assert client.get(f"/events.csv?{query}").status_code == 400
    assert says in client.get(f"/events?{query}").get_json(force=True)["detail"] + says


def test_unknown_formats_and_pages(client: FlaskClient) -> None:
    assert client.get("/events.pdf").status_code == 415
    assert client.get("/events?page=x", headers=BROWSER).status_code == 400
    assert "This page is empty" in client.get("/events?page=999", headers=BROWSER).text


def test_labels_are_never_markup_and_never_formulas(client: FlaskClient, store: EmbeddedStore) -> None:
    hostile = '=HYPERLINK("http://e.example")<script>alert(1)</script>\x0b\u202e'
    event = NamedNode(ID + "event/hostile")
    store.change(
        [],
        [
            Quad(event, term("rdf:type"), NamedNode(ONTOLOGY + "Event"), G),
            Quad(event, term("rdfs:label"), Literal(hostile), G),
        ],
    )
    page = client.get("/events?source=graph/many", headers=BROWSER).text
    assert "<script>alert" not in page and "&lt;script&gt;" in page
    book = load_workbook(io.BytesIO(client.get("/events.xlsx?source=graph/many").data)).active
    cell = book.cell(2, 4)
    assert cell.data_type == "s" and cell.value.startswith("=HYPERLINK")
    # A spreadsheet would carry out what a CSV cell begins with.
    assert rows(client, "/events?source=graph/many")[0]["name"] == "'" + hostile
